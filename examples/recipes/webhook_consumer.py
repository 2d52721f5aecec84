"""Webhook consumer: an event that is delivered many times takes effect once.

What it does: checks the signature of a payment's event, and books it on an account.

What it guarantees: the id of the event is stored in the same transaction that changes the balance,
so that each event is booked once, however often and by however many callers it is delivered, and
whatever crashes in between. An answer of 2xx is given only for what is booked.

What it does not: keep the order of events, or know an event again after `REMEMBERED`: longer than
any sender repeats its deliveries.

The tables: `deliveries`, partition key `id`, Time to Live on `expires_at`; `accounts`, partition
key `id`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import OutcomeUnknownError, TransactionCanceledError

T = TypeVar("T")

REMEMBERED = timedelta(days=30)
TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be from ours; what is older may have been recorded by somebody."""
MAX_LENGTH = 255
MAX_AMOUNT_CENTS = 10**12


class Delivery(Item):
    """An event that is booked."""

    id: Attr[str] = attribute(key="partition")
    booked_at: Attr[datetime]
    expires_at: Attr[datetime] = attribute(ttl=True)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    balance_cents: Attr[int] = attribute(default=0)
    """Money is counted in whole cents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    id: str
    account_id: str
    amount_cents: int


class Verdict(Enum):
    BOOKED = "booked"
    KNOWN = "known"
    """It had been booked before; answer 2xx all the same, or it is delivered again."""


class BadSignatureError(Exception):
    """The event is not from the sender, or too old. Answer 401."""


class BadEventError(Exception):
    """The event cannot be booked, and never will be. Answer 422."""


class WebhookConsumer:
    """Books payments.

    Args:
        secret: shared with the sender; from a secret store, not from the code.
    """

    def __init__(
        self,
        db: AsyncDynamoDB,
        deliveries: AsyncTable[Delivery],
        accounts: AsyncTable[Account],
        *,
        secret: bytes,
    ) -> None:
        self._db = db
        self._deliveries = deliveries
        self._accounts = accounts
        self._secret = secret

    async def receive(self, body: bytes, *, signature: str, sent_at: int, now: datetime) -> Verdict:
        """Book the event.

        Args:
            body: as it came, byte for byte.
            signature: the header with the HMAC-SHA256 of `sent_at`, a dot, and the body, in hex.
            sent_at: the header with the sender's time, in seconds since 1970.

        Raises:
            BadSignatureError, BadEventError
            DynasafeError: it is not known to be booked. Answer 503, and it is delivered again.
        """
        if abs(int(now.timestamp()) - sent_at) > TOLERANCE.total_seconds():
            raise BadSignatureError
        expected = sign(body, sent_at=sent_at, secret=self._secret)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise BadSignatureError
        return await self._book(payment_of(body), now)

    async def _book(self, payment: Payment, now: datetime) -> Verdict:
        booked = UpdateBuilder(Account).increment(Account.balance_cents, payment.amount_cents)
        delivery = Delivery(id=payment.id, booked_at=now, expires_at=now + REMEMBERED)
        writes = [
            self._deliveries.put(delivery, condition=Delivery.id.not_exists()),
            self._accounts.update(
                {"id": payment.account_id}, booked, condition=Account.id.exists()
            ),
        ]
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            known, homeless = (reason.code == "ConditionalCheckFailed" for reason in error.reasons)
            if known:
                return Verdict.KNOWN
            if homeless:
                raise BadEventError("there is no such account") from error
            raise
        return Verdict.BOOKED


def sign(body: bytes, *, sent_at: int, secret: bytes) -> str:
    return hmac.digest(secret, b"%d.%b" % (sent_at, body), "sha256").hex()


def payment_of(body: bytes) -> Payment:
    """The payment that the event is about.

    Raises:
        BadEventError: it is none.
    """
    try:
        match json.loads(body):
            case {
                "id": str(id_),
                "account_id": str(account_id),
                "amount_cents": int(amount_cents),
            } if not isinstance(amount_cents, bool):
                ids = (id_, account_id)
                is_fit = all(0 < len(each) <= MAX_LENGTH and each.isprintable() for each in ids)
                if is_fit and abs(amount_cents) <= MAX_AMOUNT_CENTS:
                    return Payment(id=id_, account_id=account_id, amount_cents=amount_cents)
    except ValueError as error:
        raise BadEventError("the event is not JSON") from error
    raise BadEventError("the event has no fit id, account_id and amount_cents")


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
