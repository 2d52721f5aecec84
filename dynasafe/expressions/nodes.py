"""The syntax tree of DynamoDB expressions.

Builders make it, the parser makes it, the renderer writes it. A tree is *symbolic* where it holds
`NamePlaceholder` (`#n`) or `ValuePlaceholder` (`:v`), as read from text, and *resolved* where it
holds names and values. Nodes are values: frozen, compared by content; spans do not count.

Sources: "Update expressions in DynamoDB"; "Condition and filter expressions, operators, and
functions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dynasafe.findings.finding import Span
from dynasafe.records import Record, assign

ExpressionKind = Literal["update", "condition", "key condition", "projection"]
ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]
FunctionName = Literal[
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"
]

_NOT_COMPARED = frozenset({"hint", "span"})
_NOT_SHOWN = frozenset({"attribute_value", "span"})


class Node(Record):
    """A part of a tree."""

    __slots__ = ()

    def _shown(self) -> tuple[str, ...]:
        return tuple(name for name in self._names() if name not in _NOT_SHOWN)

    def _compared(self) -> tuple[Any, ...]:
        names = self._names()
        return tuple(getattr(self, name) for name in names if name not in _NOT_COMPARED)


class NamePlaceholder(Node):
    """`#n`: stands for an attribute name in ExpressionAttributeNames; text includes the `#`."""

    __slots__ = ("text",)
    __match_args__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        assign(self, "text", text)


NodePathElement = str | int | NamePlaceholder


class Path(Node):
    """A document path: a name, then map keys (str) and list indexes (int)."""

    __slots__ = ("elements", "span")
    __match_args__ = ("elements", "span")
    elements: tuple[NodePathElement, ...]
    span: Span | None

    def __init__(self, elements: tuple[NodePathElement, ...], span: Span | None = None) -> None:
        assign(self, "elements", elements)
        assign(self, "span", span)


class ValuePlaceholder(Node):
    """`:v`: stands for a value in ExpressionAttributeValues; text includes the `:`."""

    __slots__ = ("span", "text")
    __match_args__ = ("text", "span")
    text: str
    span: Span | None

    def __init__(self, text: str, span: Span | None = None) -> None:
        assign(self, "text", text)
        assign(self, "span", span)


class Value(Node):
    """A literal, in wire form: `{"S": "Ada"}`. `hint` proposes its placeholder's name."""

    __slots__ = ("attribute_value", "hint", "span")
    __match_args__ = ("attribute_value", "hint", "span")
    attribute_value: Mapping[str, Any]
    hint: str | None
    span: Span | None

    def __init__(
        self, attribute_value: Mapping[str, Any], hint: str | None = None, span: Span | None = None
    ) -> None:
        assign(self, "attribute_value", attribute_value)
        assign(self, "hint", hint)
        assign(self, "span", span)


class Size(Node):
    """`size(path)`: a number of bytes, characters or elements."""

    __slots__ = ("operand", "span")
    __match_args__ = ("operand", "span")
    operand: Operand
    span: Span | None

    def __init__(self, operand: Operand, span: Span | None = None) -> None:
        assign(self, "operand", operand)
        assign(self, "span", span)


class IfNotExists(Node):
    """`if_not_exists(path, default)`, in SET."""

    __slots__ = ("default", "path", "span")
    __match_args__ = ("path", "default", "span")
    path: Operand
    default: Operand
    span: Span | None

    def __init__(self, path: Operand, default: Operand, span: Span | None = None) -> None:
        assign(self, "path", path)
        assign(self, "default", default)
        assign(self, "span", span)


class ListAppend(Node):
    """`list_append(left, right)`, in SET."""

    __slots__ = ("left", "right", "span")
    __match_args__ = ("left", "right", "span")
    left: Operand
    right: Operand
    span: Span | None

    def __init__(self, left: Operand, right: Operand, span: Span | None = None) -> None:
        assign(self, "left", left)
        assign(self, "right", right)
        assign(self, "span", span)


class Arithmetic(Node):
    """`left + right` or `left - right`, in SET."""

    __slots__ = ("left", "operator", "right", "span")
    __match_args__ = ("operator", "left", "right", "span")
    operator: Literal["+", "-"]
    left: Operand
    right: Operand
    span: Span | None

    def __init__(
        self, operator: Literal["+", "-"], left: Operand, right: Operand, span: Span | None = None
    ) -> None:
        assign(self, "operator", operator)
        assign(self, "left", left)
        assign(self, "right", right)
        assign(self, "span", span)


Operand = Path | Value | ValuePlaceholder | Size | IfNotExists | ListAppend | Arithmetic


class Comparison(Node):
    """`left <operator> right`."""

    __slots__ = ("left", "operator", "right", "span")
    __match_args__ = ("operator", "left", "right", "span")
    operator: ComparisonOperator
    left: Operand
    right: Operand
    span: Span | None

    def __init__(
        self, operator: ComparisonOperator, left: Operand, right: Operand, span: Span | None = None
    ) -> None:
        assign(self, "operator", operator)
        assign(self, "left", left)
        assign(self, "right", right)
        assign(self, "span", span)


class Between(Node):
    """`operand BETWEEN low AND high`, both ends included."""

    __slots__ = ("high", "low", "operand", "span")
    __match_args__ = ("operand", "low", "high", "span")
    operand: Operand
    low: Operand
    high: Operand
    span: Span | None

    def __init__(
        self, operand: Operand, low: Operand, high: Operand, span: Span | None = None
    ) -> None:
        assign(self, "operand", operand)
        assign(self, "low", low)
        assign(self, "high", high)
        assign(self, "span", span)


class In(Node):
    """`operand IN (choice, ...)`."""

    __slots__ = ("choices", "operand", "span")
    __match_args__ = ("operand", "choices", "span")
    operand: Operand
    choices: tuple[Operand, ...]
    span: Span | None

    def __init__(
        self, operand: Operand, choices: tuple[Operand, ...], span: Span | None = None
    ) -> None:
        assign(self, "operand", operand)
        assign(self, "choices", choices)
        assign(self, "span", span)


class Function(Node):
    """A function that is itself a condition: `begins_with(path, :prefix)`."""

    __slots__ = ("arguments", "name", "span")
    __match_args__ = ("name", "arguments", "span")
    name: FunctionName
    arguments: tuple[Operand, ...]
    span: Span | None

    def __init__(
        self, name: FunctionName, arguments: tuple[Operand, ...], span: Span | None = None
    ) -> None:
        assign(self, "name", name)
        assign(self, "arguments", arguments)
        assign(self, "span", span)


class And(Node):
    """Two or more terms, none of which is an `And`: `a AND (b AND c)` is `a AND b AND c`."""

    __slots__ = ("span", "terms")
    __match_args__ = ("terms", "span")
    terms: tuple[ConditionNode, ...]
    span: Span | None

    def __init__(self, terms: tuple[ConditionNode, ...], span: Span | None = None) -> None:
        assign(self, "terms", terms)
        assign(self, "span", span)


class Or(Node):
    """Two or more terms, none of which is an `Or`."""

    __slots__ = ("span", "terms")
    __match_args__ = ("terms", "span")
    terms: tuple[ConditionNode, ...]
    span: Span | None

    def __init__(self, terms: tuple[ConditionNode, ...], span: Span | None = None) -> None:
        assign(self, "terms", terms)
        assign(self, "span", span)


class Not(Node):
    """`NOT term`."""

    __slots__ = ("span", "term")
    __match_args__ = ("term", "span")
    term: ConditionNode
    span: Span | None

    def __init__(self, term: ConditionNode, span: Span | None = None) -> None:
        assign(self, "term", term)
        assign(self, "span", span)


ConditionLeaf = Comparison | Between | In | Function
ConditionNode = ConditionLeaf | And | Or | Not


class SetAction(Node):
    """`path = value` in SET."""

    __slots__ = ("path", "span", "value")
    __match_args__ = ("path", "value", "span")
    path: Path
    value: Operand
    span: Span | None

    def __init__(self, path: Path, value: Operand, span: Span | None = None) -> None:
        assign(self, "path", path)
        assign(self, "value", value)
        assign(self, "span", span)


class RemoveAction(Node):
    """`path` in REMOVE."""

    __slots__ = ("path", "span")
    __match_args__ = ("path", "span")
    path: Path
    span: Span | None

    def __init__(self, path: Path, span: Span | None = None) -> None:
        assign(self, "path", path)
        assign(self, "span", span)


class AddAction(Node):
    """`path value` in ADD: a number to add, or a set whose members to add."""

    __slots__ = ("path", "span", "value")
    __match_args__ = ("path", "value", "span")
    path: Path
    value: Operand
    span: Span | None

    def __init__(self, path: Path, value: Operand, span: Span | None = None) -> None:
        assign(self, "path", path)
        assign(self, "value", value)
        assign(self, "span", span)


class DeleteAction(Node):
    """`path value` in DELETE: a set whose members to remove."""

    __slots__ = ("path", "span", "value")
    __match_args__ = ("path", "value", "span")
    path: Path
    value: Operand
    span: Span | None

    def __init__(self, path: Path, value: Operand, span: Span | None = None) -> None:
        assign(self, "path", path)
        assign(self, "value", value)
        assign(self, "span", span)


UpdateAction = SetAction | RemoveAction | AddAction | DeleteAction


class Update(Node):
    """An update expression: its actions by clause, each in order."""

    __slots__ = ("add", "delete", "remove", "set")
    __match_args__ = ("set", "remove", "add", "delete")
    set: tuple[SetAction, ...]
    remove: tuple[RemoveAction, ...]
    add: tuple[AddAction, ...]
    delete: tuple[DeleteAction, ...]

    def __init__(
        self,
        set: tuple[SetAction, ...] = (),
        remove: tuple[RemoveAction, ...] = (),
        add: tuple[AddAction, ...] = (),
        delete: tuple[DeleteAction, ...] = (),
    ) -> None:
        assign(self, "set", set)
        assign(self, "remove", remove)
        assign(self, "add", add)
        assign(self, "delete", delete)

    @property
    def actions(self) -> tuple[UpdateAction, ...]:
        """All actions, clause by clause."""
        return (*self.set, *self.remove, *self.add, *self.delete)


class Projection(Node):
    """A projection expression: the paths to return, in order."""

    __slots__ = ("paths",)
    __match_args__ = ("paths",)
    paths: tuple[Path, ...]

    def __init__(self, paths: tuple[Path, ...]) -> None:
        assign(self, "paths", paths)


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
