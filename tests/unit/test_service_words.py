"""The first finding is the service's own first message, also where the emulator says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request
from tests.support.requests import TABLE

A, ONE = {"S": "a"}, {"N": "1"}
KEY = {"pk": A, "sk": ONE}
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value."
ONE_ERROR = "1 validation error detected: "
START_INVALID = "The provided starting key is invalid"
EQ_PK = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [A]}}


def first(operation: str, members: dict[str, Any]) -> str:
    is_single = not operation.startswith(("Batch", "Transact"))
    params = {"TableName": "requests", **members} if is_single else members
    findings = check_request(operation, params, schema={"requests": TABLE})
    return findings[0].message if findings else "accepted"


def condition(operator: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {"a": {"ComparisonOperator": operator, "AttributeValueList": list(values)}}


TYPES: list[tuple[str, dict[str, Any], str]] = [
    ("GetItem", {"TableName": 23}, "NUMBER_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": 2.5}, "DECIMAL_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": True}, "TRUE_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
    ("GetItem", {"TableName": {}}, "Start of structure or map found where not expected"),
    ("GetItem", {"ConsistentRead": "maybe"}, "Unexpected token received from parser"),
    ("GetItem", {"ConsistentRead": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
    ("GetItem", {"AttributesToGet": "a"}, "Unexpected field type"),
    (
        "GetItem",
        {"Key": []},
        "Unrecognized collection type java.util.Map<java.lang.String, "
        "com.amazonaws.dynamodb.v20120810.AttributeValue>",
    ),
    ("GetItem", {"Key": {"pk": {"S": 1}, "sk": A}}, "NUMBER_VALUE cannot be converted to String"),
    ("GetItem", {"Key": {"pk": {"L": "a"}, "sk": A}}, "Unexpected field type"),
    ("GetItem", {"Key": {"pk": {"L": ["a"]}, "sk": A}}, "Unexpected value type in payload"),
    (
        "GetItem",
        {"Key": {"pk": [], "sk": A}},
        "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
    ),
    (
        "GetItem",
        {"Key": {"pk": {"B": "YWI"}}},
        "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
    ),
    (
        "GetItem",
        {"Key": {"pk": {"B": "====abcd"}}},
        "Invalid last non-pad Base64 character dectected",
    ),
    (
        "GetItem",
        {"Key": {"pk": {"B": 1}}},
        "only base-64-encoded strings are convertible to bytes",
    ),
    ("Query", {"Limit": "5"}, "STRING_VALUE cannot be converted to Integer"),
]
CONSTRAINTS: list[tuple[str, dict[str, Any], str]] = [
    (
        "Query",
        {"Limit": 0},
        f"{ONE_ERROR}Value '0' at 'limit' failed to satisfy constraint: Member must have value "
        "greater than or equal to 1",
    ),
    (
        "BatchGetItem",
        {"RequestItems": {}},
        f"{ONE_ERROR}Value '{{}}' at 'requestItems' failed to satisfy constraint: Member must "
        "have length greater than or equal to 1",
    ),
    (
        "BatchWriteItem",
        {"RequestItems": {"requests": [{"PutRequest": {}}]}},
        f"{ONE_ERROR}Value null at 'requestItems.requests.member.1.member.putRequest.item' failed "
        "to satisfy constraint: Member must not be null",
    ),
    (
        "TransactWriteItems",
        {"TransactItems": []},
        f"{ONE_ERROR}Value '[]' at 'transactItems' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1",
    ),
]
LEGACY: list[tuple[str, dict[str, Any], str]] = [
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"Value": A, "AttributeValueList": [A]}}},
        f"{INVALID}Value and AttributeValueList cannot be used together for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"AttributeValueList": [A]}}},
        f"{INVALID}AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"Exists": True, "ComparisonOperator": "NULL"}}},
        f"{INVALID}Exists and ComparisonOperator cannot be used together for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"ComparisonOperator": "EQ"}}},
        f"{INVALID}Value or AttributeValueList must be used with ComparisonOperator: EQ for "
        "Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {}}},
        f"{INVALID}Value must be provided when Exists is null for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"Exists": False, "Value": A}}},
        f"{INVALID}Value cannot be used when Exists is false for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("BETWEEN", A)},
        f"{INVALID}Invalid number of argument(s) for the BETWEEN ComparisonOperator",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("BETWEEN", {"S": "b"}, A)},
        "The BETWEEN condition was provided a range where the lower bound is greater than the "
        "upper bound",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("IN", A, ONE)},
        f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
    ),
    (
        "Scan",
        {"ScanFilter": condition("BEGINS_WITH", ONE)},
        f"{INVALID}ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
    ),
    (
        "Scan",
        {"ScanFilter": condition("NULL"), "ConditionalOperator": "OR"},
        "ConditionalOperator can only be used when Filter or Expected has two or more elements",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "ConditionalOperator": "OR"},
        "ConditionalOperator cannot be used without Filter or Expected",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {"Action": "ADD", "Value": A}}},
        f"{INVALID}ADD action is not supported for the type S",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {"Action": "DELETE", "Value": A}}},
        f"{INVALID}DELETE action with value is not supported for the type S",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {}}},
        f"{INVALID}Only DELETE action is allowed when no attribute value is specified",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"sk": {"Value": ONE}}},
        f"{INVALID}Cannot update attribute sk. This attribute is part of the key",
    ),
    ("UpdateItem", {"Key": KEY, "AttributeUpdates": {"a": {"Value": A}}}, "accepted"),
    ("Query", {"KeyConditions": EQ_PK}, "accepted"),
    ("Query", {"KeyConditions": {}}, "Conditions can be of length 1 or 2 only"),
    (
        "Query",
        {"KeyConditions": {**EQ_PK, "sk": {"ComparisonOperator": "NULL"}}},
        "Attempted conditional constraint is not an indexable operation",
    ),
    (
        "Query",
        {"KeyConditions": EQ_PK, "QueryFilter": {"sk": {"ComparisonOperator": "NULL"}}},
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
    ),
]
BY_PK = {"KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": A}}
BY_G = {
    "IndexName": "keys-only",
    "KeyConditionExpression": "g = :v",
    "ExpressionAttributeValues": {":v": A},
}
KEYS: list[tuple[str, dict[str, Any], str]] = [
    (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "SET g = if_not_exists(g, :v)",
            "ExpressionAttributeValues": {":v": ONE},
        },
        f"{INVALID}Type mismatch for Index Key g Expected: S Actual: N IndexName: keys-only",
    ),
    (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "SET g = :v",
            "ExpressionAttributeValues": {":v": {"S": ""}},
        },
        f"{NOT_VALID}The update expression attempted to update a secondary index key to a value "
        f"that is not supported. {EMPTY}",
    ),
    (
        "PutItem",
        {"Item": {**KEY, "g": {"S": ""}}},
        f"{NOT_VALID}A value specified for a secondary index key is not supported. {EMPTY} "
        "IndexName: keys-only, IndexKey: g",
    ),
    ("Query", {**BY_PK, "ExclusiveStartKey": {"pk": A}}, START_INVALID),
    (
        "Query",
        {**BY_PK, "ExclusiveStartKey": {"pk": A, "sk": A}},
        "The provided key element does not match the schema",
    ),
    (
        "Query",
        {**BY_PK, "ExclusiveStartKey": {"pk": {"S": "b"}, "sk": ONE}},
        "The provided starting key is outside query boundaries based on provided conditions",
    ),
    (
        "Query",
        {
            **BY_PK,
            "KeyConditionExpression": "pk = :v AND sk > :n",
            "ExpressionAttributeValues": {":v": A, ":n": {"N": "5"}},
            "ExclusiveStartKey": KEY,
        },
        "The provided starting key does not match the range key predicate",
    ),
    (
        "Query",
        {
            **BY_PK,
            "KeyConditionExpression": "pk = :v AND sk = :n",
            "ExpressionAttributeValues": {":v": A, ":n": {"N": "1.0"}},
            "ExclusiveStartKey": {"pk": {"S": "b"}, "sk": ONE},
        },
        "The query can return at most one row and cannot be restarted",
    ),
    ("Query", {**BY_PK, "ExclusiveStartKey": KEY}, "accepted"),
    (
        "Query",
        {**BY_PK, "ExclusiveStartKey": {"pk": {}}},
        f"{START_INVALID}: Supplied AttributeValue is empty, must contain exactly one of the "
        "supported datatypes",
    ),
    (
        "Query",
        {**BY_PK, "ExclusiveStartKey": {"pk": {"N": "x"}}},
        "The parameter cannot be converted to a numeric value",
    ),
    (
        "Scan",
        {"ExclusiveStartKey": {"pk": A}},
        f"{START_INVALID}: The provided key element does not match the schema",
    ),
    (
        "Scan",
        {"IndexName": "keys-only", "ExclusiveStartKey": {**KEY, "g": ONE}},
        "The provided key element does not match the schema",
    ),
    (
        "Query",
        {**BY_G, "Select": "ALL_ATTRIBUTES"},
        f"{INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index "
        "keys-only because its projection type is not ALL",
    ),
    (
        "Query",
        {**BY_G, "ProjectionExpression": "z, pk, y.x"},
        f"{INVALID}Global secondary index keys-only does not project [y, z]",
    ),
    (
        "Scan",
        {"ProjectionExpression": "g.x"},
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
        "allowed: IndexKey: g",
    ),
    (
        "BatchWriteItem",
        {"RequestItems": {"requests": [{"PutRequest": {"Item": {"pk": ONE}}}]}},
        "The provided key element does not match the schema",
    ),
    (
        "BatchGetItem",
        {"RequestItems": {"requests": {"Keys": [KEY, {"pk": A, "sk": {"N": "1.0"}}]}}},
        "Provided list of item keys contains duplicates",
    ),
    (
        "TransactWriteItems",
        {"TransactItems": [{}]},
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request",
    ),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                {
                    "Put": {"TableName": "requests", "Item": KEY},
                    "Delete": {"TableName": "requests", "Key": KEY},
                }
            ]
        },
        "TransactItems can only contain one of Check, Put, Update or Delete",
    ),
]


@pytest.mark.parametrize(("operation", "members", "words"), TYPES + CONSTRAINTS + LEGACY + KEYS)
def test_given_a_request_then_the_first_finding_is_the_services(
    operation: str, members: dict[str, Any], words: str
) -> None:
    assert first(operation, members) == words


def test_given_python_values_in_a_batch_or_a_transaction_then_they_are_understood() -> None:
    puts = {"RequestItems": {"requests": [{"PutRequest": {"Item": {"pk": "a", "sk": 1}}}]}}
    update = {
        "TableName": "requests",
        "Key": {"pk": "a", "sk": 1},
        "UpdateExpression": "SET pk = :v",
        "ExpressionAttributeValues": {":v": "x"},
    }

    assert first("BatchWriteItem", puts) == "accepted"
    assert first("BatchGetItem", {"RequestItems": {"requests": {"Keys": [{"pk": "a"}]}}}) == (
        "The provided key element does not match the schema"
    )
    assert first("TransactWriteItems", {"TransactItems": [{"Update": update}]}) == (
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key"
    )
