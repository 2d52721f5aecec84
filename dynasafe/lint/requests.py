"""Builds the request of a call, as far as the source shows it, and runs `check_request` on it.

A value that the source does not show is a hole. Values of each type are tried in the holes, and a
finding counts only if it occurs with all of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynasafe.findings.finding import Finding
from dynasafe.lint.calls import TYPES, Call, constant_display, is_typed_display, only_value
from dynasafe.lint.literals import Text, constant, text_constant, texts
from dynasafe.lint.scopes import Names
from dynasafe.validation import check_request
from dynasafe.validation.expression_rules import KINDS
from dynasafe.validation.shapes import REQUESTS, Shape

_PLACEHOLDERS = {"ExpressionAttributeNames": "#", "ExpressionAttributeValues": ":"}
# Findings about a missing parameter, which `**params` may have.
_ABSENT = frozenset({"DYS105", "DYS106", "DYS107", "DYS160", "DYS161", "DYS165", "DYS170"})
# Findings about an expression that exists, but is not literal.
_HIDDEN = frozenset({"DYS107", "DYS160"})
# Findings about a whole text, which may need more than one branch.
_WHOLE = frozenset(
    {
        *("DYS103", "DYS107", "DYS201", "DYS203", "DYS204", "DYS210", "DYS218"),
        *("DYS220", "DYS221", "DYS222"),
    }
)
# Separate rules check these parameters.
_HANDLED = frozenset({"DYS104"})


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that the source does not show; its type where that is clear."""

    type_name: str | None = None


class _Unknown:
    """A part that the source does not show and that is not an AttributeValue."""


_UNKNOWN = _Unknown()


@dataclass
class Template:
    """A request with holes."""

    operation: str
    params: dict[str, Any]
    places: dict[str, ast.expr] = field(default_factory=dict)
    """The nodes in the source of the parts of the request, by path."""
    texts: dict[str, Text] = field(default_factory=dict)
    """The expressions, by path."""
    unseen: list[str] = field(default_factory=list)
    """Why the request is known only in part."""
    has_more: bool = False
    has_hidden: bool = False
    """Whether an expression is not literal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding of `check_request`, and the request in which it was found."""

    finding: Finding
    template: Template


def judge(call: Call, names: Names, schema: object = None) -> tuple[list[Verdict], list[str]]:
    """The findings that hold for all values of the holes, and why some parts are not checked."""
    if call.form == "writer":
        return [], []
    templates = list(_templates(call, names))
    if not templates:
        return [], ["members of the request are not in the source"]
    found: dict[tuple[object, ...], Verdict] = {}
    per_template = []
    for template in templates:
        here = {_identity(each): each for each in _lasting(template, schema)}
        per_template.append(here)
        for key, finding in here.items():
            found.setdefault(key, Verdict(finding, template))
    # One of several texts may be impossible, so faults of the whole text prove nothing.
    for key, verdict in list(found.items()):
        code = verdict.finding.code
        if code in _WHOLE and not all(
            any(each.code == code for each in here.values()) for here in per_template
        ):
            del found[key]
    return list(found.values()), list(dict.fromkeys(templates[0].unseen))


def _identity(finding: Finding) -> tuple[object, ...]:
    where = finding.where
    return (finding.code, where.parameter, where.text, where.span)


def _lasting(template: Template, schema: object) -> list[Finding]:
    """The findings that occur for every type of the holes."""
    first = _findings(template, TYPES[0], schema)
    if not first or not _has_holes(template.params):
        return first
    lasting = {_identity(each) for each in first}
    for type_name in TYPES[1:]:
        lasting &= {_identity(each) for each in _findings(template, type_name, schema)}
        if not lasting:
            return []
    return [each for each in first if _identity(each) in lasting]


def _findings(template: Template, type_name: str, schema: object) -> list[Finding]:
    filled = _Filling(type_name).fill(template.params)
    found = check_request(template.operation, filled, schema=schema, form="client")
    overlooked = _HANDLED
    if template.has_more:
        overlooked |= _ABSENT
    if template.has_hidden:
        overlooked |= _HIDDEN
    return [each for each in found if each.code not in overlooked]


def _has_holes(part: Any) -> bool:
    if isinstance(part, Mapping):
        return any(map(_has_holes, part.values()))
    return any(map(_has_holes, part)) if isinstance(part, list) else isinstance(part, Hole)


class _Filling:
    """Values for holes: each is different, and all have one type unless a hole has its own."""

    def __init__(self, type_name: str) -> None:
        self._type_name = type_name
        self._count = 0

    def fill(self, part: Any) -> Any:
        if isinstance(part, Hole):
            return self._value(part.type_name or self._type_name)
        if isinstance(part, dict):
            return {name: self.fill(each) for name, each in part.items()}
        if isinstance(part, list):
            return [self.fill(each) for each in part]
        return part

    def _value(self, type_name: str) -> dict[str, Any]:
        self._count += 1
        text, number = f"value{self._count}", str(self._count)
        content: dict[str, Any] = {
            "S": text,
            "N": number,
            "B": text.encode(),
            "BOOL": True,
            "NULL": True,
            "L": [{"S": text}],
            "M": {text: {"S": text}},
            "SS": [text],
            "NS": [number],
            "BS": [text.encode()],
        }
        return {type_name: content[type_name]}


# From the source


def _templates(call: Call, names: Names) -> Iterator[Template]:
    """The requests that a call may make: one for each alternative of its expressions."""
    shape = REQUESTS[call.operation]
    # A misspelt name replaces a parameter that is then missing.
    has_more = call.has_more or not call.members.keys() <= shape.members.keys()
    alternatives: list[dict[str, Text]] = [{}]
    unseen = ["** in the call"] if call.has_more else []
    for member in KINDS:
        node = call.members.get(member)
        found = None if node is None else texts(node, names)
        if node is not None and found is None:
            unseen.append(f"{member} is not literal")
        if found is not None and len(found) * len(alternatives) <= 16:
            alternatives = [{**each, member: one} for each in alternatives for one in found]
    for chosen in alternatives:
        template = Template(call.operation, {}, unseen=unseen, has_more=has_more)
        reader = _Reader(call, names, template)
        members = {
            name: node
            for name, node in call.members.items()
            if name in shape.members and name not in KINDS
        }
        read = reader.struct(shape, members, "", chosen, has_more=has_more)
        if read is None:
            return
        template.params = read
        yield template


class _Reader:
    """Reads the parameters of one call by the shape of its operation."""

    def __init__(self, call: Call, names: Names, template: Template) -> None:
        self._names = names
        self._template = template
        self._form = call.form
        self._call = call
        self._tables: dict[str, int] = {}

    def struct(
        self,
        shape: Shape,
        members: Mapping[str, ast.expr],
        place: str,
        chosen: Mapping[str, Text],
        *,
        has_more: bool,
    ) -> dict[str, Any] | None:
        """A request, or an entry of one; None if the source does not show a required part."""
        read: dict[str, Any] = {}
        inner = f"{place}." if place else ""
        for name, node in members.items():
            self._template.places[f"{inner}{name}"] = node
            part = self._part(shape.members[name], node, f"{inner}{name}")
            if part is _UNKNOWN:
                if not shape.members[name].is_required and name != "TableName":
                    continue
                part = self._stand_in(shape.members[name], node)
                if part is None:
                    return None
            read[name] = part
        for name, text in chosen.items():
            read[name] = text.value
            self._template.texts[f"{inner}{name}"] = text
            written = None if place else self._call.members.get(name)
            self._template.places[f"{inner}{name}"] = written or text.parts[0][1]
        if "TableName" in shape.members:
            read.setdefault("TableName", "a-table")
        for name, member in shape.members.items():
            if has_more and member.is_required and name not in read:
                stand_in = self._stand_in(member, None)
                if stand_in is None:
                    return None
                read[name] = stand_in
        given = set(members) | (set() if place else set(self._call.members))
        self._complete(read, members, given, has_more)
        return read

    def _stand_in(self, shape: Shape, node: ast.expr | None) -> Any:
        """A placeholder for a required part that the source does not show.

        Different expressions for the table name count as different tables.
        """
        if shape.kind == "Map" and shape.each is not None and shape.each.kind == "AttributeValue":
            return {"id": Hole()}
        if not shape.is_name:
            return None
        text = "" if node is None else ast.unparse(node)
        return f"table-{self._tables.setdefault(text, len(self._tables))}"

    def _complete(
        self,
        read: dict[str, Any],
        members: Mapping[str, ast.expr],
        given: set[str],
        has_more: bool,
    ) -> None:
        """Add placeholders that hidden parts may define, and drop those that hidden parts may
        use."""
        known = " ".join(str(read[each]) for each in KINDS if each in read)
        hidden = any(each in given and each not in read for each in KINDS)
        self._template.has_hidden |= hidden
        has_hidden_text = has_more or hidden
        for member, mark in _PLACEHOLDERS.items():
            used = set(re.findall(rf"{mark}[0-9A-Za-z_]+", known))
            node = members.get(member)
            entries = read.get(member)
            is_open = (node is None and has_more) or (
                node is not None and (entries is None or None in _keys(node, self._names))
            )
            if isinstance(entries, dict) and entries and has_hidden_text:
                entries = {name: entry for name, entry in entries.items() if name in used}
                read[member] = entries
                if not entries:
                    del read[member]
                    entries = None
            if is_open:
                if node is not None:
                    self._template.unseen.append(f"{member} is not literal")
                filled = dict(entries or {})
                for name in sorted(used - filled.keys()):
                    filled[name] = f"attribute_{name[1:]}" if mark == "#" else Hole()
                if filled:
                    read[member] = filled

    def _part(self, shape: Shape, node: ast.expr, place: str) -> Any:
        match shape.kind:
            case "AttributeValue":
                return self._value(node, place)
            case "String":
                found = texts(node, self._names)
                if found is None or len(found) != 1:
                    return _UNKNOWN
                return found[0].value
            case "Boolean" | "Integer":
                value = constant(node)
                return _UNKNOWN if value is None or isinstance(value, float) else value
            case "List":
                return self._list(shape, node, place)
            case "Map":
                return self._map(shape, node, place)
            case _:
                return self._entry(shape, node, place)

    def _list(self, shape: Shape, node: ast.expr, place: str) -> Any:
        display = node if isinstance(node, ast.List | ast.Tuple) else only_value(node, self._names)
        if not isinstance(display, ast.List | ast.Tuple):
            return _UNKNOWN
        assert shape.each is not None
        read: list[Any] = []
        for index, each in enumerate(display.elts):
            self._template.places[f"{place}[{len(read)}]"] = each
            if isinstance(each, ast.Starred):
                self._template.unseen.append(f"entry {index} of {place} is not literal")
                continue
            part = self._part(shape.each, each, f"{place}[{len(read)}]")
            if part is _UNKNOWN:
                self._template.unseen.append(f"entry {index} of {place} is not literal")
            else:
                read.append(part)
        return read if read or not display.elts else _UNKNOWN

    def _map(self, shape: Shape, node: ast.expr, place: str) -> Any:
        display = constant_display(node, self._names)
        if display is None:
            return _UNKNOWN
        assert shape.each is not None
        read: dict[str, Any] = {}
        for key, value in zip(display.keys, display.values, strict=True):
            name = text_constant(key)
            if key is not None and name is None:
                found = texts(key, self._names)
                name = found[0].value if found is not None and len(found) == 1 else None
            if name is None:
                if not shape.has_table_names or key is None:
                    continue  # names that the source does not show
                name = f"other-table-{len(read)}"
            self._template.places[f"{place}.{name}"] = value
            part = self._part(shape.each, value, f"{place}.{name}")
            if part is _UNKNOWN:
                if shape.each.kind == "String":
                    part = f"attribute_{len(read)}"
                else:
                    continue
            read[name] = part
        is_hidden = bool(display.keys) and not read
        return _UNKNOWN if is_hidden else read

    def _entry(self, shape: Shape, node: ast.expr, place: str) -> Any:
        display = constant_display(node, self._names)
        if display is None:
            return _UNKNOWN
        members: dict[str, ast.expr] = {}
        has_more = False
        for key, value in zip(display.keys, display.values, strict=True):
            name = text_constant(key)
            if name is None:
                has_more = True
            elif name in shape.members:
                members[name] = value
        chosen: dict[str, Text] = {}
        for name in KINDS:
            node_of = members.get(name)
            found = None if node_of is None else texts(node_of, self._names)
            if found is not None and len(found) == 1:
                chosen[name] = found[0]
        plain = {name: each for name, each in members.items() if name not in KINDS}
        if has_more:
            self._template.has_more = True
        hidden = [name for name in members if name in KINDS and name not in chosen]
        self._template.has_hidden |= bool(hidden)
        read = self.struct(shape, plain, place, chosen, has_more=has_more or bool(hidden))
        return _UNKNOWN if read is None else read

    # Values

    def _value(self, node: ast.expr, place: str) -> Any:
        self._template.places[place] = node
        if self._form == "resource":
            return self._python_value(node, place, 0)
        found = self._attribute_value(node, place, 0)
        return Hole() if found is None else found

    def _python_value(self, node: ast.expr, place: str, depth: int) -> Any:
        """The AttributeValue that boto3 makes from a Python value."""
        match node:
            case ast.Constant(value=None):
                return {"NULL": True}
            case ast.Constant(value=bool(value)):
                return {"BOOL": value}
            case ast.Constant(value=str(value)):
                return {"S": value}
            case ast.Constant(value=bytes(value)):
                return {"B": value}
            case ast.Constant(value=int(value)):
                return {"N": str(value)}
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return {"N": str(-value)}
            case ast.Dict() if depth < 32:
                if any(text_constant(key) is None for key in node.keys):
                    return Hole("M")
                inner = {}
                for key, each in zip(node.keys, node.values, strict=True):
                    name = text_constant(key)
                    self._template.places[f"{place}.{name}"] = each
                    inner[name] = self._python_value(each, f"{place}.{name}", depth + 1)
                return {"M": inner}
            case ast.List() | ast.Tuple() if depth < 32:
                if any(isinstance(each, ast.Starred) for each in node.elts):
                    return Hole("L")
                return {
                    "L": [
                        self._python_value(each, f"{place}[{index}]", depth + 1)
                        for index, each in enumerate(node.elts)
                    ]
                }
            case ast.Set():
                return _set_of(node)
            case ast.Name() if depth < 4:
                value_of = only_value(node, self._names)
                if value_of is not None:
                    return self._python_value(value_of, place, depth + 1)
        return Hole(_python_type(node))

    def _attribute_value(self, node: ast.expr, place: str, depth: int) -> Any:
        """An AttributeValue that is written in the source; None for anything else."""
        if isinstance(node, ast.Name) and depth < 4:
            value_of = only_value(node, self._names)
            return None if value_of is None else self._attribute_value(value_of, place, depth + 1)
        if not isinstance(node, ast.Dict) or depth > 32:
            return None
        if self._form != "client" and not is_typed_display(node):
            return None  # a meta client takes Python values
        whole = whole_literal(node)
        if whole is not _UNKNOWN:
            return whole
        if len(node.keys) != 1:
            return None
        type_name = text_constant(node.keys[0])
        (content,) = node.values
        if type_name == "M" and isinstance(content, ast.Dict):
            if any(text_constant(key) is None for key in content.keys):
                return Hole("M")
            return {
                "M": {
                    text_constant(key): self._inner(value, f"{place}.{text_constant(key)}", depth)
                    for key, value in zip(content.keys, content.values, strict=True)
                }
            }
        if type_name == "L" and isinstance(content, ast.List):
            if any(isinstance(each, ast.Starred) for each in content.elts):
                return Hole("L")
            return {
                "L": [
                    self._inner(each, f"{place}[{index}]", depth)
                    for index, each in enumerate(content.elts)
                ]
            }
        return Hole(type_name) if type_name in TYPES else None

    def _inner(self, node: ast.expr, place: str, depth: int) -> Any:
        self._template.places[place] = node
        found = self._attribute_value(node, place, depth + 1)
        return Hole() if found is None else found


def whole_literal(node: ast.expr) -> Any:
    """The value of a display that has only constants."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _UNKNOWN


def _keys(node: ast.expr, names: Names) -> list[str | None]:
    display = constant_display(node, names)
    return [None] if display is None else [text_constant(key) for key in display.keys]


def _set_of(node: ast.Set) -> Any:
    values = [constant(each) for each in node.elts]
    if all(isinstance(each, str) for each in values):
        return {"SS": sorted(set(values))}
    if all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return {"NS": [str(each) for each in sorted(set(values))]}
    return Hole()


_TYPES_OF_CALLS = {
    "str": "S",
    "int": "N",
    "len": "N",
    "sum": None,
    "bool": "BOOL",
    "list": "L",
    "sorted": "L",
    "dict": "M",
    "Decimal": "N",
    "isoformat": "S",
    "strftime": "S",
    "hex": "S",
}


def _python_type(node: ast.expr) -> str | None:
    """The type of an expression, if its form shows it."""
    match node:
        case ast.JoinedStr():
            return "S"
        case ast.ListComp():
            return "L"
        case ast.DictComp():
            return "M"
        case ast.UnaryOp(op=ast.Not()):
            return "BOOL"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _TYPES_OF_CALLS.get(name)
        case _:
            return None
