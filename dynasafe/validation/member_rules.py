"""Which members each operation has, of which type, and within which limits.

Source: the operations' pages in the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynasafe.limits import MAX_TOTAL_SEGMENTS
from dynasafe.validation.report import Report

_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.\-]+|arn:[^\s]+")
_CAPACITY = ("INDEXES", "TOTAL", "NONE")
_METRICS = ("SIZE", "NONE")
_RETURN_VALUES = ("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
_OLD_ON_FAILURE = ("ALL_OLD", "NONE")
_SELECT = ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What one member must be."""

    type: type | tuple[type, ...]
    is_required: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


_TEXT = Member(type=str)
_MAP = Member(type=Mapping)
_LIST = Member(type=(list, tuple))
_FLAG = Member(type=bool)
_NAMES_AND_VALUES = {"ExpressionAttributeNames": _MAP, "ExpressionAttributeValues": _MAP}
_TABLE = {"TableName": Member(type=str, is_required=True)}
_KEY = {"Key": Member(type=Mapping, is_required=True)}
_SPENT = {"ReturnConsumedCapacity": Member(type=str, choices=_CAPACITY)}
_GROWN = {"ReturnItemCollectionMetrics": Member(type=str, choices=_METRICS)}
_ON_FAILURE = {"ReturnValuesOnConditionCheckFailure": Member(type=str, choices=_OLD_ON_FAILURE)}
_CONDITION = {"ConditionExpression": _TEXT, **_NAMES_AND_VALUES}
_LEGACY_CONDITION = {"Expected": _MAP, "ConditionalOperator": _TEXT}
_PROJECTION = {"ProjectionExpression": _TEXT, "ExpressionAttributeNames": _MAP}
_READ = {**_TABLE, **_SPENT, **_PROJECTION, "AttributesToGet": _LIST, "ConsistentRead": _FLAG}
_WRITE = {**_TABLE, **_SPENT, **_GROWN, **_ON_FAILURE, **_CONDITION, **_LEGACY_CONDITION}
_PAGES = {
    **_READ,
    **_NAMES_AND_VALUES,
    "IndexName": _TEXT,
    "Select": Member(type=str, choices=_SELECT),
    "Limit": Member(type=int, least=1),
    "ExclusiveStartKey": _MAP,
    "FilterExpression": _TEXT,
    "ConditionalOperator": _TEXT,
}
_RETURNS = {"ReturnValues": Member(type=str, choices=_RETURN_VALUES)}

MEMBERS: dict[str, dict[str, Member]] = {
    "GetItem": {**_READ, **_KEY},
    "PutItem": {**_WRITE, **_RETURNS, "Item": Member(type=Mapping, is_required=True)},
    "UpdateItem": {
        **_WRITE,
        **_RETURNS,
        **_KEY,
        "UpdateExpression": _TEXT,
        "AttributeUpdates": _MAP,
    },
    "DeleteItem": {**_WRITE, **_RETURNS, **_KEY},
    "Query": {
        **_PAGES,
        "KeyConditionExpression": _TEXT,
        "KeyConditions": _MAP,
        "QueryFilter": _MAP,
        "ScanIndexForward": _FLAG,
    },
    "Scan": {
        **_PAGES,
        "ScanFilter": _MAP,
        "TotalSegments": Member(type=int, least=1, most=MAX_TOTAL_SEGMENTS),
        "Segment": Member(type=int, least=0, most=MAX_TOTAL_SEGMENTS - 1),
    },
    "BatchGetItem": {**_SPENT, "RequestItems": Member(type=Mapping, is_required=True)},
    "BatchWriteItem": {**_SPENT, **_GROWN, "RequestItems": Member(type=Mapping, is_required=True)},
    "TransactGetItems": {
        **_SPENT,
        "TransactItems": Member(type=(list, tuple), is_required=True),
    },
    "TransactWriteItems": {
        **_SPENT,
        **_GROWN,
        "TransactItems": Member(type=(list, tuple), is_required=True),
        "ClientRequestToken": _TEXT,
    },
    # The parts of the batches and transactions
    "Keys": {
        **_PROJECTION,
        "Keys": Member(type=(list, tuple), is_required=True),
        "AttributesToGet": _LIST,
        "ConsistentRead": _FLAG,
    },
    "Get": {**_TABLE, **_KEY, **_PROJECTION},
    "Put": {
        **_TABLE,
        **_ON_FAILURE,
        **_CONDITION,
        "Item": Member(type=Mapping, is_required=True),
    },
    "Update": {
        **_TABLE,
        **_ON_FAILURE,
        **_CONDITION,
        **_KEY,
        "UpdateExpression": Member(type=str, is_required=True),
    },
    "Delete": {**_TABLE, **_ON_FAILURE, **_CONDITION, **_KEY},
    "ConditionCheck": {
        **_TABLE,
        **_ON_FAILURE,
        **_CONDITION,
        **_KEY,
        "ConditionExpression": Member(type=str, is_required=True),
    },
}


def check_members(operation: str, params: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Check the members; those that have the right type."""
    members = MEMBERS[operation]
    fine: dict[str, Any] = {}
    broken: list[str] = []
    for name, value in params.items():
        member = members.get(name)
        if member is None:
            report.add(
                "DYS104",
                f"{operation} has no parameter {name}",
                str(name),
                f"its parameters are {', '.join(sorted(members))}",
            )
        elif value is None:
            report.add(
                "DYS103",
                f"{name} is None",
                name,
                "leave the member out; DynamoDB takes it as absent, boto3 dies of it",
            )
        elif not isinstance(value, member.type) or (member.type is int and value is True):
            report.add(
                "DYS102",
                f"{name} is of type {type(value).__name__}",
                name,
                f"give a {_type_name(member)}",
            )
        else:
            fine[name] = value
            broken += _broken_constraints(name, value, member)
    for name, member in members.items():
        if member.is_required and params.get(name) is None:
            broken.append(
                f"Value null at '{_lower(name)}' failed to satisfy constraint: "
                "Member must not be null"
            )
    if broken:
        plural = "s" if len(broken) > 1 else ""
        report.add(
            "DYS105",
            f"{len(broken)} validation error{plural} detected: {'; '.join(broken)}",
            "parameters",
            "give each of these members a value that it allows",
        )
    return fine


def _type_name(member: Member) -> str:
    kind = member.type[0] if isinstance(member.type, tuple) else member.type
    return {Mapping: "map", str: "str", int: "whole number", bool: "bool"}.get(kind, "list")


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _broken_constraints(name: str, value: Any, member: Member) -> list[str]:
    broken = []
    if name in ("TableName", "IndexName"):
        if not _TABLE_NAME.fullmatch(value):
            broken.append("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
        if len(value) < 3:
            broken.append("Member must have length greater than or equal to 3")
        if len(value) > 255 and not value.startswith("arn:"):
            broken.append("Member must have length less than or equal to 255")
    if member.choices and value not in member.choices:
        choices = ", ".join(member.choices)
        broken.append(f"Member must satisfy enum value set: [{choices}]")
    if member.least is not None and value < member.least:
        broken.append(f"Member must have value greater than or equal to {member.least}")
    if member.most is not None and value > member.most:
        broken.append(f"Member must have value less than or equal to {member.most}")
    where = f"Value '{value}' at '{_lower(name)}' failed to satisfy constraint: "
    return [where + each for each in broken]
