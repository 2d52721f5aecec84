"""update_item calls, rewritten to UpdateBuilder, each with a proof.

The new code is run with a sentinel in the place of each value. The call is rewritten only if the
builder's update and condition have the same syntax trees as the old texts.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
from dynasafe.lint.calls import Call, constant_display
from dynasafe.lint.literals import constant, only_text, text_constant
from dynasafe.lint.module import Module, RuleSettings
from dynasafe.lint.problem import Edit
from dynasafe.lint.requests import whole_literal
from dynasafe.lint.source import Source
from dynasafe.validation.expression_rules import conditions_of
from dynasafe.values.convert import to_attribute_value

_OPTIONS = {
    "ReturnValues": "return_values",
    "ReturnConsumedCapacity": "return_consumed_capacity",
    "ReturnItemCollectionMetrics": "return_item_collection_metrics",
    "ReturnValuesOnConditionCheckFailure": "return_values_on_condition_check_failure",
}
_MEMBERS = {
    *_OPTIONS,
    *("Key", "TableName", "UpdateExpression", "ConditionExpression"),
    *("ExpressionAttributeNames", "ExpressionAttributeValues"),
}
_COMPARED = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class NotMigratedError(Exception):
    """Why a call is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A call that was left as it is."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A text after its migration, and the calls that were left."""

    text: str
    count: int
    left: tuple[Left, ...] = ()

    @property
    def reasons(self) -> Counter[str]:
        return Counter(each.reason for each in self.left)


def migrate_source(source: Source, settings: RuleSettings | None = None) -> Migrated:
    """Rewrite each update_item call whose new form is proved to make the same request."""
    module = Module(source, settings)
    edits: list[Edit] = []
    left: list[Left] = []
    needed: set[str] = set()
    count = 0
    for call in module.known_calls():
        if call.operation != "UpdateItem":
            continue
        try:
            migration = _Migration(call, module)
            edits.append(migration.edit())
            needed |= migration.needed
            count += 1
        except NotMigratedError as error:
            left.append(Left(offset=module.method_span(call)[0], reason=str(error)))
    if not count:
        return Migrated(text=source.text, count=0, left=tuple(left))
    edits += _imports(module, needed)
    text = source.text
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    ast.parse(text)
    return Migrated(text=text, count=count, left=tuple(left))


def _imports(module: Module, needed: set[str]) -> Iterator[Edit]:
    ours = sorted(
        name for name in needed - {"Decimal"} if not _is_imported(name, f"dynasafe.{name}", module)
    )
    if ours:
        yield from module.add_import("dynasafe", ", ".join(ours))
    if "Decimal" in needed and not _is_imported("Decimal", "decimal.Decimal", module):
        yield from module.add_import("decimal", "Decimal")


def _is_imported(name: str, full: str, module: Module) -> bool:
    bindings = module.names.module.bindings.get(name, [])
    return any(each.canonical == full for each in bindings)


def _is_free(name: str, full: str, module: Module) -> bool:
    """Whether a name means what we import, or nothing, in all of the file."""
    return not any(
        each.canonical != full
        for scope in {module.names.module, *module.names.inner.values()}
        for each in scope.bindings.get(name, [])
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """A value of the old call: its code, and what stands for it in the proof."""

    code: str
    sentinel: Any
    is_constant: bool
    is_plain: bool
    """Whether its code is a name or a constant, which may be written twice."""


class _Migration:
    """The migration of one call."""

    def __init__(self, call: Call, module: Module) -> None:
        self._call = call
        self._module = module
        self.needed = {"UpdateBuilder"}
        self._check_call()
        text = self._text("UpdateExpression")
        assert text is not None
        self._names = self._read_names()
        self._update_text = text
        self._condition_text = self._text("ConditionExpression", may_be_condition=True)
        given = self._given_values()
        self._update, self._condition = self._parse(given)
        types = dict(_types(self._update, self._condition))
        self._values = {
            placeholder: self._written(index, node, types.get(placeholder, "S"))
            for index, (placeholder, node) in enumerate(given.items())
        }
        self._used: Counter[str] = Counter()

    # The old call

    def _check_call(self) -> None:
        call, module = self._call, self._module
        if call.has_more or call.node.args:
            raise NotMigratedError("** or positional arguments")
        if not call.members.keys() <= _MEMBERS:
            raise NotMigratedError("legacy or unknown parameters")
        if set(call.keywords) != set(call.members):
            raise NotMigratedError("members in a dict that is spread")
        if call.form not in ("resource", "client", "meta"):
            raise NotMigratedError("neither a Table nor a client for sure")
        if call.form == "resource" and "TableName" in call.members:
            raise NotMigratedError("TableName on a Table")
        needed = {"Key", "UpdateExpression"} | (set() if call.form == "resource" else {"TableName"})
        missing = needed - call.members.keys()
        if missing:
            raise NotMigratedError(f"no {' and no '.join(sorted(missing))}")
        if module.source.has_comment(module.source.span(call.node)):
            raise NotMigratedError("a comment within the call")
        for name, full in (("UpdateBuilder", "dynasafe.UpdateBuilder"), ("attr", "dynasafe.attr")):
            if not _is_free(name, full, module):
                raise NotMigratedError(f"the name {name} is taken")

    def _text(self, member: str, *, may_be_condition: bool = False) -> str | None:
        node = self._call.members.get(member)
        if node is None or (may_be_condition and self._module.is_condition(node)):
            return None
        text = only_text(node, self._module.names)
        if text is None:
            raise NotMigratedError(f"{member} is not literal")
        return text

    def _read_names(self) -> dict[str, str]:
        node = self._call.members.get("ExpressionAttributeNames")
        if node is None:
            return {}
        display = constant_display(node, self._module.names)
        names = None if display is None else whole_literal(display)
        if not isinstance(names, dict):
            raise NotMigratedError("ExpressionAttributeNames is not literal")
        return names

    def _given_values(self) -> dict[str, ast.expr]:
        node = self._call.members.get("ExpressionAttributeValues")
        if node is None:
            return {}
        if not isinstance(node, ast.Dict):
            raise NotMigratedError("ExpressionAttributeValues is not literal")
        given = {
            text_constant(key): value for key, value in zip(node.keys, node.values, strict=True)
        }
        if None in given or len(given) < len(node.keys):
            raise NotMigratedError("a key of ExpressionAttributeValues is not literal")
        return {name: value for name, value in given.items() if name is not None}

    def _written(self, index: int, node: ast.expr, type_name: str) -> _Written:
        if self._call.form == "client":
            code, plain = self._plain_value(node)
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

    def _plain_value(self, node: ast.expr) -> tuple[str, ast.expr]:
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
                parts = [self._plain_value(each)[0] for each in content.elts]
                return f"[{', '.join(parts)}]", content
            case "M" if isinstance(content, ast.Dict):
                entries = [
                    f"{text(key)}: {self._plain_value(value)[0]}"
                    for key, value in zip(content.keys, content.values, strict=True)
                    if key is not None
                ]
                if len(entries) < len(content.keys):
                    raise NotMigratedError("a map with **")
                return f"{{{', '.join(entries)}}}", content
            case _:
                raise NotMigratedError("a value is no display of an AttributeValue")

    def _number(self, node: ast.expr) -> str:
        """The number whose text is given: `str(len(x))` is len(x)."""
        given = text_constant(node)
        if given is not None:
            return given if re.fullmatch(r"-?(0|[1-9]\d*)", given) else self._decimal(f"{given!r}")
        match node:
            case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
                is_number = isinstance(constant(inner), int) or (
                    isinstance(inner, ast.Call)
                    and isinstance(inner.func, ast.Name)
                    and inner.func.id in ("int", "len")
                )
                if is_number:
                    return self._module.text(inner)
        return self._decimal(self._module.text(node))

    def _decimal(self, code: str) -> str:
        if not _is_free("Decimal", "decimal.Decimal", self._module):
            raise NotMigratedError("the name Decimal is taken")
        self.needed.add("Decimal")
        return f"Decimal({code})"

    def _parse(self, given: Mapping[str, object]) -> tuple[Update, ConditionNode | None]:
        """The trees, with names in their places, and placeholders in those of values."""
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

    # The new call

    def edit(self) -> Edit:
        """The edit that rewrites the call's arguments, once it is proved."""
        links = [*self._links(lambda written: written.code)]
        self._check_uses()
        self._prove()
        module, node = self._module, self._call.node
        _, start = module.source.span(node.func)
        _, end = module.source.span(node)
        line = module.source.line(module.source.place(start).line)
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        chain = ["**UpdateBuilder()", *links, self._build()]
        if self._call.form == "meta":
            chain.insert(0, f"TableName={module.text(self._call.members['TableName'])},")
        text = "".join(f"\n{indent}{each}" for each in chain)
        return Edit(start, end, f"({text}\n{indent[4:]})")

    def _build(self) -> str:
        arguments = []
        key = self._call.members["Key"]
        if self._call.form == "client":
            arguments.append(f"table_name={self._module.text(self._call.members['TableName'])}")
            if not isinstance(key, ast.Dict) or None in key.keys:
                raise NotMigratedError("Key is no display of AttributeValues")
            entries = [
                f"{self._module.text(name)}: {self._plain_value(value)[0]}"
                for name, value in zip(key.keys, key.values, strict=True)
                if name is not None
            ]
            arguments.append(f"key={{{', '.join(entries)}}}")
        else:
            arguments.append(f"key={self._module.text(key)}")
        arguments += [
            f"{option}={self._module.text(self._call.members[member])}"
            for member, option in _OPTIONS.items()
            if member in self._call.members
        ]
        method = "build_client" if self._call.form == "client" else "build"
        return f".{method}({', '.join(arguments)})"

    def _links(self, code_of: Callable[[_Written], str]) -> Iterator[str]:
        """The calls of the chain, with the code of each value."""
        self._code_of = code_of
        self._used.clear()
        for action in self._update.set:
            yield self._set(action.path, action.value)
        if self._update.remove:
            paths = ", ".join(self._target(each.path) for each in self._update.remove)
            yield f".remove({paths})"
        for add in self._update.add:
            yield f".add({self._target(add.path)}, {self._value(add.value)})"
        for delete in self._update.delete:
            yield f".delete({self._target(delete.path)}, {self._value(delete.value)})"
        given = self._call.members.get("ConditionExpression")
        if self._condition is not None:
            yield f".condition({self._condition_code(self._condition)})"
        elif given is not None:
            yield f".condition({self._module.text(given)})"

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
        """A document path as text, or `attr(name=...)` where a name is no part of one."""
        elements: tuple[Any, ...] = path.elements
        text = str(DocumentPath(elements))
        try:
            is_path = DocumentPath.parse(text).elements == elements
        except ValueError:
            is_path = False
        if is_path:
            return form.format(_quoted(text))
        self.needed.add("attr")
        below = "".join(
            f"[{each}]" if isinstance(each, int) else f"[{_quoted(each)}]" for each in elements[1:]
        )
        return f"attr(name={_quoted(elements[0])}){below}"

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
            raise NotMigratedError("an operand that is no value")
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

        # A condition of boto3 is taken as it is; what it is made of is not known here.
        links = [
            each
            for each in self._links(code_of)
            if self._condition is not None or not each.startswith(".condition(")
        ]
        try:
            builder = eval(f"UpdateBuilder(){''.join(links)}", names)
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
    """The type that the place of a placeholder asks for, where it asks for one."""
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
    """The text as Black writes it."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'
