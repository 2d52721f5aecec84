"""The shape of every request on the wire: members, types and constraints, in the service's order.

Sources: the operations' pages in the Amazon DynamoDB API Reference. Messages and the order of
members are the service's own, where public evidence shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, get_args

from dynasafe.limits import (
    MAX_ATTRIBUTES_TO_GET,
    MAX_BATCH_GET_KEYS,
    MAX_BATCH_WRITES,
    MAX_CLIENT_REQUEST_TOKEN_LENGTH,
    MAX_KEY_ATTRIBUTES,
    MAX_TOTAL_SEGMENTS,
    MAX_TRANSACT_ITEMS,
)
from dynasafe.validation.value_rules import IN_FIELD, IN_VALUE, NO_LIST_OR_MAP

Kind = Literal[
    "String",
    "Boolean",
    "Integer",
    "Number",
    "Timestamp",
    "List",
    "Map",
    "Struct",
    "AttributeValue",
]

NAME_PATTERN = re.compile(r"[a-zA-Z0-9_.-]+")
_MODEL = "com.amazonaws.dynamodb.v20120810."
_IN_GENERIC = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "
    "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
    "java.lang.Class are in module java.base of loader 'bootstrap')"
)


_GIVEN = (
    "boto3_min_length",
    "choices",
    "collection_words",
    "each",
    "has_table_names",
    "is_name",
    "is_required",
    "is_shown",
    "java",
    "kind",
    "least",
    "max_length",
    "max_values_length",
    "members",
    "min_length",
    "most",
    "pattern",
    "scalar_words",
)
"""The arguments of a shape. Compiled classes have no `__slots__` to read them from."""


class Shape:
    """What one part of a request must be."""

    __slots__ = (*_GIVEN, "is_free")

    def __init__(
        self,
        *,
        kind: Kind,
        is_required: bool = False,
        members: Mapping[str, Shape] | None = None,
        each: Shape | None = None,
        choices: tuple[str, ...] = (),
        least: int | None = None,
        most: int | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        boto3_min_length: int | None = None,
        pattern: re.Pattern[str] | None = None,
        is_name: bool = False,
        is_shown: bool = True,
        java: str = "",
        has_table_names: bool = False,
        max_values_length: int | None = None,
        scalar_words: str = IN_FIELD,
        collection_words: str = NO_LIST_OR_MAP,
    ) -> None:
        self.kind: Final = kind
        self.is_required: Final = is_required
        self.members: Final = members or {}
        self.each: Final = each
        """The shape of the elements of a List, or of the values of a Map."""
        self.choices: Final = choices
        self.least: Final = least
        self.most: Final = most
        self.min_length: Final = min_length
        self.max_length: Final = max_length
        self.boto3_min_length: Final = boto3_min_length
        """Only if botocore's differs."""
        self.pattern: Final = pattern
        self.is_name: Final = is_name
        """Whether it is the name of a table or an index."""
        self.is_shown: Final = is_shown
        """Whether a message may print it."""
        self.java: Final = java
        """The name of a Struct whose texts a message may print."""
        self.has_table_names: Final = has_table_names
        """Whether it is a Map whose keys are table names."""
        self.max_values_length: Final = max_values_length
        """For the Lists in a Map: they may not be empty."""
        self.scalar_words: Final = scalar_words
        self.collection_words: Final = collection_words
        """The service's message for a list where a map is expected, or a map where a list is."""
        is_bound = (
            choices
            or pattern is not None
            or is_name
            or has_table_names
            or any(
                bound is not None
                for bound in (least, most, min_length, max_length, max_values_length)
            )
        )
        inside = [*self.members.values(), *([] if each is None else [each])]
        self.is_free: Final[bool] = not is_bound and all(
            inner.is_free and not inner.is_required for inner in inside
        )
        """Whether neither a value of this type nor a value within it can break a constraint."""

    def replaced(self, **changes: Any) -> Shape:
        """A copy with other arguments."""
        given = {name: getattr(self, name) for name in _GIVEN}
        return Shape(**{**given, **changes})


def _text(*choices: str, is_required: bool = False) -> Shape:
    return Shape(kind="String", choices=choices, is_required=is_required)


def _struct(java: str, members: Mapping[str, Shape], *, in_value: bool = True) -> Shape:
    return Shape(
        kind="Struct",
        members=members,
        scalar_words=IN_VALUE if in_value else IN_FIELD,
        collection_words=f"Unrecognized collection type class {_MODEL}{java}",
    )


def _value(*, in_value: bool = True) -> Shape:
    return Shape(
        kind="AttributeValue",
        scalar_words=IN_VALUE if in_value else IN_FIELD,
        collection_words=f"Unrecognized collection type class {_MODEL}AttributeValue",
    )


def _map(java: str, each: Shape, *, is_required: bool = False) -> Shape:
    return Shape(
        kind="Map", each=each, is_required=is_required, collection_words=_no_list_for(java)
    )


def _no_list_for(java: str) -> str:
    full = java if "." in java else _MODEL + java
    return f"Unrecognized collection type java.util.Map<java.lang.String, {full}>"


_NAME = Shape(kind="String", is_name=True, min_length=3)
_FLAG = Shape(kind="Boolean")
_VALUES = _map("AttributeValue", _value())
_REQUIRED_VALUES = _map("AttributeValue", _value(), is_required=True)
_VALUE_LIST = Shape(kind="List", each=_value())
_NAMES = _map("java.lang.String", _text())
_CAPACITY = _text("INDEXES", "TOTAL", "NONE")
_METRICS = _text("SIZE", "NONE")
_RETURN_VALUES = _text("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
_SELECT = _text("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
_OPERATORS = (
    *("IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE"),
    *("BEGINS_WITH", "GE", "CONTAINS"),
)
_TABLE = {"TableName": Shape(kind="String", is_required=True, is_name=True, min_length=1)}
_TO_GET = Shape(kind="List", each=_text(), min_length=1, max_length=MAX_ATTRIBUTES_TO_GET)
_LIMIT = Shape(kind="Integer", least=1)
_CONDITION_MAP = _map(
    "Condition",
    _struct(
        "Condition",
        {
            "AttributeValueList": _VALUE_LIST,
            "ComparisonOperator": _text(*_OPERATORS, is_required=True),
        },
    ),
)
_EXPECTED = {
    "ConditionalOperator": _text("OR", "AND"),
    "Expected": _map(
        "ExpectedAttributeValue",
        _struct(
            "ExpectedAttributeValue",
            {
                "AttributeValueList": _VALUE_LIST,
                "ComparisonOperator": _text(*_OPERATORS),
                "Exists": _FLAG,
                "Value": _value(in_value=False),
            },
        ),
    ),
}
_UPDATES = _map(
    "AttributeValueUpdate",
    _struct(
        "AttributeValueUpdate",
        {"Action": _text("ADD", "DELETE", "PUT"), "Value": _value(in_value=False)},
    ),
)
_ON_FAILURE = {"ReturnValuesOnConditionCheckFailure": _text("ALL_OLD", "NONE")}
_CONDITION = {
    **_ON_FAILURE,
    "ConditionExpression": _text(),
    "ExpressionAttributeValues": _VALUES,
    "ExpressionAttributeNames": _NAMES,
}
_PROJECTION = {"ProjectionExpression": _text(), "ExpressionAttributeNames": _NAMES}
_PAGE_EXPRESSIONS = {
    "FilterExpression": _text(),
    "ProjectionExpression": _text(),
    "ExpressionAttributeValues": _VALUES,
    "ExpressionAttributeNames": _NAMES,
}


def _transaction(kinds: Mapping[str, Mapping[str, Shape]]) -> Shape:
    action = "TransactWriteItem" if len(kinds) > 1 else "TransactGetItem"
    return Shape(
        kind="List",
        is_required=True,
        min_length=1,
        max_length=MAX_TRANSACT_ITEMS,
        each=_struct(
            action,
            {kind: _struct(kind, members, in_value=False) for kind, members in kinds.items()},
        ),
    )


def _request(members: Mapping[str, Shape]) -> Shape:
    return Shape(kind="Struct", members=members)


def _write_request(java: str, part: str) -> Shape:
    return _struct(java, {part: _REQUIRED_VALUES}, in_value=False)


REQUESTS: dict[str, Shape] = {
    "GetItem": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            "AttributesToGet": _TO_GET,
            **_TABLE,
            "Key": _REQUIRED_VALUES,
            "ConsistentRead": _FLAG,
            **_PROJECTION,
        }
    ),
    "PutItem": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            **_TABLE,
            "Item": _REQUIRED_VALUES,
            **_EXPECTED,
            "ReturnValues": _RETURN_VALUES,
            "ReturnItemCollectionMetrics": _METRICS,
            **_CONDITION,
        }
    ),
    "DeleteItem": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            **_TABLE,
            "ReturnValues": _RETURN_VALUES,
            "ReturnItemCollectionMetrics": _METRICS,
            "Key": _REQUIRED_VALUES,
            **_EXPECTED,
            **_CONDITION,
        }
    ),
    "UpdateItem": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            **_TABLE,
            "ReturnItemCollectionMetrics": _METRICS,
            "ReturnValues": _RETURN_VALUES,
            "Key": _REQUIRED_VALUES,
            **_EXPECTED,
            "AttributeUpdates": _UPDATES,
            "UpdateExpression": _text(),
            **_CONDITION,
        }
    ),
    "Query": _request(
        {
            "Select": _SELECT,
            "IndexName": _NAME,
            "ReturnConsumedCapacity": _CAPACITY,
            "QueryFilter": _CONDITION_MAP,
            **_TABLE,
            "ConditionalOperator": _text("OR", "AND"),
            "AttributesToGet": _TO_GET,
            "Limit": _LIMIT,
            "KeyConditions": _CONDITION_MAP,
            "ExclusiveStartKey": _VALUES,
            "ConsistentRead": _FLAG,
            "ScanIndexForward": _FLAG,
            "KeyConditionExpression": _text(),
            **_PAGE_EXPRESSIONS,
        }
    ),
    "Scan": _request(
        {
            "Select": _SELECT,
            "IndexName": _NAME,
            "TotalSegments": Shape(kind="Integer", least=1, most=MAX_TOTAL_SEGMENTS),
            "ReturnConsumedCapacity": _CAPACITY,
            **_TABLE,
            "ConditionalOperator": _text("OR", "AND"),
            "ScanFilter": _CONDITION_MAP,
            "Segment": Shape(kind="Integer", least=0, most=MAX_TOTAL_SEGMENTS - 1),
            "Limit": _LIMIT,
            "AttributesToGet": _TO_GET,
            "ExclusiveStartKey": _VALUES,
            "ConsistentRead": _FLAG,
            **_PAGE_EXPRESSIONS,
        }
    ),
    "BatchGetItem": _request(
        {
            "RequestItems": Shape(
                kind="Map",
                is_required=True,
                min_length=1,
                has_table_names=True,
                collection_words=_no_list_for("KeysAndAttributes"),
                each=_struct(
                    "KeysAndAttributes",
                    {
                        "Keys": Shape(
                            kind="List",
                            is_required=True,
                            min_length=1,
                            max_length=MAX_BATCH_GET_KEYS,
                            each=Shape(
                                kind="Map",
                                each=_value(),
                                scalar_words=_IN_GENERIC,
                                collection_words=_no_list_for("AttributeValue"),
                            ),
                        ),
                        "AttributesToGet": _TO_GET,
                        "ConsistentRead": _FLAG,
                        **_PROJECTION,
                    },
                ),
            ),
            "ReturnConsumedCapacity": _CAPACITY,
        }
    ),
    "BatchWriteItem": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            "ReturnItemCollectionMetrics": _METRICS,
            "RequestItems": Shape(
                kind="Map",
                is_required=True,
                min_length=1,
                has_table_names=True,
                max_values_length=MAX_BATCH_WRITES,
                collection_words=_no_list_for(f"java.util.List<{_MODEL}WriteRequest>"),
                each=Shape(
                    kind="List",
                    scalar_words=_IN_GENERIC,
                    each=_struct(
                        "WriteRequest",
                        {
                            "DeleteRequest": _write_request("DeleteRequest", "Key"),
                            "PutRequest": _write_request("PutRequest", "Item"),
                        },
                    ),
                ),
            ),
        }
    ),
    "TransactGetItems": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            "TransactItems": _transaction(
                {"Get": {**_TABLE, "Key": _REQUIRED_VALUES, **_PROJECTION}}
            ),
        }
    ),
    "TransactWriteItems": _request(
        {
            "ReturnConsumedCapacity": _CAPACITY,
            "ReturnItemCollectionMetrics": _METRICS,
            "ClientRequestToken": Shape(
                kind="String",
                min_length=1,
                max_length=MAX_CLIENT_REQUEST_TOKEN_LENGTH,
                is_shown=False,  # built from what identifies it, such as an order number
            ),
            "TransactItems": _transaction(
                {
                    "ConditionCheck": {
                        **_TABLE,
                        "Key": _REQUIRED_VALUES,
                        **_CONDITION,
                        "ConditionExpression": _text(is_required=True),
                    },
                    "Put": {**_TABLE, "Item": _REQUIRED_VALUES, **_CONDITION},
                    "Delete": {**_TABLE, "Key": _REQUIRED_VALUES, **_CONDITION},
                    "Update": {
                        **_TABLE,
                        "Key": _REQUIRED_VALUES,
                        "UpdateExpression": _text(is_required=True),
                        **_CONDITION,
                    },
                }
            ),
        }
    ),
}


# The other operations


def request_shape(operation: str) -> Shape:
    """The shape of an operation's request, as the service checks it or botocore describes it."""
    known = REQUESTS.get(operation)
    return _described(operation) if known is None else known


@cache
def _described(operation: str) -> Shape:
    roots, lines = _service_shapes()
    shape = _shape(roots[operation], lines)
    if operation != "CreateTable":
        return shape
    members = {
        **shape.members,
        "TableName": _NAME.replaced(is_required=True, boto3_min_length=1),
        "KeySchema": shape.members["KeySchema"].replaced(max_length=MAX_KEY_ATTRIBUTES),
    }
    return shape.replaced(members=members)


@cache
def _service_shapes() -> tuple[dict[str, str], dict[str, str]]:
    """By operation: the name of its request's shape. And the rest of each shape's line."""
    from dynasafe.validation.service_shapes import SHAPES  # for rare operations

    operations, shapes = SHAPES.strip().split("\n\n")
    roots: dict[str, str] = {}
    for line in operations.splitlines():
        operation, _, root = line.partition(" ")
        roots[operation] = root
    lines = (line.partition(" ") for line in shapes.splitlines())
    return roots, {name: rest for name, _, rest in lines}


def _shape(name: str, lines: Mapping[str, str]) -> Shape:
    if name == "AttributeValue":
        return _value(in_value=False)
    line, _, pattern = lines[name].partition(" /")
    kind, *words = line.split(" ")
    if kind == "Struct":
        members = {}
        for word in words:
            member, _, inner = word.removeprefix("*").partition(":")
            members[member] = _shape(inner, lines).replaced(
                is_required=word.startswith("*"),
                is_name=member == "TableName" and inner == "TableArn",
            )
        return _struct(name, members).replaced(java=name)
    each = _shape(words.pop(0), lines) if kind in ("List", "Map") else None
    least = most = None
    choices: tuple[str, ...] = ()
    for word in words:
        if ".." in word:
            least, most = (int(bound) if bound else None for bound in word.split(".."))
        else:
            choices = tuple(word.split("|"))
    is_number = kind in ("Integer", "Number")
    return Shape(
        kind=_KINDS[kind],
        each=each,
        choices=choices,
        least=least if is_number else None,
        most=most if is_number else None,
        min_length=None if is_number else least,
        max_length=None if is_number else most,
        pattern=_compiled(pattern.removesuffix("/")),
    )


_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, unless only Java's syntax allows it."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
