"""Reads the segments of a scan concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from dynasafe.calls.pages import Page

T = TypeVar("T")

Start = Mapping[str, Any]


async def pages_of_segments(
    page_of: Callable[[Start, int | None], Awaitable[tuple[Page[T], Start | None]]],
    starts: Sequence[Start],
    remaining: int | None,
) -> AsyncGenerator[Page[T], None]:
    """The pages of all segments, as they come.

    Args:
        page_of: reads one page, and returns the start of the next one.
        remaining: how many items are wanted.
    """
    tasks = {asyncio.ensure_future(page_of(start, remaining)) for start in starts}
    try:
        while tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                page, next_start = task.result()
                tasks.remove(task)
                if next_start is not None:
                    tasks.add(asyncio.ensure_future(page_of(next_start, remaining)))
                yield page
                if remaining is not None:
                    remaining -= page.count
                    if remaining <= 0:
                        return
    finally:
        # Also if the caller stops early: no request continues, and no error is left that nobody
        # reads.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
