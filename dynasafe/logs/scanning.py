"""A scan of a log that is a stream of bytes: records, without a look at each line.

A block in which no signature can be is skipped, but for the record that goes on in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dynasafe.logs.grouping import Tally
from dynasafe.logs.matching import GATE
from dynasafe.logs.records import MAX_CHARS, MAX_LINES, Assembler, Event, Record, begins, continues

BLOCK_BYTES = 64 * 1024
_GATE = tuple(word.encode() for word in (*GATE, "boto"))


def scan_blocks(
    blocks: Iterable[bytes],
    tally: Tally,
    *,
    stream: str = "",
    progress: Callable[[int], None] = lambda size_bytes: None,
) -> None:
    """Count what a log has; `progress` gets the bytes that were read so far."""
    size_bytes = 0

    def counted() -> Iterator[bytes]:
        nonlocal size_bytes
        for block in blocks:
            size_bytes += len(block)
            tally.events += block.count(b"\n")
            yield block
            progress(size_bytes)

    gate = (*_GATE, b"dynamodb") if tally.with_unknown else _GATE
    for record in records_of_blocks(counted(), stream=stream, gate=gate):
        tally.add(record)


def records_of_blocks(
    blocks: Iterable[bytes], *, stream: str = "", gate: tuple[bytes, ...] = _GATE
) -> Iterator[Record]:
    """The records of a log that may have a word of the gate, and some that have none."""
    assembler = Assembler()
    rest = b""
    for block in blocks:
        data = rest + block
        end = data.rfind(b"\n") + 1
        if end == 0:
            if len(data) < MAX_CHARS:
                rest = data
                continue
            end = len(data)  # a line that does not end: a piece of it
        rest, data = data[end:], data[:end]
        if any(word in data for word in gate):
            yield from _fed(assembler, data, stream)
            continue
        done = 0
        while done < len(data):  # the record before goes on here
            next_line = data.find(b"\n", done) + 1
            ended = list(_fed(assembler, data[done:next_line], stream))
            done = next_line
            if ended:
                yield from ended
                break
        last = max(done, _last_record(data))
        if last > done:
            assembler.drop(stream)
        if last < len(data):
            yield from _fed(assembler, data[last:], stream)
    if rest:
        yield from _fed(assembler, rest, stream)
    yield from assembler.end_all()


def _fed(assembler: Assembler, data: bytes, stream: str) -> Iterator[Record]:
    for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        yield from assembler.feed(Event(line, stream))


def _last_record(data: bytes) -> int:
    """Where the last record of some lines starts, as far as can be seen from its end."""
    start = end = len(data)
    for _ in range(MAX_LINES):
        start = data.rfind(b"\n", 0, max(0, end - 1)) + 1
        line = data[start:end].decode("utf-8", "replace").rstrip("\n")
        before = data[max(0, data.rfind(b"\n", 0, max(0, start - 1)) + 1) : start]
        if start == 0 or begins(line) or not (continues(line) or before.startswith(b" ")):
            break
        end = start
    return start
