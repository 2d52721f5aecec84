"""The webhook consumer: each event is booked once, however often it is delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from examples.recipes.webhook_consumer import (
    Account,
    BadEventError,
    BadSignatureError,
    Delivery,
    Verdict,
    WebhookConsumer,
    sign,
)
from tests.examples.conftest import SEED, MakeDatabase, MakeFaulty, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SENT_AT = int(NOW.timestamp())
SECRET = b"shared with the sender"


def consumer(db: AsyncDynamoDB) -> WebhookConsumer:
    return WebhookConsumer(
        db, db.table("deliveries", Delivery), db.table("accounts", Account), secret=SECRET
    )


def body_of(**fields: object) -> bytes:
    return json.dumps({"id": "e1", "account_id": "a1", "amount_cents": 990, **fields}).encode()


async def receive(db: AsyncDynamoDB, body: bytes) -> Verdict:
    signature = sign(body, sent_at=SENT_AT, secret=SECRET)
    return await consumer(db).receive(body, signature=signature, sent_at=SENT_AT, now=NOW)


async def balance_cents(db: AsyncDynamoDB) -> int:
    account = await db.table("accounts", Account).get_item({"id": "a1"}, consistent_read=True)
    assert account is not None
    return account.balance_cents


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(deliveries=Delivery, accounts=Account)
    await db.table("accounts", Account).put_item(Account(id="a1"))
    return db


async def test_given_an_event_when_delivered_again_then_it_is_booked_once(
    db: AsyncDynamoDB,
) -> None:
    assert await receive(db, body_of()) is Verdict.BOOKED
    assert await receive(db, body_of()) is Verdict.KNOWN
    assert await receive(db, body_of(id="e2", amount_cents=-90)) is Verdict.BOOKED

    assert await balance_cents(db) == 900


async def test_given_a_wrong_signature_or_time_then_nothing_is_booked(db: AsyncDynamoDB) -> None:
    body = body_of()
    good = sign(body, sent_at=SENT_AT, secret=SECRET)
    old = SENT_AT - 301
    for signature, sent_at in (
        ("", SENT_AT),
        ("é", SENT_AT),
        (sign(body, sent_at=SENT_AT, secret=b"guessed"), SENT_AT),
        (sign(b"other", sent_at=SENT_AT, secret=SECRET), SENT_AT),
        (good, SENT_AT + 1),
        (sign(body, sent_at=old, secret=SECRET), old),
        (sign(body, sent_at=10**30, secret=SECRET), 10**30),
    ):
        with pytest.raises(BadSignatureError):
            await consumer(db).receive(body, signature=signature, sent_at=sent_at, now=NOW)

    assert await balance_cents(db) == 0
    late = NOW + timedelta(minutes=5)
    assert (
        await consumer(db).receive(body, signature=good, sent_at=SENT_AT, now=late)
        is Verdict.BOOKED
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        body_of(amount_cents=9.5),
        body_of(amount_cents=True),
        body_of(amount_cents=10**40 + 1),
        body_of(id=""),
        body_of(id="e" * 256),
        body_of(id="\ud800"),
        body_of(account_id=""),
        body_of(account_id="a9"),
        body_of(id=3),
    ],
)
async def test_given_an_event_that_cannot_be_booked_then_it_says_so(
    db: AsyncDynamoDB, body: bytes
) -> None:
    with pytest.raises(BadEventError):
        await receive(db, body)

    assert await balance_cents(db) == 0
    assert await db.table("deliveries").scan(consistent_read=True).to_list() == []


async def test_given_deliveries_at_once_and_faults_then_the_balance_is_exact(
    faulty: MakeFaulty,
) -> None:
    db, calm, proxy = await faulty(deliveries=Delivery, accounts=Account)
    await calm.table("accounts", Account).put_item(Account(id="a1"))
    random = Random(SEED)
    bodies = [body_of(id=f"e{n}", amount_cents=random.randrange(1, 10_000)) for n in range(150)]
    deliveries = bodies * 3
    random.shuffle(deliveries)

    async def deliver(body: bytes) -> Verdict:
        """As a sender does: again, until it is answered."""
        while True:
            try:
                return await receive(db, body)
            except DynasafeError:
                continue

    found = await outcomes(partial(deliver, body) for body in deliveries)

    assert found.count(Verdict.BOOKED) <= 150
    assert found.count(Verdict.BOOKED) + found.count(Verdict.KNOWN) == 450
    amounts = [json.loads(body)["amount_cents"] for body in bodies]
    assert await balance_cents(calm) == sum(amounts)
    assert sum(record.is_applied for record in proxy.log) > 150
