"""Syntax trees from expression text, with names and values if they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions.nodes import (
    ConditionNode,
    Expression,
    ExpressionKind,
    Projection,
    Update,
)
from dynasafe.expressions.reader import read_expression
from dynasafe.expressions.resolve import resolve


def parse_update(
    text: str,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> Update:
    """The tree of an update expression.

    Args:
        names: ExpressionAttributeNames.
        values: ExpressionAttributeValues. Without both, the tree keeps its placeholders.

    Raises:
        ExpressionSyntaxError: the text is not an update expression, with the place; or a
            placeholder in it is not defined.
    """
    return cast(Update, _parse("update", text, names, values))


def parse_condition(
    text: str,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> ConditionNode:
    """The tree of a condition or filter expression. As `parse_update`."""
    return cast(ConditionNode, _parse("condition", text, names, values))


def parse_key_condition(
    text: str,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> ConditionNode:
    """The tree of a key condition expression. As `parse_update`."""
    return cast(ConditionNode, _parse("key condition", text, names, values))


def parse_projection(text: str, names: Mapping[str, str] | None = None) -> Projection:
    """The tree of a projection expression. As `parse_update`."""
    return cast(Projection, _parse("projection", text, names, None))


def _parse(
    kind: ExpressionKind,
    text: str,
    names: Mapping[str, str] | None,
    values: Mapping[str, Mapping[str, Any]] | None,
) -> Expression:
    reading = read_expression(kind, text)
    for problem in reading.problems:
        raise ExpressionSyntaxError(problem.reason, text, problem.span, problem.fix)
    assert reading.node is not None
    if names is None and values is None:
        return reading.node
    try:
        return resolve(reading.node, text, names or {}, values or {})
    except RecursionError:
        raise ExpressionSyntaxError(
            "The expression is nested too deep for the stack that is left",
            text,
            (0, len(text)),
            "nest it less, or parse it from a function that is called less deep",
        ) from None
