"""Queries and scans as async iterators over items, or over pages."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from dynasafe.aio.execute import Executor
from dynasafe.aio.parallel import pages_of_segments
from dynasafe.calls.options import Settings
from dynasafe.calls.pages import Page, Paging, page_plan
from dynasafe.errors import StoredValueError

T = TypeVar("T")


class Pages(Generic[T]):
    """A query or scan that has not started. Each `async for` over it starts again.

    With several segments, items come in no fixed order.
    """

    def __init__(self, executor: Executor, settings: Settings, paging: Paging[T]) -> None:
        self._executor = executor
        self._settings = settings
        self._paging = paging

    def __repr__(self) -> str:
        return f"Pages({self._paging.operation!r}, {self._paging.table.name!r})"

    def __aiter__(self) -> AsyncIterator[T]:
        return _Items(self._read(), self._paging)

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The pages, one for each answer.

        Pages are not cut: with a filter, the last page may exceed *max_items*. The errors of items
        that `on_invalid` leaves out are in `page.invalid`.

        Raises:
            StoredValueError: a stored item does not fit the item class, and on_invalid is "raise".
        """
        async with aclosing(self._read()) as pages:
            async for page in pages:
                if page.invalid and self._paging.on_invalid == "raise":
                    raise page.invalid[0]
                yield page

    async def _read(self) -> AsyncGenerator[Page[T], None]:
        """The pages, with the errors of items that do not fit the class."""
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
        async with aclosing(pages_of_segments(self._page, starts, remaining)) as pages:
            async for page in pages:
                yield page

    async def to_list(self) -> list[T]:
        """All items."""
        items: list[T] = []
        most = self._paging.max_items
        async with aclosing(self._read()) as pages:
            async for page in pages:
                items.extend(page.items)
                if most is not None and len(items) >= most:
                    return items[:most]
                if page.invalid and self._paging.on_invalid == "raise":
                    raise page.invalid[0]
        return items

    async def first(self) -> T | None:
        """The first item, or None. One request, unless a filter leaves out what it reads."""
        single = Pages(self._executor, self._settings, self._paging.replaced(max_items=1))
        async with aclosing(single.pages()) as pages:
            async for page in pages:
                if page.items:
                    return page.items[0]
        return None

    async def count(self) -> int:
        """The number of items, without receiving them (`Select="COUNT"`)."""
        counted = Pages(self._executor, self._settings, self._paging.counting())
        total = 0
        async for page in counted.pages():
            total += page.count
        max_items = self._paging.max_items
        return total if max_items is None else min(total, max_items)

    async def _page(
        self, start: Mapping[str, Any], remaining: int | None
    ) -> tuple[Page[T], Mapping[str, Any] | None]:
        """One answer, and the start of the next."""
        paging = self._paging
        return await self._executor.call(
            paging.operation,
            paging.table.name,
            self._settings,
            lambda _: page_plan(paging, start, remaining),
        )


class _Items(AsyncIterator[T]):
    """The items of a query or scan, one by one.

    You can continue after a StoredValueError, which comes after the other items of its page.
    """

    def __init__(self, pages: AsyncGenerator[Page[T], None], paging: Paging[T]) -> None:
        self._pages = pages
        self._raises = paging.on_invalid == "raise"
        self._remaining = paging.max_items
        self._items: deque[T] = deque()
        self._errors: deque[StoredValueError] = deque()

    async def __anext__(self) -> T:
        while not self._items:
            if self._errors:
                raise self._errors.popleft()
            if self._remaining == 0:
                await self.aclose()
                raise StopAsyncIteration
            page = await anext(self._pages)
            self._items.extend(page.items)
            if self._raises:
                self._errors.extend(page.invalid)
        if self._remaining is not None:
            self._remaining -= 1
            if self._remaining == 0:
                item = self._items.popleft()
                self._items.clear()
                self._errors.clear()
                await self.aclose()
                return item
        return self._items.popleft()

    async def aclose(self) -> None:
        """Stop reading, and cancel requests in progress."""
        await self._pages.aclose()
