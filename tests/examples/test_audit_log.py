"""The audit log: 1, 2, 3, without gaps, through races and faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from dynasafe.errors import NotSentError, OutcomeUnknownError, ServiceError
from examples.recipes.audit_log import AuditLog, Entry
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


async def test_given_entries_then_they_are_read_in_the_order_of_their_arrival(
    database: MakeDatabase,
) -> None:
    db = await database(audit=Entry)
    log = AuditLog(db.table("audit", Entry))

    # The clocks of the writers disagree.
    for number, seconds in enumerate((0, -60, 60), start=1):
        at = NOW + timedelta(seconds=seconds)
        assert await log.append("p1", actor="ada", action=f"a{number}", at=at) == number
    assert await log.append("p2", actor="ada", action="b", at=NOW, details={"ip": "::1"}) == 1

    assert [entry.action async for entry in log.entries("p1")] == ["a1", "a2", "a3"]
    assert [entry.sequence async for entry in log.entries("p1", after=1)] == [2, 3]
    assert [entry.details async for entry in log.entries("p2")] == [{"ip": "::1"}]


async def test_given_racing_writers_then_there_is_no_gap_and_no_loss(
    database: MakeDatabase,
) -> None:
    db = await database(audit=Entry)
    log = AuditLog(db.table("audit", Entry))

    found = await outcomes(
        partial(log.append, "p1", actor="ada", action=str(number), at=NOW) for number in range(30)
    )

    stored = [entry async for entry in log.entries("p1")]
    appended = [each for each in found if isinstance(each, int)]
    assert [entry.sequence for entry in stored] == list(range(1, len(stored) + 1))
    assert sorted(appended) == [entry.sequence for entry in stored]
    assert len(appended) + count(found, ServiceError) == 30


async def test_given_racing_writers_and_faults_then_each_entry_is_there_once(
    faulty: MakeFaulty,
) -> None:
    db, calm, proxy = await faulty(audit=Entry)
    log = AuditLog(db.table("audit", Entry))
    told: dict[str, tuple[str, int]] = {}

    async def append(number: int) -> str:
        stream = f"p{number % 4}"
        sequence = await log.append(stream, actor="ada", action=str(number), at=NOW)
        told[str(number)] = (stream, sequence)
        return "appended"

    found = await outcomes(partial(append, number) for number in range(400))

    assert count(found, OutcomeUnknownError) == 0
    failed = count(found, NotSentError) + count(found, ServiceError)
    assert count(found, "appended") + failed == 400
    stored = {}
    for stream in ("p0", "p1", "p2", "p3"):
        entries = [entry async for entry in AuditLog(calm.table("audit", Entry)).entries(stream)]
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        stored.update({entry.action: (stream, entry.sequence) for entry in entries})
        assert len(entries) == sum(place == stream for place, _ in told.values())
    assert stored == told
    assert sum(record.is_applied for record in proxy.log) > len(told)
