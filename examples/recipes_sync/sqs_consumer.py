"""SQS consumer: messages that arrive more than once take effect once, and failures one by one.

What it does: a Lambda function behind an SQS queue books the stock that each message moves. It
answers with the messages that failed, so that SQS sends only those again.

Threat model: A message comes twice, late, out of order, malformed, or can never be booked; the
process stops or runs out of time. Whoever may send to the queue can book stock: the queue's policy
decides that.

What it guarantees:
- A message takes effect once, however often it is delivered or sent, and by however many consumers.
- Its effect and its id are stored in one transaction, so no crash and no lost answer parts them.
- One message that fails does not make the others of its batch come again.
- A poison message is kept in `poison` and taken off the queue, and never blocks the others.
- A message of an account or an item that is not there yet comes again, until MAX_RECEIVES.
- When time runs out, the messages that were not finished come again.
- On a FIFO queue nothing of a group is booked after one of the group has failed.
- The stock of an item never goes below zero.

What it leaves to you: the event source mapping needs `FunctionResponseTypes:
[ReportBatchItemFailures]`, and a visibility timeout of six times the function's timeout. Set the
queue's maxReceiveCount above MAX_RECEIVES, with a dead-letter queue for what crashes the process.
Watch `poison`. Ids are known for `REMEMBERED`, longer than a queue keeps a message.

The tables: `stock`, partition key `id`; `processed`, partition key `id`, Time to Live on
`expires_at`; `poison`, partition key `id`. Needs `pip install dynasafe`; `python sqs_consumer.py`
runs it in memory.
"""

# Made from examples/recipes/sqs_consumer.py by `make twins`: change that one.

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError, TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle

REMEMBERED = timedelta(days=15)
"""A queue keeps a message for 14 days at most."""
MAX_RECEIVES = 5
"""How often a message that cannot be booked comes again before it counts as poison."""
MAX_LENGTH = 255
MAX_MOVED = 10**9


class Stock(Item):
    id: Attr[str] = attribute(key="partition")
    count: Attr[int] = attribute(default=0, patchable=False)


class Processed(Item):
    """A message that took effect."""

    id: Attr[str] = attribute(key="partition")
    """The sender's own: two messages of SQS may be one of theirs."""
    expires_at: Attr[datetime] = attribute(ttl=True)


class Poison(Item):
    """A message that cannot take effect, for somebody to look at."""

    id: Attr[str] = attribute(key="partition")
    """SQS's own: the message may have no other."""
    body: Attr[str]
    reason: Attr[str]
    found_at: Attr[datetime]


TABLES: dict[str, type[Item]] = {"stock": Stock, "processed": Processed, "poison": Poison}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """The contents of a message: the quantity that came in, or went out if below zero."""

    id: str
    stock_id: str
    count: int


class BadMessageError(Exception):
    """The message is no movement, and never will be."""


class NotYetError(Exception):
    """There is no such stock, or not enough of it. That may change."""


class StockConsumer:
    """Books movements of stock."""

    def __init__(self, db: DynamoDB) -> None:
        self._db = db
        self._stock: Table[Stock] = db.table("stock", Stock)
        self._processed: Table[Processed] = db.table("processed", Processed)
        self._poison: Table[Poison] = db.table("poison", Poison)

    def consume(
        self, event: Mapping[str, Any], *, now: datetime, timeout_s: float
    ) -> dict[str, list[dict[str, str]]]:
        """Book the batch: the messages that are to come again, as Lambda wants to have them.

        Args:
            timeout_s: for the whole batch; less than the invocation has left. The client's own
                `timeout_s` ends the message that is under way.
        """
        records: Sequence[Mapping[str, Any]] = event["Records"]
        deadline_s = time.monotonic() + timeout_s
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for record in records:
            group = record["attributes"].get("MessageGroupId")
            # Of a standard queue each message is its own group, and stops no other.
            groups.setdefault(group or record["messageId"], []).append(record)
        failed = [self._consume_group(group, now, deadline_s) for group in groups.values()]
        ids = [id_ for each in failed for id_ in each]
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ids]}

    def _consume_group(
        self, records: Sequence[Mapping[str, Any]], now: datetime, deadline_s: float
    ) -> list[str]:
        """Book one after the other: the ids of those from the first failure on."""
        for index, record in enumerate(records):
            try:
                if time.monotonic() >= deadline_s:
                    raise TimeoutError
                self._consume_one(record, now)
            except (NotYetError, DynasafeError, TimeoutError):
                # Not known to be booked (OutcomeUnknownError too): to receive it again is safe.
                return [each["messageId"] for each in records[index:]]
        return []

    def _consume_one(self, record: Mapping[str, Any], now: datetime) -> None:
        try:
            self._book(movement_of(record["body"]), now)
        except (BadMessageError, NotYetError) as error:
            receives = int(record["attributes"]["ApproximateReceiveCount"])
            if isinstance(error, NotYetError) and receives < MAX_RECEIVES:
                raise
            body = record["body"].encode("utf-8", "replace").decode()
            poison = Poison(id=record["messageId"], body=body, reason=str(error), found_at=now)
            self._poison.put_item(poison)  # to put it again changes nothing

    def _book(self, movement: Movement, now: datetime) -> None:
        moved = UpdateBuilder(Stock).increment(Stock.count, movement.count)
        moved.condition(Stock.id.exists())
        if movement.count < 0:
            moved.condition(Stock.count >= -movement.count)
        processed = Processed(id=movement.id, expires_at=now + REMEMBERED)
        writes = [
            self._processed.put(processed, condition=Processed.id.not_exists()),
            self._stock.update({"id": movement.stock_id}, moved),
        ]
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            known, not_yet = (reason.code == "ConditionalCheckFailed" for reason in error.reasons)
            if known:
                return
            if not_yet:
                raise NotYetError("There is no such stock, or not enough.") from error
            raise


def movement_of(body: str) -> Movement:
    """The movement in a message.

    Raises:
        BadMessageError
    """
    try:
        match json.loads(body):
            case {"id": str(id_), "stock_id": str(stock_id), "count": int(count)} if not isinstance(
                count, bool
            ):
                ids = (id_, stock_id)
                is_fit = all(0 < len(each) <= MAX_LENGTH and each.isprintable() for each in ids)
                if is_fit and abs(count) <= MAX_MOVED:
                    return Movement(id=id_, stock_id=stock_id, count=count)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets
        raise BadMessageError("The body is not JSON.") from error
    raise BadMessageError("The message has no fit id, stock_id and count.")


def main() -> None:
    """Consume a batch with one message twice and one poison, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    db.table("stock", Stock).put_item(Stock(id="apples", count=10))
    bodies = ['{"id": "m1", "stock_id": "apples", "count": -3}'] * 2 + ["{"]
    records = [
        {"messageId": f"{number}", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        for number, body in enumerate(bodies)
    ]
    now = datetime(2026, 11, 24, tzinfo=UTC)
    print(StockConsumer(db).consume({"Records": records}, now=now, timeout_s=10.0))
    print(db.table("stock", Stock).get_item({"id": "apples"}))
    print([each.reason for each in db.table("poison", Poison).scan().to_list()])


if __name__ == "__main__":
    main()
