"""Password reset: a token sets one password, once, through races and faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import Fault, FaultPlan, MemoryTransport, fake_database
from examples.recipes.password_reset import (
    LIFETIME,
    MAX_LENGTH,
    TABLES,
    Attempts,
    Credentials,
    InvalidTokenError,
    PasswordHash,
    PasswordReset,
    RepeatedPasswordError,
    Reset,
    UnfitPasswordError,
    Work,
    scrypt,
)
from tests.examples.conftest import (
    LOST_ANSWERS,
    MakeDatabase,
    MakeFaulty,
    count,
    outcomes,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CHEAP = Work(n=2**4, p=1)


def resets_of(db: AsyncDynamoDB, **options: Any) -> PasswordReset:
    return PasswordReset(db, **{"work": CHEAP, **options})


async def stored(db: AsyncDynamoDB, id_: str = "p1") -> Credentials:
    key = {"person_id": id_}
    found = await db.table("credentials", Credentials).get_item(key, consistent_read=True)
    assert found is not None
    return found


def is_password(password: str, hashed: PasswordHash | None, pepper: bytes = b"") -> bool:
    return hashed is not None and scrypt(password, hashed, pepper) == hashed.digest


async def begin(db: AsyncDynamoDB, id_: str = "p1") -> str:
    await db.table("credentials", Credentials).put_item(Credentials(person_id=id_))
    return await request(db, id_)


async def request(db: AsyncDynamoDB, id_: str = "p1") -> str:
    token = await resets_of(db).request(id_, now=NOW)
    assert token is not None
    return token


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    return await database(**TABLES)


@pytest.fixture
def memory() -> AsyncDynamoDB:
    return fake_database(**TABLES)


async def race(db: AsyncDynamoDB, id_: str, token: str, times: int) -> list[Any]:
    """So many callers with one token at once: the password that each one set, or its error."""

    async def reset(password: str) -> str:
        await resets_of(db).reset(id_, token, password, now=NOW)
        return password

    calls = (partial(reset, f"password-{number}") for number in range(times))
    return await outcomes(calls, at_once=times)


def winner(found: list[Any]) -> str:
    return next(each for each in found if isinstance(each, str))


async def test_race(db: AsyncDynamoDB) -> None:
    """Of many callers with one token, one sets the password."""
    token = await begin(db)

    found = await race(db, "p1", token, 50)

    assert (count(found, str), count(found, InvalidTokenError)) == (1, 49)
    assert is_password(winner(found), (await stored(db)).password)


@pytest.mark.parametrize("fault", LOST_ANSWERS)
async def test_lost_answer(faulty: MakeFaulty, fault: Fault) -> None:
    """No crash and no lost answer leaves the token used without the password set, or the
    reverse."""
    writes = frozenset({"TransactWriteItems"})
    plan = FaultPlan(script=(fault,), operations=writes)
    db, calm, proxy = await faulty(plan, **TABLES)
    token = await begin(calm)

    await resets_of(db).reset("p1", token, "correct horse", now=NOW)

    sent = [record for record in proxy.log if record.operation in writes]
    assert (sent[0].fault, sent[0].is_applied) == (fault, True)
    assert is_password("correct horse", (await stored(calm)).password)
    with pytest.raises(InvalidTokenError):
        await resets_of(calm).reset("p1", token, "another", now=NOW)


async def test_race_and_faults(faulty: MakeFaulty) -> None:
    """Through faults too, one caller sets the password, and knows it."""
    db, calm, proxy = await faulty(**TABLES)
    for number in range(6):
        id_ = f"p{number}"
        token = await begin(calm, id_)

        found = await race(db, id_, token, 6)

        assert count(found, str) == 1
        assert is_password(winner(found), (await stored(calm, id_)).password)
    assert {record.fault for record in proxy.log} > {Fault.NONE}


async def test_asking_again(memory: AsyncDynamoDB) -> None:
    """Asking again does not void the tokens that were mailed before; a reset voids all of them."""
    first = await begin(memory)
    second, third = await request(memory), await request(memory)

    await resets_of(memory).reset("p1", second, "correct horse", now=NOW)

    for void in (first, second, third):
        with pytest.raises(InvalidTokenError, match="ask for a new one"):
            await resets_of(memory).reset("p1", void, "another", now=NOW)


async def test_epoch(memory: AsyncDynamoDB) -> None:
    """A reset raises `session_epoch` in the same transaction, so that no session opened meanwhile
    with the old password survives."""
    token = await begin(memory)
    before = (await stored(memory)).session_epoch

    await resets_of(memory).reset("p1", token, "correct horse", now=NOW)

    after = await stored(memory)
    assert (after.session_epoch, after.version) == (before + 1, 2)


async def test_lockout_and_history(memory: AsyncDynamoDB) -> None:
    """A reset ends the lockout of strangers, and repeats none of the last passwords."""
    attempts = memory.table("attempts", Attempts)
    token = await begin(memory)
    await attempts.put_item(Attempts(subject="person#p1", blocked_until=NOW + timedelta(hours=1)))

    await resets_of(memory).reset("p1", token, "first", now=NOW)

    assert await attempts.scan().to_list() == []
    for number in range(1, 7):
        token = await request(memory)
        with pytest.raises(RepeatedPasswordError, match="last 6"):
            await resets_of(memory).reset("p1", token, "first", now=NOW)
        await resets_of(memory).reset("p1", token, f"{number}", now=NOW)
    await resets_of(memory).reset("p1", await request(memory), "first", now=NOW)


@pytest.mark.parametrize(
    ("person_id", "given", "late"),
    [
        ("p1", "wrong", timedelta()),
        ("p1", "", timedelta()),
        ("p1", ".", timedelta()),
        ("p1", "é.é", timedelta()),
        ("p1", "\ud800.\ud800", timedelta()),
        ("p1", "{id}.\ud800", timedelta()),
        ("p1", "{id}." + "x" * 10_000, timedelta()),
        ("p1", "{token}", LIFETIME),
        ("p2", "{token}", timedelta()),
    ],
)
async def test_bad_tokens(
    memory: AsyncDynamoDB, person_id: str, given: str, late: timedelta
) -> None:
    """A wrong, old or malformed token raises InvalidTokenError, which does not say why."""
    token = await begin(memory)
    given = given.replace("{token}", token).replace("{id}", token.partition(".")[0])

    with pytest.raises(InvalidTokenError) as error:
        await resets_of(memory).reset(person_id, given, "x", now=NOW + late)

    assert str(error.value) == "This token is not valid. Fix: ask for a new one."
    assert (await stored(memory)).password is None


async def test_reads_are_consistent() -> None:
    """What was stored a moment ago is seen: no read may give an older state."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    await begin(db)
    token = await request(db)
    await resets_of(db).reset("p1", token, "correct horse", now=NOW)

    reads = [call for call in transport.calls if call.operation in ("GetItem", "Query")]
    assert len(reads) >= 3
    assert all(call.params.get("ConsistentRead") for call in reads)


async def test_unknown_person_costs_the_same() -> None:
    """A known and an unknown person cost the same requests, so that time does not tell them
    apart."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    await begin(db)
    transport.calls.clear()

    await request(db)
    known = [call.operation for call in transport.calls]
    transport.calls.clear()
    assert await resets_of(db).request("p9", now=NOW) is None

    assert [call.operation for call in transport.calls] == known == ["GetItem", "PutItem"]


async def test_skew(memory: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s wrong moves the expiry by 40 s, and breaks nothing else."""
    token = await begin(memory)
    last = NOW + LIFETIME - timedelta(seconds=1)

    with pytest.raises(InvalidTokenError):
        await resets_of(memory).reset("p1", token, "x", now=last + timedelta(seconds=40))
    await resets_of(memory).reset("p1", token, "x", now=last - timedelta(seconds=40))


async def test_migrated() -> None:
    """Credentials that lack every optional attribute are reset like any other."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    token = await begin(db)
    strip_optional(transport, TABLES)

    await resets_of(db).reset("p1", token, "correct horse", now=NOW)

    assert (await stored(db)).session_epoch == 1


async def test_stored(memory: AsyncDynamoDB) -> None:
    """The database has hashes only: a fast one of the token, a slow one of the password."""
    token = await begin(memory)
    resets = memory.table("resets", Reset)
    assert token.partition(".")[2] not in repr(await resets.scan().to_list())

    peppered = resets_of(memory, pepper=b"elsewhere", work=Work(n=2**15, p=1))
    await peppered.reset("p1", token, "correct horse", now=NOW)

    assert "correct horse" not in repr(await memory.table("credentials").scan().to_list())
    assert is_password("correct horse", (await stored(memory)).password, b"elsewhere")


async def test_account_that_went(memory: AsyncDynamoDB) -> None:
    """An account that went meanwhile does not come back."""
    token = await begin(memory)
    credentials = memory.table("credentials", Credentials)
    await credentials.delete_item({"person_id": "p1"})

    with pytest.raises(InvalidTokenError):
        await resets_of(memory).reset("p1", token, "x", now=NOW)

    assert await credentials.scan().to_list() == []


@pytest.mark.parametrize("unfit", ["", "x" * (MAX_LENGTH + 1)])
async def test_length(memory: AsyncDynamoDB, unfit: str) -> None:
    """An empty or endless password is refused, and the token stays good."""
    token = await begin(memory)

    with pytest.raises(UnfitPasswordError, match="1 to 1024"):
        await resets_of(memory).reset("p1", token, unfit, now=NOW)
    await resets_of(memory).reset("p1", token, "x", now=NOW)
