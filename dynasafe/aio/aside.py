"""Work in another thread, so that the event loop runs on.

A loop has one such thread, for as long as it has such work: Python runs one thread at a time
anyway. The pool of `asyncio.to_thread` may be full of the program's own blocking calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class _Thread:
    """The thread of a loop, and how many tasks wait for its work."""

    __slots__ = ("pool", "waiting")

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="dynasafe-values")
        self.waiting: int = 0


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, _Thread] = WeakKeyDictionary()


def _done(work: Callable[[], T]) -> T:
    try:
        return work()
    except StopIteration as error:  # of a codec; no future can hold it, and the loop would wait
        raise RuntimeError("a conversion raised StopIteration") from error


async def aside(work: Callable[[], T]) -> T:
    """The result of the work, with the context variables of the running task."""
    loop = asyncio.get_running_loop()
    thread = _threads.get(loop)
    if thread is None:
        thread = _threads[loop] = _Thread()
    thread.waiting += 1
    try:
        context = copy_context()
        try:
            done = loop.run_in_executor(thread.pool, lambda: context.run(_done, work))
        except RuntimeError:  # no thread can be started, or the interpreter is ending
            return work()
        return await done
    finally:
        thread.waiting -= 1
        if not thread.waiting:
            del _threads[loop]
            thread.pool.shutdown(wait=False)
