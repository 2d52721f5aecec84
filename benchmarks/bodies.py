"""How long one JSON body from outside can block the event loop.

    python -m benchmarks.bodies 10000

Random bodies of up to 400 KB, of all shapes that JSON has, are patched into a typed item and
written to a table in memory, one after the other. A ticker runs in each turn of the loop. The
figures are the times between two of its runs, in CPU time of the loop's thread: other processes do
not count. They include the work of the table in memory.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from random import Random
from typing import Any, NamedTuple

from benchmarks.figures import OURS, Figure, Target
from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_table

LARGEST_BYTES = 400_000
TARGET_MS = 50


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    meta: Attr[dict[str, Any]] = attribute(default_factory=dict)
    more: Attr[Any] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    numbers: Attr[list[int]] = attribute(default_factory=list)
    by_name: Attr[dict[str, int]] = attribute(default_factory=dict)


class Bodies:
    """Random bodies of random sizes, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz .-_"
        self._texts = "".join(random.choices(letters, k=2 * LARGEST_BYTES))
        self._odd_texts = "".join(random.choices(letters + "\u00e9\u4e2d", k=2 * LARGEST_BYTES))

    def next(self) -> str:
        """The JSON text of the next one."""
        while len(text := json.dumps(self._body())) > LARGEST_BYTES:
            pass
        return text

    def _body(self) -> dict[str, Any]:
        random = self._random
        # Small ones are the commonest; one in a hundred has more than 300 KB.
        budget = int(30 * (LARGEST_BYTES / 30) ** random.random() ** 3)
        match random.randrange(6):
            case 0:
                return {"numbers": [random.randrange(10**9) for _ in range(budget // 11)]}
            case 1:
                return {"tags": [self._text(8) for _ in range(budget // 12)]}
            case 2:
                return {
                    "by_name": {self._text(8): random.randrange(99) for _ in range(budget // 16)}
                }
            case 3:
                return {
                    "meta": {self._text(random.randrange(1, budget)): self._any(budget // 2, 8)}
                }
            case 4:
                return {"more": self._any(budget, 28)}
            case _:
                return {"meta": {self._text(6): self._any(budget // 9, 4) for _ in range(8)}}

    def _any(self, budget: int, levels: int) -> Any:
        """A value of about this number of bytes of JSON."""
        random = self._random
        if budget < 24 or not levels:
            leaves: list[Any] = [
                True,
                None,
                0,
                random.random(),
                "",
                [],
                {},
                random.randrange(10**12),
            ]
            return random.choice([*leaves, self._text(max(1, budget))])
        count = random.choice([1, 2, 8, 64, budget // 6])
        each = budget // count
        if random.random() < 0.5:
            return [self._any(each - 2, levels - 1) for _ in range(count)]
        return {self._text(9): self._any(each - 14, levels - 1) for _ in range(count)}

    def _text(self, length: int) -> str:
        texts = self._odd_texts if length % 7 == 0 else self._texts
        start = self._random.randrange(len(texts) - length)
        return texts[start : start + length]


class Block(NamedTuple):
    """The longest time for which one body blocked the loop, and its parts."""

    time_ms: float
    body: str
    patch_ms: float
    """`patch()`: a plain function, which runs in one turn with the first step of the call."""
    step_ms: float
    """The longest step of the call."""


async def blocks(count: int, seed: int = 1) -> list[Block]:
    """The longest block of the loop for each of a number of bodies."""
    loop = asyncio.get_running_loop()
    bodies = Bodies(seed)
    # Modules that are loaded once do not count for a body.
    first = UpdateBuilder(Doc).patch({"meta": {"a": [1, "b", None]}})
    await fake_table(Doc).update_item({"id": "0"}, first)
    turns_s: list[float] = []
    last_s = time.thread_time()
    handle: asyncio.Handle | None = None

    def tick() -> None:
        nonlocal last_s, handle
        turns_s.append(time.thread_time() - last_s)
        last_s = time.thread_time()
        handle = loop.call_soon(tick)

    found: list[Block] = []
    handle = loop.call_soon(tick)
    gc.disable()  # its pauses depend on the other objects of the process
    try:
        for number in range(count):
            text = bodies.next()
            received = json.loads(text)
            docs = fake_table(Doc)
            if number % 16 == 0:
                gc.collect(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            turns_s.clear()
            (field,) = received
            body = f"{field}, {len(text):,} bytes"
            patch_s = 0.0
            try:
                began_s = time.thread_time()
                update = UpdateBuilder(Doc).patch(received)
                last_s = time.thread_time()
                patch_s = last_s - began_s
                await docs.update_item({"id": str(number)}, update)
            except DynasafeError:
                body += ", refused"
            await asyncio.sleep(0)
            longest_s = max(patch_s + turns_s[0], *turns_s)
            found.append(Block(longest_s * 1000, body, patch_s * 1000, max(turns_s) * 1000))
    finally:
        gc.enable()
        if handle is not None:
            handle.cancel()
    return sorted(found)


def shown(found: list[Block]) -> str:
    """The longest block, the one that 99 of 100 stay below, and the longest of each phase."""
    longest, nearly = found[-1], found[int(len(found) * 0.99)]
    patch_ms, step_ms = max(each.patch_ms for each in found), max(each.step_ms for each in found)
    return (
        f"longest {longest.time_ms:.1f} ms ({longest.body}), 99 of 100 within "
        f"{nearly.time_ms:.1f} ms ({nearly.body}); longest patch() {patch_ms:.1f} ms, longest step "
        f"of a call {step_ms:.1f} ms"
    )


def measure(*, is_fast: bool) -> Figure:
    """The longest block, in one round."""
    count = 200 if is_fast else 10_000
    print(f"bodies: {count:,}", flush=True)
    found = asyncio.run(blocks(count))
    print(f"bodies: {shown(found)}", flush=True)
    return Figure(
        group="The longest block of the event loop",
        title=f"{count:,} JSON bodies of up to 400 KB, patched and written",
        unit="ms",
        rounds={OURS: [found[-1].time_ms]},
        targets=(Target(kind="at most", bound=TARGET_MS),),
    )


if __name__ == "__main__":
    print(shown(asyncio.run(blocks(int(sys.argv[1])))))
