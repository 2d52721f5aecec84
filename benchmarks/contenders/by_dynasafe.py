"""dynasafe, which is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from benchmarks.work import (
    ITEM,
    MOST_CONNECTIONS,
    REGION,
    TABLE_NAME,
    Calls,
    Change,
    NewNames,
)
from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    check_request,
    require_valid,
)
from dynasafe.events import Event
from dynasafe.values.convert import from_attribute_map, to_attribute_map


class Address(Item):
    street: Attr[str]
    city: Attr[str]
    floor: Attr[int]


class Order(Item):
    sku: Attr[str]
    quantity: Attr[int]
    price: Attr[Decimal]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    nickname: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False)
    visits: Attr[int] = attribute(default=0)
    balance: Attr[Decimal] = attribute(default=Decimal(0))
    tags: Attr[set[str]] = attribute(default_factory=set)
    scores: Attr[list[int]] = attribute(default_factory=list)
    address: Attr[Address | None] = attribute(default=None)
    orders: Attr[list[Order]] = attribute(default_factory=list)
    settings: Attr[dict[str, Any]] = attribute(default_factory=dict)


def update_of(change: Change) -> UpdateBuilder:
    return (
        UpdateBuilder(Person)
        .set(Person.name, change.name)
        .increment(Person.visits, change.amount)
        .remove(Person.email)
        .add(Person.tags, change.tags)
    )


def build(change: Change) -> Mapping[str, Any]:
    return update_of(change).build_client(table_name=TABLE_NAME, key={"id": change.key})


def build_and_check(change: Change) -> Mapping[str, Any]:
    request = build(change)
    require_valid("UpdateItem", request)
    return request


def build_new_chain(change: Change) -> Mapping[str, Any]:
    """As if this chain of actions were the first of its class."""
    Person.__dynasafe_schema__.caches.clear()
    return build(change)


def build_new(change: Change, names: NewNames) -> Mapping[str, Any]:
    return (
        UpdateBuilder()
        .set(names.name, change.name)
        .increment(names.visits, change.amount)
        .remove(names.email)
        .add(names.tags, change.tags)
        .build_client(table_name=TABLE_NAME, key={"id": change.key})
    )


def build_long(actions: int, turn: int) -> Mapping[str, Any]:
    update = UpdateBuilder()
    for index in range(actions):
        update.set(f"attribute{turn}_{index}", turn)
    return update.build_client(table_name=TABLE_NAME, key={"id": "p1"})


def check(operation: str, request: Mapping[str, Any]) -> object:
    return check_request(operation, request)


def serialize(item: dict[str, Any]) -> dict[str, Any]:
    return to_attribute_map(item)


def deserialize(item: dict[str, Any]) -> dict[str, Any]:
    return from_attribute_map(item)


def database(
    endpoint_url: str, certificate: str | None = None, *, is_observed: bool = False
) -> AsyncDynamoDB:
    """With all defaults: validation, retries and circuit breakers."""
    return AsyncDynamoDB.connect(
        region_name=REGION,
        endpoint_url=endpoint_url,
        max_connections=MOST_CONNECTIONS,
        client_options={"aws_access_key_id": "a", "aws_secret_access_key": "b"},
        verify=certificate,
        hooks=(_observe,) if is_observed else (),
    )


@asynccontextmanager
async def connect_observed(endpoint_url: str) -> AsyncIterator[Calls]:
    """With a hook as well."""
    async with database(endpoint_url, is_observed=True) as db:
        yield _typed(db)


@asynccontextmanager
async def connect_typed(endpoint_url: str, certificate: str | None = None) -> AsyncIterator[Calls]:
    async with database(endpoint_url, certificate) as db:
        yield _typed(db)


def _typed(db: AsyncDynamoDB) -> Calls:
    people = db.table(TABLE_NAME, Person)
    person = Person(**{**ITEM, "address": Address(**ITEM["address"]), "orders": _ORDERS})

    async def put(turn: int) -> object:
        person.id = f"p{turn}"
        return await people.put_item(person)

    return _calls(people)._replace(put=put)


@asynccontextmanager
async def connect(endpoint_url: str) -> AsyncIterator[Calls]:
    async with database(endpoint_url) as db:
        people = db.table(TABLE_NAME)

        async def put(turn: int) -> object:
            return await people.put_item({**ITEM, "id": f"p{turn}"})

        yield _calls(people)._replace(put=put)


_ORDERS = [Order(**order) for order in ITEM["orders"]]


def _observe(event: Event) -> None:
    """A hook as cheap as they come."""


def _calls(people: AsyncTable[Any]) -> Calls:
    async def update(turn: int) -> object:
        change = Change(f"p{turn}", f"Ada {turn}", 1, {f"tag{turn}"})
        return await people.update_item({"id": change.key}, update_of(change))

    async def get(turn: int) -> object:
        return await people.get_item({"id": f"p{turn}"})

    async def query(turn: int) -> object:
        return await people.query(Person.id == f"p{turn}").to_list()

    return Calls(update=update, get=get, query=query)
