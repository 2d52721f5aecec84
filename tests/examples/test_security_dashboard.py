"""The security dashboard: newest first, in pages, within the question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from examples.recipes.security_dashboard import (
    BadCursorError,
    Event,
    Kind,
    SecurityDashboard,
    cursor_of,
)
from tests.examples.conftest import MakeDatabase

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
INDEXES = {"events": {"by_kind": ("kind", "at"), "by_person": ("person_id", "at")}}


def event(number: int, kind: Kind, person_id: str = "p1") -> Event:
    at = EARLIER + timedelta(minutes=number)
    return Event(
        id=f"e{number}",
        kind=kind.value,
        at=at,
        person_id=person_id,
        expires_at=at + timedelta(days=90),
    )


@pytest.fixture
async def dashboard(database: MakeDatabase) -> SecurityDashboard:
    db = await database(events=Event, indexes=INDEXES)
    dashboard = SecurityDashboard(db.table("events", Event))
    for number in range(7):
        await dashboard.record(event(number, Kind.SIGN_IN_FAILED, f"p{number % 2}"))
    await dashboard.record(event(7, Kind.LOCKED_OUT))
    await dashboard.record(event(7, Kind.LOCKED_OUT))  # told twice, stored once
    await dashboard.record(event(90, Kind.SIGNED_IN))  # after NOW
    return dashboard


async def test_given_events_when_paged_by_kind_then_each_comes_once_newest_first(
    dashboard: SecurityDashboard,
) -> None:
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


async def test_given_events_when_asked_for_a_person_and_a_time_then_only_those_come(
    dashboard: SecurityDashboard,
) -> None:
    page = await dashboard.of_person(
        "p1", since=EARLIER + timedelta(minutes=3), until=EARLIER + timedelta(minutes=7)
    )

    assert [each.id for each in page.events] == ["e7", "e5", "e3"]
    assert page.events[0].kind == Kind.LOCKED_OUT.value
    assert (await dashboard.of_person("p9", since=EARLIER, until=NOW)).events == ()


async def test_given_events_when_counted_then_each_kind_has_its_number(
    dashboard: SecurityDashboard,
) -> None:
    assert await dashboard.counts(since=EARLIER, until=NOW) == {
        Kind.SIGNED_IN: 0,
        Kind.SIGN_IN_FAILED: 7,
        Kind.LOCKED_OUT: 1,
        Kind.PASSWORD_RESET: 0,
    }


async def test_given_a_cursor_of_one_person_when_given_by_another_then_it_shows_their_own(
    dashboard: SecurityDashboard,
) -> None:
    first = await dashboard.of_person("p1", since=EARLIER, until=NOW, limit=2)

    page = await dashboard.of_person("p0", since=EARLIER, until=NOW, cursor=first.cursor)

    assert {each.person_id for each in page.events} == {"p0"}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "e30=",
        "WzEsMl0=",
        cursor_of({"id": "e1", "at": NOW + timedelta(days=1)}),
        cursor_of({"id": "e1", "at": NOW.replace(tzinfo=None)}),
        cursor_of({"id": "", "at": NOW}),
    ],
)
async def test_given_a_cursor_that_no_page_gave_then_it_is_refused(
    dashboard: SecurityDashboard, cursor: str
) -> None:
    with pytest.raises(BadCursorError):
        await dashboard.of_kind(Kind.SIGNED_IN, since=EARLIER, until=NOW, cursor=cursor)
    with pytest.raises(BadCursorError):
        await dashboard.of_person("p1", since=EARLIER, until=NOW, cursor=cursor)
