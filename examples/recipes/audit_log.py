"""Audit log: entries that are only ever appended, numbered without gaps.

What it does: appends entries to a stream (a person, a tenant), and reads them in order.

What it guarantees: the entries of a stream are numbered 1, 2, 3 and so on, by the order in which
they were stored, not by clocks, which disagree. No entry replaces another, none is stored twice by
one call, and a missing number is a missing entry.

What it does not: keep anybody with the rights to do so from changing entries. Give the service a
policy without UpdateItem, DeleteItem and BatchWriteItem on this table, and the tables' owner
point-in-time recovery. It does not order the entries of different streams, and a stream takes some
tens of entries a second at most, since they wait for each other.

The table: `audit`, partition key `stream` (string), sort key `sequence` (number).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import datetime
from typing import TypeVar

from dynasafe import AsyncTable, Attr, Item, attribute
from dynasafe.errors import ConditionalCheckFailedError, OutcomeUnknownError

T = TypeVar("T")

MAX_PLACES = 100
"""How many places one call tries, when others append at the same time."""


class Entry(Item):
    """Who did what, when. Secrets and whole documents do not belong here."""

    stream: Attr[str] = attribute(key="partition")
    sequence: Attr[int] = attribute(key="sort")
    at: Attr[datetime]
    actor: Attr[str]
    action: Attr[str]
    details: Attr[dict[str, str]] = attribute(default_factory=dict)


class StreamBusyError(Exception):
    """So many others append to this stream that no place was found; nothing was stored."""


class AuditLog:
    def __init__(self, table: AsyncTable[Entry]) -> None:
        self._table = table

    async def append(
        self,
        stream: str,
        *,
        actor: str,
        action: str,
        at: datetime,
        details: Mapping[str, str] | None = None,
    ) -> int:
        """Store an entry after all others of the stream: its number.

        Raises:
            StreamBusyError
            OutcomeUnknownError: DynamoDB cannot be reached; the entry may be stored or not. If
                the action must not happen unrecorded, it has to wait.
        """
        sequence = await self._last(stream) + 1
        for _ in range(MAX_PLACES):
            entry = Entry(
                stream=stream,
                sequence=sequence,
                at=at,
                actor=actor,
                action=action,
                details=dict(details or {}),
            )
            put = self._table.put_item(
                entry, condition=Entry.sequence.not_exists(), exactly_once=True
            )
            try:
                await settle(put)
            except ConditionalCheckFailedError:
                sequence += 1  # another entry is there, so that no gap is left behind
            else:
                return sequence
        raise StreamBusyError(stream)

    async def entries(self, stream: str, *, after: int = 0) -> AsyncIterator[Entry]:
        """The entries of the stream in order, from the one after that number."""
        in_order = self._table.query(
            (Entry.stream == stream) & (Entry.sequence > after), consistent_read=True
        )
        async for entry in in_order:
            yield entry

    async def _last(self, stream: str) -> int:
        newest = self._table.query(
            Entry.stream == stream, scan_index_forward=False, max_items=1, consistent_read=True
        )
        return max([entry.sequence async for entry in newest], default=0)


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
