"""The plugin's async fixtures: a database of the engine, its tables, and faults in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from types import ModuleType
from typing import Any, Protocol, TypeVar, overload
from uuid import uuid4

from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.aio.table import AsyncTable, PlainItem
from dynasafe.errors import ServiceError
from dynasafe.items.item import Item
from dynasafe.testing.descriptions import create_table_params, table_description
from dynasafe.testing.engines import Engine
from dynasafe.testing.fault_proxy import FaultPlan, FaultProxy

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

ItemT = TypeVar("ItemT", bound=Item)
_LOOKS = 1000
_LOOK_S = 0.01


class MakeTable(Protocol):
    """The fixture `dynamodb_table`: `people = await dynamodb_table(Person)`."""

    @overload
    async def __call__(
        self, item_class: type[ItemT], *, indexes: Mapping[str, tuple[str, ...]] | None = None
    ) -> AsyncTable[ItemT]: ...
    @overload
    async def __call__(self, item_class: Mapping[str, Any]) -> AsyncTable[PlainItem]: ...


class MakeFaults(Protocol):
    """The fixture `dynamodb_faults`: `db, proxy = await dynamodb_faults(plan)`."""

    async def __call__(
        self, plan: FaultPlan, **options: Any
    ) -> tuple[AsyncDynamoDB, FaultProxy]: ...


def async_fixtures(fixture: Callable[[Any], Any]) -> ModuleType:
    """The fixtures as a plugin, made by the decorator of the plugin that runs async tests."""
    plugin = ModuleType("dynasafe-async-fixtures")
    for function in (dynamodb, dynamodb_table, dynamodb_faults):
        setattr(plugin, function.__name__, fixture(function))
    return plugin


async def dynamodb(dynamodb_engine: Engine) -> AsyncIterator[AsyncDynamoDB]:
    """An AsyncDynamoDB of the engine."""
    async with _connect(dynamodb_engine.endpoint_url) as db:
        yield db


async def dynamodb_table(dynamodb: AsyncDynamoDB) -> AsyncIterator[MakeTable]:
    """Makes tables: `await dynamodb_table(Person)`, or of a description for plain items.

    Each has a name of its own, is empty, and is dropped after the test.
    """
    names: list[str] = []

    async def make(
        item_class: Any, *, indexes: Mapping[str, tuple[str, ...]] | None = None
    ) -> AsyncTable[Any]:
        name = f"test-{uuid4()}"
        description = table_description(item_class, indexes=indexes)
        await dynamodb.call("CreateTable", create_table_params(name, description))
        names.append(name)
        await _wait_until_active(dynamodb, name)
        return dynamodb.table(name, item_class if isinstance(item_class, type) else None)

    yield make
    for name in names:
        try:
            # Whatever the test has done to the circuit breakers.
            await dynamodb.call("DeleteTable", {"TableName": name}, breaker=None)
        except ServiceError as error:
            if error.code != "ResourceNotFoundException":  # the test has dropped it itself
                raise


async def _wait_until_active(db: AsyncDynamoDB, name: str) -> None:
    """dynalite answers before the table is there, as DynamoDB does."""
    for _ in range(_LOOKS):
        answer = await db.call("DescribeTable", {"TableName": name})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
        await asyncio.sleep(_LOOK_S)
    raise TimeoutError(f"the table {name} did not become active")


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
