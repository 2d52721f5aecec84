"""The rules for the expressions of a request, each by itself and all together.

Sources: "Expression attribute names (aliases) in DynamoDB"; "Constraints in Amazon DynamoDB"; the
words of messages are the service's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions.nodes import (
    AddAction,
    And,
    Arithmetic,
    Between,
    Comparison,
    ConditionNode,
    DeleteAction,
    Expression,
    ExpressionKind,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    Not,
    Operand,
    Or,
    Path,
    RemoveAction,
    SetAction,
    Size,
    UpdateAction,
    ValuePlaceholder,
)
from dynasafe.expressions.path_set import Elements, PathSet, listed
from dynasafe.expressions.reader import Reading, read_expression
from dynasafe.expressions.reserved_words import RESERVED_WORDS
from dynasafe.findings.finding import Finding, Span
from dynasafe.limits import (
    MAX_EXPRESSION_BYTES,
    MAX_EXPRESSION_WITH_VALUES_BYTES,
    MAX_PLACEHOLDER_BYTES,
    MAX_VALUES_BYTES,
)
from dynasafe.validation.report import Report
from dynasafe.validation.value_rules import (
    TYPES,
    check_attribute_value,
    name_problem,
    sort_key,
    wire_value,
)
from dynasafe.validation.wire_value import WireValue

KINDS: dict[str, ExpressionKind] = {
    "UpdateExpression": "update",
    "ConditionExpression": "condition",
    "KeyConditionExpression": "key condition",
    "FilterExpression": "condition",
    "SearchConditionExpression": "condition",
    "ProjectionExpression": "projection",
}
_NAME_KEY = re.compile(r"#[0-9A-Za-z_]+")
_VALUE_KEY = re.compile(r":[0-9A-Za-z_]+")
_TYPE_WORDS = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
}
_ORDERED = frozenset({"S", "N", "B"})
_DELETED = frozenset({"SS", "NS", "BS"})
_ADDED = _DELETED | {"N"}
_SIZED = frozenset({"S", "B", "L", "M", "SS", "NS", "BS"})


class Expressions:
    """The expressions of one request, and the placeholders that they share.

    `nodes` has the symbolic tree of each expression that could be read without a problem.
    """

    __slots__ = (
        "names",
        "nodes",
        "paths",
        "texts",
        "too_deep",
        "used_names",
        "used_values",
        "values",
        "wire_values",
    )

    def __init__(
        self,
        names: Mapping[str, Any],
        values: Mapping[str, Any],
        nodes: dict[str, Expression] | None = None,
        paths: dict[str, tuple[Path, ...]] | None = None,
        texts: dict[str, str] | None = None,
        used_names: set[str] | None = None,
        used_values: set[str] | None = None,
        wire_values: dict[str, WireValue] | None = None,
        too_deep: dict[str, Finding] | None = None,
    ) -> None:
        self.names: Mapping[str, Any] = names
        self.values: Mapping[str, Any] = values
        self.nodes: dict[str, Expression] = {} if nodes is None else nodes
        self.paths: dict[str, tuple[Path, ...]] = {} if paths is None else paths
        self.texts: dict[str, str] = {} if texts is None else texts
        self.used_names: set[str] = set() if used_names is None else used_names
        self.used_values: set[str] = set() if used_values is None else used_values
        self.wire_values: dict[str, WireValue] = {} if wire_values is None else wire_values
        """By placeholder: what is known about the value."""
        self.too_deep: dict[str, Finding] = {} if too_deep is None else too_deep
        """Values of a transaction that are allowed in conditions and not in writes."""

    def elements(self, path: Path) -> Elements | None:
        """The path with its names, or None if a placeholder is not defined."""
        if len(path.elements) == 1:
            (only,) = path.elements
            name = self.names.get(only.text) if isinstance(only, NamePlaceholder) else only
            return (name,) if isinstance(name, str) else None
        elements: list[str | int] = []
        for element in path.elements:
            if isinstance(element, NamePlaceholder):
                name = self.names.get(element.text)
                if not isinstance(name, str):
                    return None
                elements.append(name)
            else:
                elements.append(element)
        return tuple(elements)

    def named(self, member: str) -> dict[str, Path]:
        """The attributes that an expression names, each with the first path to it."""
        named: dict[str, Path] = {}
        for path in self.paths.get(member, ()):
            elements = self.elements(path)
            if elements is not None:
                named.setdefault(str(elements[0]), path)
        return named

    def wire(self, operand: object) -> tuple[str, Any] | None:
        """The type and the content of a well-formed literal; None for any other operand."""
        if not isinstance(operand, ValuePlaceholder):
            return None
        known = self.wire_values.get(operand.text)
        return None if known is None else known.literal


def check_expressions(
    params: Mapping[str, Any], members: Sequence[str], report: Report
) -> Expressions:
    """Check the named expression members, and the names and values that they use."""
    expressions = Expressions(
        names=params.get("ExpressionAttributeNames", {}),
        values=params.get("ExpressionAttributeValues", {}),
    )
    _check_placeholders(params, "ExpressionAttributeNames", _NAME_KEY, report)
    _check_placeholders(params, "ExpressionAttributeValues", _VALUE_KEY, report)
    _check_values(expressions, report)
    _check_names(params, report)
    is_readable = True
    for member in members:
        text = params.get(member)
        if text is None:
            continue
        reading = _read(member, text, report)
        is_readable = is_readable and reading is not None
        if reading is not None:
            _check_reading(member, text, reading, expressions, report)
    if is_readable:
        _check_unused(params, expressions, report)
    return expressions


def _check_placeholders(
    params: Mapping[str, Any], member: str, pattern: re.Pattern[str], report: Report
) -> None:
    """The keys of ExpressionAttributeNames or ExpressionAttributeValues."""
    placeholders = params.get(member)
    if placeholders is None:
        return
    if not placeholders:
        report.add(
            "DYS103",
            f"{member} must not be empty",
            member,
            "leave the member out where no expression uses it; UpdateBuilder does",
        )
    for placeholder in map(str, placeholders):
        if pattern.fullmatch(placeholder) is None:
            report.add(
                "DYS216",
                f'{member} contains invalid key: Syntax error; key: "{placeholder}"',
                member,
                f"begin it with {pattern.pattern[0]}, and use letters, digits and _",
            )
        elif len(placeholder) > MAX_PLACEHOLDER_BYTES:  # only ASCII
            report.add(
                "DYS216",
                f"{member} contains invalid key: The expression attribute map contains a key that "
                f"is too long; size of key: {len(placeholder)}",
                member,
                f"keep it to {MAX_PLACEHOLDER_BYTES} bytes",
            )


def _check_names(params: Mapping[str, Any], report: Report) -> None:
    for alias, name in (params.get("ExpressionAttributeNames") or {}).items():
        problem = name_problem(name) if isinstance(name, str) else None
        if problem is not None:
            message, fix = problem
            report.add(
                "DYS217",
                f"ExpressionAttributeNames contains invalid value: {message} for key {alias}",
                "ExpressionAttributeNames",
                fix,
            )


def _check_values(expressions: Expressions, report: Report) -> None:
    values, known = expressions.values, expressions.wire_values
    total_bytes = 0
    for name, value in values.items():
        of_value = known[name] = wire_value(value, report)
        total_bytes += of_value.size_bytes + len(str(name).encode(errors="replace"))
        if not of_value.problems:
            continue
        inner = report.aside()
        check_attribute_value(value, f"ExpressionAttributeValues.{name}", inner)
        for finding in inner.findings:
            if finding.code == "DYS115" and report.entry is not None:
                expressions.too_deep[name] = finding
                continue
            message = finding.message
            if not report.context.wording.is_newer:
                message = (
                    f"ExpressionAttributeValues contains invalid value: {message} for key {name}"
                )
            report.add(finding.code, message, finding.where.parameter, finding.fix)
    if total_bytes > MAX_VALUES_BYTES:
        report.add(
            "DYS219",
            "ExpressionAttributeValues exceeds max size",
            "ExpressionAttributeValues",
            "keep the names and values to 2 MB together",
        )


def _read(member: str, text: str, report: Report) -> Reading | None:
    size_bytes = len(text) if text.isascii() else len(text.encode(errors="replace"))
    if size_bytes > MAX_EXPRESSION_BYTES:
        report.add(
            "DYS218",
            f"Invalid {member}: Expression size has exceeded the maximum allowed size; expression "
            f"size: {size_bytes}",
            member,
            f"keep it to {MAX_EXPRESSION_BYTES} bytes: two requests, or shorter placeholders where "
            "it is written by hand",
        )
        return None
    try:
        return read_expression(KINDS[member], text)
    except ExpressionSyntaxError as error:
        report.add(
            "DYS103" if not text else "DYS201",
            f"Invalid {member}: {error.reason}",
            member,
            error.fix,
            text=text,
            span=error.span,
        )
        return None


# The service checks brackets first. Then it checks function names, reserved words and indexes, in
# the order of the text, then repeated sections, then the rest. This was measured on DynamoDB Local,
# and agrees with what dynalite's authors recorded from the service.
_LOOKS = {
    **dict.fromkeys(("DYS202", "DYS219"), 0),
    **dict.fromkeys(("DYS205", "DYS206", "DYS207", "DYS212", "DYS215"), 1),
    "DYS210": 2,
    "DYS211": 4,
}
_AT_THE_REST = 3
# Among the rest, for problems that end at one place: placeholders and paths, then numbers of
# operands, then equal operands, then types.
_RANKS = {
    **dict.fromkeys(("DYS213", "DYS220", "DYS221"), 0),
    **dict.fromkeys(("DYS208", "DYS214"), 1),
    "DYS224": 2,
}


class _Findings:
    """The problems of one expression, in the order in which the service checks them."""

    def __init__(self, member: str, text: str, targets: Sequence[Path]) -> None:
        self._member = member
        self._text = text
        self._targets = [path.span for path in targets if path.span is not None]
        self._found: list[tuple[str, str, Span | None, str]] = []

    def __call__(self, code: str, reason: str, span: Span | None, fix: str) -> None:
        self._found.append((code, reason, span, fix))

    def add_to(self, report: Report) -> None:
        for code, reason, span, fix in sorted(self._found, key=self._order):
            message = f"Invalid {self._member}: {reason}"
            report.add(code, message, self._member, fix, text=self._text, span=span)

    def _order(self, found: tuple[str, str, Span | None, str]) -> tuple[int, ...]:
        code, _, span, _ = found
        start, end = span or (0, 0)
        look = _LOOKS.get(code, _AT_THE_REST)
        if look != _AT_THE_REST:
            return (look, start)
        # Actions and projected paths are checked last first: their paths, then operands.
        is_operand = span not in self._targets
        action = bisect_right(self._targets, (start, end))
        return (look, is_operand, -action, end, _RANKS.get(code, 3))


def _check_reading(
    member: str, text: str, reading: Reading, expressions: Expressions, report: Report
) -> None:
    add = _Findings(member, text, reading.targets)
    used_bytes = len(text) if text.isascii() else len(text.encode(errors="replace"))
    for value in reading.values:
        known = expressions.wire_values.get(value.text)
        if known is not None:
            used_bytes += known.size_bytes
    if used_bytes > MAX_EXPRESSION_WITH_VALUES_BYTES:
        add(
            "DYS219",
            "Expression size has exceeded the maximum allowed size;",
            None,
            "keep the text and the values that it uses to 1 MB together",
        )
    for problem in reading.problems:
        add(problem.code, problem.reason, problem.span, problem.fix)
    for path in reading.paths:
        _check_path(path, expressions, add)
    for value in reading.values:
        expressions.used_values.add(value.text)
        deep = expressions.too_deep.get(value.text) if expressions.too_deep else None
        if deep is not None and member == "UpdateExpression":
            report.add(deep.code, deep.message, deep.where.parameter, deep.fix, cancels=True)
        if value.text not in expressions.values:
            add(
                "DYS221",
                "An expression attribute value used in expression is not defined; attribute "
                f"value: {value.text}",
                value.span,
                "define it in ExpressionAttributeValues",
            )
    for part in reading.parts:
        if KINDS[member] == "update":
            _check_action(cast(UpdateAction, part), expressions, add)
        else:
            _check_condition(cast(ConditionNode, part), expressions, add)
    _check_targets(reading.targets, expressions, add)
    add.add_to(report)
    if reading.node is not None and not reading.problems:
        expressions.nodes[member] = reading.node
        expressions.texts[member] = text
        expressions.paths[member] = reading.paths


def _check_path(path: Path, expressions: Expressions, add: _Findings) -> None:
    for element in path.elements:
        if isinstance(element, NamePlaceholder):
            expressions.used_names.add(element.text)
            if element.text not in expressions.names:
                add(
                    "DYS220",
                    "An expression attribute name used in the document path is not defined; "
                    f"attribute name: {element.text}",
                    path.span,
                    "define it in ExpressionAttributeNames",
                )
        elif isinstance(element, str) and element.upper() in RESERVED_WORDS:
            add(
                "DYS215",
                "Attribute name is a reserved keyword; reserved keyword: " + element,
                path.span,
                f"write #{element}, and define it in ExpressionAttributeNames",
            )


def _check_unused(params: Mapping[str, Any], expressions: Expressions, report: Report) -> None:
    for member, used in (
        ("ExpressionAttributeNames", expressions.used_names),
        ("ExpressionAttributeValues", expressions.used_values),
    ):
        unused = [str(name) for name in params.get(member, {}) if name not in used]
        if unused:
            report.add(
                "DYS222",
                f"Value provided in {member} unused in expressions: "
                f"keys: {{{', '.join(sorted(unused))}}}",
                member,
                "leave out what no expression uses",
            )


def conditions_of(node: ConditionNode | Expression) -> Iterator[ConditionNode]:
    """The comparisons and functions of a condition, in the order of the text."""
    todo: list[Any] = [node]
    while todo:
        each = todo.pop()
        if isinstance(each, And | Or):
            todo += reversed(each.terms)
        elif isinstance(each, Not):
            todo.append(each.term)
        else:
            yield each


# Operands


def _operand_type(operand: Operand, expressions: Expressions) -> str | None:
    """The type that an operand certainly has."""
    if isinstance(operand, Size):
        return "N"
    literal = expressions.wire(operand)
    return None if literal is None else literal[0]


def _wrong_operand(add: Any, operator: str, type_name: str, span: Span | None) -> None:
    add(
        "DYS223",
        "Incorrect operand type for operator or function; operator or function: "
        f"{operator}, operand type: {type_name}",
        span,
        f"{operator} does not take a value of type {type_name}",
    )


def _check_sizes(operand: Operand, expressions: Expressions, add: Any) -> None:
    while isinstance(operand, Size):
        type_name = _operand_type(operand.operand, expressions)
        if type_name is not None and type_name not in _SIZED:
            _wrong_operand(add, "size", type_name, operand.span)
        operand = operand.operand


def _check_condition(node: ConditionNode, expressions: Expressions, add: Any) -> None:
    operands: tuple[Operand, ...]
    allowed: frozenset[str] | None
    match node:
        case Comparison():
            operands, operator = (node.left, node.right), str(node.operator)
            allowed = None if operator in ("=", "<>") else _ORDERED
        case Between():
            operands, operator = (node.operand, node.low, node.high), "BETWEEN"
            allowed = _ORDERED
        case In():
            operands, operator, allowed = (node.operand, *node.choices), "IN", None
        case Function():
            operands, operator = node.arguments, str(node.name)
            allowed = frozenset({"S", "B"}) if operator == "begins_with" else None
        case _:
            return
    for operand in operands:
        _check_sizes(operand, expressions, add)
    _check_distinct(operator, operands, node.span, expressions, add)
    if operator == "attribute_type":
        _check_attribute_type(operands[1], node.span, expressions, add)
        return
    if allowed is not None:
        for operand in operands:
            type_name = _operand_type(operand, expressions)
            if type_name is not None and type_name not in allowed:
                _wrong_operand(add, operator, type_name, node.span)
                return
    if isinstance(node, Between):
        _check_bounds(node, expressions, add)


def _check_distinct(
    operator: str, operands: Sequence[Operand], span: Any, expressions: Expressions, add: Any
) -> None:
    first = operands[0]
    elements = expressions.elements(first) if isinstance(first, Path) else None
    if elements is not None and any(
        isinstance(other, Path) and expressions.elements(other) == elements
        for other in operands[1:]
    ):
        add(
            "DYS224",
            "The first operand must be distinct from the remaining operands for this operator or "
            f"function; operator: {operator}, "
            f"first operand: {listed(elements)}",
            span,
            "give something else than itself beside it",
        )


def _check_attribute_type(
    operand: Operand, span: Span | None, expressions: Expressions, add: Any
) -> None:
    literal = expressions.wire(operand)
    if not isinstance(operand, ValuePlaceholder):
        type_name = _operand_type(operand, expressions) or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
        _wrong_operand(add, "attribute_type", type_name, span)
    elif literal is not None and literal[0] != "S":
        _wrong_operand(add, "attribute_type", literal[0], span)
    elif literal is not None and literal[1] not in TYPES:
        add(
            "DYS225",
            "Invalid attribute type name found; valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
            span,
            f"use one of {', '.join(TYPES)}",
        )


def _check_bounds(node: Between, expressions: Expressions, add: Any) -> None:
    low, high = expressions.wire(node.low), expressions.wire(node.high)
    if low is None or high is None:
        return
    if low[0] != high[0]:
        add(
            "DYS226",
            "The BETWEEN operator requires same data type for lower and upper bounds",
            node.span,
            "give two values of one type",
        )
    elif sort_key(low) > sort_key(high):
        add(
            "DYS227",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound",
            node.span,
            "give the lower value first",
        )


# Updates and projections


def _check_action(action: UpdateAction, expressions: Expressions, add: Any) -> None:
    match action:
        case SetAction():
            _check_set_value(action.value, expressions, add)
            return
        case AddAction():
            clause, allowed, takes = "ADD", _ADDED, "a number or a set"
        case DeleteAction():
            clause, allowed, takes = "DELETE", _DELETED, "a set"
        case RemoveAction():
            return
    literal = expressions.wire(action.value)
    if literal is not None and literal[0] not in allowed:
        add(
            "DYS223",
            f"Incorrect operand type for operator or function; operator: {clause}, "
            f"operand type: {_TYPE_WORDS[literal[0]]}, typeSet: ALLOWED_FOR_{clause}_OPERAND",
            action.span,
            f"{clause} takes {takes}",
        )


def _check_set_value(operand: Operand, expressions: Expressions, add: Any) -> None:
    todo = [operand]
    operator: str
    while todo:
        each = todo.pop()
        match each:
            case Arithmetic():
                operator, parts, allowed = each.operator, (each.left, each.right), "N"
            case ListAppend():
                operator, parts, allowed = "list_append", (each.left, each.right), "L"
            case IfNotExists():
                operands = (each.path, each.default)
                _check_distinct("if_not_exists", operands, each.span, expressions, add)
                todo.append(each.default)
                continue
            case _:
                continue
        for part in parts:
            literal = expressions.wire(part)
            if literal is not None and literal[0] != allowed:
                _wrong_operand(add, operator, literal[0], each.span)
                break
        todo += parts


def _check_targets(paths: Sequence[Path], expressions: Expressions, add: Any) -> None:
    taken = PathSet()
    for path in reversed(paths):
        elements = expressions.elements(path)
        clash = None if elements is None else taken.add(elements)
        if clash is not None:
            add(clash.code, clash.turned().message, path.span, clash.fix)
