"""Idempotency keys: a client may send a request again, and it takes effect once.

What it does: an HTTP API takes the header Idempotency-Key. `run` does the work of a key once,
stores the response, and gives the same response to each repeat.

Threat model: Clients, proxies and users send a request again, at once or hours later; a client uses
a key of somebody else, or one key for two requests; the worker stops at any point. A caller who is
signed in may store as many keys as they like: limit the requests (see rate_limiting).

What it guarantees:
- Of 50 requests with one key at once, one does the work; each other one gets its response, or
  InProgressError while it is under way.
- What the work writes and the response are stored in one transaction: no crash and no lost answer
  leaves one without the other, and no write is made twice.
- A repeat after the response was lost gets the same response, byte for byte.
- A key with another request is refused with KeyReusedError.
- The keys of one caller mean nothing for another caller.
- A worker that crashed blocks its key for LOCKED_FOR at most; one that was only slow, and comes
  late, writes nothing.
- A host whose clock is 40 s wrong may let two do the work; only one of them writes.
- Work that raises an error frees its key at once, so that the request can be repeated.
- A key that is empty, too long or not printable raises BadKeyError.

What it leaves to you: who the caller is. What the work does outside of its writes (a mail, another
service) may happen twice: give the key on to it. A response is kept for KEPT, and is as readable
as any item. Answer 409 to InProgressError, 422 to KeyReusedError, and 400 to BadKeyError.

The table: `requests`, partition key `key`, Time to Live on `expires_at`. Needs `pip install
dynasafe`; `python idempotency_keys.py` runs it in memory.
"""

# Made from examples/recipes/idempotency_keys.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import (
    ConditionalCheckFailedError,
    DynasafeError,
    TransactionCanceledError,
)
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Write

KEPT = timedelta(days=1)
LOCKED_FOR = timedelta(minutes=1)
"""Longer than any request takes."""
MAX_KEY_LENGTH = 255


class Request(Item):
    """A request that is under way, or its response."""

    key: Attr[str] = attribute(key="partition")
    digest: Attr[bytes]
    """The digest of the request."""
    worker: Attr[str | None] = attribute(default=None)
    """Who does the work; None when it is done."""
    locked_until: Attr[datetime | None] = attribute(default=None)
    status: Attr[int | None] = attribute(default=None)
    body: Attr[str | None] = attribute(default=None)
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {"requests": Request}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    body: str


Work = Callable[[], tuple[Response, Sequence[Write]]]
"""Gives the response and what is to be written with it, at most 99 writes."""


class BadKeyError(ValueError):
    """The header is no key. Answer 400."""


class InProgressError(Exception):
    """The request is under way. Answer 409, with Retry-After."""


class KeyReusedError(Exception):
    """The key was used for another request. Answer 422."""


class IdempotencyKeys:
    """Requests by their keys."""

    def __init__(self, db: DynamoDB) -> None:
        self._db = db
        self._requests: Table[Request] = db.table("requests", Request)

    def run(
        self, caller_id: str, key: str, request: bytes, work: Work, *, now: datetime
    ) -> Response:
        """The response of the work, which is done only if it was not done before.

        Args:
            caller_id: who is signed in.
            request: method, path and body, as they came.

        Raises:
            BadKeyError, InProgressError, KeyReusedError
            TransactionCanceledError: a condition of the work's writes did not hold.
            OutcomeUnknownError: DynamoDB cannot be reached; answer 504, the repeat finds out.
        """
        if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
            raise BadKeyError("An idempotency key has 1 to 255 printable characters.")
        full_key = f"{len(caller_id)}#{caller_id}#{key}"
        digest = hmac.digest(b"request", request, "sha256")
        worker = secrets.token_hex(16)
        mine = Request(
            key=full_key,
            digest=digest,
            worker=worker,
            locked_until=now + LOCKED_FOR,
            expires_at=now + KEPT,
        )
        is_free = Request.key.not_exists() | (Request.expires_at <= now)
        is_given_up = (Request.locked_until <= now) & (Request.digest == digest)
        put = self._requests.put_item
        try:
            retry_conflicts(
                lambda: settle(
                    lambda: put(mine, condition=is_free | is_given_up, exactly_once=True)
                )
            )
        except ConditionalCheckFailedError as error:
            if error.item is None:
                raise InProgressError from error  # removed meanwhile: a repeat starts again
            return response_of(error.item, digest)
        is_finished = False
        try:
            response, writes = work()
            self._finish(mine, response, writes)
            is_finished = True
        finally:
            if not is_finished:
                self._free(full_key, worker)
        return response

    def _finish(self, mine: Request, response: Response, writes: Sequence[Write]) -> None:
        done = (
            UpdateBuilder(Request)
            .set(Request.status, response.status)
            .set(Request.body, response.body)
            .remove(Request.worker)
            .remove(Request.locked_until)
            .condition(Request.worker == mine.worker)
        )
        all_writes = [self._requests.update({"key": mine.key}, done), *writes]
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(all_writes)))
        except TransactionCanceledError as error:
            if error.reasons and error.reasons[0].code == "ConditionalCheckFailed":
                raise InProgressError from error  # another worker took over
            raise

    def _free(self, key: str, worker: str) -> None:
        """Let a repeat start again, unless the response is stored; if this fails, it waits."""
        with suppress(DynasafeError):
            self._requests.delete_item({"key": key}, condition=Request.worker == worker)


def response_of(stored: Request, digest: bytes) -> Response:
    """The response that was stored.

    Raises:
        InProgressError, KeyReusedError
    """
    if not hmac.compare_digest(stored.digest, digest):
        raise KeyReusedError
    if stored.status is None or stored.body is None:
        raise InProgressError
    return Response(status=stored.status, body=stored.body)


def main() -> None:
    """Place one order with two requests, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    class Order(Item):
        id: Attr[str] = attribute(key="partition")

    db = fake_database()
    create_tables(db, {**TABLES, "orders": Order})
    orders, keys = db.table("orders", Order), IdempotencyKeys(db)

    def place() -> tuple[Response, Sequence[Write]]:
        order = Order(id=secrets.token_hex(4))
        return Response(status=201, body=order.id), [orders.put(order)]

    now = datetime(2026, 11, 24, tzinfo=UTC)
    for _ in range(2):
        print(keys.run("ada", "key-1", b"POST /orders {}", place, now=now))
    print(orders.scan().count(), "order")


if __name__ == "__main__":
    main()
