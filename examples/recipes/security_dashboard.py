"""Security dashboard: what happened lately, by kind or by person, in pages.

What it does: stores security events, and reads them newest first through two indexes; counts them
by kind.

What it guarantees: a page has as many events as asked for, unless it is the last one; the cursor
of a page leads to the next, and only within the same question.

What it does not: show the last moments, since indexes follow their table with a short delay. It
counts by reading the index (without its items), which costs as much as reading them: for weeks of
events, count while you write. All events of one kind share a partition of the index; for more than
a thousand a second, put the day into the key.

The table: `events`, partition key `id`, Time to Live on `expires_at`, and the indexes `by_kind`
(`kind`, `at`) and `by_person` (`person_id`, `at`), which project all attributes.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dynasafe import AsyncTable, Attr, Item, attribute


class Kind(StrEnum):
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    LOCKED_OUT = "locked out"
    PASSWORD_RESET = "password reset"


class Event(Item):
    id: Attr[str] = attribute(key="partition")
    kind: Attr[str]
    """The value of a Kind."""
    at: Attr[datetime]
    person_id: Attr[str]
    address: Attr[str | None] = attribute(default=None)
    expires_at: Attr[datetime] = attribute(ttl=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    events: tuple[Event, ...]
    cursor: str | None
    """Give it back for the next page; None at the end."""


class BadCursorError(ValueError):
    """A cursor that no page has given."""


class SecurityDashboard:
    def __init__(self, table: AsyncTable[Event]) -> None:
        self._table = table

    async def record(self, event: Event) -> None:
        """Store the event. To store it again, under its id, changes nothing.

        Raises:
            OutcomeUnknownError: DynamoDB cannot be reached; to store it again is safe.
        """
        await self._table.put_item(event)

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
        pages = self._table.query(
            (Event.kind == kind.value) & Event.at.between(since, until),
            index_name="by_kind",
            scan_index_forward=False,
            limit=limit,
            exclusive_start_key=start_of(cursor, since, until, kind=kind.value),
        )
        async with aclosing(pages.pages()) as answers:
            page = await anext(answers)
        return EventPage(events=page.items, cursor=cursor_of(page.last_evaluated_key))

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
        pages = self._table.query(
            (Event.person_id == person_id) & Event.at.between(since, until),
            index_name="by_person",
            scan_index_forward=False,
            limit=limit,
            exclusive_start_key=start_of(cursor, since, until, person_id=person_id),
        )
        async with aclosing(pages.pages()) as answers:
            page = await anext(answers)
        return EventPage(events=page.items, cursor=cursor_of(page.last_evaluated_key))

    async def counts(self, *, since: datetime, until: datetime) -> dict[Kind, int]:
        """How many events there were of each kind."""

        async def count(kind: Kind) -> int:
            return await self._table.query(
                (Event.kind == kind.value) & Event.at.between(since, until), index_name="by_kind"
            ).count()

        return dict(zip(Kind, await asyncio.gather(*map(count, Kind)), strict=True))


def cursor_of(key: object) -> str | None:
    """Where the next page begins, as a text for a link: the last event's id and time."""
    match key:
        case {"id": str(id_), "at": datetime() as at}:
            return urlsafe_b64encode(json.dumps([id_, at.isoformat()]).encode()).decode()
    return None


def start_of(
    cursor: str | None, since: datetime, until: datetime, **partition: str
) -> dict[str, object] | None:
    """The key that the cursor stands for. The partition is the question's, not the cursor's.

    Raises:
        BadCursorError: it is none of this question.
    """
    if cursor is None:
        return None
    try:
        match json.loads(urlsafe_b64decode(cursor.encode())):
            case [str(id_), str(text)] if id_:
                at = datetime.fromisoformat(text)
                if since <= at <= until:
                    return {"id": id_, "at": at, **partition}
    except (ValueError, TypeError) as error:  # a time without a zone cannot be compared
        raise BadCursorError("not a cursor") from error
    raise BadCursorError("a cursor of another question")
