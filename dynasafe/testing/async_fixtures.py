"""The async fixtures: a database of the engine, its tables, and faults in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
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


async def databases(engine: Engine) -> AsyncIterator[AsyncDynamoDB]:
    """One database of the engine, which is closed at the end."""
    async with _connect(engine.endpoint_url) as db:
        yield db


async def tables(db: AsyncDynamoDB) -> AsyncIterator[MakeTable]:
    """A function that makes tables, which are dropped at the end."""
    names: list[str] = []

    async def make(
        item_class: Any, *, indexes: Mapping[str, tuple[str, ...]] | None = None
    ) -> AsyncTable[Any]:
        __tracebackhide__ = True
        name = f"test-{uuid4()}"
        description = table_description(item_class, indexes=indexes)
        await db.call("CreateTable", create_table_params(name, description))
        names.append(name)
        await _wait_until_active(db, name)
        return db.table(name, item_class if isinstance(item_class, type) else None)

    yield make
    for name in names:
        try:
            # Independent of the test's circuit breakers.
            await db.call("DeleteTable", {"TableName": name}, breaker=None)
        except ServiceError as error:
            if error.code != "ResourceNotFoundException":  # the test has dropped it itself
                raise


async def _wait_until_active(db: AsyncDynamoDB, name: str) -> None:
    """Like DynamoDB, dynalite answers before the table exists."""
    __tracebackhide__ = True
    for _ in range(_LOOKS):
        answer = await db.call("DescribeTable", {"TableName": name})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
        await asyncio.sleep(_LOOK_S)
    raise TimeoutError(f"the table {name} did not become active")


async def faulty_databases(engine: Engine) -> AsyncIterator[MakeFaults]:
    """A function that makes databases behind a fault proxy, which are closed at the end."""
    async with AsyncExitStack() as stack:

        async def make(plan: FaultPlan, **options: Any) -> tuple[AsyncDynamoDB, FaultProxy]:
            __tracebackhide__ = True
            proxy = proxy_of(engine, plan)
            await stack.enter_async_context(proxy)
            db = await stack.enter_async_context(_connect(proxy.endpoint_url, **options))
            return db, proxy

        yield make


def proxy_of(engine: Engine, plan: FaultPlan) -> FaultProxy:
    """A fault proxy in front of the engine."""
    is_moto = engine.name == "moto"  # it has no tokens: each repeat would count
    return FaultProxy(engine.endpoint_url, plan, recognises_tokens=is_moto)


def _connect(endpoint_url: str, **options: Any) -> AsyncDynamoDB:
    __tracebackhide__ = True
    return AsyncDynamoDB.connect(
        region_name=REGION, endpoint_url=endpoint_url, client_options=CREDENTIALS, **options
    )
