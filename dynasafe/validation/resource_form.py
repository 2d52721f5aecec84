"""Requests with the values and conditions of Python, as they are on the wire.

Source: "Table", boto3's documentation of the DynamoDB resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynasafe.errors import InvalidValueError
from dynasafe.expressions.render import Placeholders, render_condition
from dynasafe.items.conditions import Boto3Condition, condition_node
from dynasafe.validation.report import Report
from dynasafe.validation.shapes import REQUESTS, Shape
from dynasafe.validation.value_rules import TYPES, token
from dynasafe.values.convert import to_attribute_value

_CONTAINERS = frozenset({"AttributeValue", "Struct", "Map", "List"})

_CONDITIONS = frozenset({"KeyConditionExpression", "ConditionExpression", "FilterExpression"})


def is_resource_form(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether values are Python's, as in a call of a Table's method.

    A condition of boto3 is Python's, and so is what is no map in a call that could name its table
    and does not. Else one map of one member that is named as a type makes it the client's. A
    request without any value is taken for the client's.
    """
    values = list(_values(REQUESTS[operation], params))
    is_of_table = "TableName" in REQUESTS[operation].members and "TableName" not in params
    others = [value for value in values if not isinstance(value, Mapping)]
    has_other = bool(others)
    if any(isinstance(value, Boto3Condition) for value in others) or (is_of_table and has_other):
        return True
    if not values or any(_is_typed(value) for value in values):
        return False
    return is_of_table or has_other


def _values(shape: Shape, part: Any) -> Iterator[object]:
    """Everything in the place of an AttributeValue, and conditions."""
    if shape.kind == "AttributeValue":
        yield part
    elif shape.kind == "Struct" and isinstance(part, Mapping):
        for name, member in shape.members.items():
            value = part.get(name)
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
    """The request in wire form; a value that cannot be written so is found, and NULL then."""
    converted: dict[str, Any] = _converted(REQUESTS[operation], params, "", report)
    if "TableName" in REQUESTS[operation].members:
        converted.setdefault("TableName", "a-table")
    return converted


def _converted(shape: Shape, part: Any, place: str, report: Report) -> Any:
    if shape.kind == "AttributeValue":
        try:
            return to_attribute_value(part, place)
        except InvalidValueError as error:
            report.add("DYS110", error.reason, error.path, "fix the value")
            return {"NULL": True}
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
            name: _converted(shape.each, value, f"{inner}{name}", report)
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
        try:
            params[member] = render_condition(condition_node(condition), placeholders)
        except InvalidValueError as error:
            report.add("DYS110", str(error), f"{inner}{member}", "fix the value in the condition")
            del params[member]
        except ValueError as error:
            report.add("DYS201", str(error), f"{inner}{member}", "fix the path in the condition")
            del params[member]
    for member, made in (
        ("ExpressionAttributeNames", placeholders.names),
        ("ExpressionAttributeValues", placeholders.values),
    ):
        if made:
            given = params.get(member)
            params[member] = {**(given if isinstance(given, Mapping) else {}), **made}
    return params
