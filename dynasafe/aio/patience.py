"""A time limit that lets the event loop deliver data that has already arrived.

If a process was stopped or its loop was blocked, the limit and the answer are due together. The
answer is in the socket, and takes a few turns of the loop to reach its task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_TURNS = 8
"""Turns of the loop after the limit: more than any transport needs from socket to task."""


@asynccontextmanager
async def patient_timeout(timeout_s: float | None) -> AsyncIterator[None]:
    """Like `asyncio.timeout`, but a few turns of the loop later.

    Raises:
        TimeoutError: the block did not end in time.
    """
    if timeout_s is None:
        yield
        return
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        handle: asyncio.Handle

        def come_due(turns: int) -> None:
            nonlocal handle
            if turns:
                handle = loop.call_soon(come_due, turns - 1)
            else:
                limit.reschedule(loop.time())

        handle = loop.call_later(timeout_s, come_due, _TURNS)
        try:
            yield
        finally:
            handle.cancel()
