"""The SQS consumer: each message once, and failures one by one."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.sqs_consumer import MAX_RECEIVES, TABLES, Poison, Stock, StockConsumer
from tests.examples.conftest import Rough, outcomes, rough_database, strip_optional

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def message(number: int, body: object, *, receives: int = 1, group: str | None = None) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {"ApproximateReceiveCount": str(receives)}
    if group is not None:
        attributes["MessageGroupId"] = group
    return {"messageId": f"sqs-{number}", "body": text, "attributes": attributes}


def movement(number: int, count: int = 1, stock: str = "apples") -> dict[str, object]:
    return {"id": f"m{number}", "stock_id": stock, "count": count}


async def consume(db: AsyncDynamoDB, *messages: Any, timeout_s: float = 30.0) -> list[str]:
    answer = await StockConsumer(db).consume({"Records": messages}, now=NOW, timeout_s=timeout_s)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


async def in_stock(db: AsyncDynamoDB, stock: str = "apples") -> int | None:
    found = await db.table("stock", Stock).get_item({"id": stock}, consistent_read=True)
    return None if found is None else found.count


async def begin(db: AsyncDynamoDB) -> AsyncDynamoDB:
    await db.table("stock", Stock).put_item(Stock(id="apples", count=10))
    return db


@pytest.fixture
async def memory() -> AsyncDynamoDB:
    return await begin(fake_database(**TABLES))


async def test_race(memory: AsyncDynamoDB) -> None:
    """A message takes effect once, however often it is delivered or sent, and by however many
    consumers."""
    deliveries = [partial(consume, memory, message(each, movement(1, 5))) for each in range(50)]

    assert await outcomes(deliveries, at_once=50) == [[]] * 50
    assert await in_stock(memory) == 15


async def test_faults() -> None:
    """Its effect and its id are stored in one transaction, so no crash and no lost answer parts
    them."""
    transport = Rough(TABLES, rate=0.4)
    db = await begin(rough_database(transport))
    waiting = [message(each, movement(each)) for each in range(50)] * 2

    while waiting:
        failed = set(await consume(db, *waiting))
        waiting = [each for each in waiting if each["messageId"] in failed]

    assert await in_stock(db) == 60
    assert transport.lost > 10


async def test_partial_failure(memory: AsyncDynamoDB) -> None:
    """One message that fails does not make the others of its batch come again."""
    batch = [
        message(1, movement(1)),
        message(2, movement(2, stock="pears")),
        message(3, movement(3)),
    ]

    assert await consume(memory, *batch) == ["sqs-2"]
    assert await in_stock(memory) == 12


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[" * 20_000,
        '{"a":' * 10_000,
        "\ud800",
        "[]",
        {"id": "m1", "stock_id": "apples"},
        {**movement(1), "count": 1.5},
        {**movement(1), "count": True},
        {**movement(1), "count": 10**12},
        {**movement(1), "id": ""},
        {**movement(1), "id": "\ud800"},
        {**movement(1), "stock_id": "x" * 256},
    ],
)
async def test_poison(memory: AsyncDynamoDB, body: object) -> None:
    """A poison message is kept in `poison` and taken off the queue, and never blocks the
    others."""
    poison = message(1, body)

    assert await consume(memory, poison, message(2, movement(2)), poison) == []

    (kept,) = await memory.table("poison", Poison).scan().to_list()
    assert kept.id == "sqs-1"
    assert await in_stock(memory) == 11


async def test_not_yet(memory: AsyncDynamoDB) -> None:
    """A message of an account or an item that is not there yet comes again, until MAX_RECEIVES."""
    early = movement(1, 3, "pears")
    assert await consume(memory, message(1, early)) == ["sqs-1"]
    assert await consume(memory, message(2, early, receives=MAX_RECEIVES)) == []
    assert [each.id for each in await memory.table("poison", Poison).scan().to_list()] == ["sqs-2"]
    await memory.table("stock", Stock).put_item(Stock(id="pears"))

    assert await consume(memory, message(1, early)) == []
    assert await in_stock(memory, "pears") == 3


class Slow(MemoryTransport):
    """Tables in memory that never answer a write of pears."""

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        if "pears" in repr(params):
            await asyncio.Event().wait()
        return await super().send(operation, params, timeout_s=timeout_s)


async def test_time_runs_out() -> None:
    """When time runs out, the messages that were not finished come again."""
    db = await begin(AsyncDynamoDB.over(Slow(TABLES)))
    batch = [message(1, movement(1)), message(2, movement(2, stock="pears"))]

    assert await consume(db, *batch, timeout_s=0.2) == ["sqs-2"]
    assert await in_stock(db) == 11


async def test_groups(memory: AsyncDynamoDB) -> None:
    """On a FIFO queue nothing of a group is booked after one of the group has failed."""
    batch = [
        message(1, movement(1), group="a"),
        message(2, movement(2, stock="pears"), group="a"),
        message(3, movement(3), group="a"),
        message(4, movement(4), group="b"),
    ]

    assert await consume(memory, *batch) == ["sqs-2", "sqs-3"]
    assert await in_stock(memory) == 12


async def test_no_overdraft(memory: AsyncDynamoDB) -> None:
    """The stock of an item never goes below zero."""
    takes = [message(each, movement(each, -4)) for each in range(3)]

    assert len(await consume(memory, *takes)) == 1
    assert await in_stock(memory) == 2


async def test_migrated() -> None:
    """A stock without a count, as after a migration, is counted from 0."""
    transport = Rough(TABLES)
    db = await begin(rough_database(transport))
    strip_optional(transport, TABLES)

    assert await consume(db, message(1, movement(1, 3))) == []
    assert await in_stock(db) == 3
