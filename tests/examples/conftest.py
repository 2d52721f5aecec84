"""Databases for the examples: in memory, on DynamoDB Local, and behind faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import Fault, FaultPlan, FaultProxy, fake_database, table_description
from dynasafe.testing.descriptions import create_table_params
from dynasafe.testing.engines import Engine
from tests.exactness import workload
from tests.integration.conftest import Engines, connect, engines

__all__ = ["engines"]

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


def descriptions(indexes: Indexes | None, tables: dict[str, Any]) -> dict[str, Any]:
    return {
        name: table_description(item_class, indexes=(indexes or {}).get(name))
        for name, item_class in tables.items()
    }


@asynccontextmanager
async def tables_on(engine: Engine, described: dict[str, Any]) -> AsyncIterator[AsyncDynamoDB]:
    """A calm database with these tables, which are dropped afterwards."""
    async with connect(engine, breaker=None) as db:
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
