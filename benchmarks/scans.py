"""A scan of a log, beside counting one word in the same text, in CPU time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time

from benchmarks.figures import OURS, Figure, Target
from benchmarks.ordinary_logs import ordinary_log
from dynasafe.logs.grouping import Tally
from dynasafe.logs.scanning import scan_blocks
from dynasafe.logs.signatures import BY_CODE

GROUP = "A scan of a log, in CPU time for each MB"
BY_LINE = "counting one word, line by line"
AT_ONCE = "counting one word in all text at once"
WORD = b"dynamodb"


def scan(blocks: list[bytes]) -> None:
    scan_blocks(blocks, Tally(frozenset(BY_CODE)))


def count_by_line(blocks: list[bytes]) -> None:
    for block in blocks:
        sum(WORD in line for line in block.split(b"\n"))


def count_at_once(blocks: list[bytes]) -> None:
    for block in blocks:
        block.count(WORD)


CONTENDERS: dict[str, Callable[[list[bytes]], None]] = {
    OURS: scan,
    BY_LINE: count_by_line,
    AT_ONCE: count_at_once,
}


def measure(rounds: int, *, is_fast: bool) -> list[Figure]:
    size_bytes = 1_000_000 if is_fast else 20_000_000
    return [
        _figure("ordinary lines", list(ordinary_log(size_bytes, is_calm=True)), rounds),
        _figure("lines with errors of others", list(ordinary_log(size_bytes)), rounds),
    ]


def _figure(title: str, blocks: list[bytes], rounds: int) -> Figure:
    print(f"scans: {title}", flush=True)
    megabytes = sum(map(len, blocks)) / 1e6
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    names = list(CONTENDERS)
    for round_ in range(rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            start_s = process_time()
            CONTENDERS[name](blocks)
            taken[name].append((process_time() - start_s) / megabytes * 1000)
    return Figure(
        group=GROUP,
        title=title,
        unit="ms",
        rounds=taken,
        targets=(
            Target(kind="at most times", bound=10, against=AT_ONCE),
            Target(kind="at most times", bound=10, against=BY_LINE),
        ),
    )
