"""Databases for the examples: in memory, on DynamoDB Local, and behind faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import FaultProxy, fake_database
from dynasafe.testing.descriptions import create_table_params, described
from dynasafe.testing.engines import Engine
from tests.exactness import workload
from tests.integration.conftest import Engines, connect, engines

__all__ = ["engines"]

Indexes = dict[str, dict[str, tuple[str, ...]]]
MakeDatabase = Callable[..., Awaitable[AsyncDynamoDB]]
MakeFaulty = Callable[..., Awaitable[tuple[AsyncDynamoDB, AsyncDynamoDB, FaultProxy]]]
SEED = 20261124


def descriptions(indexes: Indexes | None, tables: dict[str, Any]) -> dict[str, Any]:
    return {
        name: described(item_class, (indexes or {}).get(name))
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
            **tables: Any,
        ) -> tuple[AsyncDynamoDB, AsyncDynamoDB, FaultProxy]:
            calm = await stack.enter_async_context(tables_on(engine, descriptions(None, tables)))
            proxy = FaultProxy(engine.endpoint_url, workload.plan(SEED))
            await stack.enter_async_context(proxy)
            return await stack.enter_async_context(workload.connect(proxy)), calm, proxy

        yield make
