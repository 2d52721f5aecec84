"""Conditions: what must hold for a write, or select an item in a query or scan.

Source: "Condition and filter expressions, operators, and functions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, runtime_checkable
from uuid import UUID

from dynasafe.errors import InvalidPathError, UnsupportedTypeError
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
from dynasafe.items.owners import OwnerT
from dynasafe.values.convert import to_attribute_value


class Bindable:
    """A value made from attributes, which can be rebuilt with the attributes of a class."""

    __slots__ = ()

    def is_of(self, item_class: type) -> bool:
        """Whether all its attributes are the class's own."""
        raise NotImplementedError

    def bound(self, schema: Any) -> Any:
        """The same value with the class's own attributes.

        Raises:
            UnsupportedTypeError: an attribute is of another class.
        """
        raise NotImplementedError


class Made(Bindable):
    """A value that remembers its parts, so that it can be rebuilt for an Item class.

    Values made with `attr("first_name")` have names and codecs of untyped items. Only the table
    knows the class of the attribute.
    """

    __slots__ = ("_make", "_operands")

    def _is_made_by(self, make: Callable[..., Any], *operands: object) -> None:
        self._make = make
        self._operands = tuple(
            each if isinstance(each, _LASTING) else _kept(each) for each in operands
        )

    def is_of(self, item_class: type) -> bool:
        return all(each.is_of(item_class) for each in self._operands if isinstance(each, Bindable))

    def bound(self, schema: Any) -> Any:
        if self.is_of(schema.item_class):
            return self
        operands = (
            each.bound(schema) if isinstance(each, Bindable) else each for each in self._operands
        )
        return self._make(*operands)


def _kept(operand: object) -> object:
    """A copy, so that later changes of the operand have no effect."""
    try:
        return bytes(operand) if isinstance(operand, memoryview) else deepcopy(operand)
    except Exception as error:  # a __deepcopy__ may raise whatever it likes
        raise UnsupportedTypeError(
            "", f"the {type(operand).__name__} cannot be copied. Fix: give bytes, lists and dicts"
        ) from error


_LASTING = (Bindable, str, bytes, bool, int, float, Decimal, datetime, date, UUID, Enum, type(None))


class Condition(Made, Generic[OwnerT]):
    """A condition as a value: `&`, `|` and `~` make new ones."""

    __slots__ = ("node",)

    def __init__(self, node: ConditionNode) -> None:
        self.node: ConditionNode = node
        self._make = Condition
        self._operands = (node,)

    @classmethod
    def made(
        cls, node: ConditionNode, make: Callable[..., Condition[Any]], *operands: object
    ) -> Condition[Any]:
        """A condition that remembers its parts."""
        condition = cls.__new__(cls)
        condition.node = node
        condition._is_made_by(make, *operands)
        return condition

    def __and__(self, other: ConditionLike[OwnerT]) -> Condition[OwnerT]:
        return _all(self, as_condition(other))

    def __rand__(self, other: ConditionLike[OwnerT]) -> Condition[OwnerT]:
        return _all(as_condition(other), self)

    def __or__(self, other: ConditionLike[OwnerT]) -> Condition[OwnerT]:
        return _any(self, as_condition(other))

    def __ror__(self, other: ConditionLike[OwnerT]) -> Condition[OwnerT]:
        return _any(as_condition(other), self)

    def __invert__(self) -> Condition[OwnerT]:
        # NOT NOT x is x.
        node = self.node
        return Condition.made(
            node.term if isinstance(node, Not) else Not(node), Condition.__invert__, self
        )

    def matches(self, item: object) -> bool:
        """Whether the condition holds for the item, as DynamoDB evaluates it. Nothing is sent.

        Args:
            item: the whole item: an instance of an Item class, or a mapping of Python values by
                stored name; None for a missing item, as `get_item` returns it.

        Raises:
            InvalidValueError: it is not one of these, or DynamoDB cannot store a value of it.
        """
        schema = getattr(item, "__dynasafe_schema__", None)
        node = self.node if schema is None else self.bound(schema).node
        return holds(node, attributes_of(item))

    if TYPE_CHECKING:

        def __bool__(self) -> OnlyDynamoDBDecides: ...

    else:

        def __bool__(self):
            raise TypeError(
                "A condition is neither true nor false in Python: only DynamoDB decides it, when "
                "the request runs. Fix: write `a & b`, `a | b` or `~a` instead of `a and b`, "
                "`a or b` or `not a`, with each comparison in brackets, and split `a < x < b` "
                "into two or use .between(); to compare Python values, compare the item's "
                "attributes."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.node == other.node

    __hash__: ClassVar[None]  # type: ignore[assignment]  # nodes hold mappings

    def __repr__(self) -> str:
        return f"Condition({self.node!r})"


class OnlyDynamoDBDecides:
    """The type of `bool(condition)` for type checkers, which `if`, `and` and `not` refuse."""


def _all(*terms: Condition[Any]) -> Condition[Any]:
    return _joined(conjunction, _all, terms)


def _any(*terms: Condition[Any]) -> Condition[Any]:
    return _joined(disjunction, _any, terms)


def _joined(
    join: Callable[..., ConditionNode],
    make: Callable[..., Condition[Any]],
    terms: tuple[Condition[Any], ...],
) -> Condition[Any]:
    # A chain is kept flat, like its node.
    flat: tuple[object, ...] = ()
    for term in terms:
        flat += term._operands if term._make is make else (term,)
    joined: Any = Condition(join(*(term.node for term in terms)))
    joined._make, joined._operands = make, flat
    made: Condition[Any] = joined
    return made


@runtime_checkable
class Boto3Condition(Protocol):
    """A condition of boto3.dynamodb.conditions: made by its `Attr` and `Key`."""

    def get_expression(self) -> Any: ...


ConditionLike = Condition[OwnerT] | Boto3Condition


def condition_node(condition: object, schema: Any = None) -> ConditionNode:
    """The tree of a condition of ours or of boto3's.

    Args:
        schema: the schema of the Item class whose attributes it must use; None accepts any.

    Raises:
        UnsupportedTypeError: it is neither, or an attribute is of another class.
    """
    return as_condition(condition, schema).node


def as_condition(condition: object, schema: Any = None) -> Condition[Any]:
    """The condition as our type, with the attributes of a class.

    Args:
        schema: as in `condition_node`.

    Raises:
        UnsupportedTypeError: it is not a condition, or an attribute is of another class.
    """
    if isinstance(condition, Condition):
        made = condition
    elif isinstance(condition, Boto3Condition) and not isinstance(condition, type):
        made = Condition.made(_from_boto3(condition), Condition, _Boto3Origin(condition))
    else:
        raise _no_condition(condition)
    return made if schema is None else made.bound(schema)


def _no_condition(condition: object) -> UnsupportedTypeError:
    return UnsupportedTypeError(
        "",
        f"a condition is expected, not {type(condition).__name__}. Fix: compare an attribute, as "
        "in Person.visits < 100 or attr('visits') < 100 (a comparison with a value of the wrong "
        "type, or of two plain Python values, is a bool)",
    )


class _Boto3Origin(Bindable):
    """A boto3 condition, which may use the Python names of an Item class's attributes."""

    __slots__ = ("_condition",)

    def __init__(self, condition: Boto3Condition) -> None:
        self._condition = condition

    def is_of(self, item_class: type) -> bool:
        return False

    def bound(self, schema: Any) -> ConditionNode:
        return _from_boto3(self._condition, schema)


def _from_boto3(condition: Boto3Condition, schema: Any = None) -> ConditionNode:
    expression = condition.get_expression()
    operator: str = expression["operator"]
    values: tuple[Any, ...] = expression["values"]
    if operator in ("AND", "OR"):
        terms = [condition_node(value, schema) for value in values]
        return conjunction(*terms) if operator == "AND" else disjunction(*terms)
    if operator == "NOT":
        return Not(condition_node(values[0], schema))
    operand = _boto3_operand(values[0], schema=schema)
    hint = _hint(operand)
    if operator == "IN":
        return In(operand, tuple(_boto3_operand(value, hint, schema) for value in values[1]))
    arguments = [_boto3_operand(value, hint, schema) for value in values[1:]]
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


def _boto3_operand(value: Any, hint: str | None = None, schema: Any = None) -> Operand:
    if isinstance(value, Boto3Condition):  # boto3's Size is a condition class used as an operand
        return Size(_boto3_operand(value.get_expression()["values"][0], schema=schema))
    if type(value).__module__ == "boto3.dynamodb.conditions":
        try:
            path = DocumentPath.parse(value.name)
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidPathError("", f"{error}. Fix: give boto3's Attr a path") from None
        return Path(path.elements if schema is None else schema.stored_path(path).elements)
    return Value(to_attribute_value(value), hint)


def _hint(operand: Operand) -> str | None:
    path = operand.operand if isinstance(operand, Size) else operand
    if not isinstance(path, Path):
        return None
    names = [element for element in path.elements if isinstance(element, str)]
    return names[-1] if names else None
