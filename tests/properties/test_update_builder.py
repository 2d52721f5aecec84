"""Whatever is built, its parameters are well-formed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynasafe import UpdateBuilder
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.expressions.reader import read_expression
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from tests.properties.update_strategies import PlainItem, true_conditions, updates

KEY = {"pk": "k"}


@st.composite
def requests(draw: st.DrawFn) -> tuple[PlainItem, UpdateBuilder, PlainItem]:
    item, builder, expected = draw(updates())
    for _ in range(draw(st.integers(0, 2))):
        builder.condition(draw(true_conditions(item)))
    return item, builder, expected


@given(requests())
def test_no_member_is_empty(request: Any) -> None:
    """No member of a built update is None or empty."""
    _, builder, _ = request
    for params in (
        builder.build(key=KEY),
        builder.build_client(table_name="t", key=KEY, return_values="ALL_NEW"),
    ):
        for name, member in params.items():
            assert member is not None, name
            assert member not in ("", {}, []), name
        for name in params.get("ExpressionAttributeNames", {}):
            assert name.startswith("#")
            assert params["ExpressionAttributeNames"][name]


@given(requests())
def test_placeholders_are_used_and_defined(request: Any) -> None:
    """A built update uses the placeholders that it defines, and no others."""
    _, builder, _ = request
    params = builder.build_client(table_name="t", key=KEY)

    names: set[str] = set()
    values: set[str] = set()
    for kind, member in (("update", "UpdateExpression"), ("condition", "ConditionExpression")):
        if member in params:
            reading = read_expression(kind, params[member])  # type: ignore[arg-type]
            assert reading.problems == ()
            names |= {
                element.text
                for path in reading.paths
                for element in path.elements
                if not isinstance(element, str | int)
            }
            values |= {value.text for value in reading.values}
    assert names == set(params.get("ExpressionAttributeNames", {}))
    assert values == set(params.get("ExpressionAttributeValues", {}))


@given(requests())
def test_both_forms_are_equal(request: Any) -> None:
    """The Table form and the client form of an update have the same members."""
    _, builder, _ = request
    plain = builder.build(key=KEY)
    wire = builder.build_client(table_name="t", key=KEY)

    assert {**plain, "TableName": "t"}.keys() == wire.keys()
    for member in plain:
        if member in ("Key", "ExpressionAttributeValues"):
            assert to_attribute_map(plain[member]) == wire[member]
            assert from_attribute_map(wire[member]) == plain[member]
        else:
            assert plain[member] == wire[member]


@given(requests())
def test_text_parses_to_the_tree(request: Any) -> None:
    """Parsing the text of a built update gives the builder's tree."""
    _, builder, _ = request
    params: Mapping[str, Any] = builder.build_client(table_name="t", key=KEY)
    names = params.get("ExpressionAttributeNames", {})
    values = params.get("ExpressionAttributeValues", {})

    assert parse_update(params["UpdateExpression"], names, values) == builder.update
    if builder.condition_node is not None:
        text = params["ConditionExpression"]
        assert parse_condition(text, names, values) == builder.condition_node


@given(requests())
def test_changed_copy_leaves_the_original(request: Any) -> None:
    """Changing a copy leaves the original as it was."""
    _, builder, _ = request
    before = builder.build(key=KEY)

    builder.copy().set("another attribute", 1)

    assert builder.build(key=KEY) == before


SCRIPT = """
from random import Random
from dynasafe import UpdateBuilder, attr

random = Random(1)
letters = "abcSTATUSname_1 .#:é🙂"


def name():
    return "".join(random.choices(letters, k=random.randint(1, 6)))


def value(depth=0):
    kind = random.randrange(6 if depth < 3 else 3)
    if kind == 0:
        return random.randrange(1000)
    if kind == 1:
        return name()
    if kind == 2:
        return {name() for _ in range(random.randint(1, 5))}
    if kind == 3:
        return [value(depth + 1) for _ in range(random.randrange(4))]
    if kind == 4:
        return {name(): value(depth + 1) for _ in range(random.randrange(4))}
    return {random.randrange(99) for _ in range(random.randint(1, 5))}


for number in range(500):
    update = UpdateBuilder()
    for each in {name(): 0 for _ in range(random.randint(1, 6))}:
        match random.randrange(4):
            case 0: update.remove(attr(name=each))
            case 1: update.increment(attr(name=each), 1)
            case 2: update.append(attr(name=each), [value()])
            case _: update.set(attr(name=each), value())
    update.condition(attr(name=name()).is_in([value(), value()]) | attr(name=name()).exists())
    print(update.build_client(table_name="t", key={"pk": name()}))
from dynasafe import UpdateBuilder, attr
update = (
    UpdateBuilder()
    .set("status", "x").set("b.c", {"z", "y", "x"}).add("tags", {b"2", b"1"}).remove("name")
    .increment("n", 1).append("l", [{"k": {3, 1, 2}}])
    .condition(attr("size").exists() & attr("d").is_in(["p", "q"]))
)
print(update.build_client(table_name="t", key={"pk": "k"}))
"""


def test_text_is_the_same_for_each_hash_seed() -> None:
    """An update has the same text in processes with different hash seeds."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "4294967295")
    }

    assert len(outputs) == 1
    assert "#status = :status" in outputs.pop()
