"""Expression text from the syntax tree.

Names that DynamoDB could refuse become placeholders, values always do. A placeholder is named
after its attribute: `SET #status = :status`.

Source: "Expression attribute names (aliases) in DynamoDB".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, Self, assert_never

from dynasafe.errors import UnsupportedTypeError
from dynasafe.expressions.nodes import (
    And,
    Arithmetic,
    Between,
    Comparison,
    ConditionNode,
    Expression,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    Not,
    Operand,
    Or,
    Path,
    Projection,
    Size,
    Update,
    Value,
    ValuePlaceholder,
)
from dynasafe.expressions.reserved_words import must_be_aliased
from dynasafe.limits import MAX_EXPRESSION_BYTES

Escape = Literal["auto", "always"]
_NOT_IN_PLACEHOLDERS = re.compile(r"[^A-Za-z0-9_]+")
_MAX_HINT_LENGTH = 64


class Placeholders:
    """The placeholders of one request, shared by all its expressions.

    Placeholders depend on the names and on the order of the values, never on what the values are.
    So the same shape gives the same text.
    """

    __slots__ = ("_aliases", "_is_always", "_numbers", "names", "values")

    def __init__(self, *, escape: Escape = "auto") -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Mapping[str, Any]] = {}
        self._aliases: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        """By stem: the last number that was added to it."""
        self._is_always: bool = escape == "always"

    @classmethod
    def of(
        cls,
        names: dict[str, str],
        values: dict[str, Mapping[str, Any]],
        *,
        escape: Escape,
    ) -> Self:
        """The placeholders of an expression that is already written, to add others to."""
        placeholders = cls(escape=escape)
        placeholders.names = names
        placeholders.values = values
        placeholders._aliases.update((name, alias) for alias, name in names.items())
        return placeholders

    def name(self, attribute_name: str) -> str:
        """The name as an expression may have it: itself, or its alias."""
        alias = self._aliases.get(attribute_name)
        if alias is None:
            if not self._is_always and not must_be_aliased(attribute_name):
                return attribute_name
            alias = self._unused(f"#{_clean(attribute_name) or 'name'}", self.names)
            self.names[alias] = attribute_name
            self._aliases[attribute_name] = alias
        return alias

    def value(self, attribute_value: Mapping[str, Any], hint: str) -> str:
        """A new placeholder for the value, named after the hint."""
        placeholder = f":{hint}"
        is_plain = (hint.isascii() and hint.isidentifier()) or not _NOT_IN_PLACEHOLDERS.search(hint)
        if placeholder in self.values or not is_plain or len(hint) > _MAX_HINT_LENGTH:
            placeholder = self._unused(f":{_clean(hint) or 'value'}", self.values)
        self.values[placeholder] = attribute_value
        return placeholder

    def _unused(self, stem: str, taken: Mapping[str, object]) -> str:
        if stem not in taken:
            return stem
        number = self._numbers.get(stem, 1) + 1
        while (placeholder := f"{stem}_{number}") in taken:
            number += 1
        self._numbers[stem] = number
        return placeholder


class ShortPlaceholders(Placeholders):
    """Placeholders as short as they can be, for an expression that would be too long otherwise."""

    __slots__ = ()

    def name(self, attribute_name: str) -> str:
        alias = self._aliases.get(attribute_name)
        if alias is None:
            alias = f"#n{len(self.names)}"
            self.names[alias] = attribute_name
            self._aliases[attribute_name] = alias
        return alias

    def value(self, attribute_value: Mapping[str, Any], hint: str) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = attribute_value
        return placeholder


def _clean(hint: str) -> str:
    return _NOT_IN_PLACEHOLDERS.sub("_", hint[:_MAX_HINT_LENGTH]).strip("_")


class Rendered:
    """An expression's text with the names and values of its placeholders."""

    __slots__ = ("names", "text", "values")

    def __init__(
        self, *, text: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.text: Final = text
        self.names: Final = names
        self.values: Final = values

    def __repr__(self) -> str:  # without the values, which may be personal data
        return f"Rendered(text={self.text!r}, names={self.names!r})"


def render(node: object, *, escape: Escape = "auto") -> Rendered:
    """The text of an expression that stands alone in its request.

    Raises:
        UnsupportedTypeError: it is no expression.
    """
    placeholders = Placeholders(escape=escape)
    text = _text(node, placeholders)
    return Rendered(text=text, names=placeholders.names, values=placeholders.values)


def render_members(nodes: Mapping[str, Expression]) -> dict[str, Any]:
    """The expressions of one request, by member, with the placeholders that they share.

    The placeholders are short where an expression with readable ones would exceed the limit.
    """
    members = _members(nodes, Placeholders())
    # Names in an expression are ASCII: others are aliased.
    if max((len(members[each]) for each in nodes), default=0) > MAX_EXPRESSION_BYTES:
        return render_short_members(nodes)
    return members


def render_short_members(nodes: Mapping[str, Expression]) -> dict[str, Any]:
    """The same with placeholders as short as they can be."""
    return _members(nodes, ShortPlaceholders())


def _members(nodes: Mapping[str, Expression], placeholders: Placeholders) -> dict[str, Any]:
    members: dict[str, Any] = {each: _text(node, placeholders) for each, node in nodes.items()}
    if placeholders.names:
        members["ExpressionAttributeNames"] = placeholders.names
    if placeholders.values:
        members["ExpressionAttributeValues"] = placeholders.values
    return members


def _text(node: object, placeholders: Placeholders) -> str:
    match node:
        case Update():
            return render_update(node, placeholders)
        case Projection():
            return render_projection(node, placeholders)
        case And() | Or() | Not() | Comparison() | Between() | In() | Function():
            return render_condition(node, placeholders)
        case _:
            raise UnsupportedTypeError(
                "node", f"a tree that parse() gives is expected, not {type(node).__name__}"
            )


def render_update(update: Update, placeholders: Placeholders) -> str:
    """`SET a = :a REMOVE b ADD c :c DELETE d :d`, with the clauses that have actions."""
    clauses = []
    if update.set:
        actions = []
        for action in update.set:
            path = render_path(action.path, placeholders)
            value = _operand(action.value, placeholders, _hint(action.path))
            actions.append(f"{path} = {value}")
        clauses.append("SET " + ", ".join(actions))
    if update.remove:
        paths = [render_path(action.path, placeholders) for action in update.remove]
        clauses.append("REMOVE " + ", ".join(paths))
    for keyword, pairs in (("ADD", update.add), ("DELETE", update.delete)):
        actions = []
        for pair in pairs:
            path = render_path(pair.path, placeholders)
            actions.append(f"{path} {_operand(pair.value, placeholders, _hint(pair.path))}")
        if actions:
            clauses.append(f"{keyword} {', '.join(actions)}")
    return " ".join(clauses)


def render_projection(projection: Projection, placeholders: Placeholders) -> str:
    """The paths, separated by commas."""
    return ", ".join(render_path(path, placeholders) for path in projection.paths)


def render_condition(node: ConditionNode, placeholders: Placeholders) -> str:
    """The condition with the brackets that it needs and no others.

    DynamoDB refuses redundant ones: "The expression has redundant parentheses".
    """
    parts: list[str] = []
    # A stack instead of recursion: depth costs memory, not Python frames.
    todo: list[ConditionNode | str] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            parts.append(part)
            continue
        match part:
            case And():
                _push(todo, part.terms, " AND ", (And, Or))
            case Or():
                _push(todo, part.terms, " OR ", (Or,))
            case Not():
                _push(todo, (part.term,), "", (And, Or))
                todo.append("NOT ")
            case _:
                parts.append(_leaf(part, placeholders))
    return "".join(parts)


def _push(
    todo: list[ConditionNode | str],
    terms: tuple[ConditionNode, ...],
    separator: str,
    bracketed: tuple[type, ...],
) -> None:
    for index in range(len(terms) - 1, -1, -1):
        term = terms[index]
        if isinstance(term, bracketed):
            todo += [")", term, "("]
        else:
            todo.append(term)
        if index:
            todo.append(separator)


def _leaf(node: Comparison | Between | In | Function, placeholders: Placeholders) -> str:
    match node:
        case Comparison():
            hint = _hint(node.left) or _hint(node.right)
            left = _operand(node.left, placeholders, hint)
            return f"{left} {node.operator} {_operand(node.right, placeholders, hint)}"
        case Between():
            hint = _hint(node.operand)
            operand, low, high = (
                _operand(each, placeholders, hint) for each in (node.operand, node.low, node.high)
            )
            return f"{operand} BETWEEN {low} AND {high}"
        case In():
            hint = _hint(node.operand)
            operand = _operand(node.operand, placeholders, hint)
            choices = ", ".join(_operand(each, placeholders, hint) for each in node.choices)
            return f"{operand} IN ({choices})"
        case Function():
            hint = next(filter(None, map(_hint, node.arguments)), "")
            arguments = ", ".join(_operand(each, placeholders, hint) for each in node.arguments)
            return f"{node.name}({arguments})"
        case _:
            assert_never(node)


def _hint(operand: Operand) -> str:
    """The innermost plain name of a path, or nothing."""
    if isinstance(operand, Size):
        operand = operand.operand
    if isinstance(operand, Path):
        for element in reversed(operand.elements):
            if isinstance(element, str):
                return element
            if isinstance(element, NamePlaceholder):
                return element.text[1:]
    return ""


def _operand(node: Operand, placeholders: Placeholders, hint: str) -> str:
    match node:
        case Value():
            return placeholders.value(node.attribute_value, node.hint or hint or "value")
        case Path():
            return render_path(node, placeholders)
        case ValuePlaceholder():
            return node.text
        case Size():
            return f"size({_operand(node.operand, placeholders, hint)})"
        case IfNotExists():
            path = _operand(node.path, placeholders, hint)
            return f"if_not_exists({path}, {_operand(node.default, placeholders, hint)})"
        case ListAppend():
            left = _operand(node.left, placeholders, hint)
            return f"list_append({left}, {_operand(node.right, placeholders, hint)})"
        case Arithmetic():
            left = _operand(node.left, placeholders, hint)
            right = _operand(node.right, placeholders, hint)
            return f"{left} {node.operator} {right}"
        case _:
            assert_never(node)


def render_path(path: Path, placeholders: Placeholders) -> str:
    """`a.#b[2]`."""
    text = ""
    for element in path.elements:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            name = element if isinstance(element, str) else element.text
            name = placeholders.name(name) if isinstance(element, str) else name
            text = f"{text}.{name}" if text else name
    return text
