"""Scans a log as a stream of bytes, without reading each line.

A block without a possible signature is skipped, except for a record that continues in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dynasafe.logs.gate import Gate, Places, gate
from dynasafe.logs.grouping import Tally
from dynasafe.logs.records import (
    MAX_CHARS,
    MAX_LINES,
    Assembler,
    Event,
    Record,
    begins,
    continues,
    within,
)

BLOCK_BYTES = 64 * 1024
_GATE = gate(in_tracebacks={"boto": r"boto(?:3|core)[/\\]"})
"""This gate also has the clients' paths, for records that end within a traceback."""
_GATE_OF_UNKNOWN = gate({"boto": "boto", "dynamodb": "dynamodb"})


def scan_blocks(
    blocks: Iterable[bytes],
    tally: Tally,
    *,
    stream: str = "",
    progress: Callable[[int], None] = lambda size_bytes: None,
) -> None:
    """Count the signatures in a log. `progress` gets the number of bytes read so far."""
    size_bytes = 0

    def counted() -> Iterator[bytes]:
        nonlocal size_bytes
        for block in blocks:
            size_bytes += len(block)
            tally.events += block.count(b"\n")
            yield block
            progress(size_bytes)

    among = _GATE_OF_UNKNOWN if tally.with_unknown else _GATE
    for record in records_of_blocks(counted(), stream=stream, among=among):
        tally.add(record)


def records_of_blocks(
    blocks: Iterable[bytes], *, stream: str = "", among: Gate = _GATE
) -> Iterator[Record]:
    """The records of a log that match the gate, and some others."""
    assembler = Assembler()
    rest = b""
    for block in blocks:
        data = rest + block
        end = data.rfind(b"\n") + 1
        if end == 0:
            if len(data) < MAX_CHARS:
                rest = data
                continue
            end = len(data)  # a line that does not end: take a piece of it
        rest, data = data[end:], data[:end]
        yield from _scan(assembler, data, stream, among)
    if rest:
        yield from _fed(assembler, rest, stream)
    yield from assembler.end_all()


def _scan(assembler: Assembler, data: bytes, stream: str, among: Gate) -> Iterator[Record]:
    """Read the record that continues from before, those at a place of the gate, and the last
    one."""
    places = Places(data, among)
    done = since = 0  # the end of what was read; the start of the last line that was read
    hit = -1 if assembler.is_open(stream) else places.first(0)
    while hit is not None:
        if hit >= done:
            start = max(done, _record_at(data, hit))
            if start > done:
                assembler.drop(stream)
                done = start
        while done < len(data):
            since, done = done, data.find(b"\n", done) + 1 or len(data)
            ended = list(_fed(assembler, data[since:done], stream))
            yield from ended
            if ended and since > hit:
                break
        else:
            return
        hit = places.first(since)
    last = max(done, _record_at(data, len(data) - 1))
    if last > done:
        assembler.drop(stream)
    if last < len(data):
        yield from _fed(assembler, data[last:], stream)


def _fed(assembler: Assembler, data: bytes, stream: str) -> Iterator[Record]:
    for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        yield from assembler.feed(Event(line, stream))


def _line(data: bytes, start: int, end: int) -> str:
    return within(data[start:end].decode("utf-8", "replace").rstrip("\n"))


def _record_at(data: bytes, offset: int) -> int:
    """The start of the record at an offset, judged from the lines before it."""
    start = end = data.find(b"\n", offset) + 1 or len(data)
    for _ in range(MAX_LINES):
        start = data.rfind(b"\n", 0, max(0, end - 1)) + 1
        line = _line(data, start, end)
        before = _line(data, data.rfind(b"\n", 0, max(0, start - 1)) + 1, start)
        if start == 0 or begins(line) or not (continues(line) or before.startswith(" ")):
            break
        end = start
    return start
