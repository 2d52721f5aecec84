"""Conditions: what must hold for a write, or select an item in a query or scan.

Source: "Condition and filter expressions, operators, and functions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Protocol, runtime_checkable

from dynasafe.errors import UnsupportedTypeError
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.expressions.evaluate import attributes_of, holds
from dynasafe.expressions.nodes import (
    Between,
    Comparison,
    ConditionNode,
    Function,
    In,
    Not,
    Operand,
    Path,
    Size,
    Value,
    conjunction,
    disjunction,
)
from dynasafe.values.convert import to_attribute_value


class Condition:
    """A condition as a value: `&`, `|` and `~` make new ones."""

    __slots__ = ("node",)

    def __init__(self, node: ConditionNode) -> None:
        self.node: ConditionNode = node

    def __and__(self, other: ConditionLike) -> Condition:
        return Condition(conjunction(self.node, condition_node(other)))

    def __rand__(self, other: ConditionLike) -> Condition:
        return Condition(conjunction(condition_node(other), self.node))

    def __or__(self, other: ConditionLike) -> Condition:
        return Condition(disjunction(self.node, condition_node(other)))

    def __ror__(self, other: ConditionLike) -> Condition:
        return Condition(disjunction(condition_node(other), self.node))

    def __invert__(self) -> Condition:
        # NOT NOT x is x; so is the node that `~` was applied to.
        node = self.node
        return Condition(node.term if isinstance(node, Not) else Not(node))

    def matches(self, item: object) -> bool:
        """Whether the condition holds for the item, as DynamoDB has it; nothing is sent.

        Args:
            item: the whole item, an instance of an Item class or a mapping of Python values by
                stored name; None for one that is not there, as `get_item` has it.

        Raises:
            InvalidValueError: it is none of these, or DynamoDB cannot store a value of it.
        """
        return holds(self.node, attributes_of(item))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "A condition is neither true nor false in Python: only DynamoDB decides it, when the "
            "request runs. Fix: write `a & b`, `a | b` or `~a` instead of `a and b`, `a or b` or "
            "`not a`, with each comparison in brackets, and split `a < x < b` into two or use "
            ".between(); to compare Python values, compare the item's attributes."
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.node == other.node

    __hash__: ClassVar[None]  # type: ignore[assignment]  # nodes hold mappings

    def __repr__(self) -> str:
        return f"Condition({self.node!r})"


@runtime_checkable
class Boto3Condition(Protocol):
    """A condition of boto3.dynamodb.conditions: made by its `Attr` and `Key`."""

    def get_expression(self) -> Any: ...


ConditionLike = Condition | Boto3Condition


def condition_node(condition: object) -> ConditionNode:
    """The tree of a condition of ours or of boto3's.

    Raises:
        UnsupportedTypeError: it is neither.
    """
    if isinstance(condition, Condition):
        return condition.node
    if isinstance(condition, Boto3Condition) and not isinstance(condition, type):
        return _from_boto3(condition)
    raise UnsupportedTypeError(
        "",
        f"a condition is expected, not {type(condition).__name__}. Fix: compare an attribute, as "
        "in Person.visits < 100 or attr('visits') < 100 (a comparison with a value of the wrong "
        "type, or of two plain Python values, is a bool)",
    )


def _from_boto3(condition: Boto3Condition) -> ConditionNode:
    expression = condition.get_expression()
    operator: str = expression["operator"]
    values: tuple[Any, ...] = expression["values"]
    if operator in ("AND", "OR"):
        terms = [condition_node(value) for value in values]
        return conjunction(*terms) if operator == "AND" else disjunction(*terms)
    if operator == "NOT":
        return Not(condition_node(values[0]))
    operand = _boto3_operand(values[0])
    hint = _hint(operand)
    if operator == "IN":
        return In(operand, tuple(_boto3_operand(value, hint) for value in values[1]))
    arguments = [_boto3_operand(value, hint) for value in values[1:]]
    if operator == "BETWEEN":
        return Between(operand, arguments[0], arguments[1])
    make = _BOTO3_OPERATORS.get(operator)
    if make is None:
        raise UnsupportedTypeError("", f"the boto3 condition {operator!r} is not known")
    return make(operator, operand, *arguments)


def _comparison(operator: Any, left: Operand, right: Operand) -> ConditionNode:
    return Comparison(operator, left, right)


def _function(name: Any, *arguments: Operand) -> ConditionNode:
    return Function(name, arguments)


_BOTO3_OPERATORS: dict[str, Callable[..., ConditionNode]] = {
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), _comparison),
    **dict.fromkeys(
        (
            "attribute_exists",
            "attribute_not_exists",
            "attribute_type",
            "begins_with",
            "contains",
        ),
        _function,
    ),
}


def _boto3_operand(value: Any, hint: str | None = None) -> Operand:
    if isinstance(value, Boto3Condition):  # boto3's Size is a condition class used as an operand
        return Size(_boto3_operand(value.get_expression()["values"][0]))
    if type(value).__module__ == "boto3.dynamodb.conditions":
        return Path(DocumentPath.parse(value.name).elements)
    return Value(to_attribute_value(value), hint)


def _hint(operand: Operand) -> str | None:
    path = operand.operand if isinstance(operand, Size) else operand
    if not isinstance(path, Path):
        return None
    names = [element for element in path.elements if isinstance(element, str)]
    return names[-1] if names else None
