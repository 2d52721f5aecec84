"""Leases: one holder at a time, and a fence for what they write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.lease import (
    TABLES,
    Held,
    LeaseLostError,
    Leases,
    LeaseTakenError,
    Report,
)
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LENGTH = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def leases_of(db: AsyncDynamoDB) -> Leases:
    return Leases(db, length=LENGTH)


@pytest.fixture
def memory() -> AsyncDynamoDB:
    return fake_database(**TABLES)


async def text_of(db: AsyncDynamoDB) -> str:
    report = await db.table("reports", Report).get_item({"id": "r1"}, consistent_read=True)
    assert report is not None
    return report.text


async def test_race(database: MakeDatabase) -> None:
    """Of 50 who ask for a lease at once, one gets it."""
    leases = leases_of(await database(**TABLES))

    found = await outcomes([partial(leases.acquire, "nightly", now=NOW)] * 50, at_once=50)

    assert (count(found, Held), count(found, LeaseTakenError)) == (1, 49)
    assert (await leases.acquire("other", now=NOW)).fence == 1


async def test_fences(memory: AsyncDynamoDB) -> None:
    """Each holder gets a fence, a number above those of all earlier holders."""
    leases, fences = leases_of(memory), []
    for number in range(6):
        held = await leases.acquire("nightly", now=NOW + number * LENGTH)
        fences.append(held.fence)
        if number % 2:
            await leases.release(held)

    assert fences == [1, 2, 3, 4, 5, 6]


async def test_overtaken(memory: AsyncDynamoDB) -> None:
    """A guarded write of a holder who was overtaken is refused, whatever the clocks say: after the
    first guarded write of a later holder, no earlier one writes."""
    leases = leases_of(memory)
    slow = await leases.acquire("nightly", now=NOW)
    await leases.write_report(slow, "r1", "slow")
    quick = await leases.acquire("nightly", now=NOW + LENGTH)
    await leases.write_report(slow, "r1", "still slow")  # nobody has written since
    await leases.write_report(quick, "r1", "quick")

    with pytest.raises(LeaseLostError):
        await leases.write_report(slow, "r1", "slow again")

    await leases.write_report(quick, "r1", "quick again")
    assert await text_of(memory) == "quick again"


async def test_crash(memory: AsyncDynamoDB) -> None:
    """A lease whose holder crashed can be taken after its time."""
    leases = leases_of(memory)
    await leases.acquire("nightly", now=NOW)

    with pytest.raises(LeaseTakenError):
        await leases.acquire("nightly", now=NOW + LENGTH - SECOND)
    await leases.acquire("nightly", now=NOW + LENGTH)


async def test_lost(memory: AsyncDynamoDB) -> None:
    """Whoever lost a lease learns it from `renew` and `release`, which change nothing then."""
    leases = leases_of(memory)
    slow = await leases.acquire("nightly", now=NOW)
    await leases.renew(slow, now=NOW + LENGTH - SECOND)
    quick = await leases.acquire("nightly", now=NOW + 2 * LENGTH)

    with pytest.raises(LeaseLostError):
        await leases.renew(slow, now=NOW)
    with pytest.raises(LeaseLostError):
        await leases.release(slow)

    await leases.renew(quick, now=NOW + 2 * LENGTH)
    with pytest.raises(LeaseTakenError):
        await leases.acquire("nightly", now=NOW + 2 * LENGTH)
    await leases.release(quick)
    with pytest.raises(LeaseLostError):
        await leases.renew(quick, now=NOW)


async def test_lost_answers() -> None:
    """If the answer to `acquire` is lost, the request is sent again: no lease is blocked by a
    holder who does not know of it."""
    transport = Rough(TABLES, rate=0.4)
    leases, refused = leases_of(rough_database(transport)), 0
    for number in range(40):
        try:
            held = await leases.acquire("nightly", now=NOW)
            await leases.write_report(held, "r1", f"{number}")
            await leases.release(held)
        except DynasafeError:
            refused += 1
            break

    assert refused == 0
    assert transport.lost > 10


async def test_skew(memory: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s ahead may take a lease 40 s early; the fence keeps the writes
    apart."""
    leases, skew = leases_of(memory), timedelta(seconds=40)
    ours = await leases.acquire("nightly", now=NOW)
    with pytest.raises(LeaseTakenError):
        await leases.acquire("nightly", now=NOW + LENGTH - skew - SECOND + skew)

    theirs = await leases.acquire("nightly", now=NOW + LENGTH - skew + skew)
    await leases.write_report(theirs, "r1", "theirs")

    with pytest.raises(LeaseLostError):
        await leases.write_report(ours, "r1", "ours")


async def test_migrated() -> None:
    """A report without a fence, as after a migration, is written by any holder."""
    transport = Rough(TABLES)
    db = rough_database(transport)
    leases = leases_of(db)
    await db.table("reports", Report).put_item(Report(id="r1"))
    strip_optional(transport, TABLES)
    held = await leases.acquire("nightly", now=NOW)

    await leases.write_report(held, "r1", "new")

    assert await text_of(db) == "new"
