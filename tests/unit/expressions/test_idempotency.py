"""Which updates may be sent twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from dynasafe import UpdateBuilder, attr
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.items.conditions import ConditionLike
from tests.properties.update_strategies import ITEMS
from tests.support.people import Person

P = Person


def update() -> UpdateBuilder:
    return UpdateBuilder(Person)


@pytest.mark.parametrize(
    ("builder", "expected"),
    [
        (update().set(P.name, "x"), True),
        (update().remove(P.email), True),
        (update().add(P.tags, {"x"}), True),
        (update().delete(P.tags, {"x"}), True),
        (update().set_if_not_exists(P.name, "x"), True),
        (update().set(P.visits, P.version), True),
        (update().set(P.visits, P.version + 1), True),
        (update().set(P.scores[0], 3), False),  # another element may be the first by then
        (update().set(P.scores[1], 3), False),  # past the end it appends
        (UpdateBuilder().set("a[0].b", 3), False),
        (UpdateBuilder().remove("a[1].b"), False),
        (UpdateBuilder().add("a[1].b", {"x"}), False),
        (UpdateBuilder().set("a", attr("b[0]")), True),
        (update().remove(P.scores[0]), False),  # the next one moves up
        (update().add(P.visits, 1), False),
        (update().increment(P.visits, 1), False),
        (update().set(P.visits, P.visits + 1), False),
        (update().set(P.visits, P.visits.if_not_exists(0) - 1), False),
        (update().append(P.scores, [1]), False),
        (update().prepend(P.scores, [1]), False),
        (update().set(P.name, "x").increment(P.visits, 1), False),
        # Reading what the same update changes: the second time it reads the new value.
        (update().set(P.visits, P.version).set(P.version, 3), False),
        (update().set(P.visits, P.version).remove(P.version), False),
        (UpdateBuilder().set("a", attr("b.c")).set("b.d", 1), True),
        (UpdateBuilder().set("a", attr("b")).set("b.d", 1), False),
    ],
)
def test_idempotent_updates(builder: UpdateBuilder, expected: bool) -> None:
    """Which updates are idempotent and which are not."""
    assert builder.is_idempotent is expected


@pytest.mark.parametrize(
    ("change", "condition", "expected"),
    [
        (lambda b: b.set(P.visits, P.visits + 1), P.visits == 4, True),
        (lambda b: b.set(P.visits, P.visits - 1), P.visits == 4, True),
        (lambda b: b.add(P.visits, 1), P.visits == 4, True),
        (lambda b: b.increment(P.visits, 1), P.visits == 4, True),
        (lambda b: b.increment(P.visits, 1), (P.visits == 4) & (P.name == "x"), True),
        (lambda b: b.increment(P.visits, 1), (P.visits == 4) | (P.name == "x"), False),
        (lambda b: b.increment(P.visits, 0), P.visits == 4, False),
        (lambda b: b.increment(P.visits, 1), P.visits < 4, False),
        (lambda b: b.increment(P.visits, 1), ~(P.visits == 4), False),
        (lambda b: b.increment(P.visits, 1), P.version == 4, False),
        (lambda b: b.append(P.scores, [1]).set(P.version, 5), P.version == 4, True),
        (lambda b: b.append(P.scores, [1]).set(P.version, 4), P.version == 4, False),
        (lambda b: b.append(P.scores, [1]).set(P.name, "x"), P.name.not_exists(), True),
        (lambda b: b.append(P.scores, [1]).remove(P.email), P.email.exists(), True),
        (lambda b: b.append(P.scores, [1]).remove(P.email), P.email.not_exists(), False),
        (
            lambda b: b.append(P.scores, [1]).set(P.version, 1),
            P.version.not_exists() | (P.version == 0),
            True,
        ),
    ],
)
def test_condition_on_what_changes(
    change: Callable[[UpdateBuilder], Any], condition: ConditionLike, expected: bool
) -> None:
    """A condition on the attribute that changes can make an update safe to repeat."""
    builder = update()
    change(builder)
    builder.condition(condition)

    assert builder.is_idempotent is expected


ONE = {"N": "1"}
SAME_ONE = {"N": "1.0"}


@pytest.mark.parametrize(
    ("text", "condition", "values", "expected"),
    [
        # What was found on DynamoDB Local: elements move.
        ("REMOVE l[0]", "attribute_exists(l[0])", {}, False),
        ("SET l[5] = :v", "attribute_not_exists(l[5])", {":v": ONE}, False),
        ("REMOVE l[1].b, l[0]", "attribute_exists(l[1].b)", {}, False),
        ("REMOVE l[0], m", "attribute_exists(m)", {}, True),
        # One value in two spellings.
        ("SET a = :v, n = n + :o", "a = :w", {":v": SAME_ONE, ":w": ONE, ":o": ONE}, False),
        ("SET a = :v, n = n + :o", ":w = a", {":v": SAME_ONE, ":w": ONE, ":o": ONE}, False),
        (
            "SET a = :v, n = n + :o",
            "a = :w",
            {":v": {"SS": ["b", "a"]}, ":w": {"SS": ["a", "b"]}, ":o": ONE},
            False,
        ),
        ("SET a = :v, n = n + :o", "a = :w", {":v": {"S": "1"}, ":w": ONE, ":o": ONE}, True),
        ("SET a = :v, n = n + :o", "a <> :w", {":v": SAME_ONE, ":w": ONE, ":o": ONE}, True),
        ("SET a = :v, n = n + :o", "a <> :w", {":v": {"N": "2"}, ":w": ONE, ":o": ONE}, False),
        ("SET a = :v, n = n + :o", "NOT a = :v", {":v": ONE, ":o": ONE}, True),
        ("SET a = :v, n = n + :o", "a IN (:w, :o)", {":v": {"N": "2"}, ":w": ONE, ":o": ONE}, True),
        ("SET a = :v, n = n + :o", "a IN (:w, b)", {":v": {"N": "2"}, ":w": ONE, ":o": ONE}, False),
        (
            "SET a = :v, n = n + :o",
            "attribute_type(a, :t)",
            {":v": ONE, ":o": ONE, ":t": {"S": "S"}},
            True,
        ),
        (
            "SET a = :v, n = n + :o",
            "attribute_type(a, :t)",
            {":v": ONE, ":o": ONE, ":t": {"S": "N"}},
            False,
        ),
        ("REMOVE a SET n = n + :o", "a = b OR attribute_exists(a)", {":o": ONE}, False),
        ("REMOVE a SET n = n + :o", "a = :o OR attribute_exists(a)", {":o": ONE}, True),
        # The number before is one of two, so that the number after may be the other.
        ("SET n = n + :o", "n = :o OR n = :w", {":o": ONE, ":w": {"N": "2"}}, False),
        ("SET n = n + :o", "n = :o AND b = :w", {":o": ONE, ":w": {"N": "2"}}, True),
        ("SET n = :o - n", "n = :w", {":o": ONE, ":w": {"N": "0.5"}}, False),
        ("ADD n :o", "n = :w", {":o": {"N": "0.0"}, ":w": ONE}, False),
        ("ADD n :o", "n = :w", {":o": {"N": "1E-130"}, ":w": ONE}, True),
        # Malformed values prove nothing.
        ("ADD n :o", "n = :w", {":o": {"N": "x"}, ":w": ONE}, False),
        ("SET a = :v, n = n + :o", "a = :w", {":v": {"N": "x"}, ":w": ONE, ":o": ONE}, False),
        ("SET a = :v, n = n + :o", "a = :w", {":v": {}, ":w": {}, ":o": ONE}, False),
    ],
)
def test_condition_that_success_makes_false(
    text: str, condition: str, values: Any, expected: bool
) -> None:
    """Values count, not their spelling; paths that move prove nothing."""
    update_node = parse_update(text, {}, values)
    assert is_idempotent(update_node, parse_condition(condition, {}, values)) is expected


def test_deep_conditions_need_no_stack() -> None:
    """As many operators as an expression may have, one within the other."""
    node: Any = attr("a") == 1
    for level in range(300):
        node = ~(node & (attr("b") == level)) if level % 2 else node | (attr("c") == level)
    builder = UpdateBuilder().increment("n", 1).set("a", 2).condition(node)

    def at_depth(levels: int) -> bool:
        return at_depth(levels - 1) if levels else builder.is_idempotent or node.matches({"a": 1})

    assert at_depth(800) in (True, False)


@given(ITEMS)
def test_literals_are_idempotent(item: Any) -> None:
    """An update that only sets literals is idempotent."""
    builder = UpdateBuilder()
    for name, value in item.items():
        builder.set(attr(name=name), value)

    assert builder.is_idempotent
