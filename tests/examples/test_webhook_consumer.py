"""The webhook consumer: each event is booked once, however often it is delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.webhook_consumer import (
    MAX_AGE,
    MAX_AHEAD,
    TABLES,
    Account,
    BadEventError,
    BadSignatureError,
    Verdict,
    WebhookConsumer,
    sign,
)
from tests.examples.conftest import (
    SEED,
    MakeDatabase,
    MakeFaulty,
    Rough,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SENT_AT = int(NOW.timestamp())
SECRET = b"shared with the sender"


def consumer(db: AsyncDynamoDB) -> WebhookConsumer:
    return WebhookConsumer(db, secret=SECRET)


def body_of(**fields: object) -> bytes:
    event = {"type": "payment", "id": "e1", "account_id": "a1", "amount_cents": 990, **fields}
    return json.dumps(event).encode()


async def receive(
    db: AsyncDynamoDB, body: bytes, *, sent_at: int = SENT_AT, now: datetime = NOW
) -> Verdict:
    signature = sign(body, sent_at=sent_at, secret=SECRET)
    return await consumer(db).receive(body, signature=signature, sent_at=sent_at, now=now)


async def balance_cents(db: AsyncDynamoDB) -> int:
    account = await db.table("accounts", Account).get_item({"id": "a1"}, consistent_read=True)
    assert account is not None
    return account.balance_cents


async def begin(db: AsyncDynamoDB) -> AsyncDynamoDB:
    await db.table("accounts", Account).put_item(Account(id="a1"))
    return db


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    return await begin(await database(**TABLES))


@pytest.fixture
async def memory() -> AsyncDynamoDB:
    return await begin(fake_database(**TABLES))


async def test_race(db: AsyncDynamoDB) -> None:
    """Each event is booked once, however often and by however many callers at once it is
    delivered."""
    found = await outcomes([partial(receive, db, body_of())] * 50, at_once=50)

    assert found.count(Verdict.BOOKED) == 1
    assert found.count(Verdict.KNOWN) == 49
    assert await receive(db, body_of(id="e2", amount_cents=-90)) is Verdict.BOOKED
    assert await balance_cents(db) == 900


async def test_faults(faulty: MakeFaulty) -> None:
    """The event's id is stored in the transaction that changes the balance, so no crash parts
    them."""
    db, calm, proxy = await faulty(**TABLES)
    await begin(calm)
    random = Random(SEED)
    bodies = [body_of(id=f"e{n}", amount_cents=random.randrange(1, 10_000)) for n in range(80)]
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

    assert found.count(Verdict.BOOKED) <= 80
    assert found.count(Verdict.BOOKED) + found.count(Verdict.KNOWN) == 240
    assert await balance_cents(calm) == sum(json.loads(body)["amount_cents"] for body in bodies)
    assert sum(record.is_applied for record in proxy.log) > 80


async def test_before_its_account(db: AsyncDynamoDB) -> None:
    """A payment that comes before its account is parked, and booked by `release`; it is never
    lost."""
    early = body_of(account_id="a2")
    assert await receive(db, early) is Verdict.PARKED
    assert await receive(db, early) is Verdict.KNOWN
    assert await consumer(db).release("a2") == 0
    await db.table("accounts", Account).put_item(Account(id="a2"))

    assert [await consumer(db).release("a2") for _ in range(2)] == [1, 0]

    account = await db.table("accounts", Account).get_item({"id": "a2"}, consistent_read=True)
    assert account is not None
    assert account.balance_cents == 990
    assert await receive(db, early) is Verdict.KNOWN


async def test_releases_at_once() -> None:
    """Of 50 releases at once, through lost answers too, each payment is booked by one."""
    transport = Rough(TABLES, rate=0.3)
    db = rough_database(transport)
    for number in range(4):
        body = body_of(id=f"e{number}", amount_cents=1)
        await outcomes([partial(receive, db, body)], at_once=1)
    await begin(db)

    await outcomes([partial(consumer(db).release, "a1")] * 50, at_once=50)
    while await db.table("parked").scan().to_list():
        await outcomes([partial(consumer(db).release, "a1")], at_once=1)

    assert await balance_cents(db) == len(transport.tables["deliveries"].items)


async def test_overdraft(memory: AsyncDynamoDB) -> None:
    """A refund that the balance does not cover is parked too: no balance goes below zero."""
    refund = body_of(id="e2", amount_cents=-991)
    assert await receive(memory, body_of()) is Verdict.BOOKED
    assert await receive(memory, refund) is Verdict.PARKED
    assert await consumer(memory).release("a1") == 0
    assert await balance_cents(memory) == 990

    assert await receive(memory, body_of(id="e3", amount_cents=1)) is Verdict.BOOKED
    assert await consumer(memory).release("a1") == 1

    assert await balance_cents(memory) == 0


async def test_other_types(memory: AsyncDynamoDB) -> None:
    """An event of an unknown type is ignored, and answered with 2xx, so that it is not sent
    again."""
    body = json.dumps({"type": "customer.updated", "id": "e7", "data": {}}).encode()

    assert await receive(memory, body) is Verdict.IGNORED

    assert await memory.table("deliveries").scan().to_list() == []


@pytest.mark.parametrize("change", [{"amount_cents": 991}, {"account_id": "a2"}])
async def test_same_id(memory: AsyncDynamoDB, change: dict[str, object]) -> None:
    """The id of a booked event with other contents is refused, and never taken for the booked
    one."""
    await receive(memory, body_of())

    with pytest.raises(BadEventError, match="Another event of this id"):
        await receive(memory, body_of(**change))

    assert await balance_cents(memory) == 990


async def test_age(memory: AsyncDynamoDB) -> None:
    """The same bytes are accepted for as long as ids are remembered, less a day; older ones are
    refused."""
    assert await receive(memory, body_of()) is Verdict.BOOKED
    for age in (timedelta(hours=1), MAX_AGE):
        assert await receive(memory, body_of(), now=NOW + age) is Verdict.KNOWN
    (delivery,) = await memory.table("deliveries").scan().to_list()
    assert delivery["expires_at"] >= SENT_AT + (MAX_AGE + MAX_AHEAD).total_seconds()

    for now in (NOW + MAX_AGE + timedelta(seconds=1), NOW - MAX_AHEAD - timedelta(seconds=1)):
        with pytest.raises(BadSignatureError):
            await receive(memory, body_of(), now=now)


async def test_skew(memory: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s wrong accepts what the sender signs."""
    for number, seconds in enumerate((-40, 40)):
        now = NOW + timedelta(seconds=seconds)
        assert await receive(memory, body_of(id=f"{number}"), now=now) is Verdict.BOOKED


async def test_signatures(memory: AsyncDynamoDB) -> None:
    """A wrong signature or time books nothing."""
    body = body_of()
    good = sign(body, sent_at=SENT_AT, secret=SECRET)
    for signature, sent_at in (
        ("", SENT_AT),
        ("é", SENT_AT),
        ("\ud800", SENT_AT),
        (sign(body, sent_at=SENT_AT, secret=b"guessed"), SENT_AT),
        (sign(b"other", sent_at=SENT_AT, secret=SECRET), SENT_AT),
        (good, SENT_AT + 1),
        (sign(body, sent_at=10**30, secret=SECRET), 10**30),
    ):
        with pytest.raises(BadSignatureError):
            await consumer(memory).receive(body, signature=signature, sent_at=sent_at, now=NOW)

    assert await balance_cents(memory) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 20_000,
        b'{"a":' * 10_000,
        b" " * 70_000,
        body_of(type=3),
        body_of(amount_cents=9.5),
        body_of(amount_cents=True),
        body_of(amount_cents=float("nan")),
        body_of(amount_cents=10**40 + 1),
        b'{"amount_cents": ' + b"9" * 5000 + b"}",
        body_of(id=""),
        body_of(id="e" * 256),
        body_of(id="\ud800"),
        body_of(account_id=""),
        body_of(id=3),
    ],
)
async def test_bad_bodies(memory: AsyncDynamoDB, body: bytes) -> None:
    """A body that is too long, too deep, or no such event raises BadEventError."""
    with pytest.raises(BadEventError):
        await receive(memory, body)

    assert await balance_cents(memory) == 0
    assert await memory.table("deliveries").scan().to_list() == []


async def test_migrated() -> None:
    """An account without a balance, as after a migration, gets its first payment."""
    transport = Rough(TABLES)
    db = await begin(rough_database(transport))
    strip_optional(transport, TABLES)

    assert await receive(db, body_of(id="e0", amount_cents=-1)) is Verdict.PARKED
    assert await receive(db, body_of()) is Verdict.BOOKED
    assert await balance_cents(db) == 990
