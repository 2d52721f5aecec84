"""Which updates may be sent twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from dynasafe import UpdateBuilder, attr
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
        (update().set(P.scores[0], 3), True),
        (update().set(P.scores[1], 3), False),  # past the end it appends
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
def test_given_an_update_then_it_is_idempotent_or_not(
    builder: UpdateBuilder, expected: bool
) -> None:
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
def test_given_a_condition_on_what_changes_then_it_may_be_repeated(
    change: Callable[[UpdateBuilder], Any], condition: ConditionLike, expected: bool
) -> None:
    builder = update()
    change(builder)
    builder.condition(condition)

    assert builder.is_idempotent is expected


@given(ITEMS)
def test_given_only_literals_then_it_is_idempotent(item: Any) -> None:
    builder = UpdateBuilder()
    for name, value in item.items():
        builder.set(attr(name=name), value)

    assert builder.is_idempotent
