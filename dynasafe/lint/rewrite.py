"""Rewrites expressions to calls of UpdateBuilder, with a proof.

The new code runs with a sentinel in place of each value. It is used only if the builder's update
and condition have the same syntax trees as the old texts.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, assert_never

from dynasafe.errors import DynasafeError, ExpressionSyntaxError
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.expressions.nodes import (
    And,
    Arithmetic,
    Between,
    Comparison,
    ConditionNode,
    Function,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Operand,
    Or,
    Path,
    Size,
    Update,
    Value,
)
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.items.attributes import attr
from dynasafe.items.updates import UpdateBuilder
from dynasafe.lint.literals import constant, text_constant
from dynasafe.lint.module import Module
from dynasafe.lint.requests import whole_literal
from dynasafe.lint.scopes import Scope
from dynasafe.validation.expression_rules import conditions_of
from dynasafe.values.convert import to_attribute_value

_COMPARED = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class NotMigratedError(Exception):
    """A call is not migrated; the text says why."""


def is_free(name: str, full: str, module: Module, node: ast.AST) -> bool:
    """Whether a name is free, or is already our import, in the scopes around a node."""
    scope: Scope | None = module.names.scopes[node]
    while scope is not None:
        if any(each.canonical != full for each in scope.bindings.get(name, [])):
            return False
        scope = scope.parent
    return True


@dataclass(frozen=True, slots=True)
class Names:
    """ExpressionAttributeNames: the literal names, and the code of the others.

    `literal` has a stand-in for each name whose code is in `written`.
    """

    literal: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, ast.expr] = field(default_factory=dict)


def stand_in(code: str) -> str:
    """The stand-in for a name that code computes. No real path has such a name."""
    return f"dynasafe: {code}"


@dataclass(frozen=True, slots=True)
class _Written:
    """A value of the old call: its code, and its sentinel in the proof."""

    code: str
    sentinel: Any
    is_constant: bool
    is_plain: bool
    """Whether the code is a name or a constant, so that it can be written twice."""


class Rewrite:
    """An update and its condition as a chain of UpdateBuilder's methods.

    Args:
        module: the file of the call.
        is_client: whether the values are AttributeValues.
        update: the text of the update expression.
        condition: the text of the condition expression.
        names: ExpressionAttributeNames.
        paths: the stand-in in the texts for each document path that code computes.
        values: the expressions of ExpressionAttributeValues.

    Raises:
        NotMigratedError: a text is malformed, or a value cannot be rewritten.
    """

    def __init__(
        self,
        module: Module,
        *,
        is_client: bool,
        update: str,
        condition: str | None,
        names: Names,
        values: Mapping[str, ast.expr],
        paths: Mapping[str, ast.expr] | None = None,
    ) -> None:
        self._module = module
        self._is_client = is_client
        self.needed: set[str] = {"UpdateBuilder"}
        """Names that the new code imports."""
        self._names = names.literal
        self._written_names = {**names.written, **(paths or {})}
        self._paths = frozenset(paths or ())
        self._update_text = update
        self._condition_text = condition
        self._update, self._condition = self._parse(values)
        types = dict(_types(self._update, self._condition))
        self._values = {
            placeholder: self._written(index, node, types.get(placeholder, "S"))
            for index, (placeholder, node) in enumerate(values.items())
        }
        self._used: Counter[str] = Counter()
        self._used_names: Counter[str] = Counter()

    def links(self) -> list[str]:
        """The chain: `.set("name", name)` and so on, each proved.

        Raises:
            NotMigratedError: the builder writes another update, or refuses it.
        """
        links = [
            *self._links(
                lambda written: written.code,
                lambda name: self._module.text(self._written_names[name]),
            )
        ]
        self._check_uses()
        self._prove()
        return links

    def _written(self, index: int, node: ast.expr, type_name: str) -> _Written:
        if self._is_client:
            code, plain = self.plain_value(node)
            known = whole_literal(ast.parse(code, mode="eval").body)
        else:
            code, plain, known = self._module.text(node), node, whole_literal(node)
        is_set = isinstance(plain, ast.Set | ast.SetComp)
        sentinels: dict[str, Any] = {
            "S": f"sentinel {index}",
            "N": 1_000_003 + index,
            "L": [f"sentinel {index}"],
            "SS": {f"sentinel {index}"},
        }
        is_constant = _is_stored_constant(known)
        sentinel = known if is_constant else sentinels["SS" if is_set else type_name]
        is_name = isinstance(plain, ast.Name | ast.Constant)
        return _Written(code, sentinel, is_constant, is_name)

    def plain_value(self, node: ast.expr) -> tuple[str, ast.expr]:
        """The code of the Python value that an AttributeValue display holds."""
        if not isinstance(node, ast.Dict) or len(node.keys) != 1:
            raise NotMigratedError("a value is no display of an AttributeValue")
        (content,) = node.values
        text = self._module.text
        match text_constant(node.keys[0]):
            case "S" | "BOOL":
                return text(content), content
            case "B" if isinstance(constant(content), bytes):
                return text(content), content
            case "SS" | "BS" | "NS" as type_name if isinstance(content, ast.List) and content.elts:
                write = self._number if type_name == "NS" else text
                code = f"{{{', '.join(map(write, content.elts))}}}"
                return code, ast.parse(code, mode="eval").body
            case "NULL":
                return "None", content
            case "N":
                return self._number(content), content
            case "L" if isinstance(content, ast.List):
                parts = [self.plain_value(each)[0] for each in content.elts]
                return f"[{', '.join(parts)}]", content
            case "M" if isinstance(content, ast.Dict):
                entries = [
                    f"{text(key)}: {self.plain_value(value)[0]}"
                    for key, value in zip(content.keys, content.values, strict=True)
                    if key is not None
                ]
                if len(entries) < len(content.keys):
                    raise NotMigratedError("a map with **")
                return f"{{{', '.join(entries)}}}", content
            case _:
                raise NotMigratedError("a value is no display of an AttributeValue")

    def _number(self, node: ast.expr) -> str:
        """The number in a text: `str(len(x))` gives len(x)."""
        given = text_constant(node)
        if given is not None:
            return (
                given
                if re.fullmatch(r"-?(0|[1-9]\d*)", given)
                else self._decimal(node, f"{given!r}")
            )
        match node:
            case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
                is_number = isinstance(constant(inner), int) or (
                    isinstance(inner, ast.Call)
                    and isinstance(inner.func, ast.Name)
                    and inner.func.id in ("int", "len")
                )
                if is_number:
                    return self._module.text(inner)
        return self._decimal(node, self._module.text(node))

    def _decimal(self, node: ast.expr, code: str) -> str:
        if not is_free("Decimal", "decimal.Decimal", self._module, node):
            raise NotMigratedError("the name Decimal is taken")
        self.needed.add("Decimal")
        return f"Decimal({code})"

    def _parse(self, given: Mapping[str, object]) -> tuple[Update, ConditionNode | None]:
        """The syntax trees, with the real names, and placeholders for values."""
        stand_ins = {name: {"S": name} for name in given}
        try:
            update = parse_update(self._update_text, self._names, stand_ins)
            condition = (
                None
                if self._condition_text is None
                else parse_condition(self._condition_text, self._names, stand_ins)
            )
        except ExpressionSyntaxError as error:
            raise NotMigratedError(f"the expression is malformed: {error.reason}") from error
        return update, condition

    def _links(
        self, code_of: Callable[[_Written], str], name_of: Callable[[str], str]
    ) -> Iterator[str]:
        """The calls of the chain, with the code of their values and computed names."""
        self._code_of, self._name_of = code_of, name_of
        self._used.clear()
        self._used_names.clear()
        for action in self._update.set:
            yield self._set(action.path, action.value)
        if self._update.remove:
            paths = ", ".join(self._target(each.path) for each in self._update.remove)
            yield f".remove({paths})"
        for add in self._update.add:
            yield f".add({self._target(add.path)}, {self._value(add.value)})"
        for delete in self._update.delete:
            yield f".delete({self._target(delete.path)}, {self._value(delete.value)})"
        if self._condition is not None:
            yield f".condition({self._condition_code(self._condition)})"

    def _set(self, path: Path, value: Operand) -> str:
        target = self._target(path)
        match value:
            case IfNotExists(path=of, default=Value()) if of == path:
                return f".set_if_not_exists({target}, {self._value(value.default)})"
            case Arithmetic(
                operator="+", left=IfNotExists(path=of, default=zero), right=Value()
            ) if of == path and self._constant(zero) == 0:
                return f".increment({target}, {self._value(value.right)})"
            case ListAppend(left=IfNotExists(path=of, default=empty), right=Value()) if (
                of == path and self._constant(empty) == []
            ):
                return f".append({target}, {self._value(value.right)})"
            case ListAppend(left=Value(), right=IfNotExists(path=of, default=empty)) if (
                of == path and self._constant(empty) == []
            ):
                return f".prepend({target}, {self._value(value.left)})"
            case Value():
                return f".set({target}, {self._value(value)})"
            case _:
                return f".set({target}, {self._computed(value)})"

    def _computed(self, value: Operand) -> str:
        match value:
            case Path():
                return self._attribute(value)
            case IfNotExists(path=Path() as path, default=Value() as default):
                return f"{self._attribute(path)}.if_not_exists({self._value(default)})"
            case Arithmetic(operator=sign, left=Path() | IfNotExists() as left, right=right):
                operand = (
                    self._value(right, in_operator=True)
                    if isinstance(right, Value)
                    else self._computed(right)
                )
                return f"{self._computed(left)} {sign} {operand}"
            case ListAppend():
                raise NotMigratedError("list_append without if_not_exists(..., an empty list)")
            case _:
                raise NotMigratedError("a computed value that UpdateBuilder does not write")

    def _condition_code(self, node: ConditionNode) -> str:
        match node:
            case And(terms=terms):
                return " & ".join(self._bracketed(each) for each in terms)
            case Or(terms=terms):
                return " | ".join(self._bracketed(each) for each in terms)
            case Not(term=term):
                return f"~{self._bracketed(term)}"
            case Comparison(operator=operator, left=left, right=right):
                compared = self._operand(right)
                return f"{self._left(left)} {_COMPARED[operator]} {compared}"
            case Between(operand=operand, low=low, high=high):
                return (
                    f"{self._left(operand)}.between({self._argument(low)}, {self._argument(high)})"
                )
            case In(operand=operand, choices=choices):
                listed = ", ".join(map(self._argument, choices))
                return f"{self._left(operand)}.is_in([{listed}])"
            case Function(name=name, arguments=arguments):
                return self._function(name, arguments)
            case _ as unreachable:
                assert_never(unreachable)

    def _function(self, name: str, arguments: tuple[Operand, ...]) -> str:
        target = self._left(arguments[0])
        if name == "attribute_exists":
            return f"{target}.exists()"
        if name == "attribute_not_exists":
            return f"{target}.not_exists()"
        if not isinstance(arguments[1], Value):
            raise NotMigratedError(f"{name} of two attributes")
        if name == "attribute_type":
            given = self._constant(arguments[1])
            if not isinstance(given, str):
                raise NotMigratedError("attribute_type of a type that is not literal")
            self._note(arguments[1])
            return f'{target}.is_type("{given}")'
        return f"{target}.{name}({self._value(arguments[1])})"

    def _bracketed(self, node: ConditionNode) -> str:
        code = self._condition_code(node)
        is_call = isinstance(node, Between | In | Function | Not)
        return code if is_call else f"({code})"

    # Operands

    def _left(self, operand: Operand) -> str:
        if isinstance(operand, Path):
            return self._attribute(operand)
        if isinstance(operand, Size) and isinstance(operand.operand, Path):
            return f"{self._attribute(operand.operand)}.size()"
        raise NotMigratedError("a condition whose left side is no attribute")

    def _operand(self, operand: Operand) -> str:
        if isinstance(operand, Value):
            return self._value(operand, in_operator=True)
        return self._left(operand)

    def _argument(self, operand: Operand) -> str:
        return self._value(operand) if isinstance(operand, Value) else self._left(operand)

    def _attribute(self, path: Path) -> str:
        self.needed.add("attr")
        return self._path(path, "attr({})")

    def _target(self, path: Path) -> str:
        return self._path(path, "{}")

    def _path(self, path: Path, form: str) -> str:
        """A document path as text, or `attr(name=...)` if a name does not fit into a path."""
        elements: tuple[Any, ...] = path.elements
        if self._paths & set(elements):
            if len(elements) > 1:
                raise NotMigratedError("a path that is made of text and code")
            return form.format("".join(map(self._name_code, elements)))
        text = str(DocumentPath(elements))
        try:
            is_path = DocumentPath.parse(text).elements == elements
            is_path = is_path and not self._written_names.keys() & set(elements)
        except ValueError:
            is_path = False
        if is_path:
            return form.format(_quoted(text))
        self.needed.add("attr")
        below = "".join(
            f"[{each}]" if isinstance(each, int) else f"[{self._name_code(each)}]"
            for each in elements[1:]
        )
        return f"attr(name={self._name_code(elements[0])}){below}"

    def _name_code(self, name: str) -> str:
        if name not in self._written_names:
            return _quoted(name)
        self._used_names[name] += 1
        return self._name_of(name)

    def _note(self, operand: Operand) -> str:
        assert isinstance(operand, Value)
        placeholder: str = operand.attribute_value["S"]
        self._used[placeholder] += 1
        return placeholder

    def _constant(self, operand: Operand) -> Any:
        """The constant that an operand is, or None."""
        if not isinstance(operand, Value):
            return None
        placeholder: str = operand.attribute_value["S"]
        written = self._values[placeholder]
        if not written.is_constant or isinstance(written.sentinel, bool):
            return None
        return written.sentinel

    def _value(self, operand: Operand, *, in_operator: bool = False) -> str:
        if not isinstance(operand, Value):
            raise NotMigratedError("an operand that is not a value")
        code = self._code_of(self._values[self._note(operand)])
        if not in_operator:
            return code
        parsed = ast.parse(code, mode="eval").body
        atoms = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.Dict, ast.List)
        return code if isinstance(parsed, atoms) else f"({code})"

    def _check_uses(self) -> None:
        for placeholder, count in self._used.items():
            if count > 1 and not self._values[placeholder].is_plain:
                raise NotMigratedError("a value that is used twice and is no name")
        for name, count in self._used_names.items():
            if count > 1 and not _is_variable(self._written_names[name]):
                raise NotMigratedError("a name that is used twice and is no variable")
        for placeholder, written in self._values.items():
            is_used = placeholder in self._used or written.is_constant
            if not is_used and not written.is_plain:
                raise NotMigratedError("a value that no expression uses")

    # The proof

    def _prove(self) -> None:
        """Run the new code with sentinels, and compare the trees.

        Raises:
            NotMigratedError: they differ, or the builder refuses the update.
        """
        variables: dict[int, str] = {}
        names: dict[str, Any] = {"UpdateBuilder": UpdateBuilder, "attr": attr, "Decimal": Decimal}

        def code_of(written: _Written) -> str:
            name = variables.setdefault(id(written), f"value_{len(variables)}")
            names[name] = written.sentinel
            return name

        def name_of(name: str) -> str:
            variable = f"name_{len(names)}"
            names[variable] = name
            return variable

        links = "".join(self._links(code_of, name_of))
        try:
            builder = eval(f"UpdateBuilder(){links}", names)
            params = builder.build_client(table_name="a-table", key={"dynasafe-key": "a"})
        except (DynasafeError, TypeError, ValueError) as error:
            raise NotMigratedError(f"UpdateBuilder refuses it: {type(error).__name__}") from error
        values = {name: to_attribute_value(each.sentinel) for name, each in self._values.items()}
        self._compare(parse_update, "UpdateExpression", self._update_text, params, values)
        if self._condition_text is not None:
            condition = self._condition_text
            self._compare(parse_condition, "ConditionExpression", condition, params, values)

    def _compare(
        self,
        parse: Callable[..., object],
        member: str,
        old: str,
        params: Mapping[str, Any],
        values: Mapping[str, Any],
    ) -> None:
        new_tree = parse(
            params[member],
            params.get("ExpressionAttributeNames", {}),
            params.get("ExpressionAttributeValues", {}),
        )
        if parse(old, self._names, values) != new_tree:
            raise NotMigratedError("the builder's tree is another one")


def _types(update: Update, condition: ConditionNode | None) -> Iterator[tuple[str, str]]:
    """The types that the grammar requires at placeholders, if it requires one."""
    for add in update.add:
        yield from _of_type("N", add.value)
    for delete in update.delete:
        yield from _of_type("SS", delete.value)
    for action in update.set:
        if isinstance(action.value, Arithmetic):
            yield from _of_type("N", action.value.left, action.value.right)
        elif isinstance(action.value, ListAppend):
            yield from _of_type("L", action.value.left, action.value.right)
    for node in [] if condition is None else conditions_of(condition):
        match node:
            case Comparison(left=left, right=right):
                operands: tuple[Operand, ...] = (left, right)
            case Between(operand=operand, low=low, high=high):
                operands = (operand, low, high)
            case In(operand=operand, choices=choices):
                operands = (operand, *choices)
            case _:
                continue
        if any(isinstance(each, Size) for each in operands):
            yield from _of_type("N", *operands)


def _of_type(type_name: str, *operands: Operand) -> Iterator[tuple[str, str]]:
    for operand in operands:
        value = operand.default if isinstance(operand, IfNotExists) else operand
        if isinstance(value, Value):
            yield value.attribute_value["S"], type_name


def _is_variable(node: ast.expr) -> bool:
    """Whether code can be written twice: a name, with attributes."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_stored_constant(value: object) -> bool:
    """Whether a literal value can be stored as it is."""
    if isinstance(value, bool | str | bytes | int | None):
        return True
    if isinstance(value, list | tuple):
        return all(map(_is_stored_constant, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_stored_constant(value[key]) for key in value)
    return isinstance(value, set) and bool(value) and len({type(each) for each in value}) == 1


def _quoted(text: str) -> str:
    """The text in quotes, as Black writes it."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'
