"""The same stories on all engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, UpdateBuilder, attr
from dynasafe.errors import (
    ConditionalCheckFailedError,
    ServiceError,
    TransactionCanceledError,
    ValueOutOfRangeError,
    VersionConflictError,
)
from dynasafe.testing.engines import Engine
from tests.integration.conftest import ALL, CreateTable, Engines, connect
from tests.integration.differences import lacks
from tests.support import faces
from tests.support.people import Address, Order, Person

KEY = {"id": "p1"}
BOTH_FACES = True
THROUGH_A_CLIENT = "dynamodb-local, through a client"


@pytest.fixture(params=[*ALL, THROUGH_A_CLIENT])
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """Each engine over connections of our own, and one through aioboto3's client, or boto3's."""
    return engines.get(request.param.partition(",")[0])


@pytest.fixture
async def db(engine: Engine, request: pytest.FixtureRequest) -> AsyncIterator[AsyncDynamoDB]:
    is_through_client = THROUGH_A_CLIENT in request.node.name
    options = {"transport": faces.library()} if is_through_client else {}
    async with connect(engine, **options) as db:
        yield db


@pytest.fixture
async def people(db: AsyncDynamoDB, create_table: CreateTable) -> AsyncTable[Person]:
    return db.table(await create_table(id="S"), Person)


@pytest.fixture
async def orders(db: AsyncDynamoDB, create_table: CreateTable) -> AsyncTable[Order]:
    return db.table(await create_table(customer="S", number="N"), Order)


def ada(**values: Any) -> Person:
    return Person(**{"id": "p1", "name": "Ada", "address": Address(city="London"), **values})


async def test_put_is_read_as_it_was(people: AsyncTable[Person]) -> None:
    """An item is read as it was put."""
    person = ada(
        tags={"a", "b"},
        scores=[1, 2],
        expires_at=datetime(2040, 1, 1, tzinfo=UTC),
        email="é🙂@example.org",
    )

    await people.put_item(person)

    assert await people.get_item(KEY, consistent_read=True) == person
    assert person.version == 1


async def test_missing_item_is_none(people: AsyncTable[Person]) -> None:
    """Reading an item that does not exist gives None."""
    assert await people.get_item({"id": "nobody"}) is None


async def test_projection_gives_a_dict(people: AsyncTable[Person]) -> None:
    """A read with a projection gives a dict of these attributes."""
    await people.put_item(ada())

    found = await people.get_item(KEY, projection=[Person.name, Person.address[Address.city]])

    assert found == {"name": "Ada", "address": {"city": "London"}}


async def test_every_action_is_applied(people: AsyncTable[Person]) -> None:
    """An update applies each of its actions."""
    await people.put_item(ada(tags={"a", "b"}, scores=[1, 2], email="x"))
    update = (
        UpdateBuilder(Person)
        .set(Person.name, "Ada L.")
        .set(Person.address[Address.city], "Paris")
        .set_if_not_exists(Person.first_name, "never")
        .append(Person.scores, [3])
        .increment(Person.visits, 5)
        .delete(Person.tags, {"a"})
        .remove(Person.email)
        .condition(Person.visits < 100)
    )

    result = await people.update_item(KEY, update, return_values="ALL_NEW")

    assert result.attributes == ada(
        name="Ada L.",
        address=Address(city="Paris"),
        tags={"b"},
        scores=[1, 2, 3],
        visits=5,
        version=1,
    )


@pytest.mark.parametrize(
    ("return_values", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", ada(version=1)),
        ("ALL_NEW", ada(visits=1, version=1)),
        ("UPDATED_OLD", {"visits": 0}),
        ("UPDATED_NEW", {"visits": 1}),
    ],
)
async def test_return_values_are_typed(
    people: AsyncTable[Person], return_values: Any, expected: object
) -> None:
    """The values that an update returns are an item, a dict or None."""
    await people.put_item(ada())

    result = await people.update_item(
        KEY, UpdateBuilder(Person).increment(Person.visits, 1), return_values=return_values
    )

    assert result.attributes == expected


async def test_failed_condition_writes_nothing(people: AsyncTable[Person], engine: Engine) -> None:
    """A write whose condition fails raises, with the stored item if the engine returns it."""
    await people.put_item(ada())

    with pytest.raises(ConditionalCheckFailedError) as caught:
        await people.update_item(
            KEY, UpdateBuilder(Person).set(Person.name, "x"), condition=Person.visits > 1
        )

    silent = lacks(engine, "returns the old item of a failed condition")
    assert caught.value.item == (None if silent else ada(version=1))
    assert type(caught.value) is ConditionalCheckFailedError
    with pytest.raises(ConditionalCheckFailedError):
        await people.put_item(ada(id="p1", version=1), condition=Person.id.not_exists())
    with pytest.raises(ConditionalCheckFailedError):
        await people.delete_item(KEY, condition=Person.name == "Eve")


async def test_second_writer_has_a_version_conflict(
    people: AsyncTable[Person], engine: Engine
) -> None:
    """Of two readers that write, the second has a version conflict."""
    await people.put_item(ada())
    mine = await people.get_item(KEY)
    theirs = await people.get_item(KEY)
    assert mine is not None
    assert theirs is not None

    await people.update_item(mine, UpdateBuilder(Person).set(Person.name, "mine"))
    assert mine.version == 2
    mine.name = "mine again"
    await people.put_item(mine)
    assert mine.version == 3

    silent = lacks(engine, "returns the old item of a failed condition")
    for attempt in (
        people.update_item(theirs, UpdateBuilder(Person).set(Person.name, "theirs")),
        people.put_item(theirs),
        people.delete_item(theirs),
    ):
        with pytest.raises(VersionConflictError) as caught:
            await attempt
        assert caught.value.expected_version == 1
        assert caught.value.stored_version == (None if silent else 3)
        assert theirs.version == 1
    with pytest.raises(VersionConflictError):
        await people.put_item(ada())
    await people.delete_item(mine)
    assert await people.get_item(KEY) is None


async def test_old_item_is_returned(people: AsyncTable[Person]) -> None:
    """A put and a delete return the old item."""
    first = await people.put_item(ada(), return_values="ALL_OLD")
    deleted = await people.delete_item(KEY, return_values="ALL_OLD")
    again = await people.delete_item(KEY, return_values="ALL_OLD")

    assert first.attributes is None
    assert deleted.attributes == ada(version=1)
    assert again.attributes is None


async def test_unknown_attributes_are_kept(people: AsyncTable[Person], db: AsyncDynamoDB) -> None:
    """Attributes that the class does not declare are kept by a read and a put."""
    plain = db.table(people.name)
    await plain.put_item({"id": "p1", "name": "Ada", "legacy": {"x": [1]}})
    person = await people.get_item(KEY)
    assert person is not None

    await people.put_item(person)

    stored = await plain.get_item(KEY)
    assert stored is not None
    assert stored["legacy"] == {"x": [1]}


async def fill(orders: AsyncTable[Order], count: int = 60) -> None:
    await orders.batch_write_item(
        put=[Order(customer="c1", number=number, total=number % 10) for number in range(count)]
    )


async def test_query_follows_pages(orders: AsyncTable[Order]) -> None:
    """A query follows its pages, in both directions, with a filter and a maximum."""
    await fill(orders)

    numbers = [order.number async for order in orders.query(Order.customer == "c1", limit=7)]
    assert numbers == list(range(60))
    late = orders.query(
        (Order.customer == "c1") & Order.number.between(50, 99), scan_index_forward=False
    )
    assert [order.number for order in await late.to_list()] == list(range(59, 49, -1))
    filtered = orders.query(Order.customer == "c1", filter=Order.total == 3, limit=9, max_items=4)
    assert [order.number for order in await filtered.to_list()] == [3, 13, 23, 33]
    assert await orders.query(Order.customer == "c1", filter=Order.total == 3).count() == 6
    assert await orders.query(Order.customer == "nobody").to_list() == []


async def test_query_goes_on_from_a_key(orders: AsyncTable[Order]) -> None:
    """A query goes on from the key of a page, as Python values or as JSON."""
    await fill(orders, 20)

    first = [page async for page in orders.query(Order.customer == "c1", max_items=8).pages()]
    start = first[-1].last_evaluated_key
    assert start == {"customer": "c1", "number": 7}
    assert first[-1].last_evaluated_key_json == {"customer": {"S": "c1"}, "number": {"N": "7"}}
    for given in (start, first[-1].last_evaluated_key_json):
        rest = orders.query(Order.customer == "c1", exclusive_start_key=given)
        assert [order.number for order in await rest.to_list()] == list(range(8, 20))


async def test_scan_gives_each_item_once(orders: AsyncTable[Order]) -> None:
    """A scan gives each item once, with any number of segments."""
    await fill(orders)

    for segments in (None, 1, 4):
        scan = orders.scan(total_segments=segments, limit=10)
        assert sorted(order.number for order in await scan.to_list()) == list(range(60))
    assert len(await orders.scan(max_items=7).to_list()) == 7
    assert len(await orders.scan(max_items=7, total_segments=3).to_list()) == 7
    assert len(await orders.scan(filter=Order.total > 4).to_list()) == 30
    totals = await orders.scan(projection=[Order.total], max_items=2).to_list()
    assert all(list(each) == ["total"] for each in totals)


async def test_stopped_scan_leaves_no_request(orders: AsyncTable[Order]) -> None:
    """A scan that stops early leaves no task."""
    import asyncio

    await fill(orders)
    before = asyncio.all_tasks()

    scan = orders.scan(total_segments=4, limit=2).pages()
    async for _ in scan:
        break
    await scan.aclose()

    assert asyncio.all_tasks() == before


async def test_batch_get_keeps_the_keys_order(orders: AsyncTable[Order]) -> None:
    """A batch get gives its items in the order of the keys, also a key that comes twice."""
    await fill(orders, 120)
    keys = [{"customer": "c1", "number": number} for number in range(130, -1, -1)]

    found = await orders.batch_get_item([*keys, keys[-1]], consistent_read=True)

    assert [order.number for order in found] == [*range(119, -1, -1), 0]
    assert await orders.batch_get_item([]) == []


async def test_batch_write_puts_and_deletes(orders: AsyncTable[Order]) -> None:
    """A batch write applies its puts and deletes."""
    await fill(orders, 40)

    await orders.batch_write_item(
        put=[Order(customer="c2", number=1)],
        delete=[{"customer": "c1", "number": number} for number in range(39)],
    )

    left = sorted((order.customer, order.number) for order in await orders.scan().to_list())
    assert left == [("c1", 39), ("c2", 1)]


async def test_batch_write_refuses_one_key_twice(orders: AsyncTable[Order]) -> None:
    """A batch write that has one key twice is refused."""
    with pytest.raises(ValueOutOfRangeError, match="a batch writes each item once"):
        await orders.batch_write_item(
            put=[Order(customer="c", number=1)], delete=[{"customer": "c", "number": 1}]
        )


async def test_transaction_writes_all_or_nothing(
    people: AsyncTable[Person], orders: AsyncTable[Order], db: AsyncDynamoDB, engine: Engine
) -> None:
    """A transaction writes all items or none, and its error has the reasons."""
    await people.put_item(ada())
    grace = Person(id="p2", name="Grace")
    writes = [
        people.put(grace, condition=Person.id.not_exists()),
        orders.update(
            {"customer": "p2", "number": 1}, UpdateBuilder(Order).set(Order.status, "paid")
        ),
        people.check(KEY, Person.name == "Ada"),
    ]
    if lacks(engine, "transactions"):
        with pytest.raises(ServiceError, match="UnknownOperationException"):
            await db.transact_write_items(writes)
        return

    await db.transact_write_items(writes)

    assert grace.version == 1
    found = await db.transact_get_items(
        [
            people.get({"id": "p2"}),
            orders.get({"customer": "p2", "number": 1}, projection=[Order.status]),
            people.get({"id": "nobody"}),
        ]
    )
    key = (
        {} if not lacks(engine, "projects in TransactGetItems") else {"customer": "p2", "number": 1}
    )
    assert found == [grace, {**key, "status": "paid"}, None]
    with pytest.raises(TransactionCanceledError) as caught:
        await db.transact_write_items([people.delete(KEY), people.put(Person(id="p2", name="Eve"))])
    reasons = [(reason.operation, reason.code) for reason in caught.value.reasons]
    assert reasons == [("Delete", "None"), ("Put", "ConditionalCheckFailed")]
    assert caught.value.reasons[1].item == grace
    assert await people.get_item(KEY) is not None


async def test_exactly_once_is_applied_and_read_back(
    people: AsyncTable[Person], engine: Engine
) -> None:
    """A write with exactly_once is applied once for its token and is read back."""
    await people.put_item(ada())
    increment = UpdateBuilder(Person).increment(Person.visits, 1)
    if lacks(engine, "transactions"):
        with pytest.raises(ServiceError, match="UnknownOperationException"):
            await people.update_item(KEY, increment, exactly_once=True)
        return

    result = await people.update_item(KEY, increment, exactly_once=True, return_values="ALL_NEW")
    assert result.attributes.visits == 1
    token = str(uuid4())
    for _ in range(2):
        await people.update_item(KEY, increment, client_request_token=token)
    stored = await people.get_item(KEY)
    assert stored is not None
    assert stored.visits == (3 if lacks(engine, "recognises a repeated token") else 2)

    with pytest.raises(ConditionalCheckFailedError) as caught:
        await people.delete_item(KEY, condition=Person.visits == 0, exactly_once=True)
    assert caught.value.item is not None
    assert caught.value.item.visits == stored.visits
    with pytest.raises(VersionConflictError):
        await people.put_item(ada(), exactly_once=True)


async def test_plain_dicts_work(db: AsyncDynamoDB, create_table: CreateTable) -> None:
    """Plain dicts work without an Item class."""
    table = db.table(await create_table(pk="S"))
    item = {"pk": "a", "odd name": {"x.y": [1, {"z": {1, 2}}]}, "n": None, "b": b"\x00"}

    await table.put_item(item)
    await table.update_item(
        {"pk": "a"},
        UpdateBuilder().set(attr(name="odd name")["x.y"][0], 2).remove("n").add("count", 1),
    )

    assert await table.get_item({"pk": "a"}) == {
        "pk": "a",
        "odd name": {"x.y": [2, {"z": {1, 2}}]},
        "b": b"\x00",
        "count": 1,
    }


async def test_strict_engines_refuse_empty_names(
    people: AsyncTable[Person], db: AsyncDynamoDB, engine: Engine
) -> None:
    """A raw call with empty names is refused by strict engines."""
    params = {
        "TableName": people.name,
        "Key": {"id": {"S": "p1"}},
        "UpdateExpression": "SET email = :email",
        "ExpressionAttributeNames": {},
        "ExpressionAttributeValues": {":email": {"S": "x"}},
    }
    if lacks(engine, "refuses empty names"):
        await db.call("UpdateItem", params, validate=False)
        return
    with pytest.raises(ServiceError, match="ExpressionAttributeNames must not be empty"):
        await db.call("UpdateItem", params, validate=False)
