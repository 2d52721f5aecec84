"""Password management: few guesses, no repeated password, no change that is overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError, DynasafeError
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.password_management import (
    LOCKOUT,
    MAX_ATTEMPTS,
    MAX_LENGTH,
    TABLES,
    Attempts,
    Credentials,
    LockedOutError,
    Passwords,
    RepeatedPasswordError,
    UnfitPasswordError,
    Work,
    WrongPasswordError,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes, strip_optional

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SECRET = b"on all hosts"
CHEAP = Work(n=2**4, p=1)


def passwords_of(db: AsyncDynamoDB, **options: Any) -> Passwords:
    return Passwords(db, secret=SECRET, **{"work": CHEAP, **options})


async def stored(db: AsyncDynamoDB) -> Credentials:
    found = await db.table("credentials", Credentials).get_item(
        {"person_id": "p1"}, consistent_read=True
    )
    assert found is not None
    return found


async def guess(db: AsyncDynamoDB, name: str, times: int, now: datetime = NOW) -> list[Any]:
    return await outcomes(
        (partial(passwords_of(db).verify, name, f"{each}", now=now) for each in range(times)),
        at_once=1,
    )


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await passwords_of(db).create("p1", "first")
    return db


@pytest.fixture
async def memory() -> AsyncDynamoDB:
    db = fake_database(**TABLES)
    await passwords_of(db).create("p1", "first")
    return db


async def test_sign_in(db: AsyncDynamoDB) -> None:
    """Only the right password signs in, and a second one is not created."""
    passwords = passwords_of(db)

    with pytest.raises(WrongPasswordError):
        await passwords.verify("p1", "wrong", now=NOW)
    await passwords.verify("p1", "first", now=NOW)

    assert await db.table("attempts").scan(consistent_read=True).to_list() == []
    with pytest.raises(ConditionalCheckFailedError):
        await passwords.create("p1", "other")


async def test_guesses_at_once_and_faults(faulty: MakeFaulty) -> None:
    """Of a thousand guesses at once, no more than MAX_ATTEMPTS are looked at until a right one
    comes, whatever happens to answers."""
    db, calm, _ = await faulty(**TABLES)
    await passwords_of(calm).create("p1", "first")

    found = await outcomes(
        partial(passwords_of(db).verify, "p1", f"guess-{number}", now=NOW) for number in range(60)
    )

    looked_at, locked = count(found, WrongPasswordError), count(found, LockedOutError)
    assert looked_at == MAX_ATTEMPTS
    assert looked_at + locked + count(found, DynasafeError) == 60


async def test_right_passwords_at_once(memory: AsyncDynamoDB) -> None:
    """Right passwords are not counted: 20 sign-ins of one person at once all succeed."""
    found = await outcomes(
        (partial(passwords_of(memory).verify, "p1", "first", now=NOW) for _ in range(20)),
        at_once=20,
    )

    assert count(found, Credentials) == 20


async def test_known_device(memory: AsyncDynamoDB) -> None:
    """Strangers lock out strangers: a device that has signed in before has attempts of its own."""
    passwords = passwords_of(memory)
    device = passwords.device_of("p1")
    await guess(memory, "p1", MAX_ATTEMPTS)

    with pytest.raises(LockedOutError):
        await passwords.verify("p1", "first", now=NOW)
    await passwords.verify("p1", "first", now=NOW, device=device)

    for forged in ("", "x", "x.y", f"{device}0", passwords.device_of("p2"), "\ud800.\ud800"):
        with pytest.raises(LockedOutError):
            await passwords.verify("p1", "first", now=NOW, device=forged)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(WrongPasswordError):
            await passwords.verify("p1", "wrong", now=NOW, device=device)
    with pytest.raises(LockedOutError):
        await passwords.verify("p1", "first", now=NOW, device=device)


async def test_lockout_ends(db: AsyncDynamoDB) -> None:
    """A lockout ends by itself after LOCKOUT; wrong passwords further apart than that are not
    added up."""
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

    for number in range(2 * MAX_ATTEMPTS):
        with pytest.raises(WrongPasswordError):
            await passwords.verify("p1", "typo", now=last + number * timedelta(days=30))
    await passwords.verify("p1", "first", now=last + 2 * MAX_ATTEMPTS * timedelta(days=30))


async def test_unknown_name() -> None:
    """An unknown name costs the same requests, the same hashing and the same lockout as a known
    one."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    await passwords_of(db).create("p1", "first")
    seen = []
    for name in ("p1", "p9"):
        transport.calls.clear()
        found = await guess(db, name, 14)
        seen.append(([type(each) for each in found], [call.operation for call in transport.calls]))

    assert seen[0] == seen[1]
    assert seen[0][0].count(LockedOutError) == 4


async def test_two_changes(db: AsyncDynamoDB) -> None:
    """Of two changes at once, one is made; the other is refused."""
    found = await outcomes(
        partial(passwords_of(db).change, "p1", "first", new, now=NOW) for new in ("a", "b")
    )

    assert count(found, None) == 1
    assert count(found, WrongPasswordError) == 1


async def test_history(db: AsyncDynamoDB) -> None:
    """The last passwords may not come back, and a change is not made with a wrong one."""
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


class Meanwhile(MemoryTransport):
    """Tables in memory in which the password is changed while a sign-in is under way."""

    change: Any = None

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        answer = await super().send(operation, params, timeout_s=timeout_s)
        is_read = operation == "GetItem" and params["TableName"] == "credentials"
        if is_read and (change := self.change) is not None:
            self.change = None
            await change()
        return answer


async def test_old_password() -> None:
    """Once a change has returned, no sign-in with the old password succeeds, not even one under
    way."""
    transport = Meanwhile(TABLES)
    db = AsyncDynamoDB.over(transport)
    passwords = passwords_of(db)
    await passwords.create("p1", "first")
    transport.change = partial(passwords.change, "p1", "first", "second", now=NOW)

    with pytest.raises(WrongPasswordError):
        await passwords.verify("p1", "first", now=NOW)

    await passwords.verify("p1", "second", now=NOW)


async def test_epoch(memory: AsyncDynamoDB) -> None:
    """A change raises `session_epoch`, so that sessions which carry the epoch are over."""
    before = (await stored(memory)).session_epoch

    await passwords_of(memory).change("p1", "first", "second", now=NOW)

    assert (await stored(memory)).session_epoch == before + 1


@pytest.mark.parametrize("work", [Work(n=2**15, p=1), Work(n=2**5, r=4, p=2)])
async def test_cost(memory: AsyncDynamoDB, work: Work) -> None:
    """The work of hashing may be raised at any time; a stored hash is renewed at the next
    sign-in."""
    dear = passwords_of(memory, work=work)

    signed_in = await dear.verify("p1", "first", now=NOW)

    renewed = (await stored(memory)).password
    assert (renewed.n, renewed.r, renewed.p) == (work.n, work.r, work.p)
    assert signed_in == await stored(memory)
    await dear.verify("p1", "first", now=NOW)
    await dear.create("p2", "other")


async def test_skew(memory: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s wrong moves the end of a lockout by 40 s, and breaks nothing
    else."""
    skew = timedelta(seconds=40)
    await guess(memory, "p1", MAX_ATTEMPTS)
    passwords = passwords_of(memory)

    with pytest.raises(LockedOutError):
        await passwords.verify("p1", "first", now=NOW + LOCKOUT - skew)
    await passwords.verify("p1", "first", now=NOW + LOCKOUT - timedelta(seconds=1) + skew)


async def test_migrated() -> None:
    """An item that lacks every optional attribute, as after a migration, signs in like any
    other."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    passwords = passwords_of(db)
    await passwords.create("p1", "first")
    await guess(db, "p1", 1)
    strip_optional(transport, TABLES)

    await passwords.verify("p1", "first", now=NOW)
    await guess(db, "p1", 1)
    strip_optional(transport, TABLES)
    await passwords.change("p1", "first", "second", now=NOW)
    await passwords.verify("p1", "second", now=NOW)


async def test_stored(memory: AsyncDynamoDB) -> None:
    """The database has salted scrypt hashes only, behind a pepper if you give one."""
    peppered = passwords_of(memory, pepper=b"elsewhere")
    await peppered.create("p2", "first")

    await peppered.verify("p2", "first", now=NOW)
    with pytest.raises(WrongPasswordError):
        await passwords_of(memory).verify("p2", "first", now=NOW)

    assert "first" not in repr(await memory.table("credentials").scan().to_list())


@pytest.mark.parametrize("unfit", ["", "x" * (MAX_LENGTH + 1)])
async def test_length(memory: AsyncDynamoDB, unfit: str) -> None:
    """An empty or endless password is refused before it is hashed."""
    passwords = passwords_of(memory)

    with pytest.raises(UnfitPasswordError, match="1 to 1024"):
        await passwords.create("p2", unfit)
    with pytest.raises(UnfitPasswordError):
        await passwords.change("p1", "first", unfit, now=NOW)
    with pytest.raises(WrongPasswordError):
        await passwords.verify("p1", unfit, now=NOW)


@pytest.mark.parametrize(("stored", "typed"), [("caf\u00e9", "cafe\u0301"), ("\ud800", "\ud800")])
async def test_spellings(memory: AsyncDynamoDB, stored: str, typed: str) -> None:
    """Two spellings of one text are one password, and odd ones are passwords too."""
    passwords = passwords_of(memory)
    await passwords.create("p2", stored)

    await passwords.verify("p2", typed, now=NOW)


async def test_attempts_expire(memory: AsyncDynamoDB) -> None:
    """What strangers leave in `attempts` is removed by Time to Live."""
    await guess(memory, "nobody", 1)

    (left,) = await memory.table("attempts", Attempts).scan().to_list()
    assert left.blocked_until == NOW + LOCKOUT
    assert Attempts.__dynasafe_schema__.ttl is not None


async def test_deleted_meanwhile() -> None:
    """A person who is deleted while they sign in is not signed in."""
    transport = Meanwhile(TABLES)
    db = AsyncDynamoDB.over(transport)
    await passwords_of(db).create("p1", "first")
    credentials = db.table("credentials", Credentials)
    transport.change = partial(credentials.delete_item, {"person_id": "p1"})

    with pytest.raises(WrongPasswordError):
        await passwords_of(db).verify("p1", "first", now=NOW)

    touched = UpdateBuilder(Credentials).set(Credentials.session_epoch, 1)
    touched.condition(Credentials.person_id.exists())
    with pytest.raises(ConditionalCheckFailedError):
        await credentials.update_item({"person_id": "p1"}, touched)
