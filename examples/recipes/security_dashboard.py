"""Security dashboard: what happened lately, by kind or by person, in pages.

What it does: stores security events, and reads them newest first through two indexes; counts them
by kind.

Threat model: Somebody who may look at one person's events tries a cursor to see another's, or one
that makes the service fail; somebody who may record events tries to overwrite the ones about
themselves.

What it guarantees:
- A page has as many events as asked for, unless it is the last one, however large the events are.
- Following the cursors shows each event of the question once, newest first.
- A cursor leads within its own question only: never to another person's or kind's events.
- A malformed cursor raises BadCursorError, whatever it holds.
- An event is stored once; another event of the same id is refused, and replaces nothing.
- A lost answer to `record` is settled: storing the event again changes nothing.

What it leaves to you: who may see the dashboard. A cursor shows the id and time of an event: sign
or encrypt it where that matters (see http_paging). Indexes follow their table with a short delay,
and Time to Live deletes late, so the last moments may be missing and old events may still show.
Counting reads the index, which costs as much as reading the events: for weeks of them, count while
you write (see sharded_counter). All events of one kind share a partition of the index; for more
than a thousand a second, put the day into the key.

The table: `events`, partition key `id`, Time to Live on `expires_at`, and the indexes `by_kind`
(`kind`, `at`) and `by_person` (`person_id`, `at`), which project all attributes. Needs `pip
install dynasafe`; `python security_dashboard.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, attribute, retry_conflicts
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.typing import Condition

MAX_CURSOR_LENGTH = 1024


class Kind(StrEnum):
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    LOCKED_OUT = "locked out"
    PASSWORD_RESET = "password reset"  # nosec B105


class Event(Item):
    id: Attr[str] = attribute(key="partition")
    kind: Attr[str]
    """The value of a Kind."""
    at: Attr[datetime]
    person_id: Attr[str]
    address: Attr[str | None] = attribute(default=None)
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {"events": Event}
INDEXES = {"events": {"by_kind": ("kind", "at"), "by_person": ("person_id", "at")}}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    events: tuple[Event, ...]
    cursor: str | None
    """Give it back for the next page; None at the end."""


class BadCursorError(ValueError):
    """A cursor that no page of this question has given."""


class EventExistsError(Exception):
    """Another event has this id."""


class SecurityDashboard:
    """Events, by kind and by person."""

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._table: AsyncTable[Event] = db.table("events", Event)

    async def record(self, event: Event) -> None:
        """Store the event. To store it again changes nothing.

        Raises:
            EventExistsError
            OutcomeUnknownError: DynamoDB cannot be reached; to store it again is safe.
        """
        try:
            is_new = Event.id.not_exists()
            await retry_conflicts(lambda: self._table.put_item(event, condition=is_new))
        except ConditionalCheckFailedError as error:
            stored = await self._table.get_item({"id": event.id}, consistent_read=True)
            if stored is not None and facts_of(stored) != facts_of(event):
                raise EventExistsError(event.id) from error

    async def of_kind(
        self,
        kind: Kind,
        *,
        since: datetime,
        until: datetime,
        limit: int = 50,
        cursor: str | None = None,
    ) -> EventPage:
        """A page of the events of a kind from `since` to `until`, newest first.

        Raises:
            BadCursorError
        """
        start = start_of(cursor, since, until, kind=kind.value)
        question = (Event.kind == kind.value) & Event.at.between(since, until)
        return await self._page("by_kind", question, limit, start)

    async def of_person(
        self,
        person_id: str,
        *,
        since: datetime,
        until: datetime,
        limit: int = 50,
        cursor: str | None = None,
    ) -> EventPage:
        """A page of a person's events from `since` to `until`, newest first.

        Raises:
            BadCursorError
        """
        start = start_of(cursor, since, until, person_id=person_id)
        question = (Event.person_id == person_id) & Event.at.between(since, until)
        return await self._page("by_person", question, limit, start)

    async def counts(self, *, since: datetime, until: datetime) -> dict[Kind, int]:
        """How many events there were of each kind."""

        async def count(kind: Kind) -> int:
            return await self._table.query(
                (Event.kind == kind.value) & Event.at.between(since, until), index_name="by_kind"
            ).count()

        return dict(zip(Kind, await asyncio.gather(*map(count, Kind)), strict=True))

    async def _page(
        self, index_name: str, question: Condition, limit: int, start: dict[str, object] | None
    ) -> EventPage:
        # One answer has at most 1 MB, which may be fewer: `max_items` asks on.
        events = await self._table.query(
            question,
            index_name=index_name,
            scan_index_forward=False,
            limit=limit,
            max_items=limit,
            exclusive_start_key=start,
        ).to_list()
        cursor = cursor_of(events[-1]) if len(events) == limit else None
        return EventPage(events=tuple(events), cursor=cursor)


def facts_of(event: Event) -> tuple[object, ...]:
    """The facts that make two events with one id the same, without their expiry."""
    return event.kind, event.at, event.person_id, event.address


def cursor_of(event: Event) -> str:
    """The start of the next page, as a text for a link."""
    place = [event.id, event.at.isoformat()]
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


def start_of(
    cursor: str | None, since: datetime, until: datetime, **partition: str
) -> dict[str, object] | None:
    """The key that the cursor stands for. The partition is the question's, not the cursor's.

    Raises:
        BadCursorError: it belongs to another question.
    """
    if cursor is None:
        return None
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise BadCursorError("The cursor is too long.")
    try:
        match json.loads(urlsafe_b64decode(cursor.encode())):
            case [str(id_), str(text)] if id_ and id_.isprintable():
                at = datetime.fromisoformat(text)
                if since <= at <= until:
                    return {"id": id_, "at": at, **partition}
    except (ValueError, TypeError, RecursionError) as error:
        # TypeError: a time without a zone. RecursionError: hundreds of brackets.
        raise BadCursorError("The text is not a cursor.") from error
    raise BadCursorError("The cursor is of another question.")


async def main() -> None:
    """Show two pages of a person's events, on a table in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES, indexes=INDEXES)
    dashboard, now = SecurityDashboard(db), datetime(2026, 11, 24, tzinfo=UTC)
    for number in range(3):
        at = now + timedelta(minutes=number)
        expires_at = at + timedelta(days=90)
        kind = Kind.SIGN_IN_FAILED.value
        event = Event(id=f"e{number}", kind=kind, at=at, person_id="p1", expires_at=expires_at)
        await dashboard.record(event)
    until, cursor = now + timedelta(hours=1), None
    while True:
        page = await dashboard.of_person("p1", since=now, until=until, limit=2, cursor=cursor)
        print([event.id for event in page.events])
        cursor = page.cursor
        if cursor is None:
            break


if __name__ == "__main__":
    asyncio.run(main())
