"""Requests with the values and conditions of Python, as they are on the wire.

Source: "Table", boto3's documentation of the DynamoDB resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from decimal import (
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    Overflow,
    Rounded,
    Underflow,
)
from typing import Any

from dynasafe.errors import InvalidPathError, InvalidValueError
from dynasafe.expressions.render import Placeholders, render_condition
from dynasafe.findings.quoting import cut
from dynasafe.items.conditions import Boto3Condition, condition_node
from dynasafe.limits import MAX_NESTING_LEVELS
from dynasafe.validation.report import Report
from dynasafe.validation.shapes import Shape, request_shape
from dynasafe.validation.value_rules import TYPES, named, token

_CONTAINERS = frozenset({"AttributeValue", "Struct", "Map", "List"})

_CONDITIONS = frozenset({"KeyConditionExpression", "ConditionExpression", "FilterExpression"})
# That of boto3.dynamodb.types.
_NUMBERS = Context(
    prec=38, Emin=-128, Emax=126, traps=[Clamped, Overflow, Inexact, Rounded, Underflow]
)
_NULL = {"NULL": True}


def is_resource_form(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether values are Python's, as in a call of a Table's method.

    A condition of boto3 is Python's, and so is what is no map in a call that could name its table
    and does not. Else one map of one member that is named as a type makes it the client's. A
    request without any value is taken for the client's.
    """
    if _has_typed_values_alone(params):
        return False
    values = list(_values(request_shape(operation), params))
    is_of_table = "TableName" in request_shape(operation).members and "TableName" not in params
    others = [value for value in values if not isinstance(value, Mapping)]
    has_other = bool(others)
    if any(isinstance(value, Boto3Condition) for value in others) or (is_of_table and has_other):
        return True
    if not values or any(_is_typed(value) for value in values):
        return False
    return is_of_table or has_other


def _has_typed_values_alone(params: Mapping[str, Any]) -> bool:
    """Whether a quick check shows that a request of one item has only AttributeValues."""
    is_typed = False
    for name, part in params.items():
        if type(part) is dict:
            if name in _OF_VALUES:
                for value in part.values():
                    if type(value) is not dict or len(value) != 1 or _TYPES.isdisjoint(value):
                        return False
                    is_typed = True
            elif name != "ExpressionAttributeNames":
                return False
        elif type(part) not in _PLAIN:
            return False
    return is_typed


_OF_VALUES = frozenset({"Key", "Item", "ExpressionAttributeValues"})
_PLAIN = frozenset({str, int, bool})
_TYPES = frozenset(TYPES)


def _values(shape: Shape, part: Any) -> Iterator[object]:
    """Everything in the place of an AttributeValue, and conditions."""
    if shape.kind == "AttributeValue":
        yield part
    elif shape.kind == "Struct" and isinstance(part, Mapping):
        for name, member in shape.members.items():
            value = part.get(name)
            if value is None:
                continue
            if name in _CONDITIONS:
                if not isinstance(value, str) and isinstance(value, Boto3Condition):
                    yield value
            elif member.kind in _CONTAINERS:
                yield from _values(member, value)
    elif shape.each is not None and isinstance(part, Mapping | list | tuple):
        for value in part.values() if isinstance(part, Mapping) else part:
            yield from _values(shape.each, value)


def _is_typed(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in TYPES


def from_resource_form(operation: str, params: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The request in the client's form; what boto3 does not serialize is a finding, and NULL."""
    converted: dict[str, Any] = _converted(request_shape(operation), params, "", report)
    if "TableName" in request_shape(operation).members:
        converted.setdefault("TableName", "a-table")
    return converted


def _converted(shape: Shape, part: Any, place: str, report: Report) -> Any:
    if shape.kind == "AttributeValue":
        return _serialized(part, place, 1, report)
    inner = f"{place}." if place else ""
    if shape.kind == "Struct" and isinstance(part, Mapping):
        return _with_conditions(
            {
                name: _converted(shape.members[name], value, f"{inner}{name}", report)
                if name in shape.members
                else value
                for name, value in part.items()
            },
            report,
            inner,
        )
    if shape.each is None or token(part) not in ("list", "map"):
        return part
    if isinstance(part, Mapping):
        return {
            name: _converted(shape.each, value, named(place, name), report)
            for name, value in part.items()
        }
    return [
        _converted(shape.each, value, f"{place}[{index}]", report)
        for index, value in enumerate(part)
    ]


def _with_conditions(params: dict[str, Any], report: Report, inner: str) -> dict[str, Any]:
    """boto3's conditions as text, with their names and values."""
    placeholders = Placeholders(escape="always")
    for member in sorted(_CONDITIONS & params.keys(), reverse=True):
        condition = params[member]
        if not isinstance(condition, Boto3Condition):
            continue
        before = len(report.findings)
        for value in _values_of(condition):
            _serialized(value, f"{inner}{member}", 1, report)
        if len(report.findings) > before:
            del params[member]
            continue
        try:
            params[member] = render_condition(condition_node(condition), placeholders)
        except InvalidPathError as error:
            report.add("DYS201", str(error), f"{inner}{member}", "fix the path in the condition")
            del params[member]
        except InvalidValueError as error:
            report.add("DYS110", str(error), f"{inner}{member}", "fix the value in the condition")
            del params[member]
    for member, made in (
        ("ExpressionAttributeNames", placeholders.names),
        ("ExpressionAttributeValues", placeholders.values),
    ):
        if made:
            given = params.get(member)
            params[member] = {**(given if isinstance(given, Mapping) else {}), **made}
    return params


def _values_of(condition: Any) -> Iterator[object]:
    """The values that boto3 serializes for its condition."""
    for operand in condition.get_expression()["values"]:
        if isinstance(operand, Boto3Condition):
            yield from _values_of(operand)
        elif isinstance(operand, list | tuple):
            yield from operand
        elif type(operand).__module__ != "boto3.dynamodb.conditions":
            yield operand


# Values, as boto3.dynamodb.types.TypeSerializer writes them


def _serialized(value: Any, place: str, level: int, report: Report) -> dict[str, Any]:
    """The value in the client's form; of what boto3 does not serialize, NULL."""
    match value:
        case None:
            return _NULL
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            text = _number(value, place, report)
            return _NULL if text is None else {"N": text}
        case str():
            return {"S": value}
        case _ if _is_binary(value):
            return {"B": _bytes(value)}
        case Set():
            return _set(value, place, report)
        case Mapping() if level <= MAX_NESTING_LEVELS + 1:
            inside = f"{cut(place)}.*"  # keys of maps are data, as values are
            return {
                "M": {
                    name: _serialized(each, inside, level + 1, report)
                    for name, each in value.items()
                }
            }
        case list() | tuple() if level <= MAX_NESTING_LEVELS + 1:
            place = cut(place)
            return {
                "L": [
                    _serialized(each, f"{place}[{index}]", level + 1, report)
                    for index, each in enumerate(value)
                ]
            }
        case Mapping() | list() | tuple():
            return _NULL  # it is too deep already, and may hold itself
        case _:
            _refuse(value, place, report)
            return _NULL


def _set(members: Set[Any], place: str, report: Report) -> dict[str, Any]:
    if all(isinstance(each, int | Decimal) for each in members):
        texts = [_number(each, place, report) for each in members]
        return {"NS": texts} if None not in texts else _NULL
    if all(isinstance(each, str) for each in members):
        return {"SS": list(members)}
    if all(map(_is_binary, members)):
        return {"BS": list(map(_bytes, members))}
    _refuse(members, place, report)
    return _NULL


def _number(number: int | Decimal, place: str, report: Report) -> str | None:
    try:
        text = str(_NUMBERS.create_decimal(number))
    except DecimalException:
        reason, fix = "a number that it would have to round", "round it to 38 digits before"
    else:
        if text not in ("Infinity", "NaN"):
            return text
        reason, fix = "an infinite number or NaN", "store it as a string, or leave it out"
    report.add("DYS114", f"boto3 does not serialize {reason}", place, fix, exception="TypeError")
    return None


def _is_binary(value: object) -> bool:
    return isinstance(value, bytes | bytearray) or _is_boto3_binary(value)


def _is_boto3_binary(value: object) -> bool:
    kind = type(value)
    return kind.__module__ == "boto3.dynamodb.types" and kind.__name__ == "Binary"


def _bytes(value: Any) -> bytes | bytearray:
    content: bytes | bytearray = value.value if _is_boto3_binary(value) else value
    return content


def _refuse(value: object, place: str, report: Report) -> None:
    what = f"a value of type {type(value).__name__}"
    match value:
        case float():
            fix = "give a Decimal, as in Decimal(str(x)); tables and UpdateBuilder take floats"
        case Set():
            what = "a set of different types"
            fix = "give texts only, numbers only (as int or Decimal), or bytes only"
        case _:
            fix = "give text, a number, bytes, a list or a dict in its place"
    report.add("DYS114", f"boto3 does not serialize {what}", place, fix, exception="TypeError")
