"""DynamoDB's expressions: text to a syntax tree, and back.

It is a law that `parse(kind, *format(node)) == node`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dynasafe.expressions.nodes import Expression, ExpressionKind

__all__ = ["ExpressionKind", "format", "parse"]


def parse(
    kind: ExpressionKind,
    text: str,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> Expression:
    """The syntax tree of an expression. A filter is a condition.

    Args:
        names: ExpressionAttributeNames.
        values: ExpressionAttributeValues. Without both, the tree keeps its placeholders.

    Raises:
        ExpressionSyntaxError: the text is no such expression, with the place; or a placeholder in
            it is not defined.
        InvalidValueError: the kind is not known.
    """
    from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
    from dynasafe.expressions import parser

    if not isinstance(text, str):
        raise UnsupportedTypeError("text", f"a str is expected, not {type(text).__name__}")
    for argument, given in (("names", names), ("values", values)):
        if given is not None and not isinstance(given, Mapping):
            expected = f"a mapping is expected, not {type(given).__name__}"
            raise UnsupportedTypeError(argument, expected)
    match kind if isinstance(kind, str) else None:
        case "condition":
            return parser.parse_condition(text, names, values)
        case "key condition":
            return parser.parse_key_condition(text, names, values)
        case "update":
            return parser.parse_update(text, names, values)
        case "projection":
            return parser.parse_projection(text, names)
    raise ValueOutOfRangeError(
        "kind", 'one of "condition", "key condition", "projection", "update" is expected'
    )


def format(
    node: Expression, *, escape: Literal["auto", "always"] = "auto"
) -> tuple[str, Mapping[str, str], Mapping[str, Mapping[str, Any]]]:
    """The text of an expression with its ExpressionAttributeNames and ExpressionAttributeValues.

    Args:
        escape: "auto" aliases the names that need it, "always" aliases all.
    """
    from dynasafe.expressions.render import render

    rendered = render(node, escape=escape)
    return rendered.text, rendered.names, rendered.values
