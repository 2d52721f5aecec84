"""Queries and scans as async iterators over items, or over pages.

Source: "Paginating table query results in DynamoDB"; "Scanning tables in DynamoDB".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Generic, Literal, TypeVar

from dynasafe.aio.execute import Executor
from dynasafe.aio.settings import Settings
from dynasafe.calls.requests import Page, Table, page_request

T = TypeVar("T")

AttributeMap = Mapping[str, Any]


class Pages(Generic[T]):
    """A query or scan that has not begun: each `async for` over it begins anew.

    With several segments, items come as their segments bring them, in no order.
    """

    def __init__(
        self,
        executor: Executor,
        settings: Settings,
        *,
        operation: Literal["Query", "Scan"],
        table: Table[Any],
        params: AttributeMap,
        decode: Callable[[AttributeMap], T],
        decode_key: Callable[[AttributeMap], Mapping[str, Any]],
        max_items: int | None,
        total_segments: int | None = None,
    ) -> None:
        self._executor = executor
        self._settings = settings
        self._operation: Literal["Query", "Scan"] = operation
        self._table = table
        self._params = params
        self._decode = decode
        self._decode_key = decode_key
        self._max_items = max_items
        self._total_segments = total_segments

    async def __aiter__(self) -> AsyncIterator[T]:
        remaining = self._max_items
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
        starts = self._starts()
        remaining = self._max_items
        if len(starts) == 1:
            next_start: AttributeMap | None = starts[0]
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

    async def count(self) -> int:
        """How many items there are, without reading them (`Select="COUNT"`)."""
        counting = dict(self._params)
        for member in ("ProjectionExpression", "Select"):
            counting.pop(member, None)
        counting["Select"] = "COUNT"
        counted: Pages[T] = Pages(
            self._executor,
            self._settings,
            operation=self._operation,
            table=self._table,
            params=counting,
            decode=self._decode,
            decode_key=self._decode_key,
            max_items=None,
            total_segments=self._total_segments,
        )
        total = 0
        async for page in counted.pages():
            total += page.count
        return total if self._max_items is None else min(total, self._max_items)

    def _starts(self) -> list[dict[str, Any]]:
        if self._total_segments is None:
            return [{}]
        return [
            {"TotalSegments": self._total_segments, "Segment": segment}
            for segment in range(self._total_segments)
        ]

    async def _page(
        self, start: AttributeMap, remaining: int | None
    ) -> tuple[Page[T], AttributeMap | None]:
        """One answer, and where the next begins."""
        params = {**self._params, **start}
        if remaining is not None and "FilterExpression" not in params:
            params["Limit"] = min(remaining, params.get("Limit", remaining))
        request = page_request(self._operation, self._table, params)
        success = await self._executor.run(request, self._settings)
        response = success.response
        assert response is not None
        last_evaluated_key = response.get("LastEvaluatedKey") or None
        page = Page(
            items=tuple(map(self._decode, response.get("Items", ()))),
            count=response.get("Count", 0),
            scanned_count=response.get("ScannedCount", 0),
            last_evaluated_key=(
                None if last_evaluated_key is None else self._decode_key(last_evaluated_key)
            ),
            consumed_capacity=response.get("ConsumedCapacity"),
            attempts=success.attempts,
        )
        if last_evaluated_key is None:
            return page, None
        return page, {**start, "ExclusiveStartKey": last_evaluated_key}
