"""What comes from outside costs steps and memory in proportion to its size, whatever its shape.

Steps are lines of dynasafe that Python runs, counted without a clock. Each input is given in one
size, in twice and in four times that size.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from dynasafe import (
    AsyncDynamoDB,
    Attr,
    Item,
    UpdateBuilder,
    attr,
    attribute,
    check_request,
    guard,
    require_valid,
)
from dynasafe.cache import Cache
from dynasafe.calls.handwritten import handwritten
from dynasafe.errors import DynasafeError, InvalidRequestError
from dynasafe.expressions import reader
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.parser import parse_update
from dynasafe.testing import fake_database, fake_table
from dynasafe.validation import seen
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from dynasafe.values.whole_items import decode_item, encode_item
from tests.support.steps import Steps


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    meta: Attr[dict[str, list[int]]] = attribute(default_factory=dict)
    more: Attr[Any] = attribute(default=None)
    names: Attr[set[str]] = attribute(default_factory=set)


def steps(
    call: Callable[[], object], run: Callable[[Callable[[], object]], object] | None = None
) -> int:
    """The lines of dynasafe that run; all is new to the caches, unless `run` calls it."""
    with Steps() as counted:
        (run or attempt)(call)
    return counted.lines


def peak_bytes(call: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        attempt(call)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def attempt(call: Callable[[], object]) -> str:
    """What the call says, if it refuses."""
    forget()
    try:
        call()
    except (DynasafeError, TypeError, ValueError) as error:
        return f"{error}\n{error!r}"
    return ""


def forget() -> None:
    """Both sizes are new to the caches."""
    caches: tuple[Cache[Any, Any], ...] = (seen._fine, seen._uses_by_text, reader._readings)
    for each in caches:
        Cache.__init__(each, each.max_bytes)


SMALL_MAP = {"M": {"name": {"S": "x" * 20}, "count": {"N": "12"}, "on": {"BOOL": True}}}


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        (
            "BatchWriteItem",
            {"RequestItems": {"docs": [{"PutRequest": {"Item": {"id": {"S": "?"}}}}] * 25}},
        ),
        ("BatchGetItem", {"RequestItems": {"docs": {"Keys": [{"id": {"S": "?"}}] * 100}}}),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "docs", "Item": {"id": {"S": "?"}}}}] * 100},
        ),
        (
            "PutItem",
            {"TableName": "docs", "Item": {"id": {"S": "?"}, "l": {"L": [SMALL_MAP] * 800}}},
        ),
    ],
)
def test_large_requests_are_remembered(operation: str, params: Any) -> None:
    """A second request of the same form is checked in less than half the steps of the first."""

    def numbered(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: numbered(each) for name, each in part.items()}
        if isinstance(part, list):
            return [numbered(each) for each in part]
        return f"key {next(numbers)}" if part == "?" else part

    numbers = itertools.count()
    first, second = numbered(params), numbered(params)

    of_first = steps(lambda: check_request(operation, first))
    of_second = steps(lambda: check_request(operation, second), run=lambda call: call())

    assert of_second < of_first / 2
    assert check_request(operation, second) == ()


def put(item: dict[str, Any]) -> Callable[[], object]:
    wire = {"id": {"S": "x"}, **item}
    return lambda: check_request("PutItem", {"TableName": "docs", "Item": wire})


def update(text: str, values: dict[str, Any] | None = None) -> Callable[[], object]:
    params = {"TableName": "docs", "Key": {"id": {"S": "x"}}, "UpdateExpression": text}
    if values:
        params["ExpressionAttributeValues"] = values
    return lambda: check_request("UpdateItem", params)


def wire_list(content: dict[str, Any], n: int) -> dict[str, Any]:
    return {"L": [content] * n}


def nested(n: int) -> Any:
    value: Any = "x"
    for _ in range(n):
        value = [value]
    return value


def build(builder: UpdateBuilder[Any]) -> object:
    return builder.build_client(table_name="docs", key={"id": "x"})


def from_names(n: int, name: Callable[[int], str]) -> object:
    names = [name(each) for each in range(n)]
    builder = UpdateBuilder.from_patch(dict.fromkeys(names, 1), allow=names)
    return builder.expressions()


def condition(n: int) -> Any:
    made = attr("a0") == 0
    for each in range(1, n):
        made = made & (attr(f"a{each}") == each)
    return made


def parsed(text: str) -> object:
    return is_idempotent(parse_update(text, {}, {}))


def image(content: dict[str, Any]) -> object:
    return decode_item(Doc, {"id": {"S": "x"}, "more": content})


@cache
def guarded_client() -> Any:
    import boto3

    return guard(
        boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
    )


def guarded(item: dict[str, Any]) -> Callable[[], object]:
    """A request that the guard refuses, so that nothing is sent."""
    wire = {"id": {"S": "x"}, **item}
    return lambda: guarded_client().put_item(TableName="docs", Item=wire)


def refused(item: dict[str, Any]) -> object:
    with pytest.raises(InvalidRequestError) as caught:
        require_valid("PutItem", {"TableName": "docs", "Item": {"id": {"S": "x"}, **item}})
    return str(caught.value), repr(caught.value), caught.value.public_message


Entry = Callable[[int], Callable[[], object]]
HOSTILE: dict[str, Entry] = {
    # A body, as a patch of a typed item.
    "patch, a long key over a list": lambda n: (
        lambda: build(UpdateBuilder(Doc).patch({"meta": {"k" * n: [0] * n}}))
    ),
    "patch, a long key over a bad list": lambda n: (
        lambda: build(UpdateBuilder(Doc).patch({"meta": {"k" * n: [0] * n + ["x"]}}))
    ),
    "patch, many keys": lambda n: (
        lambda: build(UpdateBuilder(Doc).patch({"meta": {f"k{each}": [] for each in range(n)}}))
    ),
    "patch, unknown names": lambda n: (
        lambda: UpdateBuilder(Doc).patch({f"unknown{each}": 1 for each in range(n)})
    ),
    "patch, a long unknown name": lambda n: lambda: UpdateBuilder(Doc).patch({"u" * n: 1}),
    "patch, Nones": lambda n: (
        lambda: UpdateBuilder.from_patch(
            {f"n{each}": None for each in range(n)}, allow=[f"n{each}" for each in range(n)]
        )
    ),
    "patch, odd names": lambda n: lambda: from_names(n, lambda i: chr(0x4E00 + i)),
    "patch, names alike at the start": lambda n: lambda: from_names(n, lambda i: "a" * 64 + str(i)),
    "patch, deep": lambda n: lambda: UpdateBuilder(Doc).patch({"more": nested(n)}),
    # Builder and conditions.
    "a deep path": lambda n: lambda: UpdateBuilder().set(".".join(["a"] * n), 1),
    "a path of indexes": lambda n: lambda: UpdateBuilder().set("a" + "[0]" * n, 1),
    "many paths below one": lambda n: (
        lambda: build(UpdateBuilder().remove(*(f"a.b{each}" for each in range(2 * n))))
    ),
    "a long condition": lambda n: (
        lambda: build(UpdateBuilder().set("a", 1).condition(condition(n)))
    ),
    "a set": lambda n: lambda: build(UpdateBuilder(Doc).add(Doc.names, {str(i) for i in range(n)})),
    "a huge number": lambda n: lambda: UpdateBuilder().set("a", 10 ** (10 * n)),
    "many digits": lambda n: lambda: UpdateBuilder().set("a", Decimal("1" * n)),
    # Values both ways.
    "write, long keys": lambda n: lambda: to_attribute_map({"m": {"k" * n: [{"l" * n: 1}] * n}}),
    "write, refused at the end": lambda n: (
        lambda: to_attribute_map({"m": {"k" * n: [*([0] * n), object()]}})
    ),
    "write, an item": lambda n: lambda: encode_item(Doc(id="x", meta={"k" * n: [0] * n})),
    "read, a long list": lambda n: lambda: image(wire_list({"N": "1"}, n)),
    "read, long keys": lambda n: lambda: image({"M": {"k" * n: wire_list({"S": "x"}, n)}}),
    "read, a bad element": lambda n: (
        lambda: image({"M": {"k" * n: {"L": [*([{"S": "x"}] * n), {"N": "x"}]}}})
    ),
    "image, a long list": lambda n: (
        lambda: Doc.from_image({"id": {"S": "x"}, "meta": {"M": {"k": wire_list({"N": "1"}, n)}}})
    ),
    "image, binary": lambda n: lambda: image({"B": "YQ==" * n}),
    "read, a number": lambda n: lambda: from_attribute_map({"n": {"N": "9" * n}}),
    "read, an exponent": lambda n: lambda: from_attribute_map({"n": {"N": f"1E+{10**6 * n}"}}),
    # Requests written by hand.
    "check, a long key over a list": lambda n: put(
        {"meta": {"M": {"k" * n: wire_list({"N": "0"}, n)}}}
    ),
    "check, bad elements": lambda n: put({"meta": {"M": {"k" * n: wire_list({"N": "x"}, n)}}}),
    "check, elements of two types": lambda n: put(
        {"meta": {"M": {"k" * n: wire_list({"S": "x", "N": "1"}, n)}}}
    ),
    "check, unknown types": lambda n: put({"meta": wire_list({"X" * 9: "x"}, n)}),
    "check, Booleans": lambda n: put({"meta": wire_list({"BOOL": True}, n)}),
    "check, a long name": lambda n: put({"k" * n: {"L": [{"NULL": False}] * n}}),
    "check, a set": lambda n: put({"s": {"NS": [str(each) for each in range(n)]}}),
    "check, brackets": lambda n: update("SET a = " + "(" * n + ":v" + ")" * n),
    "check, a long expression": lambda n: update(
        "SET " + ", ".join(f"a{i} = :v" for i in range(n))
    ),
    "check, unused values": lambda n: update(
        "REMOVE a", {f":v{each}": {"S": "x"} for each in range(n)}
    ),
    "check, overlapping paths": lambda n: update("REMOVE a" + ", a" * n),
    "call, a long expression": lambda n: (
        lambda: handwritten(
            "UpdateItem", {"UpdateExpression": "REMOVE a" + ", a" * (5 * n)}, token="t"
        )
    ),
    "guard, bad elements": lambda n: guarded({"meta": wire_list({"N": "x"}, n)}),
    "guard, many attributes": lambda n: guarded({f"a{each}": {"N": "x"} for each in range(n)}),
    "error, many findings": lambda n: (
        lambda: refused({f"a{each}": {"N": "x"} for each in range(n)})
    ),
    "parse, a long expression": lambda n: lambda: parsed("REMOVE " + ", ".join(["a"] * n)),
}


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE)
def test_cost_is_linear(entry: Entry) -> None:
    """Twice the input takes about twice the steps at most, and the error stays short."""
    attempt(entry(450))  # imports and caches of classes
    once, twice, four_times = (steps(entry(n)) for n in (450, 900, 1800))
    assert twice <= 2.3 * once + 300
    assert four_times <= 2.3 * twice + 300
    assert len(attempt(entry(1800))) < 40_000


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE)
def test_memory_is_linear(entry: Entry) -> None:
    """Twice the input takes at most about twice the memory."""
    small, large = entry(1000), entry(2000)
    attempt(small)
    assert peak_bytes(large) <= 2.3 * peak_bytes(small) + 500_000


N = 2500
SHAPES: dict[str, Callable[[int], Any]] = {
    "numbers": lambda n: [7] * n,
    "negative numbers": lambda n: [-7] * n,
    "decimals": lambda n: [Decimal("1.5")] * n,
    "powers": lambda n: [Decimal("1E+50")] * n,
    "texts": lambda n: ["abc"] * n,
    "texts that are not ASCII": lambda n: ["\u00e9"] * n,
    "one text": lambda n: "x" * n,
    "Booleans": lambda n: [True] * n,
    "Nones": lambda n: [None] * n,
    "bytes": lambda n: [b"ab"] * n,
    "one of each": lambda n: [1, "a", True, None, b"a", [], {}, {1}, {"a"}, {b"a"}] * (n // 10),
    "set of numbers": lambda n: set(range(n)),
    "set of texts": lambda n: {str(each) for each in range(n)},
    "set of bytes": lambda n: {str(each).encode() for each in range(n)},
    "small sets": lambda n: [{1}, {"a"}, {b"a"}] * (n // 3),
    "empty lists": lambda n: [[]] * n,
    "empty maps": lambda n: [{}] * n,
    "map": lambda n: {f"k{each}": each for each in range(n)},
    "maps": lambda n: [{"a": 1, "b": "x"}] * n,
    "deep lists": lambda n: [nested(25)] * (n // 25),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_check_costs_at_most_twice_a_write(shape: Callable[[int], Any]) -> None:
    """For each more value, a check takes at most twice the steps of writing it."""
    check: list[int] = []
    write: list[int] = []
    for n in (N, 2 * N):
        item = {"id": "x", "v": shape(n)}
        wire = to_attribute_map(item)
        write.append(steps(lambda item=item: to_attribute_map(item)))  # type: ignore[misc]
        check.append(steps(put(wire)))
    assert check[1] - check[0] <= 2 * (write[1] - write[0]) + 100


def test_values_are_checked_in_each_request() -> None:
    """A value that has changed is checked again in the next request."""
    item = {"id": {"S": "x"}, "meta": {"L": [{"NS": ["1", "2"]}] * 3000}}
    assert check_request("PutItem", {"TableName": "docs", "Item": item}) == ()
    item["meta"]["L"][7] = {"NS": []}  # type: ignore[index]
    (finding,) = check_request("PutItem", {"TableName": "docs", "Item": item})
    assert finding.where.parameter == "Item.meta[7]"


async def lines_between_turns(call: Awaitable[object]) -> tuple[int, int]:
    """The most lines of dynasafe that ran between two turns of the loop, and all of them."""
    loop = asyncio.get_running_loop()
    counted = Steps()
    longest = before = 0
    is_over = False

    def tick() -> None:
        nonlocal longest, before
        longest = max(longest, counted.lines - before)
        before = counted.lines
        if not is_over:
            loop.call_soon(tick)

    loop.call_soon(tick)
    try:
        with counted:
            await call
    finally:
        is_over = True
    await asyncio.sleep(0)
    return longest, counted.lines


@pytest.mark.parametrize("is_refused", [False, True], ids=["fine", "refused"])
@pytest.mark.parametrize(
    "value",
    [[7] * 12_000, [[{"a": 0.5}]] * 6_000, {f"k{each}": "x" for each in range(12_000)}],
    ids=["numbers", "deep", "keys"],
)
async def test_a_large_request_lets_others_run(value: Any, is_refused: bool) -> None:
    """A large request is checked, and read by the table in memory, beside the loop."""
    table = fake_table(Doc)
    # What is loaded and resolved once does not count.
    first = UpdateBuilder(Doc).set(Doc.more, [0] * 5000).set(Doc.names, {"a"})
    await table.update_item({"id": "first"}, first)
    check_request("PutItem", {"TableName": "docs", "Item": {"id": {"N": "x"}}})
    update = UpdateBuilder(Doc).set(Doc.more, value).set(Doc.names, {"a"})
    if is_refused:
        payload = update.expressions()["ExpressionAttributeValues"][":more"]
        wire = {"id": {"S": "x"}, "more": {"L": [payload, {"N": "x"}]}}
        call = fake_database(docs=Doc).call("PutItem", {"TableName": "docs", "Item": wire})

        async def refusal() -> None:
            with pytest.raises(InvalidRequestError):
                await call

        longest, _ = await lines_between_turns(refusal())
    else:
        longest, _ = await lines_between_turns(table.update_item({"id": "x"}, update))
    assert longest <= 20_000


async def test_a_large_body_over_a_connection() -> None:
    """A large body is written in steps and arrives whole."""
    received: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        received.append(json.loads(await reader.readexactly(length)))
        media = b"content-type: application/x-amz-json-1.0"
        writer.write(b"HTTP/1.1 200 OK\r\n" + media + b"\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await reader.read()  # until the client closes
        writer.close()
        await writer.wait_closed()
        is_closed.set()

    is_closed = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    turns = 0
    is_over = False

    def tick() -> None:
        nonlocal turns
        turns += 1
        if not is_over:
            asyncio.get_running_loop().call_soon(tick)

    keys = SimpleNamespace(access_key="a", secret_key="b", token=None)
    async with AsyncDynamoDB.connect(
        region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}", credentials=keys
    ) as db:
        tick()
        await db.table("docs", Doc).put_item(Doc(id="x", more=[1, "a"] * 20_000))
        is_over = True
    await is_closed.wait()
    server.close()
    await server.wait_closed()
    (body,) = received
    assert body["Item"]["more"]["L"] == [{"N": "1"}, {"S": "a"}] * 20_000
    assert turns > 100


def test_messages_are_short_and_printable() -> None:
    """Names from outside are escaped, cut and counted in messages, which are valid UTF-8."""
    names = ["\x1b[31m", "a\nb", "\ud800", "\u202e", *(f"n{each}" for each in range(100_000))]
    with pytest.raises(InvalidRequestError) as caught:
        UpdateBuilder(Doc).patch(dict.fromkeys(names, 1))
    for text in (str(caught.value), caught.value.public_message):
        text.encode()
        assert len(text) < 2000
        assert "and 99,994 more" in text
        assert not {"\x1b", "\ud800", "\u202e"} & set(text)
    assert "allow=" not in caught.value.public_message
