"""The syntax tree of DynamoDB expressions.

Builders make it, the parser makes it, the renderer writes it. A tree is *symbolic* where it holds
`NamePlaceholder` (`#n`) or `ValuePlaceholder` (`:v`), as read from text, and *resolved* where it
holds names and values. Nodes are values: frozen, compared by content; spans do not count.

Sources: "Update expressions in DynamoDB"; "Condition and filter expressions, operators, and
functions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dynasafe.findings.finding import Span

ExpressionKind = Literal["update", "condition", "key condition", "projection"]
ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]
FunctionName = Literal[
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"
]


@dataclass(frozen=True, slots=True)
class NamePlaceholder:
    """`#n`: stands for an attribute name in ExpressionAttributeNames; text includes the `#`."""

    text: str


NodePathElement = str | int | NamePlaceholder


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: a name, then map keys (str) and list indexes (int)."""

    elements: tuple[NodePathElement, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ValuePlaceholder:
    """`:v`: stands for a value in ExpressionAttributeValues; text includes the `:`."""

    text: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A literal, in wire form: `{"S": "Ada"}`. `hint` proposes its placeholder's name."""

    attribute_value: Mapping[str, Any] = field(repr=False)
    hint: str | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Size:
    """`size(path)`: a number of bytes, characters or elements."""

    operand: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IfNotExists:
    """`if_not_exists(path, default)`, in SET."""

    path: Operand
    default: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListAppend:
    """`list_append(left, right)`, in SET."""

    left: Operand
    right: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right`, in SET."""

    operator: Literal["+", "-"]
    left: Operand
    right: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


Operand = Path | Value | ValuePlaceholder | Size | IfNotExists | ListAppend | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left <operator> right`."""

    operator: ComparisonOperator
    left: Operand
    right: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Between:
    """`operand BETWEEN low AND high`, both ends included."""

    operand: Operand
    low: Operand
    high: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class In:
    """`operand IN (choice, ...)`."""

    operand: Operand
    choices: tuple[Operand, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is itself a condition: `begins_with(path, :prefix)`."""

    name: FunctionName
    arguments: tuple[Operand, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """Two or more terms, none of which is an `And`: `a AND (b AND c)` is `a AND b AND c`."""

    terms: tuple[ConditionNode, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more terms, none of which is an `Or`."""

    terms: tuple[ConditionNode, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT term`."""

    term: ConditionNode
    span: Span | None = field(default=None, compare=False, repr=False)


ConditionLeaf = Comparison | Between | In | Function
ConditionNode = ConditionLeaf | And | Or | Not


@dataclass(frozen=True, slots=True)
class SetAction:
    """`path = value` in SET."""

    path: Path
    value: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RemoveAction:
    """`path` in REMOVE."""

    path: Path
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AddAction:
    """`path value` in ADD: a number to add, or a set whose members to add."""

    path: Path
    value: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DeleteAction:
    """`path value` in DELETE: a set whose members to remove."""

    path: Path
    value: Operand
    span: Span | None = field(default=None, compare=False, repr=False)


UpdateAction = SetAction | RemoveAction | AddAction | DeleteAction


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression: its actions by clause, each in order."""

    set: tuple[SetAction, ...] = ()
    remove: tuple[RemoveAction, ...] = ()
    add: tuple[AddAction, ...] = ()
    delete: tuple[DeleteAction, ...] = ()

    @property
    def actions(self) -> tuple[UpdateAction, ...]:
        """All actions, clause by clause."""
        return (*self.set, *self.remove, *self.add, *self.delete)


@dataclass(frozen=True, slots=True)
class Projection:
    """A projection expression: the paths to return, in order."""

    paths: tuple[Path, ...]


Expression = ConditionNode | Update | Projection


def conjunction(*terms: ConditionNode) -> ConditionNode:
    """All of the terms, as one flat `And`; a single term is itself."""
    flat: tuple[ConditionNode, ...] = ()
    for term in terms:
        flat += term.terms if isinstance(term, And) else (term,)
    return flat[0] if len(flat) == 1 else And(flat)


def disjunction(*terms: ConditionNode) -> ConditionNode:
    """Any of the terms, as one flat `Or`; a single term is itself."""
    flat: tuple[ConditionNode, ...] = ()
    for term in terms:
        flat += term.terms if isinstance(term, Or) else (term,)
    return flat[0] if len(flat) == 1 else Or(flat)
