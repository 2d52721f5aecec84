"""Long conversions give other threads their turn, whatever the shape of the value.

Turns are counted, without a clock. Compiled code would keep the interpreter's lock without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attribute, check_request
from dynasafe.errors import InvalidValueError, StoredValueError
from dynasafe.values import work
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from dynasafe.values.whole_items import decode_item, encode_item
from dynasafe.values.wire import copied
from dynasafe.values.work import OF_A_TURN
from tests.hostile.test_bounded_work import nested

COUNT = 20 * OF_A_TURN


class Color(Enum):
    RED = "r"


@dataclass
class Small:
    a: int


class Inner(Item):
    a: Attr[int] = attribute()


class Tree(Item):
    parts: Attr[list[list[list[int]]]] = attribute()


SHAPES: dict[str, tuple[Any, Callable[[], Any], Callable[[], Any] | None]] = {
    "texts": (list[str], lambda: ["x"] * COUNT, None),
    "not ASCII": (list[str], lambda: ["\u00e9"] * COUNT, None),
    "numbers": (list[int], lambda: [7] * COUNT, None),
    "fractions": (list[float], lambda: [0.5] * COUNT, None),
    "Decimals": (
        list[Decimal],
        lambda: [Decimal("0.5")] * COUNT,
        lambda: ["0.5"] * COUNT,
    ),
    "dates": (list[date], lambda: [date(2030, 1, 1)] * COUNT, lambda: ["2030-01-01"] * COUNT),
    "enums": (list[Color], lambda: [Color.RED] * COUNT, lambda: ["r"] * COUNT),
    "text or number": (list[str | int], lambda: ["x", 7] * (COUNT // 2), None),
    "a set of texts": (set[str], lambda: {f"{each}" for each in range(COUNT)}, None),
    "a set of Decimals": (set[Decimal], lambda: {Decimal(each) / 8 for each in range(COUNT)}, None),
    "a set of binaries": (
        set[bytes],
        lambda: {each.to_bytes(3, "big") for each in range(COUNT)},
        None,
    ),
    "small sets": (list[set[int]], lambda: [{7}] * COUNT, lambda: [[7]] * COUNT),
    "lists in lists": (
        list[list[list[int]]],
        lambda: [[[1] * 16] * 16] * (COUNT // 256),
        None,
    ),
    "a map": (dict[str, int], lambda: {f"{each}": each for each in range(COUNT)}, None),
    "maps": (list[dict[str, int]], lambda: [{"a": 1, "b": 2}] * (COUNT // 2), None),
    "dataclasses": (list[Small], lambda: [Small(1)] * COUNT, lambda: [{"a": 1}] * COUNT),
    "items": (list[Inner], lambda: [Inner(a=1)] * COUNT, lambda: [{"a": 1}] * COUNT),
    "any": (Any, lambda: [1, "a", True, None, 0.5, {}, [], b""] * (COUNT // 8), None),
    "any, deep": (Any, lambda: [nested(20)] * (COUNT // 20), None),
    "any map": (Any, lambda: {f"{each}": [each] for each in range(COUNT // 2)}, None),
    "any set": (Any, lambda: {each + 0.5 for each in range(COUNT)}, None),
}


SORTED_AT_ONCE = ("a set of texts", "a set of binaries")


@contextmanager
def counted_turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """One entry for each turn that other threads are given."""
    turns: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(work, "let_others_run", lambda: turns.append(1))
        yield turns


def shaped(annotation: Any) -> Any:
    """An Item class with one attribute of the type."""
    body = {
        "__annotations__": {"id": Attr[str], "more": Attr[annotation]},
        "__module__": __name__,
        "id": attribute(key="partition"),
    }
    return type("Shaped", (Item,), body)


@pytest.mark.parametrize("shape", SHAPES)
def test_conversions_give_turns(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patching, writing and reading give a turn for each thousand values or so.

    Python's own functions sort a set of texts or binaries, which takes no long.
    """
    annotation, value, json_form = SHAPES[shape]
    item_class = shaped(annotation)
    item = item_class(id="1", more=value())
    stored = encode_item(item)
    patch = {"more": (json_form or value)()}
    ways: list[Callable[[], Any]] = [
        lambda: UpdateBuilder(item_class).patch(patch),
        lambda: encode_item(item),
        lambda: decode_item(item_class, stored),
    ]
    for way in ways:
        with counted_turns(monkeypatch) as turns:
            way()
        assert len(turns) >= (1 if shape in SORTED_AT_ONCE else COUNT // OF_A_TURN // 2)
    assert decode_item(item_class, stored) == item


@pytest.mark.parametrize("shape", [each for each in SHAPES if each.startswith("any")])
def test_plain_conversions_give_turns(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So do conversions without a class, copies, and checks."""
    _, value, _ = SHAPES[shape]
    plain = {"id": "1", "more": value()}
    stored = to_attribute_map(plain)
    with counted_turns(monkeypatch) as turns:
        to_attribute_map(plain)
    assert len(turns) >= COUNT // OF_A_TURN // 2
    with counted_turns(monkeypatch) as turns:
        assert from_attribute_map(stored) == plain
    assert len(turns) >= COUNT // OF_A_TURN // 2
    with counted_turns(monkeypatch) as turns:
        copied({"M": stored})
        check_request("PutItem", {"TableName": "docs", "Item": stored})
    assert turns


def test_refused_values_give_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that looks at each value gives turns too."""
    item = {"id": {"S": "1"}, "more": {"L": [{"L": [{"N": "x"}]}] * COUNT}}
    with counted_turns(monkeypatch) as turns:
        assert check_request("PutItem", {"TableName": "docs", "Item": item})
    assert len(turns) >= COUNT // OF_A_TURN // 2


def test_errors_have_the_whole_index() -> None:
    """What is wrong far inside a long list or map is named by its own place."""
    place = 3 * OF_A_TURN + 5

    class Doc(Item):
        id: Attr[str] = attribute(key="partition")
        numbers: Attr[list[int]] = attribute(default_factory=list)
        by_name: Attr[dict[str, int]] = attribute(default_factory=dict)
        more: Attr[Any] = attribute(default=None)

    wrong: list[Any] = [7] * (4 * OF_A_TURN)
    wrong[place] = object()
    stored = encode_item(Doc(id="1", numbers=[7] * len(wrong), more=[7] * len(wrong)))
    stored["numbers"]["L"][place] = {"S": "x"}
    named = {f"k{each}": each for each in wrong}
    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: encode_item(Doc(id="1", numbers=wrong)), f"numbers[{place}]"),
        (lambda: encode_item(Doc(id="1", more=wrong)), f"more[{place}]"),
        (lambda: encode_item(Doc(id="1", more=[wrong])), f"more[0][{place}]"),
        (lambda: UpdateBuilder(Doc).set(Doc.numbers, wrong), f"numbers[{place}]"),
        (lambda: Doc.from_dict({"id": "1", "numbers": wrong}), f"numbers[{place}]"),
        (lambda: decode_item(Doc, stored), f"numbers[{place}]"),
        (lambda: from_attribute_map({"a": {"L": [{"S": ""}] * place + [{}]}}), f"a[{place}]"),
        (lambda: to_attribute_map({"a": named}), "a.kobject"),
    ]
    named["kobject"] = object()
    del named[next(name for name, each in named.items() if type(each) is object)]
    for refused, path in refusals:
        with pytest.raises((InvalidValueError, StoredValueError)) as caught:
            refused()
        assert caught.value.path == path
