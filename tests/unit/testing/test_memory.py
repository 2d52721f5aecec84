"""Tables in memory: tokens, descriptions, the order of pages, and mistakes of their own."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import InvalidRequestError, ServiceError
from dynasafe.testing import (
    ManualClock,
    MemoryTransport,
    fake_database,
    fake_table,
    table_description,
)
from dynasafe.testing import sync as blocking
from dynasafe.testing.memory import MemoryFaultError
from tests.support.people import Person

VISIT = UpdateBuilder(Person).increment(Person.visits, 1)


# Tokens


@pytest.mark.parametrize(("wait_s", "visits"), [(599, 1), (600, 2), (660, 2)])
async def test_a_token_is_recognised_for_ten_minutes(wait_s: float, visits: int) -> None:
    """A token is recognised for ten minutes; then the same transaction counts again."""
    clock = ManualClock()
    db = fake_database(people=Person, clock=clock)
    people = db.table("people", Person)
    await people.put_item(Person(id="p1", name="Ada"))

    await db.transact_write_items([people.update({"id": "p1"}, VISIT)], client_request_token="t")
    clock.advance(wait_s)
    await db.transact_write_items([people.update({"id": "p1"}, VISIT)], client_request_token="t")

    person = await people.get_item({"id": "p1"})
    assert person is not None
    assert person.visits == visits


def test_token_of_ten_minutes_on_the_sync_face() -> None:
    """On the sync face a token is recognised for ten minutes too."""
    clock = blocking.ManualClock()
    db = blocking.fake_database(people=Person, clock=clock)
    people = db.table("people", Person)
    people.put_item(Person(id="p1", name="Ada"))

    for _ in range(2):
        db.transact_write_items([people.update({"id": "p1"}, VISIT)], client_request_token="t")
        clock.advance(600)

    person = people.get_item({"id": "p1"})
    assert person is not None
    assert person.visits == 2


# Descriptions


async def test_a_description_has_what_code_asks_for() -> None:
    """ARN, number of items, billing mode and the state of each index."""
    db = fake_database(people=table_description(Person, indexes={"by_name": ("name",)}))
    await db.table("people", Person).put_item(Person(id="p1", name="Ada"))

    table = (await db.call("DescribeTable", {"TableName": "people"}))["Table"]

    assert table["TableArn"].endswith(":table/people")
    assert (table["TableStatus"], table["ItemCount"]) == ("ACTIVE", 1)
    assert table["TableSizeBytes"] > 0
    assert table["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["IndexStatus"], index["ItemCount"]) == (
        "by_name",
        "ACTIVE",
        1,
    )
    assert index["IndexArn"] == f"{table['TableArn']}/index/by_name"


async def test_a_provisioned_table_says_so() -> None:
    """A provisioned table has its throughput and no billing mode."""
    db = fake_database()
    throughput = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}
    keys = table_description(Person)
    params = {
        "TableName": "people",
        "KeySchema": keys["KeySchema"],
        "AttributeDefinitions": keys["AttributeDefinitions"],
        "ProvisionedThroughput": throughput,
    }

    answer = await db.call("CreateTable", params)
    deleted = await db.call("DeleteTable", {"TableName": "people"})

    table = answer["TableDescription"]
    assert "BillingModeSummary" not in table
    assert table["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **throughput}
    assert deleted["TableDescription"]["TableStatus"] == "DELETING"


CREATE: dict[str, Any] = {**table_description(Person), "TableName": "people"}


@pytest.mark.parametrize(
    "changed",
    [
        {"TableName": "ab"},
        {"TableName": None},
        {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "BOOL"}]},
        {"BillingMode": "FREE"},
        {"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]},
    ],
)
async def test_a_table_that_dynamodb_refuses(changed: dict[str, Any]) -> None:
    """A table that DynamoDB refuses is refused in memory, also when it is not validated."""
    params = {name: value for name, value in {**CREATE, **changed}.items() if value is not None}

    with pytest.raises(InvalidRequestError):
        await fake_database().call("CreateTable", params)
    with pytest.raises(ServiceError, match="ValidationException"):
        await fake_database().call("CreateTable", params, validate=False)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("PutItem", {"TableName": "people", "Item": {"id": {"S": "a"}, "n": {"N": "0e126"}}}),
        ("ListTables", {"Limit": "x"}),
    ],
)
async def test_what_is_refused_is_no_lost_answer(operation: str, params: dict[str, Any]) -> None:
    """Unchecked requests meet DynamoDB's refusal in memory as well."""
    with pytest.raises(ServiceError, match="Exception"):
        await fake_database(people=Person).call(operation, params, validate=False)


async def test_fault_in_memory_is_not_a_lost_answer() -> None:
    """A fault of the tables in memory raises an error that a handler does not expect."""
    transport = MemoryTransport({"people": Person})
    transport.tables["people"].items = None  # type: ignore[assignment]
    db = AsyncDynamoDB.over(transport, clock=ManualClock())

    with pytest.raises(MemoryFaultError, match="failed at PutItem, which is a mistake of dynasafe"):
        await db.table("people", Person).put_item(Person(id="p1", name="Ada"))


# Item collections

WITH_A_LOCAL_INDEX: dict[str, Any] = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "other")
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by_other",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "other", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
ITEM = {"pk": {"S": "p"}, "sk": {"S": "s"}}
COLLECTION = {"ItemCollectionKey": {"pk": {"S": "p"}}, "SizeEstimateRangeGB": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("operation", "params", "metrics"),
    [
        ("PutItem", {"TableName": "t-1", "Item": ITEM}, COLLECTION),
        ("DeleteItem", {"TableName": "t-1", "Key": ITEM}, COLLECTION),
        (
            "BatchWriteItem",
            {"RequestItems": {"t-1": [{"PutRequest": {"Item": ITEM}}]}},
            {"t-1": [COLLECTION]},
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "t-1", "Item": ITEM}}]},
            {"t-1": [COLLECTION]},
        ),
    ],
)
async def test_item_collections(operation: str, params: dict[str, Any], metrics: Any) -> None:
    """A write says which collection it is of, if asked, and if the table has local indexes."""
    db = AsyncDynamoDB.over(MemoryTransport({"t-1": WITH_A_LOCAL_INDEX}))
    asked = {**params, "ReturnItemCollectionMetrics": "SIZE"}

    assert (await db.call(operation, asked))["ItemCollectionMetrics"] == metrics
    assert "ItemCollectionMetrics" not in await db.call(operation, params)
    without = {name: each for name, each in WITH_A_LOCAL_INDEX.items() if name[0] != "L"}
    plain = AsyncDynamoDB.over(MemoryTransport({"t-1": without}))
    assert "ItemCollectionMetrics" not in await plain.call(operation, asked)


# Event loops


def test_a_fake_belongs_to_no_loop() -> None:
    """A fake table may be used from one event loop after another."""
    people = fake_table(Person)

    asyncio.run(_put(people))
    found = asyncio.run(people.get_item({"id": "p1"}))

    assert found is not None
    assert found.name == "Ada"


async def _put(people: AsyncTable[Person]) -> None:
    await people.put_item(Person(id="p1", name="Ada"))


# Pages


class Turn(Item):
    game: Attr[int] = attribute(key="partition")
    turn: Attr[Decimal] = attribute(key="sort")
    player: Attr[str | None] = attribute(default=None)


def turns() -> st.SearchStrategy[list[Turn]]:
    keys = st.tuples(st.integers(0, 2), st.integers(-3, 3))
    return st.dictionaries(keys, st.sampled_from([None, "a", "b"]), max_size=12).map(
        lambda found: [
            Turn(game=game, turn=Decimal(turn), player=player)
            for (game, turn), player in found.items()
        ]
    )


@settings(max_examples=40)
@given(items=turns(), limit=st.integers(1, 4), forward=st.booleans(), low=st.integers(-3, 3))
async def test_pages_are_those_of_a_sorted_list(
    items: list[Turn], limit: int, forward: bool, low: int
) -> None:
    """Queries and scans give each item once, in order, with writes between the pages' tables."""
    table = fake_table(Turn, indexes={"by_player": ("player", "turn")}, items=items)

    for game in range(3):
        condition = (Turn.game == game) & (Turn.turn >= low)
        found = table.query(condition, limit=limit, scan_index_forward=forward)
        wanted = sorted(each.turn for each in items if each.game == game and each.turn >= low)
        assert [each.turn async for each in found] == (wanted if forward else wanted[::-1])
    by_player = table.query(Turn.player == "a", index_name="by_player", limit=limit)
    assert [each.turn async for each in by_player] == sorted(
        each.turn for each in items if each.player == "a"
    )
    scanned = [each async for each in table.scan(limit=limit, total_segments=2)]
    assert sorted((each.game, each.turn) for each in scanned) == sorted(
        (each.game, each.turn) for each in items
    )


async def test_a_write_between_two_queries_is_seen() -> None:
    """The order that is kept is that of the items as they are."""
    table = fake_table(Turn, items=[Turn(game=1, turn=Decimal(n)) for n in (1, 3)])
    query = attr("game") == 1

    assert [each.turn async for each in table.query(query)] == [1, 3]
    await table.put_item(Turn(game=1, turn=Decimal(2)))
    assert [each.turn async for each in table.query(query)] == [1, 2, 3]
    await table.delete_item({"game": 1, "turn": Decimal("1.0")})
    assert [each.turn async for each in table.query(query)] == [2, 3]


async def test_pages_do_not_read_the_whole_table_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of ten looks at ten items, however many the table has."""
    from dynasafe.testing import memory

    table = fake_table(Turn, items=[Turn(game=1, turn=Decimal(n)) for n in range(300)])
    looked: list[object] = []
    holds = memory.evaluate.holds

    def counting(condition: Any, item: Any) -> bool:
        looked.append(item)
        return holds(condition, item)

    monkeypatch.setattr(memory.evaluate, "holds", counting)
    pages = table.query(Turn.game == 1, limit=10).pages()

    assert len([page async for page in pages]) == 31
    assert len(looked) == 300
