"""The plugin's async fixtures: a database of the engine, its tables, and faults in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from pytest_asyncio import fixture

from dynasafe import AsyncDynamoDB
from dynasafe.testing.descriptions import create_table_params, table_description
from dynasafe.testing.engines import Engine
from dynasafe.testing.fault_proxy import FaultPlan, FaultProxy
from dynasafe.testing.plugin import CREDENTIALS, REGION

MakeTable = Callable[..., Awaitable[Any]]
MakeFaults = Callable[..., Awaitable[tuple[AsyncDynamoDB, FaultProxy]]]


@fixture
async def dynamodb(dynamodb_engine: Engine) -> AsyncIterator[AsyncDynamoDB]:
    """An AsyncDynamoDB of the engine."""
    async with _connect(dynamodb_engine.endpoint_url) as db:
        yield db


@fixture
async def dynamodb_table(dynamodb: AsyncDynamoDB) -> AsyncIterator[MakeTable]:
    """Makes tables: `await dynamodb_table(Person)`, or of a description for plain items.

    Each has a name of its own, is empty, and is dropped after the test.
    """
    names: list[str] = []

    async def make(item_class: Any, *, indexes: dict[str, tuple[str, ...]] | None = None) -> Any:
        name = f"test-{uuid4()}"
        params = create_table_params(name, table_description(item_class, indexes=indexes))
        await dynamodb.call("CreateTable", params)
        names.append(name)
        return dynamodb.table(name, item_class if isinstance(item_class, type) else None)

    yield make
    for name in names:
        await dynamodb.call("DeleteTable", {"TableName": name})


@fixture
async def dynamodb_faults(dynamodb_engine: Engine) -> AsyncIterator[MakeFaults]:
    """Makes databases whose answers get lost: `db, proxy = await dynamodb_faults(plan)`.

    The proxy stands in front of the engine, and injects the plan's faults.
    """
    async with AsyncExitStack() as stack:

        async def make(plan: FaultPlan, **options: Any) -> tuple[AsyncDynamoDB, FaultProxy]:
            proxy = FaultProxy(dynamodb_engine.endpoint_url, plan)
            await stack.enter_async_context(proxy)
            db = await stack.enter_async_context(_connect(proxy.endpoint_url, **options))
            return db, proxy

        yield make


def _connect(endpoint_url: str, **options: Any) -> AsyncDynamoDB:
    return AsyncDynamoDB.connect(
        region_name=REGION, endpoint_url=endpoint_url, client_options=CREDENTIALS, **options
    )
