"""Webhook consumer: an event that is delivered many times takes effect once.

What it does: checks the signature of a payment's event, and books it on an account, or parks it
until it can be booked.

Threat model: A stranger forges, repeats or changes an event; the sender delivers it twice, late,
out of order, and with new types; the process stops at any point. Whoever has the secret can book
anything.

What it guarantees:
- Each event is booked once, however often and by however many callers at once it is delivered.
- The event's id is stored in the transaction that changes the balance, so no crash parts them.
- A payment that comes before its account is parked, and booked by `release`; it is never lost.
- A refund that the balance does not cover is parked too: no balance goes below zero.
- An event of an unknown type is ignored, and answered with 2xx, so that it is not sent again.
- The id of a booked event with other contents is refused, and never taken for the booked one.
- The same bytes are accepted for as long as ids are remembered, less a day; older ones are refused.
- A body that is too long, too deep, or no such event raises BadEventError.
- A host whose clock is 40 s wrong accepts what the sender signs.

What it leaves to you: TLS, keeping the secret, a limit on the body before it is read, watching what
stays parked. Events have no order. An event is known for `REMEMBERED`: longer than senders repeat.
Answer 401 to BadSignatureError, 422 to BadEventError, and 503 to any DynasafeError.

The tables: `deliveries`, partition key `id`, Time to Live on `expires_at`; `accounts`, partition
key `id`; `parked`, partition key `account_id`, sort key `id`. Needs `pip install dynasafe`;
`python webhook_consumer.py` runs it in memory.
"""

# Made from examples/recipes/webhook_consumer.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Condition, Write

REMEMBERED = timedelta(days=30)
MAX_AGE = REMEMBERED - timedelta(days=1)
"""Of a signature. Within it a repeat is known by its id, whoever sends it again."""
MAX_AHEAD = timedelta(minutes=5)
"""How far the sender's clock may be before ours."""
MAX_BODY_BYTES = 65_536
MAX_LENGTH = 255
MAX_AMOUNT_CENTS = 10**12
PAYMENT = "payment"


class Delivery(Item):
    """An event that is booked or parked."""

    id: Attr[str] = attribute(key="partition")
    digest: Attr[bytes]
    """Of what the event says, so that another event of the same id is noticed."""
    received_at: Attr[datetime]
    expires_at: Attr[datetime] = attribute(ttl=True)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    balance_cents: Attr[int] = attribute(default=0, patchable=False)
    """Money is counted in whole cents."""


class Parked(Item):
    """A payment that waits for its account, or for its balance."""

    account_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")
    amount_cents: Attr[int]


TABLES: dict[str, type[Item]] = {"deliveries": Delivery, "accounts": Account, "parked": Parked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    id: str
    account_id: str
    amount_cents: int
    """Below zero for a refund."""


class Verdict(Enum):
    """The outcome of an event. Answer 2xx to all."""

    BOOKED = "booked"
    PARKED = "parked"
    KNOWN = "known"
    """It had been received before."""
    IGNORED = "ignored"


class BadSignatureError(Exception):
    """The event is not from the sender, or too old. Answer 401."""


class BadEventError(Exception):
    """The event is malformed, or another one of its id was received. Answer 422, and look."""


class WebhookConsumer:
    """Books payments.

    Args:
        secret: shared with the sender; from a secret store, not from the code.
    """

    def __init__(self, db: DynamoDB, *, secret: bytes) -> None:
        self._db = db
        self._deliveries: Table[Delivery] = db.table("deliveries", Delivery)
        self._accounts: Table[Account] = db.table("accounts", Account)
        self._parked: Table[Parked] = db.table("parked", Parked)
        self._secret = secret

    def receive(self, body: bytes, *, signature: str, sent_at: int, now: datetime) -> Verdict:
        """Book the event.

        Args:
            body: as it came, byte for byte.
            signature: the header with the HMAC-SHA256 of `sent_at`, a dot, and the body, in hex.
            sent_at: the header with the sender's time, in seconds since 1970.

        Raises:
            BadSignatureError, BadEventError
            OutcomeUnknownError or another DynasafeError: it is not known to be booked. Answer
                503, and it is delivered again.
        """
        expected = sign(body, sent_at=sent_at, secret=self._secret).encode()
        if not hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass")):
            raise BadSignatureError
        age_s = int(now.timestamp()) - sent_at
        if not -MAX_AHEAD.total_seconds() <= age_s <= MAX_AGE.total_seconds():
            raise BadSignatureError
        payment = payment_of(body)
        if payment is None:
            return Verdict.IGNORED
        return retry_conflicts(lambda: self._book(payment, now), on=_MovedError)

    def release(self, account_id: str) -> int:
        """Book what is parked for the account, as far as it can be: how many were booked.

        Call it when the account is created, and when its balance has grown.
        """
        booked = 0
        waiting = self._parked.query(Parked.account_id == account_id, consistent_read=True)
        for parked in waiting:
            key = {"account_id": account_id, "id": parked.id}
            unpark = self._parked.delete(key, condition=Parked.id.exists())
            writes = [self._change(account_id, parked.amount_cents), unpark]
            booked += not self._failed_conditions(writes)
        return booked

    def _book(self, payment: Payment, now: datetime) -> Verdict:
        delivery = Delivery(
            id=payment.id,
            digest=digest_of(payment),
            received_at=now,
            expires_at=now + REMEMBERED,
        )
        receive = self._deliveries.put(delivery, condition=Delivery.id.not_exists())
        change = self._change(payment.account_id, payment.amount_cents)
        failed = self._failed_conditions([receive, change])
        if not failed:
            return Verdict.BOOKED
        if 0 not in failed:
            parked = Parked(
                account_id=payment.account_id, id=payment.id, amount_cents=payment.amount_cents
            )
            # Still not bookable: else it would be parked after the last `release`.
            cannot = ~is_bookable(payment.amount_cents)
            still = self._accounts.check({"id": payment.account_id}, cannot)
            failed = self._failed_conditions([receive, self._parked.put(parked), still])
            if not failed:
                return Verdict.PARKED
            if 0 not in failed:
                raise _MovedError
        known = self._deliveries.get_item({"id": payment.id}, consistent_read=True)
        if known is not None and not hmac.compare_digest(known.digest, delivery.digest):
            raise BadEventError("Another event of this id was received.")
        return Verdict.KNOWN

    def _change(self, account_id: str, amount_cents: int) -> Write:
        """Change the balance of an account that is there, and not below zero."""
        changed = UpdateBuilder(Account).increment(Account.balance_cents, amount_cents)
        changed.condition(is_bookable(amount_cents))
        return self._accounts.update({"id": account_id}, changed)

    def _failed_conditions(self, writes: list[Write]) -> list[int]:
        """Make all the writes, or none: the places of those whose conditions did not hold."""
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            codes = [reason.code for reason in error.reasons]
            if "ConditionalCheckFailed" not in codes:
                raise
            return [index for index, code in enumerate(codes) if code == "ConditionalCheckFailed"]
        return []


class _MovedError(Exception):
    """The account was created, or its balance grew, meanwhile."""


def is_bookable(amount_cents: int) -> Condition:
    is_there = Account.id.exists()
    return is_there if amount_cents >= 0 else is_there & (Account.balance_cents >= -amount_cents)


def sign(body: bytes, *, sent_at: int, secret: bytes) -> str:
    return hmac.digest(secret, b"%d.%b" % (sent_at, body), "sha256").hex()


def digest_of(payment: Payment) -> bytes:
    said = [payment.id, payment.account_id, payment.amount_cents]
    return hmac.digest(b"event", json.dumps(said).encode(), "sha256")


def payment_of(body: bytes) -> Payment | None:
    """The payment that the event is about; None for an event of another type.

    Raises:
        BadEventError: it is malformed.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadEventError("The body is too long.")
    try:
        match json.loads(body):
            case {"type": str(type_), "id": str()} if type_ != PAYMENT:
                return None
            case {
                "type": str(),
                "id": str(id_),
                "account_id": str(account_id),
                "amount_cents": int(amount_cents),
            } if not isinstance(amount_cents, bool):
                ids = (id_, account_id)
                is_fit = all(0 < len(each) <= MAX_LENGTH and each.isprintable() for each in ids)
                if is_fit and abs(amount_cents) <= MAX_AMOUNT_CENTS:
                    return Payment(id=id_, account_id=account_id, amount_cents=amount_cents)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets
        raise BadEventError("The body is not JSON.") from error
    raise BadEventError("The event has no fit type, id, account_id and amount_cents.")


def main() -> None:
    """Deliver an event before its account, and twice, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    now, secret = datetime(2026, 11, 24, tzinfo=UTC), b"from a secret store"
    consumer, sent_at = WebhookConsumer(db, secret=secret), int(now.timestamp())
    body = json.dumps({"type": PAYMENT, "id": "e1", "account_id": "a1", "amount_cents": 990})
    signature = sign(body.encode(), sent_at=sent_at, secret=secret)
    for _ in range(2):
        print(consumer.receive(body.encode(), signature=signature, sent_at=sent_at, now=now))
    db.table("accounts", Account).put_item(Account(id="a1"))
    print("released:", consumer.release("a1"))


if __name__ == "__main__":
    main()
