"""E-mail verification: one token, one use, for one address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from examples.recipes.email_verification import (
    LIFETIME,
    Account,
    EmailVerification,
    InvalidTokenError,
    Verification,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def verification(db: AsyncDynamoDB) -> EmailVerification:
    return EmailVerification(
        db, db.table("accounts", Account), db.table("verifications", Verification)
    )


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(accounts=Account, verifications=Verification)
    await db.table("accounts", Account).put_item(Account(id="p1", email="ada@example.org"))
    return db


async def is_verified(db: AsyncDynamoDB) -> bool:
    account = await db.table("accounts", Account).get_item({"id": "p1"}, consistent_read=True)
    assert account is not None
    return account.is_email_verified


async def request(db: AsyncDynamoDB) -> str:
    requested = await verification(db).request("p1", now=NOW)
    assert requested is not None
    email, token = requested
    assert email == "ada@example.org"
    return token


async def test_given_a_token_when_confirmed_twice_then_it_is_good_once(db: AsyncDynamoDB) -> None:
    token = await request(db)
    assert not await is_verified(db)

    await verification(db).confirm("p1", token, now=NOW)

    assert await is_verified(db)
    with pytest.raises(InvalidTokenError, match="ask for a new one"):
        await verification(db).confirm("p1", token, now=NOW)


async def test_given_a_wrong_an_old_or_an_expired_token_then_nothing_is_verified(
    db: AsyncDynamoDB,
) -> None:
    replaced = await request(db)
    token = await request(db)

    for person_id, given, now in (
        ("p1", "wrong", NOW),
        ("p1", "", NOW),
        ("p1", replaced, NOW),
        ("p1", token, NOW + LIFETIME),
        ("p2", token, NOW),
    ):
        with pytest.raises(InvalidTokenError):
            await verification(db).confirm(person_id, given, now=now)
    assert not await is_verified(db)

    await verification(db).confirm("p1", token, now=NOW + LIFETIME - timedelta(seconds=1))
    assert await is_verified(db)


async def test_given_an_address_that_changed_meanwhile_then_the_new_one_is_not_verified(
    db: AsyncDynamoDB,
) -> None:
    token = await request(db)
    changed = UpdateBuilder(Account).set(Account.email, "other@example.org")
    await db.table("accounts", Account).update_item({"id": "p1"}, changed)

    with pytest.raises(InvalidTokenError):
        await verification(db).confirm("p1", token, now=NOW)

    assert not await is_verified(db)


async def test_given_nobody_then_there_is_no_token(db: AsyncDynamoDB) -> None:
    assert await verification(db).request("p9", now=NOW) is None


async def test_given_a_token_then_the_database_does_not_have_it(db: AsyncDynamoDB) -> None:
    token = await request(db)

    stored = await db.table("verifications").scan(consistent_read=True).to_list()

    assert token not in repr(stored)
    assert stored[0]["expires_at"] == int((NOW + LIFETIME).timestamp())


async def test_given_racing_callers_then_one_token_is_good_once(db: AsyncDynamoDB) -> None:
    token = await request(db)

    found = await outcomes(
        partial(verification(db).confirm, "p1", token, now=NOW) for _ in range(20)
    )

    assert count(found, None) == 1
    assert await is_verified(db)


async def test_given_racing_callers_and_faults_then_each_token_is_good_once(
    faulty: MakeFaulty,
) -> None:
    db, calm, _ = await faulty(accounts=Account, verifications=Verification)
    for number in range(20):
        id_ = f"p{number}"
        account = Account(id=id_, email="ada@example.org")
        await calm.table("accounts", Account).put_item(account)
        requested = await verification(calm).request(id_, now=NOW)
        assert requested is not None

        found = await outcomes(
            partial(verification(db).confirm, id_, requested[1], now=NOW) for _ in range(10)
        )

        assert count(found, None) == 1
