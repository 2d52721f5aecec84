"""Transactional outbox: what is stored is also published, and nothing else is.

What it does: `Orders` stores each change together with an event, in one transaction. A Lambda
function on the table's stream (`Relay`) publishes the events and deletes them.

Threat model: No attacker. The process stops between two lines, the stream delivers twice or loses a
record, and the bus is down for hours. Nothing may be published that was not stored, and nothing
stored without being published.

What it guarantees:
- An event is stored if and only if its change is, whatever crashes or is lost.
- Each event is published at least once; it is deleted only after it was published.
- The events of one order carry 1, 2, 3 and so on, without gaps and in the order of its changes.
- An event that cannot be published makes the stream deliver again from it on, and none is skipped.
- What the stream has lost, after 24 hours, is published by `sweep`.
- Of 50 changes of one order at once, each is made in turn, or refused; no event is lost.

What it leaves to you: publishing, and consumers that know events by their id, since some come
twice. Shards of a stream run at once, so that consumers go by `sequence` within an order. The event
source mapping needs `FunctionResponseTypes: [ReportBatchItemFailures]`, the table a stream with
KEYS_ONLY or more, and `sweep` a schedule. The key of an event is all that is taken from the stream.

The tables: `orders`, partition key `id`; `outbox`, partition key `order_id`, sort key `sequence`,
with a stream. Needs `pip install dynasafe`; `python outbox.py` runs it in memory.
"""

# Made from examples/recipes/outbox.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError, TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Condition


class Status(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    SENT = "sent"


class Order(Item):
    id: Attr[str] = attribute(key="partition")
    status: Attr[Status] = attribute(default=Status.PLACED)
    sequence: Attr[int] = attribute(default=0)
    """Of its last event."""


class Event(Item):
    """Something to publish."""

    order_id: Attr[str] = attribute(key="partition")
    sequence: Attr[int] = attribute(key="sort")
    status: Attr[Status]
    at: Attr[datetime]

    @property
    def id(self) -> str:
        """The same each time that it is published."""
        return f"{self.order_id}#{self.sequence}"


TABLES: dict[str, type[Item]] = {"orders": Order, "outbox": Event}
STREAMS = {"outbox": "KEYS_ONLY"}

Publish = Callable[[Event], None]
"""Raises PublishError if the event could not be published."""


class OrderConflictError(Exception):
    """There is no such order, it is there already, or it was changed meanwhile."""


class PublishError(Exception):
    """The event was not published."""


class Orders:
    """Orders, each change with its event."""

    def __init__(self, db: DynamoDB) -> None:
        self._db = db
        self._orders: Table[Order] = db.table("orders", Order)
        self._outbox: Table[Event] = db.table("outbox", Event)

    def place(self, order_id: str, *, now: datetime) -> None:
        """Store a new order.

        Raises:
            OrderConflictError
            OutcomeUnknownError: DynamoDB cannot be reached; read the order before you repeat it.
        """
        self._change(order_id, None, Status.PLACED, now)

    def move(self, order_id: str, status: Status, *, now: datetime) -> None:
        """Give the order its next status.

        Raises: as `place`.
        """
        order = self._orders.get_item({"id": order_id}, consistent_read=True)
        if order is None:
            raise OrderConflictError(order_id)
        self._change(order_id, order, status, now)

    def _change(self, order_id: str, order: Order | None, status: Status, now: datetime) -> None:
        sequence = 1 if order is None else order.sequence + 1
        changed = UpdateBuilder(Order).set(Order.status, status).set(Order.sequence, sequence)
        changed.condition(is_as_read(order))
        event = Event(order_id=order_id, sequence=sequence, status=status, at=now)
        writes = [
            self._orders.update({"id": order_id}, changed),
            self._outbox.put(event, condition=Event.order_id.not_exists()),
        ]
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise OrderConflictError(order_id) from error
            raise


def is_as_read(order: Order | None) -> Condition:
    if order is None:
        return Order.id.not_exists()
    is_same = Order.sequence == order.sequence
    if order.sequence == 0:  # an order of an older service may have no sequence
        is_same = is_same | Order.sequence.not_exists()
    return Order.id.exists() & is_same


class Relay:
    """Publishes what is in the outbox."""

    def __init__(self, db: DynamoDB, publish: Publish) -> None:
        self._outbox: Table[Event] = db.table("outbox", Event)
        self._publish = publish

    def consume(self, batch: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Publish the events of a batch of the stream: where it is to begin again, if anywhere."""
        for record in batch["Records"]:
            if record["eventName"] != "INSERT":
                continue  # our own deletions
            keys = record["dynamodb"]["Keys"]
            key = {"order_id": keys["order_id"]["S"], "sequence": int(keys["sequence"]["N"])}
            try:
                event = self._outbox.get_item(key, consistent_read=True)
                if event is not None:  # else it was published before
                    self._relay(event)
            except (PublishError, DynasafeError):
                # Published perhaps, and not known to be deleted: it comes again.
                place = record["dynamodb"]["SequenceNumber"]
                return {"batchItemFailures": [{"itemIdentifier": place}]}
        return {"batchItemFailures": []}

    def sweep(self, *, before: datetime) -> int:
        """Publish what was stored before a time and is still there: how many events.

        Raises:
            PublishError
        """
        left = self._outbox.scan(filter=Event.at < before, consistent_read=True).to_list()
        for event in sorted(left, key=lambda event: (event.order_id, event.sequence)):
            self._relay(event)
        return len(left)

    def _relay(self, event: Event) -> None:
        self._publish(event)
        self._outbox.delete_item({"order_id": event.order_id, "sequence": event.sequence})


def main() -> None:
    """Place an order, and publish its events, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    def publish(event: Event) -> None:
        print("published", event.id, event.status.value)

    db = fake_database()
    create_tables(db, TABLES)
    orders, now = Orders(db), datetime(2026, 11, 24, tzinfo=UTC)
    orders.place("o1", now=now)
    orders.move("o1", Status.PAID, now=now)
    Relay(db, publish).sweep(before=now + timedelta(minutes=1))
    print(db.table("outbox", Event).scan().count(), "left")


if __name__ == "__main__":
    main()
