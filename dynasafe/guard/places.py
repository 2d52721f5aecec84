"""The place in the caller's code of each request, and the findings and repairs there."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from dynasafe.findings.finding import Finding
from dynasafe.findings.quoting import printable
from dynasafe.guard.repair import Repair

_CLIENTS = frozenset({"aioboto3", "aiobotocore", "asyncio", "boto3", "botocore", "dynasafe"})
_MOST_KEPT = 1024

_Sighted = Finding | Repair
_Key = tuple[str, _Sighted, str]


def caller_place() -> str:
    """The file and line that called the client: `"/app/orders.py:31"`."""
    frame = sys._getframe(1)
    place = "an unknown place"
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in _CLIENTS:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return place


def log_line(operation: str, it: _Sighted, place: str) -> str:
    """The line of the log for a finding or a repair at a place.

    `dynasafe logs scan` finds its first words (DYS486).
    """
    verb = " repaired" if isinstance(it, Repair) else ""
    message = printable(it.message, 1000)
    return f"DynamoDB guard: {operation}{verb}: {message} [{it.code}] at {place}"


class Sightings:
    """How often each finding and each repair occurred at each place."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()
        self._lock = Lock()

    def add(self, operation: str, found: Sequence[_Sighted], place: str) -> list[int]:
        """Count findings or repairs at this place, and return the new counts."""
        counts = []
        with self._lock:
            for each in found:
                key = (operation, each, place)
                if key not in self._counts and len(self._counts) >= _MOST_KEPT:
                    self._counts.clear()
                self._counts[key] += 1
                counts.append(self._counts[key])
        return counts

    def take(self) -> list[tuple[str, int]]:
        """The lines of all findings and repairs, with their counts; then they are forgotten."""
        with self._lock:
            counts = [*self._counts.items()]
            self._counts.clear()
        return [(log_line(*key), count) for key, count in counts]
