"""Findings with a table's schema, in both forms, and for batches: the words and the places."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore import xform_name
from botocore.exceptions import ParamValidationError

from dynasafe import check_request, require_valid
from dynasafe.errors import InvalidRequestError, InvalidValueError
from tests.support.people import Order

S, N = {"S": "x"}, {"N": "1"}
ONE_ERROR = "1 validation error detected: "
CLIENT: Any = boto3.client(
    "dynamodb",
    endpoint_url="http://127.0.0.1:1",
    region_name="us-east-1",
    aws_access_key_id="a",
    aws_secret_access_key="b",
)
DESCRIPTION: dict[str, Any] = {
    "TableName": "orders",
    "KeySchema": [
        {"AttributeName": "sk", "KeyType": "RANGE"},
        {"AttributeName": "pk", "KeyType": "HASH"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "email", "AttributeType": "S"},
        {"AttributeName": "placed", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_email",
            "KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by_time",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "placed", "KeyType": "RANGE"},
            ],
        }
    ],
}
SCHEMAS = {
    "description": DESCRIPTION,
    "answer": {"Table": DESCRIPTION},
    "CloudFormation": {"Type": "AWS::DynamoDB::Table", "Properties": DESCRIPTION},
    "by table": {"orders": DESCRIPTION},
}


def messages(operation: str, schema: Any = DESCRIPTION, **params: Any) -> list[str]:
    findings = check_request(operation, {"TableName": "orders", **params}, schema=schema)
    return [finding.message for finding in findings]


def query(condition: str, **members: Any) -> list[str]:
    values = {name: value for name, value in ((":s", S), (":n", N)) if name in condition}
    return messages(
        "Query", KeyConditionExpression=condition, ExpressionAttributeValues=values, **members
    )


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_keys_are_checked_by_any_schema(schema: Any) -> None:
    """Keys are checked by a schema of any kind."""
    assert messages("GetItem", schema, Key={"pk": S, "sk": N}) == []
    for key in ({"pk": S}, {"pk": N, "sk": N}, {"pk": S, "sk": N, "x": S}, {}):
        assert messages("GetItem", schema, Key=key) == [
            "The provided key element does not match the schema"
        ]


def test_key_of_an_item_class() -> None:
    """The key of an Item class has the types of its attributes."""
    assert messages("DeleteItem", Order, Key={"customer": S, "number": N}) == []
    assert messages("DeleteItem", Order, Key={"customer": S, "number": S}) == [
        "The provided key element does not match the schema"
    ]


def test_other_schemas_are_refused() -> None:
    """What is not a schema is refused."""
    with pytest.raises(InvalidValueError, match="schema: an Item class, a DescribeTable answer"):
        check_request("GetItem", {"TableName": "orders", "Key": {}}, schema=3)


def test_query_of_an_index() -> None:
    """A query of an index needs the keys of that index."""
    assert query("email = :s", IndexName="by_email") == []
    assert query("pk = :s AND placed > :n", IndexName="by_time", ConsistentRead=True) == []
    assert query("pk = :s", IndexName="by_email") == [
        "Query condition missed key schema element: email"
    ]
    assert query("email = :s", IndexName="by_email", ConsistentRead=True) == [
        "Consistent reads are not supported on global secondary indexes"
    ]
    assert query("pk = :s", IndexName="by_name") == [
        "The table does not have the specified index: by_name"
    ]
    assert query("email = :n", IndexName="by_email") == [
        "One or more parameter values were invalid: Condition parameter type does not match "
        "schema type"
    ]


def test_index_keys_in_an_item() -> None:
    """Keys of tables and indexes in an item have their types and are not empty."""
    item = {"pk": S, "sk": N, "email": N}
    assert messages("PutItem", Item=item) == [
        "One or more parameter values were invalid: Type mismatch for Index Key email Expected: S "
        "Actual: N IndexName: by_email"
    ]
    assert messages("PutItem", Item={"pk": S}) == [
        "One or more parameter values were invalid: Missing the key sk in the item"
    ]
    assert messages("PutItem", Item={"pk": {"S": ""}, "sk": N}) == [
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
        "contain an empty string value. Key: pk"
    ]


def test_several_constraints_in_one_message() -> None:
    """Several broken constraints are one message, in the service's words."""
    assert messages(
        "PutItem", Item={"pk": S, "sk": N}, ReturnValues="X", ReturnConsumedCapacity="Y"
    ) == [
        "2 validation errors detected: Value 'Y' at 'returnConsumedCapacity' failed to satisfy "
        "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Failed to satisfy "
        "constraint: Member must satisfy enum value set: "
        "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
    ]
    findings = check_request("GetItem", {"Key": {"pk": S}})
    assert findings[0].message == (
        "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_all_findings_at_once() -> None:
    """All that is wrong in a request is reported at once, each with its place."""
    findings = check_request(
        "UpdateItem",
        {
            "TableName": "orders",
            "Key": {"pk": S, "sk": N},
            "UpdateExpression": "SET status = :v, a = :w ADD b :s",
            "ConditionExpression": "size(c)",
            "ExpressionAttributeValues": {":v": {"N": "x"}, ":s": S, ":u": S},
            "Nope": 1,
        },
    )
    assert [(finding.code, finding.where.parameter) for finding in findings] == [
        ("DYS119", "ExpressionAttributeValues.:v"),
        ("DYS215", "UpdateExpression"),
        ("DYS223", "UpdateExpression"),
        ("DYS221", "UpdateExpression"),
        ("DYS207", "ConditionExpression"),
        ("DYS222", "ExpressionAttributeValues"),
        ("DYS104", "Nope"),
    ]
    reserved = findings[1]
    assert reserved.where.text is not None
    assert reserved.where.text[slice(*(reserved.where.span or (0, 0)))] == "status"
    assert "^^^^^^" in str(reserved)


def test_table_form_is_understood() -> None:
    """Python values and boto3's conditions are understood, as boto3's Table takes them."""
    assert check_request("PutItem", {"Item": {"pk": "a", "n": Decimal("1.5"), "b": b"x"}}) == ()
    params = {
        "KeyConditionExpression": Key("pk").eq("a") & Key("sk").gt(1),
        "FilterExpression": Attr("status").begins_with("x"),
    }
    assert check_request("Query", params, schema=DESCRIPTION) == ()
    (finding,) = check_request("PutItem", {"Item": {"pk": "a", "bad": {"x": [set()]}}})
    assert (finding.code, finding.where.parameter) == ("DYS117", "Item.bad.*[0]")
    (finding,) = check_request("DeleteItem", {"Key": {"pk": "a"}, "ExpressionAttributeNames": None})
    assert finding.code == "DYS103"


@pytest.mark.parametrize("path", ["", "a..b", "a[x]"])
def test_boto3_condition_without_a_path(path: str) -> None:
    """A boto3 condition on a text that is not a path is a finding."""
    scan = {"FilterExpression": Attr(path).exists()}
    findings = check_request("Scan", scan)
    assert [(each.code, each.where.parameter) for each in findings] == [
        ("DYS201", "FilterExpression")
    ]


def test_places_in_batches() -> None:
    """Findings in a batch name the table and the entry."""
    findings = check_request(
        "BatchWriteItem",
        {
            "RequestItems": {
                "orders": [
                    {"PutRequest": {"Item": {"pk": S, "sk": N}}},
                    {"DeleteRequest": {"Key": {"pk": S, "sk": N}}},
                    {"PutRequest": {"Item": {"pk": S, "sk": {"N": "2"}, "a": {"SS": []}}}},
                    {},
                ]
            }
        },
        schema=SCHEMAS["by table"],
    )
    assert [(finding.code, finding.where.parameter) for finding in findings] == [
        ("DYS170", "RequestItems.orders[3]"),
        ("DYS117", "RequestItems.orders[2].PutRequest.Item.a"),
        ("DYS172", "RequestItems.orders[1]"),
    ]


def test_places_in_transactions() -> None:
    """Each operation of a transaction is checked, and findings name it."""
    key = {"TableName": "orders", "Key": {"pk": S, "sk": N}}
    findings = check_request(
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Update": {**key, "UpdateExpression": "SET pk = :s"}},
                {"ConditionCheck": key},
                {"Nope": key},
            ]
        },
        schema=SCHEMAS["by table"],
    )
    assert [(finding.code, finding.where.parameter) for finding in findings] == [
        ("DYS105", "parameters"),
        ("DYS221", "TransactItems[0].Update.UpdateExpression"),
        ("DYS171", "TransactItems[2]"),
        ("DYS172", "TransactItems[1].ConditionCheck"),
        ("DYS120", "TransactItems[0].Update.UpdateExpression"),
        ("DYS104", "TransactItems[2].Nope"),
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (3, "DYS110"),
        ("x", "DYS110"),
        ({"N": 3}, "DYS110"),
        ({"B": "\ud800"}, "DYS110"),
        ({"BOOL": "maybe"}, "DYS110"),
        ({"L": {}}, "DYS110"),
        ({"M": {1: S}}, "DYS110"),
        ({"SS": ["a", 3]}, "DYS110"),
        ({"S": "x", "STRING": "x"}, "DYS111"),
        ({}, "DYS112"),
        ({"S": "x", "N": "1"}, "DYS113"),
        ({"NS": ["1", "nan"]}, "DYS119"),
        ({"BS": [b"a", b"a"]}, "DYS118"),
    ],
)
def test_malformed_wire_values(value: Any, code: str) -> None:
    """A malformed wire value is a finding with its place."""
    item = {"pk": S, "sk": N, "a": {"L": [value]}}
    (finding,) = check_request("PutItem", {"TableName": "orders", "Item": item})
    assert finding.code == code
    assert finding.where.parameter.startswith("Item.a[0]")


@pytest.mark.parametrize(
    ("operation", "members", "code", "place"),
    [
        ("PutItem", {"Item": {"pk": S, "a": {"BOOL": "true"}}}, "DYS110", "Item.a.BOOL"),
        ("PutItem", {"Item": {"pk": S, "a": {"NULL": "TRUE"}}}, "DYS110", "Item.a.NULL"),
        ("PutItem", {"Item": {"a": {"L": [{"BOOL": "0"}]}}}, "DYS110", "Item.a[0].BOOL"),
        ("PutItem", {"Item": {"a": {"B": memoryview(b"")}}}, "DYS110", "Item.a.B"),
        ("GetItem", {"Key": {"pk": S}, "ConsistentRead": "true"}, "DYS102", "ConsistentRead"),
        ("Scan", {"Limit": 1.5}, "DYS102", "Limit"),
        ("Scan", {"Limit": Decimal(2)}, "DYS102", "Limit"),
        ("Scan", {"Segment": 1.0, "TotalSegments": 2}, "DYS102", "Segment"),
    ],
)
def test_what_boto3_does_not_convert(
    operation: str, members: dict[str, Any], code: str, place: str
) -> None:
    """What the service would convert, but boto3 refuses, is a finding at boto3's place."""
    params = {"TableName": "orders", **members}
    with pytest.raises(ParamValidationError) as refusal:
        getattr(CLIENT, xform_name(operation))(**params)
    (finding,) = check_request(operation, params)

    assert (finding.code, finding.where.parameter) == (code, place)
    assert f"Invalid type for parameter {place}" in str(refusal.value).replace(".L[", "[")


@pytest.mark.parametrize(
    "number",
    [10**5000, -(2**63) - 1, 1e300, math.nan, Decimal("NaN"), Decimal("sNaN")],
    ids=["5,001 digits", "below 64 bits", "1e300", "nan", "NaN", "sNaN"],
)
def test_numbers_that_no_parser_takes(number: Any) -> None:
    """A number that the service could not convert is a finding with the service's words."""
    for operation, members, code in (
        ("Scan", {"Limit": number}, "DYS102"),
        ("PutItem", {"Item": {"a": {"S": number}}}, "DYS110"),
        ("PutItem", {"Item": {"a": {"BOOL": number}}}, "DYS110"),
    ):
        (finding,) = check_request(operation, {"TableName": "orders", **members})
        assert finding.code == code
        assert "_VALUE cannot be converted to " in finding.message


def test_converted_value_hides_no_finding() -> None:
    """A value that the service converts does not hide another finding."""
    key = {"pk": {"BOOL": "true"}}
    findings = check_request("GetItem", {"TableName": "orders", "Key": key}, schema=DESCRIPTION)

    assert [finding.code for finding in findings] == ["DYS130", "DYS110"]
    assert str(findings[1]).startswith("Key.pk.BOOL is of type str")


CUT = "\ud83d"  # half of an emoji


@pytest.mark.parametrize(
    ("fine", "cut", "code", "place", "message"),
    [
        ({"S": "é"}, {"S": CUT}, "DYS110", "Item.a.S", "The text has a lone surrogate"),
        ({"SS": ["a"]}, {"SS": [CUT]}, "DYS110", "Item.a.SS", "The text has a lone surrogate"),
        ({"L": [S]}, {"L": [{"S": CUT}]}, "DYS110", "Item.a[0].S", "The text has a lone surrogate"),
        ({"M": {"é": S}}, {"M": {CUT: S}}, "DYS134", "Item.a", f"{ONE_ERROR}Attribute name has a"),
    ],
)
def test_lone_surrogate_in_a_value(
    fine: Any, cut: Any, code: str, place: str, message: str
) -> None:
    """A lone surrogate in a value is a finding, also after a valid value of this form."""
    put = {"TableName": "orders", "Item": {"pk": S}}
    assert check_request("PutItem", {**put, "Item": {"pk": S, "a": fine}}) == ()

    (finding,) = check_request("PutItem", {**put, "Item": {"pk": S, "a": cut}})

    assert (finding.code, finding.where.parameter) == (code, place)
    assert finding.message.startswith(message)
    assert finding.fix.startswith("replace the lone surrogates")


@pytest.mark.parametrize(
    ("members", "code", "place"),
    [
        ({"Item": {CUT: S}}, "DYS134", "Item"),
        (
            {
                "ConditionExpression": "#a = :a",
                "ExpressionAttributeNames": {"#a": CUT},
                "ExpressionAttributeValues": {":a": S},
            },
            "DYS102",
            "ExpressionAttributeNames.#a",
        ),
        ({"ConditionExpression": f"{CUT} = a"}, "DYS102", "ConditionExpression"),
        ({"TableName": f"orders{CUT}"}, "DYS102", "TableName"),
    ],
)
def test_lone_surrogate_elsewhere(members: dict[str, Any], code: str, place: str) -> None:
    """A lone surrogate in a name, a text or an expression is a finding."""
    params = {"TableName": "orders", "Item": {"pk": S}, **members}
    (finding,) = check_request("PutItem", params)
    assert (finding.code, finding.where.parameter) == (code, place)


def test_required_error_has_all_findings() -> None:
    """The error of require_valid has all findings."""
    require_valid("GetItem", {"TableName": "orders", "Key": {"pk": S}})
    with pytest.raises(InvalidRequestError) as caught:
        require_valid("GetItem", {"TableName": "orders", "Key": {"pk": {}}, "Nope": 1})
    assert [finding.code for finding in caught.value.findings] == ["DYS112", "DYS104"]
    assert str(caught.value).startswith("GetItem was not sent.\n")


@pytest.mark.parametrize(("length", "codes"), [(1024, []), (1025, ["DYS133"])])
def test_sort_key_has_1024_bytes(length: int, codes: list[str]) -> None:
    """A sort key has up to 1,024 bytes."""
    schema = {
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
    }
    key = {"pk": {"S": "a"}, "sk": {"S": "x" * length}}

    for operation, member in (("GetItem", "Key"), ("PutItem", "Item")):
        findings = check_request(operation, {"TableName": "orders", member: key}, schema=schema)
        assert [finding.code for finding in findings] == codes


@pytest.mark.parametrize(("count", "codes"), [(255, []), (256, ["DYS105"])])
def test_attributes_to_get_has_255_names(count: int, codes: list[str]) -> None:
    """AttributesToGet has up to 255 names."""
    # DynamoDB Local has no such limit; "GetItem", Amazon DynamoDB API Reference, does.
    names = [f"a{number}" for number in range(count)]
    get = {"TableName": "orders", "Key": {"id": {"S": "a"}}, "AttributesToGet": names}

    assert [each.code for each in check_request("GetItem", get)] == codes


# Items without a schema


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": "orders", "Item": item}}


@pytest.mark.parametrize(
    ("other", "codes"),
    [
        ({"id": {"S": "a"}, "n": {"N": "1.0"}}, ["DYS172"]),
        ({"n": {"N": "1"}, "id": {"S": "a"}}, ["DYS172"]),
        ({"id": {"S": "a"}, "n": {"N": "2"}}, []),
        ({"id": {"S": "a"}}, []),
    ],
)
def test_duplicates_without_a_schema(other: dict[str, Any], codes: list[str]) -> None:
    """Without a schema, only two equal items are reported as duplicates."""
    item = {"id": {"S": "a"}, "n": {"N": "1"}}
    batch = {"RequestItems": {"orders": [{"PutRequest": {"Item": each}} for each in (item, other)]}}
    transaction = {"TransactItems": [put(item), put(other)]}

    assert [each.code for each in check_request("BatchWriteItem", batch)] == codes
    assert [each.code for each in check_request("TransactWriteItems", transaction)] == codes


# Key conditions without a schema

EMPTY_IN_KEY_CONDITIONS = [
    *(f"pk = :p AND sk {operator} :e" for operator in ("=", "<", "<=", ">", ">=")),
    *(
        "pk = :p AND :e < sk",
        "pk = :p AND sk BETWEEN :e AND :p",
        "pk = :p AND sk BETWEEN :p AND :e",
    ),
    *("pk = :p AND begins_with(sk, :e)", "sk = :p AND pk = :e", "pk = :e"),
]


@pytest.mark.parametrize("empty", [{"S": ""}, {"B": b""}, {"B": ""}])
@pytest.mark.parametrize("text", EMPTY_IN_KEY_CONDITIONS)
def test_empty_value_in_a_key_condition(text: str, empty: dict[str, Any]) -> None:
    """An empty value in a key condition is a finding, also without a schema."""
    fine = {"S": "x"} if "S" in empty else {"B": b"x"}
    values = {":p": fine, ":e": empty} if ":p" in text else {":e": empty}
    query = {
        "TableName": "orders",
        "KeyConditionExpression": text,
        "ExpressionAttributeValues": values,
    }

    codes = [each.code for each in check_request("Query", query)]

    assert codes[-1:] == ["DYS132"]
    of_fine = query | {"ExpressionAttributeValues": dict.fromkeys(values, fine)}
    assert check_request("Query", of_fine) == ()


def test_empty_value_in_a_key_condition_by_index() -> None:
    """The finding for an empty key of an index names the index, in the legacy form too."""
    conditions = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": ""}]}}
    query = {"TableName": "orders", "IndexName": "by-pk", "KeyConditions": conditions}

    (finding,) = check_request("Query", query)

    assert finding.message == (
        "One or more parameter values are not valid. A value specified for a secondary index key "
        "is not supported. The AttributeValue for a key attribute cannot contain an empty string "
        "value. IndexName: by-pk, IndexKey: pk"
    )


@pytest.mark.parametrize("text", ["a = :e", "begins_with(a, :e)", "a BETWEEN :e AND :p"])
def test_empty_value_in_a_filter(text: str) -> None:
    """A filter may compare with an empty value."""
    values = {":p": {"S": "x"}, ":e": {"S": ""}}
    query = {
        "TableName": "orders",
        "KeyConditionExpression": "pk = :p",
        "FilterExpression": text,
        "ExpressionAttributeValues": values,
    }

    assert check_request("Query", query) == ()


@pytest.mark.parametrize(
    ("condition", "fix"),
    [
        ("mail = :v", "read the index 'by_mail', whose key this is"),
        ("mail = :v AND born > :v", "read the index 'by_mail', whose key this is"),
        ("born = :v", "name key attributes only, all of the partition key with ="),
        ("another = :v", "name key attributes only, all of the partition key with ="),
    ],
)
def test_query_by_the_key_of_an_index_names_it(condition: str, fix: str) -> None:
    """A query by the keys of an index without IndexName has the fix to read that index."""
    keys = {"id": "HASH"}, {"mail": "HASH", "born": "RANGE"}
    schemas = [
        [{"AttributeName": name, "KeyType": kind} for name, kind in each.items()] for each in keys
    ]
    table = {
        "KeySchema": schemas[0],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "mail", "born")
        ],
        "GlobalSecondaryIndexes": [{"IndexName": "by_mail", "KeySchema": schemas[1]}],
    }
    params = {
        "TableName": "people",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    }

    (finding, *_) = check_request("Query", params, schema=table)

    assert finding.fix == fix
