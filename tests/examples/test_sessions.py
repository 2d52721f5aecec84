"""Sessions: whose a token is, until it is revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.sessions import (
    IDLE,
    LIFETIME,
    TABLES,
    TOUCH_EVERY,
    Account,
    NotSignedInError,
    Session,
    Sessions,
)
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)
from tests.examples.faults import WRITES

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def begin(db: AsyncDynamoDB) -> Sessions:
    await db.table("accounts", Account).put_item(Account(id="ada"))
    return Sessions(db)


@pytest.fixture
async def sessions() -> Sessions:
    return await begin(fake_database(**TABLES))


async def is_signed_in(sessions: Sessions, token: str, now: datetime = NOW) -> bool:
    try:
        return await sessions.check(token, now=now) == "ada"
    except NotSignedInError:
        return False


async def test_close_all(database: MakeDatabase) -> None:
    """Once `close_all` has returned, no session that was opened before is accepted, whatever raced
    it."""
    sessions = await begin(await database(**TABLES))
    opening = [partial(sessions.open, "ada", epoch=0, now=NOW) for _ in range(49)]

    found = await outcomes([*opening, partial(sessions.close_all, "ada")], at_once=50)

    tokens = [each for each in found if isinstance(each, str)]
    assert len(tokens) + count(found, NotSignedInError) == 49
    assert not any([await is_signed_in(sessions, token) for token in tokens])
    token = await sessions.open("ada", epoch=1, now=NOW)
    assert await is_signed_in(sessions, token)
    with pytest.raises(NotSignedInError):
        await sessions.close_all("nobody")


async def test_epoch(sessions: Sessions) -> None:
    """A session is opened only if the epoch is still the one that the sign-in saw: no sign-in that
    was under way survives a change of the password."""
    await sessions.close_all("ada")

    for person_id, epoch in (("ada", 0), ("ada", 2), ("nobody", 0)):
        with pytest.raises(NotSignedInError):
            await sessions.open(person_id, epoch=epoch, now=NOW)


async def test_ends(sessions: Sessions) -> None:
    """A session ends after LIFETIME, and after IDLE without a request."""
    token = await sessions.open("ada", epoch=0, now=NOW)
    assert not await is_signed_in(sessions, token, NOW + IDLE)
    now = NOW
    while now + IDLE - SECOND < NOW + LIFETIME:
        now += IDLE - SECOND
        assert await is_signed_in(sessions, token, now)

    assert not await is_signed_in(sessions, token, NOW + LIFETIME)
    assert await is_signed_in(sessions, token, now)
    await sessions.close(token)
    await sessions.close(token)
    assert not await is_signed_in(sessions, token, now)


@pytest.mark.parametrize(
    "token", ["", ".", "x", "x.y", "{id}.", "{id}.x", "{id}.\ud800", "é.é", "\ud800", "x" * 10_000]
)
async def test_bad_tokens(sessions: Sessions, token: str) -> None:
    """A wrong, closed, old or malformed token raises NotSignedInError, which does not say why."""
    good = await sessions.open("ada", epoch=0, now=NOW)

    with pytest.raises(NotSignedInError) as error:
        await sessions.check(token.replace("{id}", good.partition(".")[0]), now=NOW)
    await sessions.close(token)

    assert str(error.value) == "You are not signed in. Fix: sign in."
    assert await is_signed_in(sessions, good)


async def test_touches() -> None:
    """Of 50 checks at once, one stores the time, and that once in each TOUCH_EVERY."""
    transport = MemoryTransport(TABLES)
    sessions = await begin(AsyncDynamoDB.over(transport))
    token = await sessions.open("ada", epoch=0, now=NOW)

    async def check(number: int, now: datetime) -> bool:
        return await is_signed_in(sessions, token, now + number * timedelta(milliseconds=1))

    for after, is_stored in ((TOUCH_EVERY - SECOND, False), (TOUCH_EVERY, True)):
        transport.calls.clear()
        now = NOW + after
        found = await outcomes((partial(check, each, now) for each in range(50)), at_once=50)
        assert found == [True] * 50
        assert any(call.operation in WRITES for call in transport.calls) == is_stored
    (item,) = transport.tables["sessions"].items.values()
    stored = datetime.fromisoformat(item["seen_at"]["S"])
    assert NOW + TOUCH_EVERY <= stored < NOW + TOUCH_EVERY + SECOND

    transport.calls.clear()
    assert await check(0, stored + TOUCH_EVERY - SECOND)
    assert not any(call.operation in WRITES for call in transport.calls)


async def test_skew(sessions: Sessions) -> None:
    """A host whose clock is 40 s wrong moves the ends by 40 s, and breaks nothing else."""
    skew = timedelta(seconds=40)
    token = await sessions.open("ada", epoch=0, now=NOW + skew)

    assert await is_signed_in(sessions, token, NOW - skew)
    assert await is_signed_in(sessions, token, NOW + IDLE)
    assert not await is_signed_in(sessions, token, NOW + IDLE + IDLE + skew)


async def test_migrated() -> None:
    """An account that lacks every optional attribute, as after a migration, has sessions like any
    other."""
    transport = Rough(TABLES)
    sessions = await begin(rough_database(transport))
    strip_optional(transport, TABLES)
    token = await sessions.open("ada", epoch=0, now=NOW)
    strip_optional(transport, TABLES)

    assert await is_signed_in(sessions, token)
    await sessions.close_all("ada")
    assert not await is_signed_in(sessions, token)


async def test_stored() -> None:
    """The database has no token, only a hash of it."""
    db = fake_database(**TABLES)
    sessions = await begin(db)
    token = await sessions.open("ada", epoch=0, now=NOW)

    stored: list[Any] = await db.table("sessions", Session).scan().to_list()

    assert token.partition(".")[2] not in repr(stored)


async def test_faults() -> None:
    """Through lost answers too, all sessions end."""
    sessions = await begin(rough_database(Rough(TABLES, rate=0.4)))
    found = await outcomes(
        (partial(sessions.open, "ada", epoch=0, now=NOW) for _ in range(30)), at_once=5
    )
    tokens = [each for each in found if isinstance(each, str)]
    assert len(tokens) > 20

    await sessions.close_all("ada")

    assert not any([await is_signed_in(sessions, token) for token in tokens])
