"""Databases for the examples: in memory, on DynamoDB Local, and behind faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest

from dynasafe import AsyncDynamoDB, Item, RetryPolicy
from dynasafe.testing import (
    Fault,
    FaultPlan,
    FaultProxy,
    ManualClock,
    MemoryTransport,
    fake_database,
    table_description,
)
from dynasafe.testing.descriptions import create_table_params
from dynasafe.testing.engines import Engine
from dynasafe.testing.memory import MemoryTables
from tests.exactness import workload
from tests.examples.faults import Faults
from tests.integration.conftest import Engines, connect, engines, no_false_alarm

__all__ = ["engines", "no_false_alarm"]

T = TypeVar("T")
Indexes = dict[str, dict[str, tuple[str, ...]]]
MakeDatabase = Callable[..., Awaitable[AsyncDynamoDB]]
MakeFaulty = Callable[..., Awaitable[tuple[AsyncDynamoDB, AsyncDynamoDB, FaultProxy]]]
SEED = int(os.environ.get("DYNASAFE_SEED", "20261124"))
LOST_ANSWERS = (
    Fault.CLOSE_AFTER,
    Fault.RESET_AFTER,
    Fault.ERROR_500_AFTER,
    Fault.CUT_BODY,
    Fault.WRONG_CRC32,
    Fault.DUPLICATE,
)
"""Faults that come after the engine has applied a request."""


async def outcomes(
    calls: Iterable[Callable[[], Awaitable[T]]], *, at_once: int = 20
) -> list[T | Exception]:
    """What each call returned or raised, so many under way at once."""
    found: list[T | Exception] = []
    waiting = iter(list(calls))

    async def work() -> None:
        for call in waiting:
            try:
                found.append(await call())
            except Exception as error:
                found.append(error)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return found


def count(found: list[Any], kind: object) -> int:
    """How many are this value, or of this type."""
    if isinstance(kind, type):
        return sum(isinstance(each, kind) for each in found)
    return sum(each == kind for each in found)


class Rough(Faults, MemoryTransport):
    """Tables in memory, whose writes meet what they meet in production."""

    def __init__(
        self,
        tables: Mapping[str, Any],
        *,
        conflicts: int = 0,
        rate: float = 0.0,
        plan: FaultPlan | None = None,
        seed: int = SEED,
        page_items: int | None = None,
        stale_reads: bool = False,
    ) -> None:
        Faults.__init__(self, conflicts=conflicts, rate=rate, plan=plan, seed=seed)
        MemoryTransport.__init__(self, tables, page_items=page_items, stale_reads=stale_reads)

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        applied, error = self.meet(operation, params)
        answer: Mapping[str, Any] = {}
        for _ in range(applied):
            answer = await super().send(operation, params, timeout_s=timeout_s)
        if error is not None:
            raise error
        return answer


def rough_database(transport: MemoryTransport) -> AsyncDynamoDB:
    """Over the transport, on a clock that does not wait."""
    policy = RetryPolicy(max_attempts=6, quota=None)
    return AsyncDynamoDB.over(transport, clock=ManualClock(), retry=policy, breaker=None)


def strip_optional(transport: MemoryTables, tables: Mapping[str, type[Item]]) -> None:
    """Leave the required attributes only, as in items that an older service has stored."""
    for name, item_class in tables.items():
        required = {
            each.name
            for each in item_class.__dynasafe_schema__.attributes
            if each.is_key or not each.has_default
        }
        for item in transport.tables[name].items.values():
            for attribute_name in set(item) - required:
                del item[attribute_name]


def descriptions(indexes: Indexes | None, tables: dict[str, Any]) -> dict[str, Any]:
    return {
        name: table_description(item_class, indexes=(indexes or {}).get(name))
        for name, item_class in tables.items()
    }


@asynccontextmanager
async def tables_on(engine: Engine, described: dict[str, Any]) -> AsyncIterator[AsyncDynamoDB]:
    """A calm database with these tables, which are dropped afterwards."""
    # A cold engine on a busy machine takes its time.
    async with connect(engine, breaker=None, timeout_s=120.0, attempt_timeout_s=60.0) as db:
        for name, description in described.items():
            await db.call("CreateTable", create_table_params(name, description))
        try:
            yield db
        finally:
            for name in described:
                await db.call("DeleteTable", {"TableName": name})


@pytest.fixture(params=["memory", "dynamodb-local"])
async def database(request: pytest.FixtureRequest, engines: Engines) -> AsyncIterator[MakeDatabase]:
    """Makes a database: `await database(people=Person, indexes={"people": {...}})`."""
    async with AsyncExitStack() as stack:

        async def make(*, indexes: Indexes | None = None, **tables: Any) -> AsyncDynamoDB:
            wanted = descriptions(indexes, tables)
            if request.param == "memory":
                return fake_database(**wanted)
            engine = engines.get("dynamodb-local")
            return await stack.enter_async_context(tables_on(engine, wanted))

        yield make


@pytest.fixture
async def faulty(engines: Engines) -> AsyncIterator[MakeFaulty]:
    """Makes a database through the fault proxy, and a calm one with the same tables."""
    engine = engines.get("dynamodb-local")
    async with AsyncExitStack() as stack:

        async def make(
            plan: FaultPlan | None = None, **tables: Any
        ) -> tuple[AsyncDynamoDB, AsyncDynamoDB, FaultProxy]:
            calm = await stack.enter_async_context(tables_on(engine, descriptions(None, tables)))
            proxy = FaultProxy(engine.endpoint_url, plan or workload.plan(SEED))
            await stack.enter_async_context(proxy)
            return await stack.enter_async_context(workload.connect(proxy)), calm, proxy

        yield make
