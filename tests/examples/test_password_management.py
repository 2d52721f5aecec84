"""Password management: lockout, history, and attempts that count once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import ConditionalCheckFailedError, ServiceError
from examples.recipes.password_management import (
    LOCKOUT,
    MAX_ATTEMPTS,
    Credentials,
    LockedOutError,
    Passwords,
    RepeatedPasswordError,
    WrongPasswordError,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def passwords_of(db: AsyncDynamoDB) -> Passwords:
    return Passwords(db.table("credentials", Credentials))


async def stored(db: AsyncDynamoDB) -> Credentials:
    found = await db.table("credentials", Credentials).get_item(
        {"person_id": "p1"}, consistent_read=True
    )
    assert found is not None
    return found


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(credentials=Credentials)
    await passwords_of(db).create("p1", "first")
    return db


async def test_given_a_password_when_verified_then_only_it_is_right(db: AsyncDynamoDB) -> None:
    passwords = passwords_of(db)

    with pytest.raises(WrongPasswordError):
        await passwords.verify("p1", "wrong", now=NOW)
    assert (await stored(db)).attempts == 1
    await passwords.verify("p1", "first", now=NOW)

    assert (await stored(db)).attempts == 0
    assert "first" not in repr(await db.table("credentials").scan().to_list())


async def test_given_a_person_with_a_password_then_it_is_not_created_again(
    db: AsyncDynamoDB,
) -> None:
    with pytest.raises(ConditionalCheckFailedError):
        await passwords_of(db).create("p1", "other")


async def test_given_nobody_then_the_password_is_wrong_and_nothing_is_stored(
    db: AsyncDynamoDB,
) -> None:
    with pytest.raises(WrongPasswordError):
        await passwords_of(db).verify("p9", "first", now=NOW)

    assert len(await db.table("credentials").scan().to_list()) == 1


async def test_given_too_many_attempts_then_even_the_right_one_waits(db: AsyncDynamoDB) -> None:
    passwords = passwords_of(db)
    for second in range(MAX_ATTEMPTS):
        with pytest.raises(WrongPasswordError):
            await passwords.verify("p1", "wrong", now=NOW + timedelta(seconds=second))
    last = NOW + timedelta(seconds=MAX_ATTEMPTS - 1)

    with pytest.raises(LockedOutError) as locked:
        await passwords.verify("p1", "first", now=last)
    assert locked.value.until == last + LOCKOUT
    with pytest.raises(LockedOutError, match=r"try again after 09:45"):
        await passwords.verify("p1", "first", now=last + LOCKOUT - timedelta(seconds=1))
    await passwords.verify("p1", "first", now=last + LOCKOUT)

    assert (await stored(db)).attempts == 0


async def test_given_a_change_then_the_last_passwords_may_not_come_back(
    db: AsyncDynamoDB,
) -> None:
    passwords = passwords_of(db)
    with pytest.raises(WrongPasswordError):
        await passwords.change("p1", "wrong", "second", now=NOW)
    await passwords.change("p1", "first", "second", now=NOW)

    for repeated in ("first", "second"):
        with pytest.raises(RepeatedPasswordError, match="last 6"):
            await passwords.change("p1", "second", repeated, now=NOW)
    await passwords.verify("p1", "second", now=NOW)

    found = await stored(db)
    assert (found.version, len(found.previous)) == (2, 1)


async def test_given_two_changes_at_once_then_one_is_made(db: AsyncDynamoDB) -> None:
    found = await outcomes(
        partial(passwords_of(db).change, "p1", "first", new, now=NOW) for new in ("a", "b")
    )

    assert count(found, None) == 1
    assert count(found, WrongPasswordError) == 1


async def test_given_guesses_at_once_and_faults_then_no_more_than_the_limit_are_looked_at(
    faulty: MakeFaulty,
) -> None:
    db, calm, _ = await faulty(credentials=Credentials)
    await passwords_of(calm).create("p1", "first")

    found = await outcomes(
        partial(passwords_of(db).verify, "p1", f"guess-{number}", now=NOW) for number in range(40)
    )

    looked_at, locked = count(found, WrongPasswordError), count(found, LockedOutError)
    assert looked_at == MAX_ATTEMPTS == (await stored(calm)).attempts
    assert looked_at + locked + count(found, ServiceError) == 40
