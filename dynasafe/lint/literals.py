"""Text that the source shows: constants, also joined or in branches.

A text has the position in the file of each of its characters, so that a finding in an expression
points into the literal.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynasafe.lint.scopes import Binding, Names
from dynasafe.lint.source import Source, Span

_MAX_ALTERNATIVES = 16
_BRANCHES = (ast.If, ast.Try, ast.With, ast.AsyncWith, ast.Match)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True)
class Text:
    """A text, in parts, each with the expression that it comes from."""

    parts: tuple[tuple[str, ast.expr], ...]

    @cached_property
    def value(self) -> str:
        return "".join(part for part, _ in self.parts)

    def __add__(self, other: Text) -> Text:
        return Text(self.parts + other.parts)

    def span(self, start: int, end: int, source: Source) -> tuple[Span, bool]:
        """The position of `value[start:end]` in the file, and whether it is exact."""
        at = 0
        for part, node in self.parts:
            if start < at + len(part) or (part, node) == self.parts[-1]:
                places = source.characters(node, part) if _is_text(node) else None
                first, last = start - at, end - at
                if places is None or not 0 <= first < last <= len(places):
                    return source.span(node), False
                return (places[first][0], places[last - 1][1]), True
            at += len(part)
        return source.span(self.parts[0][1]), False


def constant(node: ast.expr | None) -> Any:
    """The value of a constant or a negative number; None for everything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        return -value if isinstance(value, int | float) and value is not True else None
    return None


def text_constant(node: ast.expr | None) -> str | None:
    value = constant(node)
    return value if isinstance(value, str) else None


def only_text(node: ast.expr, names: Names) -> str | None:
    """The only text that an expression can have."""
    found = texts(node, names)
    return found[0].value if found is not None and len(found) == 1 else None


def texts(node: ast.expr, names: Names) -> list[Text] | None:
    """All texts that an expression can have, or None if the source does not show them all.

    Branches count as independent of each other.
    """
    return _texts(node, names, 0)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _texts(node: ast.expr, names: Names, depth: int) -> list[Text] | None:
    if depth > 8:
        return None
    match node:
        case ast.Constant(value=str(value)):
            return [Text(((value, node),))]
        case ast.JoinedStr():
            return _of_f_string(node, names, depth)
        case ast.BinOp(op=ast.Add()):
            return _product(
                _texts(node.left, names, depth + 1), _texts(node.right, names, depth + 1)
            )
        case ast.IfExp():
            return _union(
                _texts(node.body, names, depth + 1), _texts(node.orelse, names, depth + 1)
            )
        case ast.Name():
            return _of_name(node, names, depth)
        case ast.Attribute():
            bindings = names.attribute_bindings(node)
            if len(bindings) == 1 and bindings[0].kind == "assign" and bindings[0].value:
                return _texts(bindings[0].value, names, depth + 1)
            return None
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(joint)), attr="join")):
            return _of_join(node, joint, names, depth)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(form)), attr="format")):
            return _of_format(node, form, names, depth)
        case _:
            return None


def _product(left: list[Text] | None, right: list[Text] | None) -> list[Text] | None:
    if left is None or right is None or len(left) * len(right) > _MAX_ALTERNATIVES:
        return None
    return [a + b for a in left for b in right]


def _union(left: list[Text] | None, right: list[Text] | None) -> list[Text] | None:
    if left is None or right is None or len(left) + len(right) > _MAX_ALTERNATIVES:
        return None
    return left + right


def _of_f_string(node: ast.JoinedStr, names: Names, depth: int) -> list[Text] | None:
    found: list[Text] | None = [Text((("", node),))]
    for part in node.values:
        if isinstance(part, ast.Constant):
            one: list[Text] | None = [Text(((str(part.value), node),))]
        elif isinstance(part, ast.FormattedValue) and part.format_spec is None:
            one = _texts(part.value, names, depth + 1)
        else:
            one = None
        found = _product(found, one)
    return found


def _of_join(node: ast.Call, joint: str, names: Names, depth: int) -> list[Text] | None:
    if len(node.args) != 1 or not isinstance(node.args[0], ast.List | ast.Tuple):
        return None
    found: list[Text] | None = None
    for index, part in enumerate(node.args[0].elts):
        one = _texts(part, names, depth + 1)
        found = one if index == 0 else _product(_product(found, [Text(((joint, node),))]), one)
    return found


_FIELD = re.compile(r"\{(\d*)\}")


def _of_format(node: ast.Call, form: str, names: Names, depth: int) -> list[Text] | None:
    """`"SET {} = {}".format(a, b)`: fields with or without a number, and no other braces."""
    if node.keywords or set(_FIELD.sub("", form)) & set("{}"):
        return None
    found: list[Text] | None = [Text((("", node),))]
    end = 0
    for index, match in enumerate(_FIELD.finditer(form)):
        place = int(match[1]) if match[1] else index
        one = _texts(node.args[place], names, depth + 1) if place < len(node.args) else None
        found = _product(_product(found, [Text(((form[end : match.start()], node),))]), one)
        end = match.end()
    return _product(found, [Text(((form[end:], node),))])


def _of_name(node: ast.Name, names: Names, depth: int) -> list[Text] | None:
    home = names.scopes[node].home(node.id)
    if home is None or home.is_class:
        return None
    found: list[Text] = []
    own = names.scopes[node].function is home.function
    before = [each for each in home.bindings[node.id] if not own or _line(each.node) < node.lineno]
    if len(before) < len(home.bindings[node.id]) and _in_loop(node, names, home.node):
        return None
    for binding in sorted(before, key=lambda each: _line(each.node)):
        one = _of_binding(binding, names, depth)
        if one is None or _in_loop(binding.node, names, home.node):
            return None
        is_branch = _in_branch(binding.node, names, home.node)
        if binding.kind == "augment":
            grown = _product(found, one)
            one = grown
        both = _union(found, one) if is_branch else one
        if both is None:
            return None
        found = both
    return found or None


def _of_binding(binding: Binding, names: Names, depth: int) -> list[Text] | None:
    if binding.value is None or binding.kind not in ("assign", "augment"):
        return None
    if isinstance(binding.node, ast.AugAssign) and not isinstance(binding.node.op, ast.Add):
        return None
    return _texts(binding.value, names, depth + 1)


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _in_branch(node: ast.AST, names: Names, home: ast.AST) -> bool:
    return _is_below(node, names, home, _BRANCHES)


def _in_loop(node: ast.AST, names: Names, home: ast.AST) -> bool:
    return _is_below(node, names, home, _LOOPS)


def _is_below(node: ast.AST, names: Names, home: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    for above in names.above(node):
        if above is home:
            return False
        if isinstance(above, kinds):
            return True
    return False
