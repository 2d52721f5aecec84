"""The sync fixtures: a database of the engine, its tables, and faults in front of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar, overload
from uuid import uuid4

from dynasafe.errors import ServiceError
from dynasafe.items.item import Item
from dynasafe.sync.database import DynamoDB
from dynasafe.sync.table import PlainItem, Table
from dynasafe.testing.async_fixtures import CREDENTIALS, REGION, proxy_of
from dynasafe.testing.descriptions import create_table_params, table_description
from dynasafe.testing.engines import Engine
from dynasafe.testing.fault_proxy import FaultPlan, FaultProxy
from dynasafe.testing.tables import is_active

ItemT = TypeVar("ItemT", bound=Item)
_LOOK_S = 0.01


class MakeSyncTable(Protocol):
    """The fixture `dynamodb_sync_table`: `people = dynamodb_sync_table(Person)`."""

    @overload
    def __call__(
        self, item_class: type[ItemT], *, indexes: Mapping[str, tuple[str, ...]] | None = None
    ) -> Table[ItemT]: ...
    @overload
    def __call__(self, item_class: Mapping[str, Any]) -> Table[PlainItem]: ...


class MakeSyncFaults(Protocol):
    """The fixture `dynamodb_sync_faults`: `db, proxy = dynamodb_sync_faults(plan)`."""

    def __call__(self, plan: FaultPlan, **options: Any) -> tuple[DynamoDB, FaultProxy]: ...


def databases(engine: Engine) -> Iterator[DynamoDB]:
    """A DynamoDB of the engine."""
    with _connect(engine.endpoint_url) as db:
        yield db


def tables(db: DynamoDB) -> Iterator[MakeSyncTable]:
    """Makes tables, which are dropped afterwards."""
    names: list[str] = []

    def make(
        item_class: Any, *, indexes: Mapping[str, tuple[str, ...]] | None = None
    ) -> Table[Any]:
        __tracebackhide__ = True
        name = f"test-{uuid4()}"
        description = table_description(item_class, indexes=indexes)
        db.call("CreateTable", create_table_params(name, description))
        names.append(name)
        # Like DynamoDB, dynalite answers before the table exists.
        while not is_active(db.call("DescribeTable", {"TableName": name})):
            time.sleep(_LOOK_S)
        return db.table(name, item_class if isinstance(item_class, type) else None)

    yield make
    for name in names:
        try:
            # Independent of the test's circuit breakers.
            db.call("DeleteTable", {"TableName": name}, breaker=None)
        except ServiceError as error:
            if error.code != "ResourceNotFoundException":  # the test has dropped it itself
                raise


def faulty_databases(engine: Engine) -> Iterator[MakeSyncFaults]:
    """Makes databases behind proxies that inject the plan's faults."""
    with ExitStack() as stack:

        def make(plan: FaultPlan, **options: Any) -> tuple[DynamoDB, FaultProxy]:
            __tracebackhide__ = True
            proxy = stack.enter_context(proxy_of(engine, plan))
            return stack.enter_context(_connect(proxy.endpoint_url, **options)), proxy

        yield make


def _connect(endpoint_url: str, **options: Any) -> DynamoDB:
    __tracebackhide__ = True
    return DynamoDB.connect(
        region_name=REGION, endpoint_url=endpoint_url, client_options=CREDENTIALS, **options
    )
