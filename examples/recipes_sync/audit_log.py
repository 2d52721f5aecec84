"""Audit log: entries that are only ever appended, in a chain that shows what is missing.

What it does: appends entries to a stream (a person, a tenant), reads them in order, and checks
that nothing was changed, taken out or added.

Threat model: Somebody who can change the table deletes or rewrites entries, to hide what they did;
writers race, crash, and have wrong clocks. Whoever has the key as well can write a chain that fits:
then only a head that is kept elsewhere shows it.

What it guarantees:
- The entries of a stream are numbered 1, 2, 3 and so on by the order in which they were stored.
- Of 50 appends at once, each is stored once, and no number is left out.
- An append whose answer is lost is neither stored twice nor reported as another's.
- `verify` finds an entry that was changed, overwritten, added, or taken out between others: each
  carries a digest of itself and of the one before, under a key that the database does not have.
- With a head that you kept elsewhere, `verify` finds entries taken from the end too, and their
  numbers used again.
- Clocks of the writers decide nothing: they may disagree or jump.

What it leaves to you: keep `head` of each stream outside of the account now and then, in a bucket
with Object Lock say: without it nobody sees that the last entries were deleted. Give the service
PutItem and Query on this table and nothing else; no policy can forbid PutItem to overwrite, which
is why there is a chain. The key belongs in a secret store. Entries of different streams have no
order. A stream takes some tens of entries a second, as they wait for each other.

The table: `audit`, partition key `stream` (string), sort key `sequence` (number). Needs `pip
install dynasafe`; `python audit_log.py` runs it in memory.
"""

# Made from examples/recipes/audit_log.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from dynasafe import Attr, DynamoDB, Item, Table, attribute
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts, settle


class Entry(Item):
    """Who did what, when. Secrets and whole documents do not belong here."""

    stream: Attr[str] = attribute(key="partition")
    sequence: Attr[int] = attribute(key="sort")
    at: Attr[datetime]
    actor: Attr[str]
    action: Attr[str]
    details: Attr[dict[str, str]] = attribute(default_factory=dict)
    digest: Attr[bytes]
    """Of this entry and of the digest before."""


TABLES: dict[str, type[Item]] = {"audit": Entry}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of a stream; number 0 of an empty one. Keep it elsewhere."""

    sequence: int
    digest: bytes


class PlaceTakenError(Exception):
    """Another entry has the number."""


class StreamBusyError(Exception):
    """So many others append to this stream that no place was found; nothing was stored."""


class BrokenChainError(Exception):
    """The stream is not as it was written."""

    def __init__(self, stream: str, sequence: int, what: str) -> None:
        super().__init__(stream, sequence, what)
        self.stream = stream
        self.sequence = sequence
        self.what = what

    def __str__(self) -> str:
        return f"Stream {self.stream!r}, entry {self.sequence}: {self.what}."


class AuditLog:
    """Streams of entries.

    Args:
        key: of the chain; 32 random bytes, the same on all hosts, from a secret store.
    """

    def __init__(self, db: DynamoDB, *, key: bytes) -> None:
        self._table: Table[Entry] = db.table("audit", Entry)
        self._key = key
        # The appends of one process go in turn; those of other processes may still be quicker.
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def append(
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

        def attempt() -> int:
            head = self.head(stream)
            entry = Entry(
                stream=stream,
                sequence=head.sequence + 1,
                at=at,
                actor=actor,
                action=action,
                details=dict(details or {}),
                digest=b"",
            )
            entry.digest = self._digest(entry, head.digest)
            try:
                # Under a token, which tells an append whose answer was lost from another's.
                is_free = Entry.sequence.not_exists()
                settle(lambda: self._table.put_item(entry, condition=is_free, exactly_once=True))
            except ConditionalCheckFailedError as error:
                raise PlaceTakenError from error
            return entry.sequence

        turn = self._turns.setdefault(stream, threading.Lock())
        try:
            with turn:
                return retry_conflicts(attempt, on=PlaceTakenError)
        except PlaceTakenError as error:
            raise StreamBusyError(stream) from error

    def entries(self, stream: str, *, after: int = 0) -> Iterator[Entry]:
        """The entries of the stream in order, from the one after that number."""
        in_order = self._table.query(
            (Entry.stream == stream) & (Entry.sequence > after), consistent_read=True
        )
        yield from in_order

    def head(self, stream: str) -> Head:
        """The last entry of the stream: keep it outside of the account."""
        newest = self._table.query(
            Entry.stream == stream, scan_index_forward=False, max_items=1, consistent_read=True
        )
        for entry in newest:
            return Head(sequence=entry.sequence, digest=entry.digest)
        return Head(sequence=0, digest=b"")

    def verify(self, stream: str, *, known: Head | None = None) -> Head:
        """Check the whole stream: its head now.

        Args:
            known: a head that was kept elsewhere.

        Raises:
            BrokenChainError: an entry was changed, added, or taken out.
        """
        head = Head(sequence=0, digest=b"")
        for entry in self.entries(stream):
            if entry.sequence != head.sequence + 1:
                raise BrokenChainError(stream, head.sequence + 1, "is missing")
            if not hmac.compare_digest(entry.digest, self._digest(entry, head.digest)):
                raise BrokenChainError(stream, entry.sequence, "is not as it was written")
            head = Head(sequence=entry.sequence, digest=entry.digest)
            if known is not None and head.sequence == known.sequence:
                if not hmac.compare_digest(head.digest, known.digest):
                    raise BrokenChainError(stream, head.sequence, "is another than the known one")
                known = None
        if known is not None and known.sequence > 0:
            raise BrokenChainError(stream, head.sequence + 1, "is missing")
        return head

    def _digest(self, entry: Entry, previous: bytes) -> bytes:
        written = [
            entry.stream,
            entry.sequence,
            entry.at.astimezone(UTC).isoformat(),
            entry.actor,
            entry.action,
            sorted(entry.details.items()),
            previous.hex(),
        ]
        return hmac.digest(self._key, json.dumps(written).encode(), "sha256")


def main() -> None:
    """Append, take an entry out, and find it, on a table in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    log, at = AuditLog(db, key=b"from a secret store"), datetime(2026, 11, 24, tzinfo=UTC)
    for action in ("signed in", "changed the address", "signed out"):
        log.append("p1", actor="ada", action=action, at=at)
    known = log.verify("p1")
    print(f"{known.sequence} entries, nothing missing")
    db.table("audit", Entry).delete_item({"stream": "p1", "sequence": 3})
    try:
        log.verify("p1", known=known)
    except BrokenChainError as error:
        print(error)


if __name__ == "__main__":
    main()
