"""HTTP paging: pages of a list, with cursors that callers can neither forge nor read from others.

What it does: lists a customer's orders, newest first, and signs where the next page begins.

Threat model: A caller changes a cursor, makes one up, or uses one of another caller, list or
filter, to see what is not theirs or to make the service fail.

What it guarantees:
- Following the cursors shows each order once, newest first, also while others are stored.
- A page has as many orders as asked for, unless it is the last one.
- A cursor that was changed, made up, or given out for another list, caller or filter raises
  BadCursorError, whatever it holds.
- A cursor is good for LIFETIME; a host whose clock is 40 s wrong moves that by 40 s.
- A secret can be replaced without breaking cursors: the old one is accepted for as long as you say.
- A limit outside of 1 to MAX_LIMIT is refused.

What it leaves to you: who the caller is. A cursor is signed and not encrypted: who has it can read
the id and time of an order of their own list. The secret belongs in a secret store.

The table: `orders`, partition key `customer_id`, sort key `place` (the time and the id). Needs `pip
install dynasafe`; `python http_paging.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, attribute

LIFETIME = timedelta(hours=12)
MAX_LIMIT = 100
MAX_CURSOR_LENGTH = 2048
DIGEST_BYTES = 32


class Order(Item):
    customer_id: Attr[str] = attribute(key="partition")
    place: Attr[str] = attribute(key="sort")
    """The time, "#" and the id: sorted by time, and unique."""
    total_cents: Attr[int] = attribute(default=0)


TABLES: dict[str, type[Item]] = {"orders": Order}


class BadCursorError(ValueError):
    """The cursor is not of this list. Answer 400."""

    def __str__(self) -> str:
        return "The cursor is not valid. Fix: begin with the first page."


class BadLimitError(ValueError):
    """The limit is too small or too large. Answer 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    orders: tuple[Order, ...]
    cursor: str | None
    """Give it back for the next page; None at the end."""


class Cursors:
    """Signs where a page ends, for one question.

    Args:
        secrets: 32 random bytes each. The first one signs; all are accepted.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("There is no secret. Fix: give one of 32 random bytes.")
        self._secrets = tuple(secrets)

    def write(self, place: str, *, question: Sequence[str], now: datetime) -> str:
        """The cursor behind a place.

        Args:
            question: the list, the caller and each filter of the request.
        """
        ends_at = int((now + LIFETIME).timestamp())
        content = json.dumps([place, ends_at]).encode()
        signature = signature_of(content, question, self._secrets[0])
        return urlsafe_b64encode(signature + content).decode().rstrip("=")

    def read(self, cursor: str, *, question: Sequence[str], now: datetime) -> str:
        """The place of a cursor of this question.

        Raises:
            BadCursorError
        """
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise BadCursorError
        try:
            decoded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError as error:
            raise BadCursorError from error
        signature, content = decoded[:DIGEST_BYTES], decoded[DIGEST_BYTES:]
        # Signed first: what is parsed afterwards is our own.
        if not any(
            hmac.compare_digest(signature, signature_of(content, question, secret))
            for secret in self._secrets
        ):
            raise BadCursorError
        place: str
        place, ends_at = json.loads(content)
        if ends_at <= now.timestamp():
            raise BadCursorError
        return place


def signature_of(content: bytes, question: Sequence[str], secret: bytes) -> bytes:
    asked = json.dumps(list(question)).encode()
    return hmac.digest(secret, b"%d#%b%b" % (len(asked), asked, content), "sha256")


class Orders:
    """The orders of customers, in pages."""

    def __init__(self, db: AsyncDynamoDB, cursors: Cursors) -> None:
        self._table: AsyncTable[Order] = db.table("orders", Order)
        self._cursors = cursors

    async def list(
        self,
        customer_id: str,
        *,
        now: datetime,
        limit: int = 25,
        at_least_cents: int = 0,
        cursor: str | None = None,
    ) -> OrderPage:
        """A page of the customer's orders, newest first.

        Args:
            customer_id: who is signed in.

        Raises:
            BadCursorError, BadLimitError
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise BadLimitError(f"A limit is 1 to {MAX_LIMIT}.")
        question = ("orders", customer_id, str(at_least_cents))
        start = None
        if cursor is not None:
            place = self._cursors.read(cursor, question=question, now=now)
            start = {"customer_id": customer_id, "place": place}
        # An order without a total, of an older service, counts as one of 0.
        is_dear = Order.total_cents >= at_least_cents if at_least_cents > 0 else None
        found = await self._table.query(
            Order.customer_id == customer_id,
            filter=is_dear,
            scan_index_forward=False,
            max_items=limit,
            exclusive_start_key=start,
        ).to_list()
        next_cursor = None
        if len(found) == limit:
            next_cursor = self._cursors.write(found[-1].place, question=question, now=now)
        return OrderPage(orders=tuple(found), cursor=next_cursor)


async def main() -> None:
    """Two pages, and a cursor of somebody else, on a table in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    for number in range(3):
        order = Order(customer_id="ada", place=f"2026-11-2{number}#o{number}")
        await db.table("orders", Order).put_item(order)
    orders = Orders(db, Cursors([b"32 random bytes of a secret store"]))
    now = datetime(2026, 11, 24, tzinfo=UTC)
    first = await orders.list("ada", limit=2, now=now)
    second = await orders.list("ada", limit=2, now=now, cursor=first.cursor)
    print([order.place for order in (*first.orders, *second.orders)])
    try:
        await orders.list("eve", limit=2, now=now, cursor=first.cursor)
    except BadCursorError as error:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())
