"""Queries and scans as async iterators over items, or over pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Generic, TypeVar

from dynasafe.aio.execute import Executor
from dynasafe.calls.options import Settings
from dynasafe.calls.pages import Page, Paging, page_plan

T = TypeVar("T")


class Pages(Generic[T]):
    """A query or scan that has not begun: each `async for` over it begins anew.

    With several segments, items come as their segments bring them, in no order.
    """

    def __init__(self, executor: Executor, settings: Settings, paging: Paging[T]) -> None:
        self._executor = executor
        self._settings = settings
        self._paging = paging

    def __repr__(self) -> str:
        return f"Pages({self._paging.operation!r}, {self._paging.table.name!r})"

    async def __aiter__(self) -> AsyncIterator[T]:
        remaining = self._paging.max_items
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for item in page.items:
                    yield item
                    if remaining is not None:
                        remaining -= 1
                        if remaining == 0:
                            return

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The answers as they come.

        A page is not cut: with a filter, the last one may pass *max_items*.
        """
        starts = self._paging.starts()
        remaining = self._paging.max_items
        if len(starts) == 1:
            next_start: Mapping[str, Any] | None = starts[0]
            while next_start is not None:
                page, next_start = await self._page(next_start, remaining)
                yield page
                if remaining is not None:
                    remaining -= page.count
                    if remaining <= 0:
                        return
            return
        tasks = {asyncio.ensure_future(self._page(start, remaining)) for start in starts}
        try:
            while tasks:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    page, next_start = task.result()
                    tasks.remove(task)
                    if next_start is not None:
                        tasks.add(asyncio.ensure_future(self._page(next_start, remaining)))
                    yield page
                    if remaining is not None:
                        remaining -= page.count
                        if remaining <= 0:
                            return
        finally:
            # Also when the caller stops early: no request goes on, and no error is there, without
            # anyone to read it.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def to_list(self) -> list[T]:
        """All items."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """The first item, or None. One request, unless a filter leaves out what it reads."""
        single = Pages(self._executor, self._settings, replace(self._paging, max_items=1))
        async with aclosing(single.pages()) as pages:
            async for page in pages:
                if page.items:
                    return page.items[0]
        return None

    async def count(self) -> int:
        """How many items there are, without reading them (`Select="COUNT"`)."""
        counted = Pages(self._executor, self._settings, self._paging.counting())
        total = 0
        async for page in counted.pages():
            total += page.count
        max_items = self._paging.max_items
        return total if max_items is None else min(total, max_items)

    async def _page(
        self, start: Mapping[str, Any], remaining: int | None
    ) -> tuple[Page[T], Mapping[str, Any] | None]:
        """One answer, and where the next begins."""
        paging = self._paging
        return await self._executor.call(
            paging.operation,
            paging.table.name,
            self._settings,
            lambda _: page_plan(paging, start, remaining),
        )
