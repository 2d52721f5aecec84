"""Hostile texts of expressions: however deep or long, they are read in linearly many steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions import ExpressionKind
from dynasafe.expressions.reader import read_expression
from dynasafe.expressions.tokens import _PARTS
from dynasafe.limits import MAX_EXPRESSION_BYTES
from tests.support.steps import Steps


@pytest.mark.parametrize("depth", [100_000])
@pytest.mark.parametrize(
    "text",
    ["{o}a = :v{c}", "{o}a", "{o}", "{f}a{c}", "{n}a = :v", "a = {o}:v{c}", "{o}a = :v", "a{i}"],
)
def test_any_depth_is_read(text: str, depth: int) -> None:
    """A text of any depth is read, or refused with its place."""
    built = text.format(
        o="(" * depth, c=")" * depth, f="size(" * depth, n="NOT " * depth, i="[0]" * depth
    )
    try:
        reading = read_expression("condition", built)
    except ExpressionSyntaxError as error:
        start, end = error.span
        assert 0 <= start <= end <= len(built)
    else:
        assert reading.problems


def steps_to_read(kind: ExpressionKind, text: str) -> int:
    with Steps() as counted, suppress(ExpressionSyntaxError):
        read_expression(kind, text)
    return counted.lines


HOSTILE: dict[str, tuple[ExpressionKind, Callable[[int], str]]] = {
    "open brackets": ("condition", lambda n: "(" * n),
    "brackets around a condition": ("condition", lambda n: "(" * n + "a = :v" + ")" * n),
    "brackets around an operand": ("condition", lambda n: "(" * n + "a" + ")" * n + " = :v"),
    "brackets around each operand": ("condition", lambda n: "((a)) = ((:v)) AND " * n + "a = :v"),
    "brackets that close too often": ("condition", lambda n: "a = :v" + ")" * n),
    "functions in functions": ("condition", lambda n: "size(" * n + "a" + ")" * n),
    "functions in brackets": ("condition", lambda n: "(" * n + "size(a)" + ")" * n + " > :v"),
    "functions with many arguments": ("condition", lambda n: "contains(a" + ", :v" * n + ")"),
    "functions that do not exist": ("condition", lambda n: "f(a) = :v OR " * n + "a = :v"),
    "NOT of NOT": ("condition", lambda n: "NOT " * n + "a = :v"),
    "AND and OR in turns": ("condition", lambda n: "a = :v AND a = :v OR " * n + "a = :v"),
    "conditions to the right": ("condition", lambda n: "a = :v AND (" * n + "a = :v" + ")" * n),
    "conditions to the left": ("condition", lambda n: "(" * n + "a = :v" + " OR a = :v)" * n),
    "choices of IN": ("condition", lambda n: "a IN (:v" + ", :v" * n + ")"),
    "BETWEEN": ("condition", lambda n: "a BETWEEN :v AND :w AND " * n + "a = :v"),
    "a deep path": ("condition", lambda n: "a" + ".a[0]" * n + " = :v"),
    "a long name": ("condition", lambda n: "a" * n + " = :v"),
    "a long number": ("condition", lambda n: "a[" + "1" * n + "] = :v"),
    "marks that mean nothing": ("condition", lambda n: "?" * n),
    "space": ("condition", lambda n: " \t\r\n" * n),
    "sums in brackets": ("update", lambda n: "SET a = " + "(" * n + ":v + :w" + ")" * n),
    "a sum of many": ("update", lambda n: "SET a = :v" + " + :v" * n),
    "clauses that come again": ("update", lambda n: "SET a = :v " * n),
    "many actions": ("update", lambda n: "SET a = :v" + ", a = :v + :w" * n),
    "defaults in defaults": ("update", lambda n: "SET a = " + "if_not_exists(a, " * n + ":v"),
    "lists in lists": (
        "update",
        lambda n: "SET a = " + "list_append(" * n + ":v" + ", :w)" * n,
    ),
    "a long projection": ("projection", lambda n: "a" + ", a.b" * n),
    "commas": ("projection", lambda n: "a" + "," * n),
}


@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_take_linear_steps(kind: ExpressionKind, make: Callable[[int], str]) -> None:
    """Reading a hostile text twice as long takes at most twice as many steps."""
    # Longer than what is kept of texts that were read before.
    n = MAX_EXPRESSION_BYTES // (len(make(2)) - len(make(1))) + 1
    texts = [make(times * n) for times in (1, 2, 4)]
    once, twice, four_times = (steps_to_read(kind, text) for text in texts)

    assert twice <= 2 * once
    assert four_times <= 4 * once
    assert once <= 100 * len(texts[0])


@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_scanned_once(kind: ExpressionKind, make: Callable[[int], str]) -> None:
    """Each token of a hostile text starts where the one before it ended."""
    # The steps of a regular expression cannot be counted; but each match starts where the one
    # before it ended.
    text = make(100)

    assert "".join(_PARTS.findall(text)) == text


def test_nested_loops_are_noticed() -> None:
    """The step counter notices a loop inside a loop."""

    def pairs(n: int) -> int:
        with Steps(__file__) as counted:
            for _ in range(n):
                sum(1 for _ in range(n))
        return counted.lines

    assert pairs(200) > 3 * pairs(100)
