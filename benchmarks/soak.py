"""A million calls, to check that the process does not grow.

    python -m benchmarks.soak

32 callers update items through a typed table and an untyped one, against the stub server. Each
fifth update names an attribute that none had before, so that the caches of requests are filled and
emptied many times within the first tenth. It prints the resident set at each tenth, and fails if
the last is larger than the second.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from time import monotonic

from benchmarks.contenders import by_dynasafe
from benchmarks.memory import resident_kib
from benchmarks.stub_server import stub_server
from benchmarks.work import TABLE_NAME, Change
from dynasafe import UpdateBuilder

CALLERS = 32
TENTHS = 10
MOST_GROWTH_KIB = 2048
"""The allowed growth of the resident set from the second tenth to the last: its usual variation."""


async def soak(calls: int, endpoint_url: str, *, deadline_s: float) -> list[int]:
    """KiB at each tenth; fewer than ten if there was no time for all."""
    marks = []
    async with by_dynasafe.database(endpoint_url) as db:
        typed = db.table(TABLE_NAME, by_dynasafe.Person)
        untyped = db.table(TABLE_NAME)

        async def caller(first: int, count: int) -> None:
            for turn in range(first, first + count):
                if turn % 5:
                    change = Change(f"p{turn}", f"Ada {turn}", 1, {f"tag{turn}"})
                    await typed.update_item({"id": change.key}, by_dynasafe.update_of(change))
                else:
                    update = UpdateBuilder().set(f"name{turn}", turn)
                    await untyped.update_item({"id": f"p{turn}"}, update)

        each = calls // TENTHS // CALLERS
        for tenth in range(TENTHS):
            if monotonic() > deadline_s:
                break
            first = tenth * each * CALLERS
            await asyncio.gather(*(caller(first + i * each, each) for i in range(CALLERS)))
            gc.collect()
            marks.append(resident_kib())
            made = (tenth + 1) * each * CALLERS
            print(f"{made:>9,} calls: {marks[-1] / 1024:.1f} MiB", flush=True)
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument(
        "--minutes", type=float, default=50, help="start no tenth of the calls after these minutes"
    )
    given = parser.parse_args()
    deadline_s = monotonic() + given.minutes * 60
    with stub_server() as endpoint_url:
        marks = asyncio.run(soak(given.calls, endpoint_url, deadline_s=deadline_s))
    if len(marks) < TENTHS:
        sys.exit(f"There was time for {len(marks)} tenths of {TENTHS}.")
    growth_kib = marks[-1] - marks[1]
    print(f"Growth since the second tenth: {growth_kib / 1024:+.1f} MiB")
    if growth_kib > MOST_GROWTH_KIB:
        sys.exit(f"It grows: by more than {MOST_GROWTH_KIB / 1024:.0f} MiB.")


if __name__ == "__main__":
    main()
