"""Hostile input of kinds that no table has: nested unions, long names in caches, shared values."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, Literal, TypedDict, Union

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import InvalidPatchError
from dynasafe.expressions import parse
from tests.hostile.test_bounded_work import steps


class And(TypedDict):
    op: Literal["and"]
    left: Rule
    right: Rule


class Or(TypedDict):
    op: Literal["or"]
    left: Rule
    right: Rule


Rule = Union["And", "Or", str]


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    rule: Attr[And | Or | str] = attribute(default="")
    more: Attr[Any] = attribute(default=None)


def rule(depth: int) -> Any:
    """Nested with the tag at the end, where all else of a class is read before it."""
    made: Any = "x"
    for level in range(depth):
        made = {"left": made, "right": "y", "op": "or" if level % 2 else "and"}
    return made


def untagged(depth: int) -> Any:
    made: Any = "x"
    for _ in range(depth):
        made = {"left": made, "right": "y"}
    return made


def refused(depth: int) -> None:
    with pytest.raises(InvalidPatchError):
        UpdateBuilder(Doc).patch({"rule": untagged(depth)})


def wire(depth: int) -> Any:
    made: Any = {"S": "x"}
    for level in range(depth):
        op = {"S": "or" if level % 2 else "and"}
        made = {"M": {"op": op, "left": made, "right": {"S": "y"}}}
    return made


@pytest.mark.parametrize(
    "call",
    [
        lambda depth: UpdateBuilder(Doc).patch({"rule": rule(depth)}),
        refused,
        lambda depth: UpdateBuilder(Doc).set(Doc.rule, rule(depth)),
        lambda depth: Doc.from_dict({"id": "x", "rule": rule(depth)}),
        lambda depth: Doc.from_image({"id": {"S": "x"}, "rule": wire(depth)}),
    ],
    ids=["patch", "no tag", "set", "from_dict", "from_image"],
)
def test_nested_unions_are_linear(call: Callable[[int], object]) -> None:
    """Reading nested unions takes steps in proportion to their depth.

    Each level tried each member of the union once: 355 bytes took five seconds.
    """
    call(28)  # codecs are made at first use
    once, twice, four_times = (steps(lambda n=n: call(n)) for n in (7, 14, 28))  # type: ignore[misc]
    assert twice <= 2.3 * once
    assert four_times <= 2.3 * twice


def kept_bytes(call: Callable[[int], object], count: int) -> int:
    """What stays of so many calls, no two of which are alike."""
    call(0)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(1, count):
            call(number)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("call", "count"),
    [
        (
            lambda number: check_request(
                "PutItem",
                {"TableName": "docs", "Item": {"id": {"S": "x"}, f"{number:060000d}": {"S": "x"}}},
            ),
            400,
        ),
        (lambda number: parse("update", f"SET {'a' * 4000}{number} = :v"), 3000),
        (lambda number: UpdateBuilder().set(f"n{number:050000d}", 1).expressions(), 400),
        (lambda number: UpdateBuilder().set(f"n{number}", 1).expressions(), 4000),
    ],
    ids=["names of requests", "texts", "long names of updates", "names of updates"],
)
def test_caches_are_bounded_in_bytes(call: Callable[[int], object], count: int) -> None:
    """Caches keep less than 16 MB, whatever the names in requests.

    4,000 requests with names of 60 KB kept 1.5 GB once.
    """
    assert kept_bytes(call, count) < 16_000_000


def test_what_is_built_is_a_value_of_its_own() -> None:
    """A builder and a request do not change when their inputs, or another request, change."""
    given: dict[str, Any] = {"a": [1], "b": {"c": ["x"]}}
    condition = attr("more") == given
    builder = UpdateBuilder().set("more", given).condition(condition)
    given["a"].append(2)
    given["b"]["c"] = 0
    copy = builder.copy()
    first = builder.build_client(table_name="docs", key={"id": "x"})
    for value in first["ExpressionAttributeValues"].values():
        value["M"]["a"]["L"].clear()
    second = copy.build_client(table_name="docs", key={"id": "x"})
    expected = {"M": {"a": {"L": [{"N": "1"}]}, "b": {"M": {"c": {"L": [{"S": "x"}]}}}}}
    assert [*second["ExpressionAttributeValues"].values()] == [expected, expected]
    assert condition.matches({"more": {"a": [1], "b": {"c": ["x"]}}})


def test_a_long_name_is_a_placeholder() -> None:
    """A name that would make the expression too long is replaced by a placeholder."""
    params = UpdateBuilder().set("n" * 5000, 1).build_client(table_name="docs", key={"id": "x"})
    assert len(params["UpdateExpression"]) < 200
    assert check_request("UpdateItem", params) == ()


def test_many_operators_deep_in_a_stack() -> None:
    """A condition of 300 operators is evaluated where few stack frames are left."""
    condition = attr("a0") == 0
    for number in range(1, 300):
        condition = ~(condition & (attr(f"a{number}") == number))

    def below(frames: int) -> bool:
        return below(frames - 1) if frames else condition.matches({"a0": 0})

    assert below(sys.getrecursionlimit() - len_of_stack() - 120) in (True, False)


def test_values_that_hold_themselves() -> None:
    """Values that hold themselves are findings: they are nested too deep."""
    once: dict[str, Any] = {}
    once["L"] = [once]
    twice: dict[str, Any] = {}
    # The second time is further down: on each level there are a few more than on the last.
    below: dict[str, Any] = {"L": [twice, {"S": "x"}]}
    for _ in range(8):
        below = {"L": [below]}
    twice["M"] = {"a": twice, "b": below}
    put = {"TableName": "orders", "Item": {"pk": {"S": "x"}, "once": once, "twice": twice}}

    findings = check_request("PutItem", put)

    assert [finding.code for finding in findings] == ["DYS115", "DYS115"]


def len_of_stack() -> int:
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    return depth
