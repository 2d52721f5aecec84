"""Replaces the placeholders in trees with names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar, cast

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions.nodes import (
    AddAction,
    And,
    Arithmetic,
    Between,
    Comparison,
    DeleteAction,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    NodePathElement,
    Not,
    Or,
    Path,
    Projection,
    RemoveAction,
    SetAction,
    Size,
    Update,
    Value,
    ValuePlaceholder,
)
from dynasafe.findings.finding import Span

T = TypeVar("T")


def resolve(
    node: T,
    text: str,
    names: Mapping[str, str],
    values: Mapping[str, Mapping[str, Any]],
) -> T:
    """The tree with names and values in place of its placeholders.

    Raises:
        ExpressionSyntaxError: a placeholder is not defined.
    """
    return cast(T, _Resolver(text, names, values).resolved(node))


class _Resolver:
    def __init__(
        self, text: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._text = text
        self._names = names
        self._values = values

    def resolved(self, node: Any) -> Any:
        match node:
            case Path():
                return self._path(node)
            case ValuePlaceholder():
                found = self._values.get(node.text)
                if found is None:
                    self._undefined("value used in expression", node.text, node.span)
                return Value(found, node.text[1:], node.span)
            case Value():
                return node
            case tuple():
                return tuple(self.resolved(each) for each in node)
            case Comparison():
                return node.replaced(left=self.resolved(node.left), right=self.resolved(node.right))
            case Between():
                return node.replaced(
                    operand=self.resolved(node.operand),
                    low=self.resolved(node.low),
                    high=self.resolved(node.high),
                )
            case In():
                return node.replaced(
                    operand=self.resolved(node.operand), choices=self.resolved(node.choices)
                )
            case Function():
                return node.replaced(arguments=self.resolved(node.arguments))
            case And() | Or():
                return node.replaced(terms=self.resolved(node.terms))
            case Not():
                return node.replaced(term=self.resolved(node.term))
            case Size():
                return node.replaced(operand=self.resolved(node.operand))
            case IfNotExists():
                return node.replaced(
                    path=self.resolved(node.path), default=self.resolved(node.default)
                )
            case ListAppend() | Arithmetic():
                return node.replaced(left=self.resolved(node.left), right=self.resolved(node.right))
            case SetAction() | AddAction() | DeleteAction():
                return node.replaced(path=self.resolved(node.path), value=self.resolved(node.value))
            case RemoveAction():
                return node.replaced(path=self.resolved(node.path))
            case Update():
                return Update(
                    set=self.resolved(node.set),
                    remove=self.resolved(node.remove),
                    add=self.resolved(node.add),
                    delete=self.resolved(node.delete),
                )
            case Projection():
                return Projection(self.resolved(node.paths))
            case _:
                raise TypeError(f"{type(node).__name__} is not a node of an expression")

    def _path(self, path: Path) -> Path:
        if not any(isinstance(element, NamePlaceholder) for element in path.elements):
            return path
        elements: list[NodePathElement] = []
        for element in path.elements:
            if isinstance(element, NamePlaceholder):
                name = self._names.get(element.text)
                if name is None:
                    self._undefined("name used in the document path", element.text, path.span)
                elements.append(name)
            else:
                elements.append(element)
        return Path(tuple(elements), path.span)

    def _undefined(self, what: str, placeholder: str, span: Span | None) -> NoReturn:
        kind = what.partition(" ")[0]
        raise ExpressionSyntaxError(
            f"An expression attribute {what} is not defined; attribute {kind}: {placeholder}",
            self._text,
            span or (0, len(self._text)),
            f"define it in ExpressionAttribute{kind.capitalize()}s",
        )
