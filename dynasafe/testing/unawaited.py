"""forbid_unawaited: a coroutine that nobody awaited fails the test.

Source: "Detect never-awaited coroutines", Python documentation, Developing with asyncio.
"""

from __future__ import annotations

import gc
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_NEVER_AWAITED = "was never awaited"
_ORIGIN_DEPTH = 12
_FRAME = re.compile(r'^(?=  File ")', re.MULTILINE)
_OF_OTHERS = re.compile(r"[/\\](?:_pytest|anyio|asyncio|pluggy|pytest_asyncio)[/\\]")
FIX_UNAWAITED = "Fix: write `await` before the call"

# Blocks of several tasks may end in any order, so that the first one sets the hook for all.
_blocks: list[list[str]] = []
_hook = ExitStack()


class UnawaitedError(AssertionError):
    """Coroutines were made and not awaited, so they did not run."""


@contextmanager
def forbid_unawaited() -> Iterator[None]:
    """Fail if a coroutine that is made within the block is not awaited.

    Python only warns when the coroutine is collected. The error has the lines that made it.

    Raises:
        UnawaitedError: at the end of the block.
    """
    gc.collect()  # what was made before the block is not its fault
    with collecting_unawaited() as found:
        try:
            yield
        except BaseException as error:
            for text in take_unawaited(found):
                error.add_note(text)
            raise
        missing = take_unawaited(found)
    if missing:
        raise UnawaitedError("\n".join([*missing, FIX_UNAWAITED]))


@contextmanager
def collecting_unawaited() -> Iterator[list[str]]:
    """Collect Python's warnings about coroutines that were not awaited.

    In nested blocks, the innermost one gets them.
    """
    if not _blocks:
        _set_hook()
    found: list[str] = []
    _blocks.append(found)
    try:
        yield found
    finally:
        # By identity: lists of the same contents are equal.
        del _blocks[next(index for index, each in enumerate(_blocks) if each is found)]
        if not _blocks:
            _hook.close()


def take_unawaited(found: list[str]) -> list[str]:
    """The findings of a block, which are then removed from it."""
    gc.collect()  # a coroutine may be in a cycle, as the locals of a traceback are
    taken = [_without_others(text) for text in found]
    found.clear()
    return taken


def _without_others(text: str) -> str:
    """The text without the frames of the test runner, which hide those of the test."""
    head, *frames = _FRAME.split(text)
    own = [each for each in frames if not _OF_OTHERS.search(each.partition("\n")[0])]
    return "".join([head, *(own or frames)])


def _set_hook() -> None:
    _hook.enter_context(warnings.catch_warnings())
    show = warnings.showwarning

    def collect(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
        text = str(message)
        if issubclass(category, RuntimeWarning) and _NEVER_AWAITED in text and _blocks:
            _blocks[-1].append(text)
        else:
            show(message, category, *args, **kwargs)

    warnings.filterwarnings("always", f".*{_NEVER_AWAITED}", RuntimeWarning)
    warnings.showwarning = collect
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGIN_DEPTH))
    _hook.callback(sys.set_coroutine_origin_tracking_depth, depth)
