"""Rules about legacy parameters, which do not combine with expressions.

Sources: "Legacy conditional parameters", Amazon DynamoDB Developer Guide: "Expected",
"AttributeUpdates", "KeyConditions", "QueryFilter" and "ScanFilter"; the words are the service's.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.value_rules import (
    check_attribute_value,
    check_name,
    only_member,
    sort_key,
)

# The operator to the least and the most values that it takes.
_COUNTS: dict[str, tuple[int, float]] = {
    "NULL": (0, 0),
    "NOT_NULL": (0, 0),
    "BETWEEN": (2, 2),
    "IN": (1, float("inf")),
}
_ONE = (1, 1)
_SCALARS = frozenset({"S", "N", "B"})
_TYPES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("LE", "LT", "GE", "GT", "IN", "BETWEEN"), _SCALARS),
    **dict.fromkeys(("CONTAINS", "NOT_CONTAINS"), _SCALARS | {"BOOL", "NULL"}),
    "BEGINS_WITH": frozenset({"S", "B"}),
}
_ADDED = frozenset({"N", "L", "SS", "NS", "BS"})
_DELETED = frozenset({"SS", "NS", "BS"})


def check_forms(
    params: Mapping[str, Any], expressions: Sequence[str], legacy: Sequence[str], report: Report
) -> None:
    """Check the legacy parameters, and their combination with expressions."""
    check_mixture(params, expressions, legacy, report)
    check_need(params, expressions, report)


def check_mixture(
    params: Container[str], expressions: Sequence[str], legacy: Sequence[str], report: Report
) -> None:
    """Expressions and the parameters that they have replaced do not go together."""
    used = [member for member in expressions if member in params]
    replaced = [member for member in legacy if member in params]
    if "KeyConditions" in replaced and "KeyConditionExpression" not in used:
        replaced.remove("KeyConditions")
    if used and replaced:
        report.add(
            "DYS106",
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(replaced)}}} "
            f"Expression parameters: {{{', '.join(used)}}}",
            replaced[0],
            "use expressions only",
        )


def check_need(params: Mapping[str, Any], expressions: Sequence[str], report: Report) -> None:
    """Names and values need an expression that could use them."""
    used = any(member in params for member in expressions)
    if "ExpressionAttributeNames" in params and not used:
        report.add(
            "DYS107",
            "ExpressionAttributeNames can only be specified when using expressions",
            "ExpressionAttributeNames",
            "leave it out, or add the expression that uses it",
        )
    with_values = [member for member in expressions if member != "ProjectionExpression"]
    if (
        "ExpressionAttributeValues" in params
        and with_values
        and not any(member in params for member in with_values)
    ):
        message = "ExpressionAttributeValues can only be specified when using expressions"
        if not report.context.wording.is_newer:
            verb = "are" if len(with_values) > 1 else "is"
            message += f": {' and '.join(with_values)} {verb} null"
        report.add(
            "DYS107",
            message,
            "ExpressionAttributeValues",
            "leave it out, or add the expression that uses it",
        )


def check_attributes_to_get(params: Mapping[str, Any], report: Report) -> None:
    """The attributes of a read, each named once."""
    names = params.get("AttributesToGet", [])
    for name in names:
        if name is not None:
            check_name(name, "AttributesToGet", report)
    if len(set(names)) < len(names):
        report.add(
            "DYS108",
            f"{INVALID_VALUES}Duplicate value in attribute name: {_first_repeated(names)}",
            "AttributesToGet",
            "name each attribute once",
        )


def _first_repeated(names: Sequence[Any]) -> Any:
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def check_expected(params: Mapping[str, Any], report: Report) -> None:
    """The conditions of a write."""
    for name, expected in (params.get("Expected") or {}).items():
        inside = _Attribute("Expected", name, report)
        check_name(name, "Expected", report)
        operator = expected.get("ComparisonOperator")
        values = expected.get("AttributeValueList")
        if values is not None and "Value" in expected:
            inside.add(
                f"Value and AttributeValueList cannot be used together for Attribute: {name}",
                "give AttributeValueList only",
            )
        elif operator is not None:
            _check_expected_operator(operator, expected, inside)
        elif values is not None:
            inside.add(
                "AttributeValueList can only be used with a ComparisonOperator for Attribute: "
                f"{name}",
                "give the ComparisonOperator",
            )
        else:
            _check_exists(expected, inside)


def check_filter_conditions(params: Mapping[str, Any], member: str, report: Report) -> None:
    """The conditions of KeyConditions, QueryFilter or ScanFilter."""
    for name, condition in (params.get(member) or {}).items():
        inside = _Attribute(member, name, report)
        check_name(name, member, report)
        values = condition.get("AttributeValueList") or []
        if _check_values(values, inside):
            _check_operator(condition.get("ComparisonOperator"), values, inside)


def check_attribute_updates(params: Mapping[str, Any], report: Report) -> None:
    """The actions of an UpdateItem without an expression."""
    for name, update in (params.get("AttributeUpdates") or {}).items():
        inside = _Attribute("AttributeUpdates", name, report)
        check_name(name, "AttributeUpdates", report)
        action = update.get("Action", "PUT")
        if "Value" not in update:
            if action != "DELETE":
                inside.add(
                    "Only DELETE action is allowed when no attribute value is specified",
                    "give the Value",
                )
            continue
        if not _check_values([update["Value"]], inside):
            continue
        type_name = _type_of(update["Value"])
        if action == "DELETE" and type_name not in _DELETED:
            inside.add(
                f"DELETE action with value is not supported for the type {type_name}",
                "leave the Value out to delete the attribute",
            )
        elif action == "ADD" and type_name not in _ADDED:
            inside.add(
                f"ADD action is not supported for the type {type_name}",
                "ADD takes a number, a set or a list",
            )


def check_conditional_operator(params: Mapping[str, Any], member: str, report: Report) -> None:
    """How the conditions of Expected, QueryFilter or ScanFilter are joined."""
    if "ConditionalOperator" not in params:
        return
    conditions = params.get(member)
    if not conditions:
        message = "ConditionalOperator cannot be used without Filter or Expected"
    elif len(conditions) < 2:
        message = (
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )
    else:
        return
    report.add("DYS137", message, "ConditionalOperator", "leave ConditionalOperator out")


class _Attribute:
    """One attribute of a member, and where its findings go."""

    def __init__(self, member: str, name: str, report: Report) -> None:
        self.name = name
        self.place = f"{member}.{name}"
        self.report = report

    def add(self, message: str, fix: str, *, prefix: str = INVALID_VALUES) -> None:
        self.report.add("DYS137", f"{prefix}{message}", self.place, fix)


def _check_expected_operator(
    operator: str, expected: Mapping[str, Any], inside: _Attribute
) -> None:
    values = expected.get("AttributeValueList")
    if "Exists" in expected:
        inside.add(
            f"Exists and ComparisonOperator cannot be used together for Attribute: {inside.name}",
            "give the ComparisonOperator only",
        )
        return
    if operator not in ("NULL", "NOT_NULL") and values is None and "Value" not in expected:
        inside.add(
            f"Value or AttributeValueList must be used with ComparisonOperator: {operator} for "
            f"Attribute: {inside.name}",
            "give AttributeValueList",
        )
        return
    if values is None:
        values = [expected["Value"]] if "Value" in expected else []
    if _check_values(values, inside):
        _check_operator(operator, values, inside)


def _check_exists(expected: Mapping[str, Any], inside: _Attribute) -> None:
    exists = expected.get("Exists")
    if exists is False:
        if "Value" in expected:
            inside.add(
                f"Value cannot be used when Exists is false for Attribute: {inside.name}",
                "leave the Value out",
            )
    elif "Value" not in expected:
        inside.add(
            f"Value must be provided when Exists is {'null' if exists is None else 'true'} for "
            f"Attribute: {inside.name}",
            "give the Value",
        )
    if "Value" in expected:
        _check_values([expected["Value"]], inside)


def _check_values(values: Sequence[Any], inside: _Attribute) -> bool:
    before = len(inside.report.findings)
    for value in values:
        check_attribute_value(value, inside.place, inside.report)
    return len(inside.report.findings) == before


def _check_operator(operator: Any, values: Sequence[Any], inside: _Attribute) -> None:
    least, most = _COUNTS.get(operator, _ONE)
    types = [_type_of(value) for value in values]
    if not least <= len(values) <= most:
        inside.add(
            f"Invalid number of argument(s) for the {operator} ComparisonOperator",
            "give as many values as the operator takes",
        )
        return
    if len(set(types)) > 1:
        inside.add(
            "AttributeValues inside AttributeValueList must be of same type",
            "give values of one type",
        )
        return
    allowed = _TYPES.get(operator)
    for type_name in types[:1]:
        if allowed is not None and type_name is not None and type_name not in allowed:
            inside.add(
                f"ComparisonOperator {operator} is not valid for {type_name} AttributeValue type",
                f"{operator} takes {', '.join(sorted(allowed))}",
            )
            return
    if operator == "BETWEEN":
        low, high = map(only_member, values)
        if low is not None and high is not None and sort_key(low) > sort_key(high):
            inside.add(
                "The BETWEEN condition was provided a range where the lower bound is greater than "
                "the upper bound",
                "give the lower value first",
                prefix="",
            )


def _type_of(value: Any) -> str | None:
    member = only_member(value)
    return None if member is None else member[0]
