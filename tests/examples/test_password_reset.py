"""Password reset: a token sets one password, once, through races and faults."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import Fault, FaultPlan
from examples.recipes.password_reset import (
    LIFETIME,
    Account,
    InvalidTokenError,
    PasswordReset,
    Reset,
    is_password,
)
from tests.examples.conftest import LOST_ANSWERS, MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def password_reset(db: AsyncDynamoDB) -> PasswordReset:
    return PasswordReset(db, db.table("accounts", Account), db.table("resets", Reset))


async def stored(db: AsyncDynamoDB, id_: str = "p1") -> Account:
    account = await db.table("accounts", Account).get_item({"id": id_}, consistent_read=True)
    assert account is not None
    return account


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(accounts=Account, resets=Reset)
    await db.table("accounts", Account).put_item(Account(id="p1"))
    return db


async def test_given_a_token_when_used_then_it_sets_the_password_once(db: AsyncDynamoDB) -> None:
    resets = password_reset(db)
    token = await resets.request("p1", now=NOW)
    assert token is not None

    await resets.reset("p1", token, "correct horse", now=NOW)
    with pytest.raises(InvalidTokenError, match="ask for a new one"):
        await resets.reset("p1", token, "battery staple", now=NOW)

    account = await stored(db)
    assert account.password is not None
    assert is_password("correct horse", account.password)
    assert not is_password("battery staple", account.password)
    assert account.signed_out_at == NOW


async def test_given_a_wrong_an_old_or_an_expired_token_then_the_password_stays(
    db: AsyncDynamoDB,
) -> None:
    resets = password_reset(db)
    replaced = await resets.request("p1", now=NOW)
    token = await resets.request("p1", now=NOW)
    assert token is not None
    assert replaced is not None

    for person_id, given, now in (
        ("p1", "wrong", NOW),
        ("p1", replaced, NOW),
        ("p1", token, NOW + LIFETIME),
        ("p2", token, NOW),
    ):
        with pytest.raises(InvalidTokenError):
            await resets.reset(person_id, given, "x", now=now)

    assert (await stored(db)).password is None


async def test_given_nobody_then_there_is_no_token(db: AsyncDynamoDB) -> None:
    assert await password_reset(db).request("p9", now=NOW) is None


async def test_given_an_account_that_went_meanwhile_then_it_does_not_come_back(
    db: AsyncDynamoDB,
) -> None:
    token = await password_reset(db).request("p1", now=NOW)
    assert token is not None
    await db.table("accounts", Account).delete_item({"id": "p1"})

    with pytest.raises(InvalidTokenError):
        await password_reset(db).reset("p1", token, "x", now=NOW)

    assert await db.table("accounts", Account).get_item({"id": "p1"}, consistent_read=True) is None


async def test_given_a_token_and_a_password_then_the_database_has_neither(
    db: AsyncDynamoDB,
) -> None:
    token = await password_reset(db).request("p1", now=NOW)
    assert token is not None
    assert token not in repr(await db.table("resets").scan(consistent_read=True).to_list())

    await password_reset(db).reset("p1", token, "correct horse", now=NOW)

    assert "correct horse" not in repr(await db.table("accounts").scan().to_list())


async def test_given_racing_callers_and_faults_then_one_password_is_set(
    faulty: MakeFaulty,
) -> None:
    db, calm, proxy = await faulty(accounts=Account, resets=Reset)
    for number in range(6):
        id_ = f"p{number}"
        await calm.table("accounts", Account).put_item(Account(id=id_))
        token = await password_reset(calm).request(id_, now=NOW)
        assert token is not None
        told: list[str] = []

        async def attempt(password: str, id_: str, token: str, told: list[str]) -> None:
            await password_reset(db).reset(id_, token, password, now=NOW)
            told.append(password)

        found = await outcomes(
            partial(attempt, f"password-{caller}", id_, token, told) for caller in range(6)
        )

        assert count(found, None) == len(told) == 1
        account = await stored(calm, id_)
        assert account.password is not None
        assert is_password(told[0], account.password)
    assert {record.fault for record in proxy.log} > {Fault.NONE}


@pytest.mark.parametrize("fault", LOST_ANSWERS)
async def test_given_a_lost_answer_then_the_reset_is_known_to_have_happened(
    faulty: MakeFaulty, fault: Fault
) -> None:
    writes = frozenset({"TransactWriteItems"})
    plan = FaultPlan(script=(fault,), operations=writes)
    db, calm, proxy = await faulty(plan, accounts=Account, resets=Reset)
    await calm.table("accounts", Account).put_item(Account(id="p1"))
    token = await password_reset(calm).request("p1", now=NOW)
    assert token is not None

    await password_reset(db).reset("p1", token, "correct horse", now=NOW)

    sent = [record for record in proxy.log if record.operation in writes]
    assert (sent[0].fault, sent[0].is_applied) == (fault, True)
    account = await stored(calm)
    assert account.password is not None
    assert is_password("correct horse", account.password)
