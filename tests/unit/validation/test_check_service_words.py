"""The first finding is the service's own first message, also where the emulator says otherwise.

What the service says was recorded by those who test against it: the authors of dynalite, of
ScyllaDB's test/alternator, of paritysuite/dynamodb-conformance and nubo-db/dynamodb-conformance.
"""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request
from dynasafe.validation import Form
from tests.support.requests import TABLE
from tests.support.steps import Steps

A, ONE = {"S": "a"}, {"N": "1"}
KEY = {"pk": A, "sk": ONE}
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value."
ONE_ERROR = "1 validation error detected: "
WRITE = f"{ONE_ERROR}{INVALID}"
START_INVALID = "The provided starting key is invalid"
EQ_PK = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [A]}}


def first(operation: str, members: dict[str, Any], form: Form = "wire") -> str:
    is_single = not operation.startswith(("Batch", "Transact"))
    params = {"TableName": "requests", **members} if is_single else members
    findings = check_request(operation, params, schema={"requests": TABLE}, form=form)
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
        f"{ONE_ERROR}Value at 'Limit' failed to satisfy constraint: Member must have value greater "
        "than or equal to 1",
    ),
    (
        "BatchGetItem",
        {"RequestItems": {}},
        f"{ONE_ERROR}Value at 'RequestItems' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
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
        f"{WRITE}Value and AttributeValueList cannot be used together for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"AttributeValueList": [A]}}},
        f"{WRITE}AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"Exists": True, "ComparisonOperator": "NULL"}}},
        f"{WRITE}Exists and ComparisonOperator cannot be used together for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"ComparisonOperator": "EQ"}}},
        f"{WRITE}Value or AttributeValueList must be used with ComparisonOperator: EQ for "
        "Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {}}},
        f"{WRITE}Value must be provided when Exists is null for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"a": {"Exists": False, "Value": A}}},
        f"{WRITE}Value cannot be used when Exists is false for Attribute: a",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("BETWEEN", A)},
        f"{WRITE}Invalid number of argument(s) for the BETWEEN ComparisonOperator",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("BETWEEN", {"S": "b"}, A)},
        f"{ONE_ERROR}The BETWEEN condition was provided a range where the lower bound is greater "
        "than the upper bound",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": condition("IN", A, ONE)},
        f"{WRITE}AttributeValues inside AttributeValueList must be of same type",
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
        f"{ONE_ERROR}ConditionalOperator cannot be used without Filter or Expected",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {"Action": "ADD", "Value": A}}},
        f"{WRITE}ADD action is not supported for the type S",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {"Action": "DELETE", "Value": A}}},
        f"{WRITE}DELETE action with value is not supported for the type S",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"a": {}}},
        f"{WRITE}Only DELETE action is allowed when no attribute value is specified",
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
        f"{INVALID}Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
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
        "IndexName: all, IndexKey: g",
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
        "The parameter cannot be converted to a numeric value: ...",
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
def test_first_finding_is_the_services(operation: str, members: dict[str, Any], words: str) -> None:
    """The first finding of each request has the service's words."""
    assert first(operation, members) == words


def test_python_values_in_batches() -> None:
    """Python values in batches and transactions are understood."""
    puts = {"RequestItems": {"requests": [{"PutRequest": {"Item": {"pk": "a", "sk": 1}}}]}}
    update = {
        "TableName": "requests",
        "Key": {"pk": "a", "sk": 1},
        "UpdateExpression": "SET pk = :v",
        "ExpressionAttributeValues": {":v": "x"},
    }

    gets = {"RequestItems": {"requests": {"Keys": [{"pk": "a"}]}}}

    assert first("BatchWriteItem", puts, "resource") == "accepted"
    assert first("BatchGetItem", gets, "resource") == (
        "The provided key element does not match the schema"
    )
    assert first("TransactWriteItems", {"TransactItems": [{"Update": update}]}, "resource") == (
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key"
    )


# The order within an expression

LIST: dict[str, Any] = {"L": []}
ORDER_IN_CONDITIONS: list[tuple[str, str]] = [
    # Functions, reserved words and indexes as they stand in the text, but parentheses first.
    ("foo(b) AND status = :u", "Invalid function name; function: foo"),
    ("status = :u AND foo(b)", "reserved keyword: status"),
    ("a[2147483648] = :u AND status = :u", "index: [2147483648]"),
    ("foo(b) AND ((a = :u))", "The expression has redundant parentheses"),
    # Then condition by condition: what is not defined, how many operands, which operands.
    ("#n = b AND status = c", "reserved keyword: status"),
    ("a = a AND b = :u", "operator: =, first operand: [a]"),
    ("b = :u AND a = a", "is not defined; attribute value: :u"),
    ("contains(b) AND a = a", "operator or function: contains, number of operands: 1"),
    ("a > :l AND b = :u", "operator or function: >, operand type: L"),
    ("size(a, #n) = b", "is not defined; attribute name: #n"),
    # How many operators there are last of all.
    (f"{'a = b AND ' * 301}c > :l", "operator or function: >, operand type: L"),
    (f"{'a = b AND ' * 301}c = d", "too many operators; operator count: 603"),
]
ORDER_IN_UPDATES: list[tuple[str, str]] = [
    ("SET c = d SET a = foo(b)", "Invalid function name; function: foo"),
    ("SET c = #n SET a = b", 'The "SET" section can only be used once in an update expression;'),
    ("SET a = :u, a = b", "path one: [a], path two: [a]"),
    ("SET e.f = g, e = h", "path one: [e, f], path two: [e]"),
    ("SET e = h, e.f = g", "path one: [e], path two: [e, f]"),
    ("SET a.b = c, a[0] = d", "path one: [a, b], path two: [a, [0]]"),
    ("SET a = list_append(b), a = c", "path one: [a], path two: [a]"),
    ("ADD c :l SET a = b + :l", "operator or function: +, operand type: L"),
]


@pytest.mark.parametrize(("text", "end"), ORDER_IN_CONDITIONS)
def test_first_of_two_errors_in_a_condition(text: str, end: str) -> None:
    """Of two errors in a condition, the first finding is the one that the service names."""
    values = {":l": LIST} if ":l" in text else {}
    params = {"FilterExpression": text, "ExpressionAttributeValues": {":v": ONE, **values}}

    message = first("Scan", params)

    assert message.startswith("Invalid FilterExpression: ")
    assert end in message


@pytest.mark.parametrize(("text", "end"), ORDER_IN_UPDATES)
def test_first_of_two_errors_in_an_update(text: str, end: str) -> None:
    """Of two errors in an update, the first finding is the one that the service names."""
    values = {":l": LIST} if ":l" in text else {":v": ONE}
    params = {"Key": KEY, "UpdateExpression": text, "ExpressionAttributeValues": values}

    message = first("UpdateItem", params)

    assert message.startswith(f"{ONE_ERROR}Invalid UpdateExpression: ")
    assert message.endswith(end)


# The order within requests of many items, and how large they are

NO_NUMBER = "The parameter cannot be converted to a numeric value: ..."
NOT_THE_SCHEMA = "The provided key element does not match the schema"
LARGE = {"S": "x" * 100_000}
NOT_A_KEY = {"pk": A}


def write(action: str, **members: Any) -> dict[str, Any]:
    return {action: {"TableName": "requests", **members}}


def updated(text: str, **values: dict[str, Any]) -> dict[str, Any]:
    named = {f":{name}": value for name, value in values.items()}
    return {"Key": KEY, "UpdateExpression": text, "ExpressionAttributeValues": named}


def puts(*items: dict[str, Any]) -> dict[str, Any]:
    return {"RequestItems": {"requests": [{"PutRequest": {"Item": item}} for item in items]}}


def large_puts(count: int) -> dict[str, Any]:
    items = ({"pk": {"S": str(each)}, "sk": ONE, "x": LARGE} for each in range(count))
    return {"TransactItems": [write("Put", Item=item) for item in items]}


TOGETHER: list[tuple[str, dict[str, Any], str]] = [
    # All of a transaction or a batch is read before any part meets its table.
    (
        "TransactWriteItems",
        {"TransactItems": [write("Put", Item=NOT_A_KEY), write("Put", Item={"x": {"N": "x"}})]},
        NO_NUMBER,
    ),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                write("Delete", Key=NOT_A_KEY),
                write("Delete", Key=KEY, ConditionExpression="foo(a)"),
            ]
        },
        "Invalid ConditionExpression: Invalid function name; function: foo",
    ),
    (
        "TransactGetItems",
        {
            "TransactItems": [
                write("Get", Key=NOT_A_KEY),
                write("Get", Key=KEY, ProjectionExpression="status"),
            ]
        },
        "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: "
        "status",
    ),
    ("BatchWriteItem", puts(NOT_A_KEY, {**KEY, "x": {"N": "x"}}), NO_NUMBER),
    (
        "BatchGetItem",
        {
            "RequestItems": {
                "requests": {"Keys": [KEY], "ProjectionExpression": "a"},
                "others": {"Keys": [KEY], "AttributesToGet": ["a"]},
            }
        },
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {AttributesToGet} "
        "Expression parameters: {ProjectionExpression}",
    ),
    # Sizes.
    ("TransactWriteItems", large_puts(41), "accepted"),
    (
        "TransactWriteItems",
        large_puts(42),
        "Transaction payload size cannot exceed 4MB. Payload Size: 4200368",
    ),
    (
        "UpdateItem",
        updated("SET a = :v", v={"S": "x" * 409_600}),
        "Item size to update has exceeded the maximum allowed size",
    ),
    (
        "UpdateItem",
        updated("SET a = :v, b = :v", v={"S": "x" * 205_000}),
        "Item size to update has exceeded the maximum allowed size",
    ),
    ("UpdateItem", updated("SET a = if_not_exists(a, :v)", v={"S": "x" * 409_000}), "accepted"),
    (
        "UpdateItem",
        updated("SET a = :v + :w", v=ONE, w={"N": "1e50"}),
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ),
    # Names.
    ("PutItem", {"Item": {"x": {"N": "x"}, "": A, **KEY}}, f"{ONE_ERROR}Empty attribute name"),
    # Without a schema, what is true of every key.
    ("GetItem", {"TableName": "unknown", "Key": {"a": ONE, "b": ONE, "c": ONE}}, NOT_THE_SCHEMA),
    ("GetItem", {"TableName": "unknown", "Key": {"a": {"BOOL": True}}}, NOT_THE_SCHEMA),
    ("GetItem", {"TableName": "unknown", "Key": {"a": {"S": ""}}}, f"{NOT_VALID}{EMPTY} Key: a"),
    ("GetItem", {"TableName": "unknown", "Key": {"a": A, "b": ONE}}, "accepted"),
    (
        "Scan",
        {"IndexName": "all", "ConsistentRead": True},
        "Consistent reads are not supported on global secondary indexes",
    ),
    (
        "PutItem",
        {"Item": {**KEY, "h": {"N": "1"}, "l": A}},
        f"{INVALID}Type mismatch for Index Key l Expected: N Actual: S IndexName: local",
    ),
]


@pytest.mark.parametrize(("operation", "members", "words"), TOGETHER)
def test_parts_that_are_checked_together(
    operation: str, members: dict[str, Any], words: str
) -> None:
    """With errors in several members, the first finding is the one that the service names."""
    assert first(operation, members) == words


# Indexes whose keys have more attributes than two

KEY_TYPES = {"pk": "S", "area": "S", "kind": "S", "year": "N", "month": "N", "day": "N"}
INDEX_KEY = {"area": "HASH", "kind": "HASH", "year": "RANGE", "month": "RANGE", "day": "RANGE"}
EVENTS: dict[str, Any] = {
    "TableName": "events",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": type_name} for name, type_name in KEY_TYPES.items()
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "days",
            "KeySchema": [
                {"AttributeName": name, "KeyType": role} for name, role in INDEX_KEY.items()
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
BOTH = "kind = :a AND area = :a"
NEED_EQUALITY = (
    "must have equality conditions specified in the query because a condition is present on key "
    "attribute"
)
DAYS: list[tuple[str, str]] = [
    (BOTH, "accepted"),
    (f"#y = :n AND {BOTH}", "accepted"),
    (f"{BOTH} AND #y = :n AND #m > :n", "accepted"),
    (f"#d BETWEEN :n AND :n AND #m = :n AND #y = :n AND {BOTH}", "accepted"),
    ("area = :a", "Query condition missed key schema element: kind"),
    ("area = :a AND #y = :n", "Query condition missed key schema element: kind"),
    ("area = :a AND kind > :a", "Query key condition not supported"),
    (f"{BOTH} AND pk = :a", "Query condition missed key schema element: year"),
    (f"{BOTH} AND #m = :n", f"RANGE key attributes year {NEED_EQUALITY} month"),
    (f"{BOTH} AND #y > :n AND #m = :n", f"RANGE key attributes year {NEED_EQUALITY} month"),
    (
        f"{BOTH} AND #y = :a",
        f"{INVALID}Condition parameter type does not match schema type",
    ),
    (
        f"{BOTH} AND #y = :n AND #m = :n AND #d = :n AND pk = :a",
        "The number of query conditions (6) exceeds the number of key attributes defined in the "
        "schema (5)",
    ),
]


def days(conditions: str, **members: Any) -> dict[str, Any]:
    names = {"#y": "year", "#m": "month", "#d": "day"}
    values = {":a": A, ":n": ONE}
    return {
        "TableName": "events",
        "IndexName": "days",
        "KeyConditionExpression": conditions,
        "ExpressionAttributeNames": {name: names[name] for name in names if name in conditions},
        "ExpressionAttributeValues": {name: values[name] for name in values if name in conditions},
        **members,
    }


@pytest.mark.parametrize(("conditions", "words"), DAYS)
def test_query_of_many_key_attributes(conditions: str, words: str) -> None:
    """A query of an index of many attributes names its sort keys in order, without gaps."""
    params = days(conditions)
    params = {name: value for name, value in params.items() if value != {}}

    findings = check_request("Query", params, schema=EVENTS)

    assert (findings[0].message if findings else "accepted") == words


def test_unknown_index_may_have_many_attributes() -> None:
    """An index without a schema may have many key attributes; a table has two."""
    params = days(f"{BOTH} AND #y = :n")
    of_a_table = {name: value for name, value in params.items() if name != "IndexName"}

    assert not check_request("Query", params)
    assert [finding.code for finding in check_request("Query", of_a_table)] == ["DYS152"]


def test_start_key_of_many_key_attributes() -> None:
    """A start key has all attributes of such an index; an item may lack some of them."""
    start = {name: ONE if type_name == "N" else A for name, type_name in KEY_TYPES.items()}
    part = {name: value for name, value in start.items() if name != "day"}
    query = days(f"{BOTH} AND #y = :n AND #m = :n")
    elsewhere = {**start, "month": {"N": "2"}}

    def message(**members: Any) -> str:
        findings = check_request("Query", {**query, **members}, schema=EVENTS)
        return findings[0].message if findings else "accepted"

    assert message(ExclusiveStartKey=start) == "accepted"
    assert message(ExclusiveStartKey=part) == START_INVALID
    assert message(ExclusiveStartKey=elsewhere) == (
        "The provided starting key does not match the range key predicate"
    )
    assert not check_request("PutItem", {"TableName": "events", "Item": part}, schema=EVENTS)
    wrong = {"TableName": "events", "Item": {**part, "day": A}}
    assert [each.code for each in check_request("PutItem", wrong, schema=EVENTS)] == ["DYS136"]


def test_repeated_names_take_linear_steps() -> None:
    """Of many names, the first repeated one is found in steps that are linear in their number."""

    def steps(count: int) -> int:
        names = [f"a{number}" for number in range(count)]
        params = {"TableName": "requests", "AttributesToGet": [*names, "a7", "a5"]}
        with Steps() as counted:
            findings = check_request("Scan", params)
        assert findings[-1].message.endswith("Duplicate value in attribute name: a7")
        return counted.lines

    few, many = steps(5_000), steps(50_000)
    assert many <= 10 * few
