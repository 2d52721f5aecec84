"""Reads CloudWatch Logs step by step, without I/O.

A generator yields API calls, waits, and the events that were read, and is sent the answers. It
returns a text that says what it could not read, or None.

Source: FilterLogEvents, StartQuery and GetQueryResults, Amazon CloudWatch Logs API Reference.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dynasafe.logs.patterns import MAX_RESULTS
from dynasafe.logs.records import Event

POLL_S = 1.0
MAX_STARTS = 5
"""How often a query is started again if too many run at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """An API call: a method of boto3's client, and its parameters."""

    method: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before the next step."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer of a failed call: the service's error code, or the class of the error."""

    code: str


@dataclass(frozen=True, slots=True)
class Read:
    """Events that were read, each with the id that CloudWatch gave it, or None."""

    events: tuple[tuple[str | None, Event], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A range of milliseconds, with both ends."""

    start_ms: int
    end_ms: int

    def __str__(self) -> str:
        return f"{_iso(self.start_ms)} to {_iso(self.end_ms)}"


Steps = Generator[Call | Wait | Read, dict[str, Any] | Refused | None, str | None]


def filtered(
    group: str, window: Window, *, pattern: str | None, stream_prefix: str | None = None
) -> Steps:
    """The events of a log group that match a pattern, page by page.

    A page may be empty and still have a next one. A token that comes twice ends the loop.
    """
    parameters: dict[str, Any] = {
        "logGroupName": group,
        "startTime": window.start_ms,
        "endTime": window.end_ms,
    }
    if pattern is not None:
        parameters["filterPattern"] = pattern
    if stream_prefix is not None:
        parameters["logStreamNamePrefix"] = stream_prefix
    seen: set[str] = set()
    token: str | None = None
    last_ms = window.start_ms
    while True:
        page = yield Call(
            "filter_log_events",
            parameters if token is None else {**parameters, "nextToken": token},
        )
        if not isinstance(page, dict):
            return _gap(group, Window(last_ms, window.end_ms), page)
        events = tuple(
            (
                str(each["eventId"]),
                Event(
                    each["message"],
                    f"{group}:{each.get('logStreamName', '')}",
                    each.get("timestamp"),
                ),
            )
            for each in page.get("events", ())
        )
        yield Read(events)
        last_ms = max([last_ms, *(each.time_ms or 0 for _, each in events)])
        token = page.get("nextToken")
        if token is None:
            return None
        if token in seen:
            return f"{group}, {Window(last_ms, window.end_ms)}: a page's token came twice"
        seen.add(token)


def queried(groups: list[str], window: Window, query: str) -> Steps:
    """The events that a query of Logs Insights finds.

    A window with more results than a query returns is split in half, and each half is queried.
    """
    windows = [window]
    gaps: list[str] = []
    while windows:
        part = windows.pop()
        rows = yield from _results(groups, part, query)
        if isinstance(rows, str):
            gaps.append(rows)
            continue
        first_s, last_s = part.start_ms // 1000, part.end_ms // 1000
        if len(rows) >= MAX_RESULTS:
            if last_s > first_s:
                middle_s = (first_s + last_s) // 2
                windows += [
                    Window((middle_s + 1) * 1000, part.end_ms),
                    Window(part.start_ms, middle_s * 1000 + 999),
                ]
                continue
            gaps.append(f"{part}: more than {MAX_RESULTS:,} events in a second")
        yield Read(tuple((None, _event(row)) for row in rows))
    return "; ".join(gaps) or None


def _results(
    groups: list[str], window: Window, query: str
) -> Generator[Call | Wait, dict[str, Any] | Refused | None, list[dict[str, str]] | str]:
    """The rows of one query, or a text that says why it failed."""
    names = ", ".join(groups)
    started: dict[str, Any] | Refused | None = None
    for _ in range(MAX_STARTS):
        started = yield Call(
            "start_query",
            {
                "logGroupNames": groups,
                "startTime": window.start_ms // 1000,
                "endTime": window.end_ms // 1000,
                "queryString": query,
            },
        )
        if started != Refused("LimitExceededException"):
            break
        yield Wait(5 * POLL_S)
    if not isinstance(started, dict):
        return _gap(names, window, started)
    while True:
        answer = yield Call("get_query_results", {"queryId": started["queryId"]})
        if not isinstance(answer, dict):
            return _gap(names, window, answer)
        status = answer.get("status")
        if status == "Complete":
            return [
                {cell["field"]: cell.get("value", "") for cell in row}
                for row in answer.get("results", ())
            ]
        if status not in ("Scheduled", "Running"):
            return f"{names}, {window}: the query ended as {status}"
        yield Wait(POLL_S)


def _event(row: dict[str, str]) -> Event:
    at = datetime.fromisoformat(row["@timestamp"]).replace(tzinfo=UTC)
    stream = f"{row.get('@log', '').rpartition(':')[2]}:{row.get('@logStream', '')}"
    return Event(row.get("@message", ""), stream, int(at.timestamp() * 1000))


def _gap(name: str, window: Window, refused: Refused | None) -> str:
    return f"{name}, {window}: {'no answer' if refused is None else refused.code}"


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
