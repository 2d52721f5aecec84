"""E-mail verification: one token, one use, for one address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.testing import MemoryTransport
from examples.recipes.email_verification import (
    LIFETIME,
    TABLES,
    Account,
    EmailVerification,
    InvalidTokenError,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await db.table("accounts", Account).put_item(Account(id="p1", email="ada@example.org"))
    return db


async def is_verified(db: AsyncDynamoDB) -> bool:
    account = await db.table("accounts", Account).get_item({"id": "p1"}, consistent_read=True)
    assert account is not None
    return account.is_verified


async def request(db: AsyncDynamoDB) -> str:
    requested = await EmailVerification(db).request("p1", now=NOW)
    assert requested is not None
    email, token = requested
    assert email == "ada@example.org"
    return token


async def set_email(db: AsyncDynamoDB, email: str) -> None:
    changed = UpdateBuilder(Account).patch({"email": email})
    await db.table("accounts", Account).update_item({"id": "p1"}, changed)


async def test_race(db: AsyncDynamoDB) -> None:
    """Of many callers with one token, one verifies the address; the others learn that it was
    verified."""
    token = await request(db)
    assert not await is_verified(db)

    found = await outcomes(
        (partial(EmailVerification(db).confirm, "p1", token, now=NOW) for _ in range(50)),
        at_once=50,
    )

    assert (count(found, True), count(found, False)) == (1, 49)
    assert await is_verified(db)


async def test_changed_address(db: AsyncDynamoDB) -> None:
    """A change of the address, by whatever way, leaves the new one unverified."""
    token = await request(db)
    await EmailVerification(db).confirm("p1", token, now=NOW)

    await set_email(db, "eve@example.org")

    assert not await is_verified(db)
    with pytest.raises(InvalidTokenError):
        await EmailVerification(db).confirm("p1", token, now=NOW)
    await set_email(db, "ada@example.org")
    assert await is_verified(db)


async def test_flag_is_not_patchable() -> None:
    """What was verified cannot be set by a patch from outside."""
    with pytest.raises(Exception, match="verified_email"):
        UpdateBuilder(Account).patch({"verified_email": "eve@example.org"})


async def test_address_that_changed_meanwhile(db: AsyncDynamoDB) -> None:
    """A token verifies the address that it was mailed to, and no other."""
    token = await request(db)
    await set_email(db, "other@example.org")

    with pytest.raises(InvalidTokenError):
        await EmailVerification(db).confirm("p1", token, now=NOW)

    assert not await is_verified(db)


async def test_replaced(db: AsyncDynamoDB) -> None:
    """A new token replaces the older one."""
    replaced, token = await request(db), await request(db)

    with pytest.raises(InvalidTokenError):
        await EmailVerification(db).confirm("p1", replaced, now=NOW)
    assert await EmailVerification(db).confirm("p1", token, now=NOW)


async def test_bad_tokens(db: AsyncDynamoDB) -> None:
    """A wrong, old or malformed token raises InvalidTokenError, which does not say why."""
    token = await request(db)

    for person_id, given, now in (
        ("p1", "wrong", NOW),
        ("p1", "", NOW),
        ("p1", "\ud800", NOW),
        ("p1", "é" * 5000, NOW),
        ("p1", token, NOW + LIFETIME),
        ("p2", token, NOW),
    ):
        with pytest.raises(InvalidTokenError) as error:
            await EmailVerification(db).confirm(person_id, given, now=now)
        assert str(error.value) == "This token is not valid. Fix: ask for a new one."
    assert not await is_verified(db)

    await EmailVerification(db).confirm("p1", token, now=NOW + LIFETIME - timedelta(seconds=1))
    assert await is_verified(db)


async def test_unknown_person_costs_the_same() -> None:
    """A known and an unknown person cost the same requests, so that time does not tell them
    apart."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    await db.table("accounts", Account).put_item(Account(id="p1", email="ada@example.org"))
    transport.calls.clear()

    assert await EmailVerification(db).request("p1", now=NOW) is not None
    known = [call.operation for call in transport.calls]
    transport.calls.clear()
    assert await EmailVerification(db).request("p9", now=NOW) is None

    assert [call.operation for call in transport.calls] == known == ["GetItem", "PutItem"]
    with pytest.raises(InvalidTokenError):
        await EmailVerification(db).confirm("p9", "x", now=NOW)


async def test_skew(db: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s wrong moves the expiry by 40 s, and breaks nothing else."""
    skew = timedelta(seconds=40)
    token = await request(db)
    last = NOW + LIFETIME - timedelta(seconds=1)

    with pytest.raises(InvalidTokenError):
        await EmailVerification(db).confirm("p1", token, now=last + skew)
    assert await EmailVerification(db).confirm("p1", token, now=last)
    assert not await EmailVerification(db).confirm("p1", token, now=last - skew)


async def test_no_token_is_stored(db: AsyncDynamoDB) -> None:
    """The database has no token, only a salted hash of it."""
    token = await request(db)

    stored = await db.table("verifications").scan(consistent_read=True).to_list()

    assert token not in repr(stored)
    assert stored[0]["expires_at"] == int((NOW + LIFETIME).timestamp())


async def test_faults(faulty: MakeFaulty) -> None:
    """A lost answer leaves the address verified or not, and never the token used without it."""
    db, calm, _ = await faulty(**TABLES)
    for number in range(12):
        id_ = f"p{number}"
        await calm.table("accounts", Account).put_item(Account(id=id_, email="ada@example.org"))
        requested = await EmailVerification(calm).request(id_, now=NOW)
        assert requested is not None

        found = await outcomes(
            partial(EmailVerification(db).confirm, id_, requested[1], now=NOW) for _ in range(8)
        )

        assert count(found, True) == 1
        assert count(found, True) + count(found, False) == 8
