"""A file as rules see it: its calls, its names, and the edits that fix it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from dynasafe.lint.calls import Call, bound_value, constant_display, find_calls, only_value
from dynasafe.lint.literals import text_constant
from dynasafe.lint.problem import Edit
from dynasafe.lint.receivers import Declared, Receivers
from dynasafe.lint.scopes import FUNCTIONS, Names
from dynasafe.lint.source import Source, Span

_CONDITIONS = frozenset({"boto3.dynamodb.conditions.Key", "boto3.dynamodb.conditions.Attr"})
_VALUES = ("Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey")
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """Configuration for single rules."""

    declared: Declared = field(default_factory=Declared)
    ttl_attributes: tuple[str, ...] = ()
    blocking_ok: tuple[str, ...] = ()
    schemas: Mapping[str, object] = field(default_factory=dict)


class Module:
    """The calls of a file, with answers to the questions of rules."""

    def __init__(self, source: Source, settings: RuleSettings | None = None) -> None:
        self.source = source
        self.settings: RuleSettings = settings or RuleSettings()
        self.names: Names = Names(source)
        self.receivers: Receivers = Receivers(self.names, self.settings.declared)
        self.calls: list[Call] = list(find_calls(self.names, self.receivers))
        self.unseen: list[str] = []
        """Why calls could be checked only in part: one text for each call and reason."""
        self.partly: set[Call] = set()

    @cached_property
    def is_test(self) -> bool:
        path = PurePath(self.source.path)
        return bool(_TEST_FILE.fullmatch(path.name)) or "tests" in path.parts[:-1]

    @cached_property
    def dotted_name(self) -> str:
        """The module's name, from its path."""
        return ".".join(PurePath(self.source.path).with_suffix("").parts).lstrip("./")

    def text(self, node: ast.AST) -> str:
        return self.source.segment(node)

    def method_span(self, call: Call) -> Span:
        """The name of the method in a call."""
        _, end = self.source.span(call.function)
        return end - len(call.method), end

    def known_calls(self) -> Iterator[Call]:
        """The calls that are certainly DynamoDB's."""
        return (each for each in self.calls if each.how != "name")

    # Around a node

    def is_in_raises(self, node: ast.AST) -> bool:
        """Whether a test expects an exception here."""
        for above in self.names.above(node):
            if isinstance(above, ast.With | ast.AsyncWith):
                for item in above.items:
                    manager = item.context_expr
                    if isinstance(manager, ast.Call) and isinstance(
                        manager.func, ast.Attribute | ast.Name
                    ):
                        name = last_name(manager.func)
                        if name in ("raises", "assertRaises", "assertRaisesRegex", "suppress"):
                            return True
        return False

    def handlers(self, node: ast.AST) -> Iterator[ast.ExceptHandler]:
        """The handlers of the `try` blocks whose body holds the node, within its function."""
        below = node
        for above in self.names.above(node):
            if isinstance(above, FUNCTIONS):
                return
            if isinstance(above, ast.Try) and below in above.body:
                yield from above.handlers
            below = above

    def caught(self, handler: ast.ExceptHandler) -> list[str]:
        """The last names of the classes that a handler catches; "" for a bare `except:`."""
        if handler.type is None:
            return [""]
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return [last_name(each) for each in types]

    # Values

    def is_condition(self, node: ast.expr) -> bool:
        """Whether an expression is a condition of boto3: `Attr("a").eq(1) & ...`."""
        match node:
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                return self.is_condition(node.left) or self.is_condition(node.right)
            case ast.UnaryOp(op=ast.Invert()):
                return self.is_condition(node.operand)
            case ast.Call(func=ast.Attribute(value=operand)):
                return self.is_attribute(operand)
            case ast.Name():
                value = bound_value(node, self.names)
                return value is not None and self.is_condition(value)
            case _:
                return False

    def is_attribute(self, node: ast.expr) -> bool:
        """Whether an expression is `Key("a")`, `Attr("a")` or `Attr("a").size()` of boto3."""
        if not isinstance(node, ast.Call):
            return False
        if self.names.canonical(node.func) in _CONDITIONS:
            return True
        function = node.func
        return (
            isinstance(function, ast.Attribute)
            and function.attr == "size"
            and self.is_attribute(function.value)
        )

    def leaves(self, call: Call) -> Iterator[ast.expr]:
        """The values inside the displays of a call's items, keys, values and conditions."""
        for member in _VALUES:
            node = call.members.get(member)
            display = None if node is None else constant_display(node, self.names)
            if display is not None:
                for value in display.values:
                    yield from self._leaves(value, 0)
        for member in ("KeyConditionExpression", "FilterExpression", "ConditionExpression"):
            node = call.members.get(member)
            if node is not None and self.is_condition(node):
                for each in ast.walk(node):
                    if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                        for argument in each.args:
                            yield from self._leaves(argument, 0)
        for member in ("RequestItems", "TransactItems"):
            node = call.members.get(member)
            if node is not None:
                for each in ast.walk(node):
                    if isinstance(each, ast.Dict):
                        for key, value in zip(each.keys, each.values, strict=True):
                            if text_constant(key) in _VALUES and isinstance(value, ast.Dict):
                                for one in value.values:
                                    yield from self._leaves(one, 0)

    def _leaves(self, node: ast.expr, depth: int) -> Iterator[ast.expr]:
        if depth > 32:
            return
        if isinstance(node, ast.Dict):
            for value in node.values:
                yield from self._leaves(value, depth + 1)
        elif isinstance(node, ast.List | ast.Tuple):
            for value in node.elts:
                yield from self._leaves(value, depth + 1)
        elif isinstance(node, ast.Name):
            value_of = only_value(node, self.names)
            if value_of is None:
                yield node
            else:
                yield from self._leaves(value_of, depth + 8)
        else:
            yield node

    # Edits

    def replace(self, node: ast.AST, text: str) -> Edit:
        start, end = self.source.span(node)
        return Edit(start, end, text)

    def remove_argument(self, call: ast.Call, keyword: ast.keyword) -> Edit:
        """Remove a keyword argument, with its comma."""
        start, end = self.source.span(keyword)
        spans = sorted(self.source.span(each) for each in [*call.args, *call.keywords])
        after = [each for each in spans if each[0] > start]
        before = [each for each in spans if each[1] <= start]
        if after:
            return Edit(start, after[0][0], "")
        if before:
            return Edit(before[-1][1], end, "")
        comma = re.compile(r"\s*,").match(self.source.text, end)
        return Edit(start, comma.end() if comma else end, "")

    def add_import(self, module: str, name: str) -> list[Edit]:
        """Edits that import a name. None if the file already has it, or uses the name for something
        else."""
        bindings = self.names.module.bindings.get(name, [])
        if bindings:
            return []
        statement = f"from {module} import {name}"
        leading: ast.stmt | None = None
        for each in self.source.tree.body:
            is_import = isinstance(each, ast.Import | ast.ImportFrom)
            if not is_import and not (leading is None and _is_docstring(each)):
                break
            leading = each
        if leading is None:
            return [Edit(0, 0, f"{statement}\n")]
        _, end = self.source.span(leading)
        newline = "\r\n" if "\r\n" in self.source.text else "\n"
        return [Edit(end, end, f"{newline}{statement}")]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and text_constant(node.value) is not None


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""
