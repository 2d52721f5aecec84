"""Groups: the matches of a log, counted by code, operation, table and place.

Memory does not grow with the log: at most a thousand groups, each with three examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynasafe.logs.matching import Match, ends_in_client, frames, matches
from dynasafe.logs.records import Record
from dynasafe.logs.signatures import Signature

MAX_GROUPS = 1000
MAX_STREAMS = 1000
MAX_EXAMPLES = 3
MAX_SLOTS = 20
MAX_UNKNOWN = 100

_CLIENTS = ("botocore", "boto3", "aiobotocore", "dynamodb")
_DAY_MS = 86_400_000


@dataclass(slots=True)
class Group:
    """The records of one signature at one place."""

    signature: Signature
    operation: str | None
    table: str | None
    place: str | None
    line: int | None = None
    count: int = 0
    is_certain: bool = False
    first_ms: int | None = None
    last_ms: int | None = None
    streams: set[str] = field(default_factory=set)
    examples: list[tuple[str, int | None]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    slots: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def key(self) -> str:
        """The name of the group in a baseline."""
        parts = (self.signature.code, self.operation, self.table, self.place)
        return " ".join(part or "-" for part in parts)

    def add(self, record: Record, match: Match, *, keep_raw: bool) -> None:
        self.count += 1
        self.is_certain = self.is_certain or match.is_certain
        if match.place is not None:
            self.line = match.place.line
        time_ms = record.time_ms
        if time_ms is not None:
            self.first_ms = time_ms if self.first_ms is None else min(self.first_ms, time_ms)
            self.last_ms = time_ms if self.last_ms is None else max(self.last_ms, time_ms)
        if len(self.streams) < MAX_STREAMS:
            self.streams.add(record.stream)
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append((record.stream, time_ms))
            if keep_raw:
                self.raw.append(record.raw)
        for slot in match.slots:
            if slot in self.slots or len(self.slots) < MAX_SLOTS:
                self.slots[slot] += 1


@dataclass(slots=True)
class Tally:
    """The result of a scan: groups, and the gaps that make it incomplete.

    Args:
        codes: the codes to count.
        with_unknown: count records of boto3 and similar libraries that match no signature.
        keep_raw: keep the raw records of the examples.
    """

    codes: frozenset[str]
    with_unknown: bool = False
    keep_raw: bool = False
    groups: dict[str, Group] = field(default_factory=dict)
    events: int = 0
    cut_off: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    """What could not be read, in words; empty if the scan is complete."""

    @property
    def is_complete(self) -> bool:
        return not self.gaps

    def add(self, record: Record) -> None:
        found = matches(record)
        for match in found:
            if match.signature.code in self.codes:
                self._group(match).add(record, match, keep_raw=self.keep_raw)
        if found or not (self.with_unknown or "boto" in record.raw):
            return
        if record.is_cut and ends_in_client(record.text):
            self.cut_off += 1
        elif self.with_unknown and any(word in record.text for word in _CLIENTS):
            name = _unknown_name(record.text)
            if name in self.unknown or len(self.unknown) < MAX_UNKNOWN:
                self.unknown[name] += 1

    def _group(self, match: Match) -> Group:
        place = None if match.place is None else str(match.place)
        group = Group(match.signature, match.operation, match.table, place)
        if group.key not in self.groups and len(self.groups) >= MAX_GROUPS:
            group = Group(match.signature, None, None, None)
        return self.groups.setdefault(group.key, group)

    def sorted_groups(self, *, min_count: int = 1) -> list[Group]:
        """The groups by code; within a code the most frequent first."""
        return sorted(
            (group for group in self.groups.values() if group.count >= min_count),
            key=lambda group: (group.signature.code, -group.count, group.key),
        )

    def days(self, window_ms: int | None = None) -> float:
        """The number of days that were scanned, at least 1."""
        if window_ms is None:
            firsts = [each.first_ms for each in self.groups.values() if each.first_ms is not None]
            lasts = [each.last_ms for each in self.groups.values() if each.last_ms is not None]
            window_ms = max(lasts) - min(firsts) if firsts and lasts else 0
        return max(1.0, window_ms / _DAY_MS)


def is_new(group: Group, baseline: Mapping[str, float], days: float) -> bool:
    """Whether a group is not in the baseline, or has more than twice its count a day."""
    return group.count / days > 2 * baseline.get(group.key, 0.0)


def baseline_of(report: Mapping[str, Any]) -> dict[str, float]:
    """The counts a day of each group of an earlier report.

    Raises:
        ValueError: the text is not a report of `dynasafe logs`.
    """
    try:
        days = max(1.0, float(report["days"]))
        return {str(each["key"]): each["count"] / days for each in report["groups"]}
    except (KeyError, TypeError) as error:
        raise ValueError(
            "The baseline is not a report. Fix: write one with `dynasafe logs scan --format json`."
        ) from error


def _unknown_name(text: str) -> str:
    """The class of the error and the function that raised it, without words of the message."""
    last = text.rstrip().rpartition("\n")[2]
    name = last.partition(":")[0].strip()
    name = name if name.replace(".", "").isidentifier() else "(no class)"
    places = frames(text)
    return f"{name} in {places[-1].function}" if places else name
