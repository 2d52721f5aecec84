"""Each public entry point, given each hostile kind of value: steps and memory stay in proportion.

`test_bounded_work.py` has what is hostile in its own way: expressions, paths, names, many findings.
Here is the table of all kinds of values and all entry points.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute, check_request, require_valid
from dynasafe.calls.handwritten import handwritten
from dynasafe.errors import DynasafeError
from dynasafe.expressions import parse
from dynasafe.items.item import decode_item, encode_item
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from tests.hostile.test_bounded_work import attempt, guarded_client, steps


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    more: Attr[Any] = attribute(default=None)


def deep(n: int) -> Any:
    """Lists in lists, as deep as they may be, beside each other."""
    value: Any = 1
    for _ in range(28):
        value = [value]
    return [value] * (n // 28)


def wide_and_deep(n: int) -> Any:
    """At each level most of what there is stands one level below."""
    value: Any = [0] * n
    for _ in range(24):
        value = [*([1] * 17), value]
    return value


KINDS: dict[str, Callable[[int], Any]] = {
    "a long text": lambda n: "x" * (8 * n),
    "a long text that is not ASCII": lambda n: "\u4e2d" * (8 * n),
    "a text without UTF-8": lambda n: "x" * n + "\ud800",
    "numbers": lambda n: [7] * n,
    "numbers alike and one other": lambda n: [*([7] * n), "x"],
    "fractions": lambda n: [0.5] * n,
    "small fractions": lambda n: [1e-50] * n,
    "Decimals": lambda n: [Decimal("1E+50")] * n,
    "not a number at the end": lambda n: [*([0.5] * n), float("nan")],
    "many digits": lambda n: 10 ** (8 * n) - 1,
    "truth values": lambda n: [True, False] * (n // 2),
    "Nones": lambda n: [None] * n,
    "mixed": lambda n: [1, "a", True, None, 0.5, {}, []] * (n // 7),
    "empty lists": lambda n: [[]] * n,
    "empty maps": lambda n: [{}] * n,
    "small lists": lambda n: [[1]] * n,
    "small maps": lambda n: [{"a": 1}] * n,
    "deep": deep,
    "wide and deep": wide_and_deep,
    "wide and deep, with an error": lambda n: [wide_and_deep(n), object()],
    "many keys": lambda n: {f"k{each}": each for each in range(n)},
    "odd keys": lambda n: {chr(0x4E00 + each % 20_000) * 2: 1 for each in range(n)},
    "a long key over a list": lambda n: {"k" * n: [0] * n},
    "a long key over an error": lambda n: {"k" * n: [*([0] * n), object()]},
    "texts": lambda n: ["abc"] * n,
    "bytes": lambda n: [b"abc"] * n,
    "a set of texts": lambda n: {f"t{each}" for each in range(n)},
    "a set of numbers": lambda n: set(range(n)),
    "a set of two types": lambda n: {*range(n), "x"},
    "objects": lambda n: [object()] * n,
}


def wire(value: Any) -> Any:
    """The value in wire form, also one that cannot be stored."""
    if isinstance(value, dict):
        return {"M": {name: wire(each) for name, each in value.items()}}
    if isinstance(value, list):
        return {"L": [wire(each) for each in value]}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, set):
        return {"NS": [str(each) for each in value]}
    if isinstance(value, bytes):
        return {"B": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int) and value >= 10**300:
        return {"N": "9" * (value.bit_length() // 4)}
    return {"N": str(value)} if isinstance(value, int | float | Decimal) else {"N": "x"}


def said(call: Callable[[], object]) -> object:
    """The words of what a call raises."""
    try:
        return call()
    except DynasafeError as error:
        return str(error), repr(error), error.public_message


def put(value: Any, form: Any = None) -> Any:
    params = {"TableName": "docs", "Item": {"id": {"S": "x"}, "more": value}}
    return check_request("PutItem", params, schema=Doc, form=form)


def update(value: Any) -> Any:
    return {
        "TableName": "docs",
        "Key": {"id": {"S": "x"}},
        "UpdateExpression": "SET more = :v",
        "ConditionExpression": "more <> :v",
        "ExpressionAttributeValues": {":v": value},
    }


def built(builder: UpdateBuilder[Any]) -> object:
    return builder.build_client(table_name="docs", key={"id": "x"})


FROM_PYTHON: dict[str, Callable[[Any], Callable[[], object]]] = {
    "set": lambda value: lambda: built(UpdateBuilder().set("more", value)),
    "set of a class": lambda value: lambda: built(UpdateBuilder(Doc).set(Doc.more, value)),
    "append": lambda value: lambda: built(UpdateBuilder().append("more", [value])),
    "patch": lambda value: lambda: built(UpdateBuilder(Doc).patch({"more": value})),
    "from_patch": lambda value: (
        lambda: built(UpdateBuilder.from_patch({"more": value}, allow={"more"}))
    ),
    "condition": lambda value: (
        lambda: built(UpdateBuilder().set("a", 1).condition(attr("more") == value))
    ),
    "build for a Table": lambda value: (
        lambda: UpdateBuilder().set("more", value).build(key={"id": "x"})
    ),
    "from_dict": lambda value: lambda: Doc.from_dict({"id": "x", "more": value}),
    "an item": lambda value: lambda: encode_item(Doc(id="x", more=value)),
    "to_dict": lambda value: lambda: Doc(id="x", more=value).to_dict(mode="json"),
    "values": lambda value: lambda: to_attribute_map({"more": value}),
    "apply": lambda value: lambda: UpdateBuilder().set("more", value).apply({"id": "x"}),
    "check, a Table's form": lambda value: (
        lambda: check_request("PutItem", {"Item": {"id": "x", "more": value}}, form="resource")
    ),
}
FROM_WIRE: dict[str, Callable[[Any], Callable[[], object]]] = {
    "check a put": lambda value: lambda: put(value),
    "check a put, as it is sent": lambda value: lambda: put(value, "wire"),
    "check an update": lambda value: lambda: check_request("UpdateItem", update(value)),
    "check a batch": lambda value: (
        lambda: check_request(
            "BatchWriteItem",
            {"RequestItems": {"docs": [{"PutRequest": {"Item": {"id": value, "more": value}}}]}},
        )
    ),
    "check a transaction": lambda value: (
        lambda: check_request("TransactWriteItems", {"TransactItems": [{"Update": update(value)}]})
    ),
    "call": lambda value: lambda: handwritten("UpdateItem", update(value), token="t"),
    "guard": lambda value: (
        lambda: guarded_client().put_item(
            TableName="docs", Item={"id": {"S": "x"}, "more": value, "wrong": {"N": "x"}}
        )
    ),
    "read": lambda value: lambda: from_attribute_map({"more": value}),
    "decode": lambda value: lambda: decode_item(Doc, {"id": {"S": "x"}, "more": value}),
    "from_image": lambda value: lambda: Doc.from_image({"id": {"S": "x"}, "other": value}),
    "parse": lambda value: lambda: parse("update", "SET more = :v", values={":v": value}),
    "words of an error": lambda value: (
        lambda: said(
            lambda: require_valid(
                "PutItem", {"TableName": "docs", "Item": {"id": {"N": "x"}, "more": value}}
            )
        )
    ),
}
ENTRIES = {**FROM_PYTHON, **FROM_WIRE}


def call_of(entry: str, kind: str, n: int) -> Callable[[], object]:
    value = KINDS[kind](n)
    return ENTRIES[entry](wire(value) if entry in FROM_WIRE else value)


@pytest.mark.parametrize("entry", ENTRIES)
def test_steps_are_linear(entry: str) -> None:
    """Of each kind, twice the input takes at most about twice the steps."""
    for kind in KINDS:
        attempt(call_of(entry, kind, 56))  # imports and caches of classes
        once, twice, four_times = (steps(call_of(entry, kind, n)) for n in (56, 112, 224))
        assert twice <= 2.3 * once + 300, kind
        assert four_times <= 2.3 * twice + 300, kind


def size_bytes(part: Any) -> int:
    """What the objects of a request take."""
    if isinstance(part, dict):
        return sys.getsizeof(part) + sum(size_bytes(x) + size_bytes(y) for x, y in part.items())
    if isinstance(part, list | set):
        return sys.getsizeof(part) + sum(map(size_bytes, part))
    return sys.getsizeof(part)


LARGE: dict[str, Callable[[], Any]] = {
    "some of each": lambda: [
        KINDS[kind](1_500) for kind in ("numbers", "mixed", "small maps", "deep", "many keys")
    ],
    "an error": lambda: KINDS["a long key over an error"](4_000),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_memory(entry: str) -> None:
    """The peak of memory is at most twice the request as Python objects, plus 10 MB."""
    attempt(call_of(entry, "mixed", 84))
    for kind, made in LARGE.items():
        value = made()
        request = wire(value)
        most = 2 * size_bytes(request) + 10_000_000
        call = ENTRIES[entry](request if entry in FROM_WIRE else value)
        gc.collect()
        tracemalloc.start()
        try:
            attempt(call)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak_bytes <= most, kind
