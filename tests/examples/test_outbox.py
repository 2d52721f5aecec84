"""The outbox: what is stored is published, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.outbox import (
    TABLES,
    Event,
    Order,
    OrderConflictError,
    Orders,
    PublishError,
    Relay,
    Status,
)
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


class Subscriber:
    """Gets what is published, and may refuse some."""

    def __init__(self, *, refuses: frozenset[str] = frozenset()) -> None:
        self.refuses = refuses
        self.got: list[str] = []

    async def publish(self, event: Event) -> None:
        if event.id in self.refuses:
            raise PublishError
        self.got.append(event.id)


async def in_outbox(db: AsyncDynamoDB) -> list[Event]:
    events = await db.table("outbox", Event).scan(consistent_read=True).to_list()
    return sorted(events, key=lambda event: (event.order_id, event.sequence))


async def stream_of(db: AsyncDynamoDB) -> dict[str, Any]:
    """What the table's stream would deliver, with a deletion in between."""
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {
                    "order_id": {"S": event.order_id},
                    "sequence": {"N": f"{event.sequence}"},
                },
                "SequenceNumber": f"place-{number}",
            },
        }
        for number, event in enumerate(await in_outbox(db))
    ]
    return {"Records": [{"eventName": "REMOVE", "dynamodb": {}}, *records]}


@pytest.fixture
def memory() -> AsyncDynamoDB:
    return fake_database(**TABLES)


async def test_faults() -> None:
    """An event is stored if and only if its change is, whatever crashes or is lost."""
    transport = Rough(TABLES, rate=0.5)
    db = rough_database(transport)
    orders = Orders(db)

    await outcomes((partial(orders.place, f"o{n}", now=NOW) for n in range(40)), at_once=8)
    await outcomes(
        (partial(orders.move, f"o{n}", Status.PAID, now=NOW) for n in range(40)), at_once=8
    )

    assert transport.lost > 10
    stored = await db.table("orders", Order).scan().to_list()
    expected = [(order.id, n) for order in stored for n in range(1, order.sequence + 1)]
    assert sorted(expected) == [(each.order_id, each.sequence) for each in await in_outbox(db)]


async def test_relay(memory: AsyncDynamoDB) -> None:
    """Each event is published at least once; it is deleted only after it was published."""
    orders, subscriber = Orders(memory), Subscriber()
    await orders.place("o1", now=NOW)
    await orders.move("o1", Status.PAID, now=NOW)
    batch = await stream_of(memory)
    relay = Relay(memory, subscriber.publish)

    for _ in range(2):  # a stream delivers again
        assert await relay.consume(batch) == {"batchItemFailures": []}

    assert subscriber.got == ["o1#1", "o1#2"]
    assert await in_outbox(memory) == []


async def test_relay_faults() -> None:
    """Through lost answers, all events are published in the end."""
    db = rough_database(Rough(TABLES, rate=0.3))
    subscriber, orders = Subscriber(), Orders(db)
    await outcomes((partial(orders.place, f"o{n}", now=NOW) for n in range(20)), at_once=4)
    stored = {event.id for event in await in_outbox(db)}
    relay = Relay(db, subscriber.publish)

    while await in_outbox(db):
        await relay.consume(await stream_of(db))

    assert set(subscriber.got) == stored


async def test_sequence(database: MakeDatabase) -> None:
    """The events of one order carry 1, 2, 3 and so on, without gaps and in the order of its
    changes."""
    db = await database(**TABLES)
    orders = Orders(db)
    await orders.place("o1", now=NOW)
    for status in (Status.PAID, Status.SENT):
        await orders.move("o1", status, now=NOW - timedelta(hours=1))  # a clock that jumped back

    events = await in_outbox(db)

    assert [each.sequence for each in events] == [1, 2, 3]
    assert [each.status for each in events] == [Status.PLACED, Status.PAID, Status.SENT]


async def test_refused(memory: AsyncDynamoDB) -> None:
    """An event that cannot be published makes the stream deliver again from it on, and none is
    skipped."""
    orders = Orders(memory)
    for number in range(3):
        await orders.place(f"o{number}", now=NOW)
    batch = await stream_of(memory)
    subscriber = Subscriber(refuses=frozenset({"o1#1"}))
    relay = Relay(memory, subscriber.publish)

    assert await relay.consume(batch) == {"batchItemFailures": [{"itemIdentifier": "place-1"}]}
    assert subscriber.got == ["o0#1"]
    subscriber.refuses = frozenset()
    assert await relay.consume(batch) == {"batchItemFailures": []}

    assert subscriber.got == ["o0#1", "o1#1", "o2#1"]


async def test_sweep(memory: AsyncDynamoDB) -> None:
    """What the stream has lost, after 24 hours, is published by `sweep`."""
    orders, subscriber = Orders(memory), Subscriber()
    await orders.place("o1", now=NOW)
    await orders.move("o1", Status.PAID, now=LATER)
    relay = Relay(memory, subscriber.publish)

    assert await relay.sweep(before=LATER) == 1
    assert [each.sequence for each in await in_outbox(memory)] == [2]
    assert await relay.sweep(before=LATER + timedelta(days=1)) == 1
    assert subscriber.got == ["o1#1", "o1#2"]


async def test_race(database: MakeDatabase) -> None:
    """Of 50 changes of one order at once, each is made in turn, or refused; no event is lost."""
    db = await database(**TABLES)
    orders = Orders(db)
    placed = await outcomes([partial(orders.place, "o1", now=NOW)] * 50, at_once=50)
    assert (count(placed, None), count(placed, OrderConflictError)) == (1, 49)

    moved = await outcomes([partial(orders.move, "o1", Status.PAID, now=NOW)] * 50, at_once=50)

    made = count(moved, None)
    assert made + count(moved, OrderConflictError) + count(moved, DynasafeError) == 50
    assert [each.sequence for each in await in_outbox(db)] == list(range(1, made + 2))


async def test_migrated() -> None:
    """An order that lacks every optional attribute, as after a migration, is moved."""
    transport = Rough(TABLES)
    db = rough_database(transport)
    await db.table("orders", Order).put_item(Order(id="o1"))
    strip_optional(transport, TABLES)

    await Orders(db).move("o1", Status.SENT, now=NOW)

    assert [each.id for each in await in_outbox(db)] == ["o1#1"]
    with pytest.raises(OrderConflictError):
        await Orders(db).move("o9", Status.SENT, now=NOW)
