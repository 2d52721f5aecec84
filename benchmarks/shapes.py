"""How long one item that was made to be slow can block the event loop.

    python -m benchmarks.shapes
    python -m benchmarks.shapes sets

The items have about 400 KB, the most that DynamoDB stores, in as many values as fit. Each is
patched from its JSON form, in one turn of the loop and in a thread, and it is put and got. The
figures are the longest times in which the loop ran nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, TypedDict
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.values.whole_items import encode_item


class Color(Enum):
    RED = "r"
    BLUE = "b"


class Digit(Enum):
    ONE = 1
    TWO = 2


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    more: Attr[Any] = attribute(default=None)


@dataclass
class Small:
    a: int


@dataclass
class Checked:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError


@dataclass
class Card:
    kind: Literal["card"]


@dataclass
class Cash:
    kind: Literal["cash"]


class Fields(TypedDict):
    a: int


@dataclass
class Cat:
    a: int
    kind: Literal["cat"] = "cat"


@dataclass
class Dog:
    a: int
    kind: Literal["dog"] = "dog"


class Model(BaseModel):
    a: int


class Limited(BaseModel):
    a: int = Field(ge=0)


class Validated(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def _is_small(cls, value: int) -> int:
        if value < 0:
            raise ValueError
        return value


class Inner(Item):
    a: Attr[int] = attribute()


class Shape(NamedTuple):
    """One kind of item."""

    annotation: Any
    value: Callable[[], Any]
    json_form: Callable[[], Any] | None = None
    """What a patch is given; the value itself if there is none."""


def _decimals(count: int) -> list[Decimal]:
    return [Decimal(each).scaleb(-1) for each in range(1, 10 * count) if each % 10][:count]


SHAPES: dict[str, Shape] = {
    "texts": Shape(list[str], lambda: ["x"] * 200_000),
    "empty texts": Shape(list[str], lambda: [""] * 390_000),
    "texts that are not ASCII": Shape(list[str], lambda: ["\u00e9"] * 130_000),
    "whole numbers": Shape(list[int], lambda: [7] * 130_000),
    "whole numbers as floats": Shape(list[int], lambda: [7] * 130_000, lambda: [7.0] * 130_000),
    "numbers of more than 38 digits": Shape(list[int], lambda: [10**120] * 130_000),
    "floats": Shape(list[float], lambda: [0.5] * 130_000),
    "floats with exponents": Shape(list[float], lambda: [1e-20] * 130_000),
    "int or float": Shape(list[int | float], lambda: [1, 0.5] * 65_000),
    "Decimals": Shape(list[Decimal], lambda: [Decimal("0.5")] * 130_000),
    "Decimals as text": Shape(
        list[Decimal], lambda: [Decimal("0.5")] * 130_000, lambda: ["0.5"] * 130_000
    ),
    "Decimals as floats": Shape(
        list[Decimal], lambda: [Decimal("0.5")] * 130_000, lambda: [0.5] * 130_000
    ),
    "truth values": Shape(list[bool], lambda: [True, False] * 100_000),
    "None": Shape(list[None], lambda: [None] * 200_000),
    "text or None": Shape(list[str | None], lambda: ["", None] * 130_000),
    "binaries": Shape(list[bytes], lambda: [b""] * 390_000),
    "binaries as text": Shape(list[bytes], lambda: [b""] * 390_000, lambda: [""] * 390_000),
    "times": Shape(
        list[datetime],
        lambda: [datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=1)] * 14_000,
        lambda: ["2030-01-01T00:00:00Z"] * 14_000,
    ),
    "dates": Shape(
        list[date], lambda: [date(2030, 1, 1)] * 36_000, lambda: ["2030-01-01"] * 36_000
    ),
    "UUIDs": Shape(list[UUID], lambda: [UUID(int=7)] * 10_500, lambda: [str(UUID(int=7))] * 10_500),
    "enums": Shape(list[Color], lambda: [Color.RED] * 200_000, lambda: ["r"] * 200_000),
    "enums of numbers": Shape(list[Digit], lambda: [Digit.ONE] * 130_000, lambda: [1] * 130_000),
    "literals": Shape(list[Literal["a", "b"]], lambda: ["a", "b"] * 100_000),
    "a set of texts": Shape(set[str], lambda: {f"{each:x}" for each in range(92_000)}, None),
    "a set of texts as a list": Shape(
        set[str],
        lambda: {f"{each:x}" for each in range(92_000)},
        lambda: [f"{each:x}" for each in range(92_000)],
    ),
    "a set of numbers": Shape(set[int], lambda: {*range(100_000)}, lambda: [*range(100_000)]),
    "a set of floats": Shape(
        set[float],
        lambda: {each / 10 for each in range(102_000)},
        lambda: [each / 10 for each in range(102_000)],
    ),
    "a set of Decimals": Shape(
        set[Decimal], lambda: {*_decimals(96_000)}, lambda: _decimals(96_000)
    ),
    "a set of Decimals as floats": Shape(
        set[Decimal],
        lambda: {*_decimals(96_000)},
        lambda: [float(each) for each in _decimals(96_000)],
    ),
    "a set of Decimals as text": Shape(
        set[Decimal],
        lambda: {*_decimals(96_000)},
        lambda: [str(each) for each in _decimals(96_000)],
    ),
    "a set of long numbers": Shape(
        set[int],
        lambda: {10**37 + each for each in range(20_000)},
        lambda: [10**37 + each for each in range(20_000)],
    ),
    "a set of binaries": Shape(set[bytes], lambda: {each.to_bytes(3) for each in range(133_000)}),
    "small sets of numbers": Shape(
        list[set[int]], lambda: [{7}] * 130_000, lambda: [[7]] * 130_000
    ),
    "small sets of texts": Shape(
        list[set[str]], lambda: [{"x"}] * 195_000, lambda: [["x"]] * 195_000
    ),
    "small sets of empty texts": Shape(
        list[set[str]], lambda: [{""}] * 390_000, lambda: [[""]] * 390_000
    ),
    "small sets of binaries": Shape(
        list[set[bytes]], lambda: [{b""}] * 390_000, lambda: [[""]] * 390_000
    ),
    "empty lists": Shape(list[list[int]], lambda: [[]] * 100_000),
    "small lists": Shape(list[list[int]], lambda: [[1]] * 56_000),
    "small tuples": Shape(
        list[tuple[int, str]], lambda: [(1, "")] * 50_000, lambda: [[1, ""]] * 50_000
    ),
    "empty maps": Shape(list[dict[str, int]], lambda: [{}] * 100_000),
    "small maps": Shape(list[dict[str, int]], lambda: [{"a": 1}] * 50_000),
    "a map of numbers": Shape(dict[str, int], lambda: {f"{each:x}": 1 for each in range(57_000)}),
    "dataclasses": Shape(list[Small], lambda: [Small(1)] * 50_000, lambda: [{"a": 1}] * 50_000),
    "dataclasses with __post_init__": Shape(
        list[Checked], lambda: [Checked(1)] * 50_000, lambda: [{"a": 1}] * 50_000
    ),
    "TypedDicts": Shape(list[Fields], lambda: [{"a": 1}] * 50_000),
    "items": Shape(list[Inner], lambda: [Inner(a=1)] * 50_000, lambda: [{"a": 1}] * 50_000),
    "pydantic models": Shape(
        list[Model], lambda: [Model(a=1)] * 50_000, lambda: [{"a": 1}] * 50_000
    ),
    "pydantic models with constraints": Shape(
        list[Limited], lambda: [Limited(a=1)] * 50_000, lambda: [{"a": 1}] * 50_000
    ),
    "pydantic models with validators": Shape(
        list[Validated], lambda: [Validated(a=1)] * 50_000, lambda: [{"a": 1}] * 50_000
    ),
    "a union of scalars": Shape(list[int | str | bool], lambda: [1, "", True] * 66_000),
    "a union of lists": Shape(list[int | list[int]], lambda: [1, [1]] * 40_000),
    "a union of classes": Shape(
        list[Cat | Dog | int],
        lambda: [1, Dog(1)] * 20_000,
        lambda: [1, {"a": 1, "kind": "dog"}] * 20_000,
    ),
    "a union of times": Shape(
        list[date | UUID],
        lambda: [date(2030, 1, 1), UUID(int=7)] * 8_000,
        lambda: ["2030-01-01", str(UUID(int=7))] * 8_000,
    ),
    "an optional union": Shape(list[int | str | None], lambda: [1, "", None] * 66_000),
    "floats of whole numbers": Shape(list[float], lambda: [7.0] * 130_000),
    "any: floats with exponents": Shape(Any, lambda: [1e-20, "a"] * 80_000),
    "any: floats": Shape(Any, lambda: [0.5, "a"] * 80_000),
    "any: mixed": Shape(Any, lambda: [1, "a", True, None, 0.5, {}, []] * 20_000),
    "any: deep": Shape(Any, lambda: _deep(28, 3_500)),
    "any: Decimals": Shape(Any, lambda: [Decimal("0.5"), 1] * 65_000),
    "any: long numbers": Shape(Any, lambda: [10**120, "a"] * 80_000),
    "any: binaries": Shape(Any, lambda: [b"", ""] * 190_000),
    "any: sets": Shape(Any, lambda: [{""}] * 390_000),
    "any: sets of numbers": Shape(Any, lambda: [{7}, ""] * 98_000),
    "any: a set of Decimals": Shape(Any, lambda: {*_decimals(96_000)}),
    "any: enums": Shape(Any, lambda: [Color.RED] * 200_000),
    "any: dataclasses": Shape(Any, lambda: [Small(1)] * 50_000),
    "any: pydantic models": Shape(Any, lambda: [Model(a=1)] * 50_000),
    "any: dates": Shape(Any, lambda: [date(2030, 1, 1)] * 36_000),
}


def _deep(levels: int, count: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return [value] * count


class Times(NamedTuple):
    """Times of one shape, in ms."""

    patch_ms: float
    """CPU time of `patch()` from a JSON form, in one turn of the loop."""
    aside_ms: float
    """The longest wait of the loop while `patch()` runs in a thread."""
    put_ms: float
    """The longest wait of the loop while the item is put."""
    get_ms: float
    """The longest wait of the loop while the item is read."""


def shaped(shape: Shape) -> Any:
    """An Item class with one attribute of the shape."""
    annotations = {"id": Attr[str], "more": Attr[shape.annotation]}  # type: ignore[name-defined]
    body = {"__annotations__": annotations, "id": attribute(key="partition")}
    return type("Shaped", (Item,), body)


def measured(name: str, rounds: int) -> Times:
    """The times of one shape."""
    shape = SHAPES[name]
    item_class = shaped(shape)
    patch = {"more": (shape.json_form or shape.value)()}
    item = item_class(id="1", more=shape.value())

    def patched() -> Any:
        return UpdateBuilder(item_class).patch(patch)

    async def waits() -> Times:
        async with _table(item_class, encode_item(item)) as table:
            return Times(
                patch_ms,
                await _longest_wait_ms(lambda: asyncio.to_thread(patched), rounds),
                await _longest_wait_ms(lambda: table.put_item(item), rounds),
                await _longest_wait_ms(lambda: table.get_item({"id": "1"}), rounds),
            )

    gc.collect()
    gc.disable()  # its pauses depend on the other objects of the process
    try:
        patch_ms = _cpu_ms(patched, rounds)
        return asyncio.run(waits())
    finally:
        gc.enable()


def _cpu_ms(function: Callable[[], Any], rounds: int) -> float:
    """The CPU time of the thread, in the middle one of the rounds."""
    times_ms = []
    for _ in range(rounds):
        started_s = time.thread_time()
        function()
        times_ms.append((time.thread_time() - started_s) * 1000)
    return statistics.median(times_ms)


async def _longest_wait_ms(call: Callable[[], Awaitable[Any]], rounds: int) -> float:
    """The longest time between two turns of the loop, in the middle one of the rounds."""
    loop = asyncio.get_running_loop()
    handle: asyncio.Handle | None = None
    longest_ms = []
    for _ in range(rounds):
        turns_s = [time.perf_counter()]

        def tick(turns_s: list[float] = turns_s) -> None:
            nonlocal handle
            turns_s.append(time.perf_counter())
            handle = loop.call_later(0.001, tick)

        handle = loop.call_soon(tick)
        await asyncio.sleep(0)
        await call()
        turns_s.append(time.perf_counter())
        assert handle is not None
        handle.cancel()
        longest_ms.append(max(b - a for a, b in pairwise(turns_s)) * 1000)
    return statistics.median(longest_ms)


@asynccontextmanager
async def _table(item_class: Any, stored: dict[str, Any]) -> AsyncIterator[AsyncTable[Any]]:
    """A table behind a server on the same loop, which answers each GetItem with the item."""
    found = _answer(json.dumps({"Item": stored}, default=_base64).encode())
    tasks: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                length = int(request.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                writer.write(found if b".GetItem" in request else _answer(b"{}"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    keys = SimpleNamespace(access_key="a", secret_key="b", token=None)
    async with AsyncDynamoDB.connect(
        region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}", credentials=keys
    ) as db:
        yield db.table("docs", item_class)
    await asyncio.gather(*tasks)
    server.close()
    await server.wait_closed()


def _answer(body: bytes) -> bytes:
    head = f"content-type: application/x-amz-json-1.0\r\ncontent-length: {len(body)}\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\n" + head.encode() + body


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def main(words: list[str]) -> None:
    print(f"{'':36}{'patch':>8}{'aside':>8}{'put':>8}{'get':>8}  ms")
    for name in SHAPES:
        if not words or any(each in name for each in words):
            times = measured(name, 5)
            shown = "".join(f"{each:8.1f}" for each in times)
            print(f"{name:36}{shown}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
