"""The syntax tree of DynamoDB expressions.

Builders make it, the parser makes it, the renderer writes it. A tree is *symbolic* where it holds
`NamePlaceholder` (`#n`) or `ValuePlaceholder` (`:v`), as read from text, and *resolved* where it
holds names and values. Nodes are values: frozen, compared by content; spans do not count.

Sources: "Update expressions in DynamoDB"; "Condition and filter expressions, operators, and
functions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, Self

from dynasafe.findings.finding import Span
from dynasafe.records import made

ExpressionKind = Literal["update", "condition", "key condition", "projection"]
ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]
FunctionName = Literal[
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"
]

_NOT_COMPARED = frozenset({"hint", "span"})
_NOT_SHOWN = frozenset({"attribute_value", "span"})


class Node:
    """A part of a tree: an immutable value, compared and shown by its fields.

    It does what a Record does. It does not inherit from it, because a compiled class has no base
    class that is not compiled. Fields are set with `object.__setattr__`, which mypyc compiles to a
    plain store.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Node):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        # Without the nodes below: a tree may be deep, and Python does not limit compiled recursion.
        return hash((type(self), *[part for part in self._compared() if not _has_nodes(part)]))

    def __repr__(self) -> str:
        shown = (name for name in self._names() if name not in _NOT_SHOWN)
        parts = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{type(self).__name__}({parts})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: it never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted: it never changes")

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (type(self), {name: getattr(self, name) for name in self._names()})

    def replaced(self, **changes: Any) -> Self:
        """The same with other parts."""
        return type(self)(**{**{name: getattr(self, name) for name in self._names()}, **changes})

    def __replace__(self, **changes: Any) -> Self:  # what copy.replace calls, from Python 3.13
        return self.replaced(**changes)

    def _names(self) -> tuple[str, ...]:
        names: tuple[str, ...] = getattr(self, "__match_args__", ())
        return names

    def _compared(self) -> tuple[Any, ...]:
        return tuple([getattr(self, each) for each in self._names() if each not in _NOT_COMPARED])


def _has_nodes(part: object) -> bool:
    if isinstance(part, tuple):
        return any(isinstance(each, Node) for each in part)
    return isinstance(part, Node)


class NamePlaceholder(Node):
    """`#n`: stands for an attribute name in ExpressionAttributeNames; text includes the `#`."""

    __slots__ = ("text",)
    __match_args__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)


NodePathElement = str | int | NamePlaceholder


class Path(Node):
    """A document path: a name, then map keys (str) and list indexes (int)."""

    __slots__ = ("elements", "span")
    __match_args__ = ("elements", "span")
    elements: tuple[NodePathElement, ...]
    span: Span | None

    def __init__(self, elements: tuple[NodePathElement, ...], span: Span | None = None) -> None:
        object.__setattr__(self, "elements", elements)
        object.__setattr__(self, "span", span)


class ValuePlaceholder(Node):
    """`:v`: stands for a value in ExpressionAttributeValues; text includes the `:`."""

    __slots__ = ("span", "text")
    __match_args__ = ("text", "span")
    text: str
    span: Span | None

    def __init__(self, text: str, span: Span | None = None) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "attribute_value", attribute_value)
        object.__setattr__(self, "hint", hint)
        object.__setattr__(self, "span", span)


class Size(Node):
    """`size(path)`: a number of bytes, characters or elements."""

    __slots__ = ("operand", "span")
    __match_args__ = ("operand", "span")
    operand: Operand
    span: Span | None

    def __init__(self, operand: Operand, span: Span | None = None) -> None:
        object.__setattr__(self, "operand", operand)
        object.__setattr__(self, "span", span)


class IfNotExists(Node):
    """`if_not_exists(path, default)`, in SET."""

    __slots__ = ("default", "path", "span")
    __match_args__ = ("path", "default", "span")
    path: Operand
    default: Operand
    span: Span | None

    def __init__(self, path: Operand, default: Operand, span: Span | None = None) -> None:
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "default", default)
        object.__setattr__(self, "span", span)


class ListAppend(Node):
    """`list_append(left, right)`, in SET."""

    __slots__ = ("left", "right", "span")
    __match_args__ = ("left", "right", "span")
    left: Operand
    right: Operand
    span: Span | None

    def __init__(self, left: Operand, right: Operand, span: Span | None = None) -> None:
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "right", right)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "operator", operator)
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "right", right)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "operator", operator)
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "right", right)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "operand", operand)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "operand", operand)
        object.__setattr__(self, "choices", choices)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "span", span)


class And(Node):
    """Two or more terms, none of which is an `And`: `a AND (b AND c)` is `a AND b AND c`."""

    __slots__ = ("span", "terms")
    __match_args__ = ("terms", "span")
    terms: tuple[ConditionNode, ...]
    span: Span | None

    def __init__(self, terms: tuple[ConditionNode, ...], span: Span | None = None) -> None:
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "span", span)


class Or(Node):
    """Two or more terms, none of which is an `Or`."""

    __slots__ = ("span", "terms")
    __match_args__ = ("terms", "span")
    terms: tuple[ConditionNode, ...]
    span: Span | None

    def __init__(self, terms: tuple[ConditionNode, ...], span: Span | None = None) -> None:
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "span", span)


class Not(Node):
    """`NOT term`."""

    __slots__ = ("span", "term")
    __match_args__ = ("term", "span")
    term: ConditionNode
    span: Span | None

    def __init__(self, term: ConditionNode, span: Span | None = None) -> None:
        object.__setattr__(self, "term", term)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "span", span)


class RemoveAction(Node):
    """`path` in REMOVE."""

    __slots__ = ("path", "span")
    __match_args__ = ("path", "span")
    path: Path
    span: Span | None

    def __init__(self, path: Path, span: Span | None = None) -> None:
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "span", span)


class AddAction(Node):
    """`path value` in ADD: a number to add, or a set whose members to add."""

    __slots__ = ("path", "span", "value")
    __match_args__ = ("path", "value", "span")
    path: Path
    value: Operand
    span: Span | None

    def __init__(self, path: Path, value: Operand, span: Span | None = None) -> None:
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "span", span)


class DeleteAction(Node):
    """`path value` in DELETE: a set whose members to remove."""

    __slots__ = ("path", "span", "value")
    __match_args__ = ("path", "value", "span")
    path: Path
    value: Operand
    span: Span | None

    def __init__(self, path: Path, value: Operand, span: Span | None = None) -> None:
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "span", span)


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
        object.__setattr__(self, "set", set)
        object.__setattr__(self, "remove", remove)
        object.__setattr__(self, "add", add)
        object.__setattr__(self, "delete", delete)

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
        object.__setattr__(self, "paths", paths)


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
