"""The place in the caller's code of each request, and the number of findings there."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from dynasafe.findings.finding import Finding

_CLIENTS = frozenset({"aioboto3", "aiobotocore", "asyncio", "boto3", "botocore", "dynasafe"})
_MOST_KEPT = 1024

_Key = tuple[str, Finding, str]


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


class Sightings:
    """How often each finding occurred at each place."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()
        self._lock = Lock()

    def add(self, operation: str, findings: Sequence[Finding], place: str) -> list[int]:
        """Count the findings at this place, and return the new counts."""
        counts = []
        with self._lock:
            for finding in findings:
                key = (operation, finding, place)
                if key not in self._counts and len(self._counts) >= _MOST_KEPT:
                    self._counts.clear()
                self._counts[key] += 1
                counts.append(self._counts[key])
        return counts

    def take(self) -> list[tuple[str, int]]:
        """The findings with their places and counts; then they are forgotten."""
        with self._lock:
            counts = [*self._counts.items()]
            self._counts.clear()
        return [
            (f"{operation}: {finding.message} [{finding.code}] at {place}", count)
            for (operation, finding, place), count in counts
        ]
