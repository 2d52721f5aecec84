"""Joins lines to records: the text of one log entry, with plain lines.

Formats: plain text with tracebacks, JSON lines (AWS Lambda, Powertools, structlog,
python-json-logger, any other object), text before JSON, and the streams of container drivers
(docker's json-file, CRI, docker compose), which have one event for each line.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MAX_LINES = 200
MAX_CHARS = 256 * 1024
MAX_STREAMS = 1000
GAP_MS = 2000
"""Limits for the size of a record, and for the number of streams with an open record."""


@dataclass(frozen=True, slots=True)
class Event:
    """Some text of a stream, with its time in milliseconds since 1970."""

    text: str
    stream: str = ""
    time_ms: int | None = None


class Record:
    """One log entry: `raw` as it is in the log, `text` with plain lines."""

    __slots__ = ("_text", "_time_ms", "raw", "stream")

    def __init__(self, raw: str, stream: str = "", time_ms: int | None = None) -> None:
        self.raw: str = raw
        self.stream: str = stream
        self._time_ms = time_ms
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = plain(self.raw)
        return self._text

    @property
    def time_ms(self) -> int | None:
        """The event's time; else the first one in the text."""
        if self._time_ms is None:
            self._time_ms = _time_of(self.raw)
        return self._time_ms

    @property
    def is_cut(self) -> bool:
        """Whether the record ends within a traceback, before its error."""
        end = self.text.rstrip().rpartition("\n")[2]
        return _TRACEBACK in self.text and end.startswith("  ")


_LEVEL = r"(?:DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|TRACE)"
_BEGINS = re.compile(
    r"(?:\[?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d))"
    rf"|\[?{_LEVEL}\b"
    r"|(?:START|END|REPORT|INIT_START|XRAY) "
    r"|\{"
    r"|\S+:\d+: \w*Warning: "
)
_CONTINUES = re.compile(r"[ \t|+\u00a0]|Traceback \(most|During handling|The above exception|$")
_TRACEBACK = "Traceback (most recent call last)"
_ERROR_HEADS = (_TRACEBACK, "[ERROR] ")
"""The start of lines before an error's message, in Python and in AWS Lambda."""
_WRAPPER = re.compile(
    r"\d{4}-\d\d-\d\dT\S+ std(?:out|err) [FP] "  # CRI
    r"|[\w.-]+ +\| "  # docker compose
)
_LINE_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) ")  # docker logs -t, exports
_TIME = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{3}))?\d*(Z|[+-]\d\d:?\d\d)?"
)


def within(line: str) -> str:
    """The text of a line, without the prefix of a container driver."""
    inner = _container_line(line) if line.startswith("{") else None
    if inner is not None:
        return inner.rstrip("\n")
    for prefix in (_WRAPPER, _LINE_TIME):
        found = prefix.match(line)
        if found is not None:
            line = line[found.end() :]
    return line


def begins(line: str) -> bool:
    """Whether a line looks like the first line of a record."""
    return _BEGINS.match(line) is not None


def continues(line: str) -> bool:
    """Whether a line belongs to the line before it, in any format."""
    return _CONTINUES.match(line) is not None


@dataclass(slots=True)
class _Open:
    """A record that may have more lines."""

    lines: list[str]
    chars: int
    time_ms: int | None
    last_ms: int | None
    has_traceback: bool
    is_prefixed: bool

    def takes(self, line: str) -> bool:
        if continues(line):
            return True
        if self.is_prefixed:
            return self.has_traceback and self.lines[-1].startswith(" ")
        return self.has_traceback and not begins(line)


@dataclass(slots=True)
class Assembler:
    """Joins events to records, separately for each stream, within the limits above."""

    _open: OrderedDict[str, _Open] = field(default_factory=OrderedDict)

    def feed(self, event: Event) -> Iterator[Record]:
        """The records that this event ends."""
        text = event.text
        if text.startswith("{"):
            unwrapped = _container_line(text)
            if unwrapped is None:
                yield from self.end(event.stream)
                yield Record(text, event.stream, event.time_ms)
                return
            text = unwrapped
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if len(lines) > 1 and lines[-1] == "":
            lines.pop()
        if "\n" in text.rstrip():  # a source that gives whole records
            yield from self.end(event.stream)
            yield Record(text, event.stream, event.time_ms)
            return
        for line in lines:
            yield from self._line(line, event)

    def _line(self, line: str, event: Event) -> Iterator[Record]:
        wrapper = _WRAPPER.match(line)
        line = line[wrapper.end() :] if wrapper else line
        prefix = _LINE_TIME.match(line)
        rest = line[prefix.end() :] if prefix else line
        one = self._open.get(event.stream)
        if one is not None:
            # A log with the time on each line, as containers write: lines within a traceback
            # continue it, and other lines are records.
            own = rest if one.is_prefixed and prefix else line
            is_late = (
                event.time_ms is not None
                and one.last_ms is not None
                and event.time_ms - one.last_ms > GAP_MS
            )
            has_room = len(one.lines) < MAX_LINES and one.chars + len(own) <= MAX_CHARS
            if not is_late and has_room and (one.takes(own) or (prefix and continues(rest))):
                if prefix and not one.takes(own):
                    one.is_prefixed, own = True, rest
                one.lines.append(own)
                one.chars += len(own) + 1
                one.last_ms = event.time_ms
                one.has_traceback = one.has_traceback or own.startswith(_ERROR_HEADS)
                return
            yield from self.end(event.stream)
        self._open[event.stream] = _Open(
            lines=[line[:MAX_CHARS]],
            chars=len(line),
            time_ms=event.time_ms,
            last_ms=event.time_ms,
            has_traceback=rest.startswith(_ERROR_HEADS),
            is_prefixed=bool(prefix) and rest.startswith(_TRACEBACK),
        )
        if len(self._open) > MAX_STREAMS:
            yield from self.end(next(iter(self._open)))

    def end(self, stream: str) -> Iterator[Record]:
        """The open record of the stream, or None."""
        one = self._open.pop(stream, None)
        if one is not None:
            yield Record("\n".join(one.lines), stream, one.time_ms)

    def end_all(self) -> Iterator[Record]:
        """All open records."""
        for stream in list(self._open):
            yield from self.end(stream)

    def is_open(self, stream: str) -> bool:
        """Whether the stream has an open record."""
        return stream in self._open

    def drop(self, stream: str) -> None:
        """Forget the open record of the stream."""
        self._open.pop(stream, None)


def records(events: Iterable[Event]) -> Iterator[Record]:
    """The records of all events, in the order in which they end."""
    assembler = Assembler()
    for event in events:
        yield from assembler.feed(event)
    yield from assembler.end_all()


def _container_line(text: str) -> str | None:
    """The line in an object of docker's json-file driver or Fluent Bit, or None."""
    if '"log"' not in text:
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("log"), str):
        return None
    return str(parsed["log"]).removesuffix("\n")


def plain(raw: str) -> str:
    """The text of a record with plain lines: JSON becomes its strings, one below the other."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    start = text.find("{")
    if start != -1 and '"' in text:
        parsed = _parsed(text[start:])
        if parsed is not None:
            return "\n".join([text[:start].strip(), *_texts(parsed)]).strip()
        if "\\n" in text or '\\"' in text:  # JSON that was cut off
            text = text.replace("\\n", "\n").replace('\\"', '"').replace("\\u00a0", " ")
    if "\nE   " in text or text.startswith("E   "):  # pytest
        text = re.sub(r"(?m)^E   ", "", text)
    return text


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


_ERROR_NAMES = (("errorType", "errorMessage"), ("exception_name", "message"))
"""JSON members that have the class of an error and its message separately."""


def _texts(parsed: dict[str, Any]) -> list[str]:
    """All strings of an object, and each error in the form of a traceback's last line: `class:
    message`."""
    found: list[str] = []
    pending: list[Any] = [parsed]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value.replace("\r", "\n").replace("\u00a0", " ").rstrip("\n"))
        elif isinstance(value, dict):
            pending.extend(reversed(value.values()))
            for name, message in _ERROR_NAMES:
                if isinstance(value.get(name), str) and isinstance(value.get(message), str):
                    found.append(f"{value[name]}: {value[message]}")
        elif isinstance(value, list):
            pending.extend(reversed(value))
    return found


def _time_of(raw: str) -> int | None:
    """The first time in the first characters of a record; UTC if it names no zone."""
    found = _TIME.search(raw, 0, 400)
    if found is None:
        return None
    *parts, millis, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z") else zone
    year, month, day, hour, minute, second = parts
    try:
        at = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}{zone}")
    except ValueError:
        return None
    return int(at.astimezone(UTC).timestamp()) * 1000 + int(millis or 0)
