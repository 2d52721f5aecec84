"""The security dashboard: newest first, in pages, within the question."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database, table_description
from examples.recipes.security_dashboard import (
    INDEXES,
    MAX_CURSOR_LENGTH,
    TABLES,
    BadCursorError,
    Event,
    EventExistsError,
    Kind,
    SecurityDashboard,
    cursor_of,
)
from tests.examples.conftest import MakeDatabase, Rough, rough_database

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)


def event(number: int, kind: Kind, person_id: str = "p1") -> Event:
    at = EARLIER + timedelta(minutes=number)
    return Event(
        id=f"e{number}",
        kind=kind.value,
        at=at,
        person_id=person_id,
        expires_at=at + timedelta(days=90),
    )


def event_at(id_: str, at: datetime) -> Event:
    kind, later = Kind.LOCKED_OUT.value, at + timedelta(days=90)
    return Event(id=id_, kind=kind, at=at, person_id="p1", expires_at=later)


def in_memory() -> AsyncDynamoDB:
    return fake_database(events=table_description(Event, indexes=INDEXES["events"]))


@pytest.fixture
async def dashboard(database: MakeDatabase) -> SecurityDashboard:
    dashboard = SecurityDashboard(await database(indexes=INDEXES, **TABLES))
    for number in range(7):
        await dashboard.record(event(number, Kind.SIGN_IN_FAILED, f"p{number % 2}"))
    await dashboard.record(event(7, Kind.LOCKED_OUT))
    await dashboard.record(event(7, Kind.LOCKED_OUT))  # recorded twice, stored once
    await dashboard.record(event(90, Kind.SIGNED_IN))  # after NOW
    return dashboard


async def test_pages(dashboard: SecurityDashboard) -> None:
    """Following the cursors shows each event of the question once, newest first."""
    found: list[str] = []
    cursor = None
    while True:
        page = await dashboard.of_kind(
            Kind.SIGN_IN_FAILED, since=EARLIER, until=NOW, limit=3, cursor=cursor
        )
        found += [each.id for each in page.events]
        cursor = page.cursor
        if cursor is None:
            break

    assert found == ["e6", "e5", "e4", "e3", "e2", "e1", "e0"]


async def test_events_of_a_person_and_a_time(dashboard: SecurityDashboard) -> None:
    """Only the events of the person within the time are returned, the newest first."""
    page = await dashboard.of_person(
        "p1", since=EARLIER + timedelta(minutes=3), until=EARLIER + timedelta(minutes=7)
    )

    assert [each.id for each in page.events] == ["e7", "e5", "e3"]
    assert page.events[0].kind == Kind.LOCKED_OUT.value
    assert (await dashboard.of_person("p9", since=EARLIER, until=NOW)).events == ()


async def test_counts_by_kind(dashboard: SecurityDashboard) -> None:
    """Each kind of event is counted, also those without an event."""
    assert await dashboard.counts(since=EARLIER, until=NOW) == {
        Kind.SIGNED_IN: 0,
        Kind.SIGN_IN_FAILED: 7,
        Kind.LOCKED_OUT: 1,
        Kind.PASSWORD_RESET: 0,
    }


async def test_cursor_of_another(dashboard: SecurityDashboard) -> None:
    """A cursor leads within its own question only: never to another person's or kind's events."""
    first = await dashboard.of_person("p1", since=EARLIER, until=NOW, limit=2)

    page = await dashboard.of_person("p0", since=EARLIER, until=NOW, cursor=first.cursor)

    assert {each.person_id for each in page.events} == {"p0"}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        "e30=",
        "WzEsMl0=",
        urlsafe_b64encode(b"[" * 700).decode(),
        urlsafe_b64encode(b"[" * 20_000).decode(),
        urlsafe_b64encode(b'["a\\u0000", "2026-11-24T09:00:00+00:00"]').decode(),
        urlsafe_b64encode(b'["\\ud800", "2026-11-24T09:00:00+00:00"]').decode(),
        "A" * (MAX_CURSOR_LENGTH + 1),
        cursor_of(event_at("e1", NOW + timedelta(days=1))),
        cursor_of(event_at("", NOW)),
        urlsafe_b64encode(b'["e1", "2026-11-24T09:30:00"]').decode(),
    ],
)
async def test_bad_cursors(cursor: str) -> None:
    """A malformed cursor raises BadCursorError, whatever it holds."""
    dashboard = SecurityDashboard(in_memory())
    with pytest.raises(BadCursorError):
        await dashboard.of_kind(Kind.SIGNED_IN, since=EARLIER, until=NOW, cursor=cursor)
    with pytest.raises(BadCursorError):
        await dashboard.of_person("p1", since=EARLIER, until=NOW, cursor=cursor)


async def test_large_events() -> None:
    """A page has as many events as asked for, unless it is the last one, however large the events
    are."""
    db = in_memory()
    for number in range(50):
        large = event_at(f"e{number:02}", EARLIER + timedelta(seconds=number))
        large.address = "x" * 60_000  # 50 of them are 3 MB, and one answer of a query has 1 MB
        await db.table("events", Event).put_item(large)

    dashboard = SecurityDashboard(db)
    page = await dashboard.of_person("p1", since=EARLIER, until=NOW, limit=31)
    rest = await dashboard.of_person("p1", since=EARLIER, until=NOW, cursor=page.cursor, limit=31)

    assert (len(page.events), len(rest.events), rest.cursor) == (31, 19, None)


async def test_recorded_once() -> None:
    """An event is stored once; another event of the same id is refused, and replaces nothing."""
    db = in_memory()
    dashboard = SecurityDashboard(db)
    first = event_at("e1", NOW.replace(microsecond=1))
    await dashboard.record(first)
    await dashboard.record(first)

    other = event_at("e1", NOW)
    other.person_id = "p2"
    with pytest.raises(EventExistsError):
        await dashboard.record(other)

    (stored,) = await db.table("events", Event).scan().to_list()
    assert stored.person_id == "p1"


async def test_lost_answers() -> None:
    """A lost answer to `record` is settled: storing the event again changes nothing."""
    tables = {"events": table_description(Event, indexes=INDEXES["events"])}
    transport = Rough(tables, rate=0.5)
    dashboard = SecurityDashboard(rough_database(transport))

    for number in range(60):
        while True:
            try:
                await dashboard.record(event_at(f"e{number}", NOW))
            except DynasafeError:
                continue
            break

    assert transport.lost > 5
    assert len(transport.tables["events"].items) == 60
