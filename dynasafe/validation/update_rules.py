"""Rules about the result of an update, from its own values: number ranges and item size.

Sources: "Constraints in Amazon DynamoDB"; "Quotas in Amazon DynamoDB"; the words are the service's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Context, Inexact
from typing import Any

from dynasafe.expressions.nodes import (
    AddAction,
    Arithmetic,
    ListAppend,
    Operand,
    SetAction,
    Update,
    ValuePlaceholder,
)
from dynasafe.limits import (
    MAX_ITEM_BYTES,
    MAX_NUMBER_DIGITS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)
from dynasafe.validation.expression_rules import Expressions
from dynasafe.validation.report import Report
from dynasafe.validation.value_rules import named_size_bytes, sort_key, wire_value


def check_sums(expressions: Expressions, report: Report) -> None:
    """Sums and differences of two literals can be stored."""
    for action in _actions(expressions):
        value = action.value
        if not isinstance(value, Arithmetic):
            continue
        terms = [expressions.wire(value.left), expressions.wire(value.right)]
        literals = [each for each in terms if each is not None and each[0] == "N"]
        if len(literals) < len(terms):
            continue
        # Any: the type of its flags is declared wrongly, which compiled code would refuse.
        context: Any = Context(
            prec=MAX_NUMBER_DIGITS,
            Emax=MAX_NUMBER_MAGNITUDE,
            Emin=MIN_NUMBER_MAGNITUDE,
            traps=[],
        )
        do = context.add if value.operator == "+" else context.subtract
        if not do(*map(sort_key, literals)).is_finite() or context.flags[Inexact]:
            report.add(
                "DYS119",
                "Number overflow. Attempting to store a number with magnitude larger than "
                "supported range",
                "UpdateExpression",
                f"the result has to fit {MAX_NUMBER_DIGITS} digits, and stay below 1E+126",
                text=expressions.texts["UpdateExpression"],
                span=value.span,
            )


def check_update_size(params: Mapping[str, Any], expressions: Expressions, report: Report) -> None:
    """An item with the key and the written values must not be too large.

    The values are fine.
    """
    size_bytes = named_size_bytes(params.get("Key", {}), report)
    for action in _actions(expressions):
        elements = expressions.elements(action.path)
        name_bytes = len(str(elements[-1]).encode(errors="replace")) if elements else 0
        size_bytes += name_bytes + _size_bytes(action.value, expressions)
    for name, update in params.get("AttributeUpdates", {}).items():
        if update.get("Action", "PUT") != "DELETE" and "Value" in update:
            size_bytes += len(name.encode(errors="replace"))
            size_bytes += wire_value(update["Value"], report).size_bytes
    if size_bytes > MAX_ITEM_BYTES:
        report.add(
            "DYS135",
            "Item size to update has exceeded the maximum allowed size",
            "UpdateExpression" if "UpdateExpression" in params else "AttributeUpdates",
            "keep items to 400 KB: split it, or keep large values elsewhere",
            cancels=True,
        )


def _actions(expressions: Expressions) -> Iterator[SetAction | AddAction]:
    update = expressions.nodes.get("UpdateExpression")
    if isinstance(update, Update):
        yield from update.set
        yield from update.add


def _size_bytes(operand: Operand, expressions: Expressions) -> int:
    """The least number of bytes that the update stores."""
    if isinstance(operand, ListAppend):
        return _size_bytes(operand.left, expressions) + _size_bytes(operand.right, expressions)
    if not isinstance(operand, ValuePlaceholder):
        return 0
    known = expressions.wire_values.get(operand.text)
    return 0 if known is None else known.size_bytes
