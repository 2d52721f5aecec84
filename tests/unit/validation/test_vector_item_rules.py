"""What an item may hold in a table with vector indexes."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request

INDEX: dict[str, Any] = {
    "IndexName": "vidx",
    "VectorAttribute": {"AttributeName": "emb"},
    "Dimensions": 2,
    "DistanceFunction": "COSINE",
    "Projection": {"ProjectionType": "ALL"},
    "SearchSchema": [
        {"AttributeName": "country", "SearchSchemaElementType": "HASH"},
        {"AttributeName": "rank", "SearchSchemaElementType": "INLINE_FILTER"},
        {"AttributeName": "title", "SearchSchemaElementType": "INLINE_FILTER"},
    ],
}
SCHEMA: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "country", "AttributeType": "S"},
        {"AttributeName": "rank", "AttributeType": "N"},
        {"AttributeName": "title", "AttributeType": "B"},
    ],
    "VectorIndexes": [INDEX],
}
KEY = {"pk": {"S": "p"}}
TWICE = "One or more parameter values are not valid. One or more parameter values were invalid . "
ONCE = "One or more parameter values were invalid. "
NOT_VALID = "One or more parameter values are not valid. "


def numbers(*texts: str) -> dict[str, Any]:
    return {"L": [{"N": text} for text in texts]}


FINE: list[dict[str, Any]] = [
    {},  # an item without the vector is not in the index
    {"emb": numbers("0.5", "-1e-10")},
    {"emb": numbers("3.4028235E38", "-3.4028235E38")},
    {"emb": numbers("1e-120", "0")},  # too small for 32 bits: it is stored as 0
    {"emb": numbers("1", "2"), "country": {"S": "x"}, "rank": {"N": "1"}},
    {"rank": {"N": "1"}},
    {"other": {"L": [{"S": "not a vector"}]}},
    {"country": {"S": "x" * 2048}, "title": {"B": b"x" * 10_240}},
]
WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"emb": numbers("1", "2", "3")},
        "DYS188",
        f"{TWICE}Invalid size for parameter emb, Expected: 2, Actual: 3. IndexName: vidx",
    ),
    (
        {"emb": {"L": []}},
        "DYS188",
        f"{TWICE}Invalid size for parameter emb, Expected: 2, Actual: 0. IndexName: vidx",
    ),
    (
        {"emb": {"S": "secret"}},
        "DYS188",
        f"{TWICE}Invalid type for parameter emb, Expected: L, Actual: S. IndexName: vidx",
    ),
    (
        {"emb": {"NS": ["1", "2"]}},
        "DYS188",
        f"{TWICE}Invalid type for parameter emb, Expected: L, Actual: NS. IndexName: vidx",
    ),
    (
        {"emb": {"L": [{"N": "1"}, {"BOOL": True}]}},
        "DYS188",
        f"{ONCE}Invalid type for parameter emb[1], Expected: 32-bit floating point number, "
        "Actual: BOOL. IndexName: vidx",
    ),
    (
        {"emb": numbers("1", "3.5E38")},
        "DYS188",
        f"{TWICE}Invalid value for parameter emb[1], Value: ... is outside valid range "
        "[-3.4028235E38, 3.4028235E38]. IndexName: vidx",
    ),
    (
        {"country": {"N": "1"}},
        "DYS136",
        f"{ONCE}Attribute 'country' type mismatch. Expected: S, Actual: N. IndexName: vidx",
    ),
    (
        {"rank": {"S": "high"}},
        "DYS136",
        f"{ONCE}Attribute 'rank' type mismatch. Expected: N, Actual: S. IndexName: vidx",
    ),
    (
        {"country": {"S": ""}},
        "DYS132",
        f"{NOT_VALID}A value specified for a secondary index key is not supported. The "
        "AttributeValue for a key attribute cannot contain an empty string value. IndexName: "
        "vidx, IndexKey: country",
    ),
    (
        {"country": {"S": "x" * 2049}},
        "DYS133",
        "One or more parameter values were invalid: Aggregate size for HASH key attributes exceeds "
        "the maximum of 2048 bytes",
    ),
    (
        {"title": {"B": b"x" * 10_241}},
        "DYS133",
        "One or more parameter values were invalid: Size limit exceeded for SearchSchema attribute "
        "'title': maximum 10240 bytes",
    ),
]


def plain(operation: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    findings = check_request(operation, params, schema=SCHEMA)
    return [
        (each.code, each.message.removeprefix("1 validation error detected: ")) for each in findings
    ]


def put(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"TableName": "products", "Item": {**KEY, **attributes}}


def update(attributes: dict[str, Any]) -> dict[str, Any]:
    sets = ", ".join(f"#{name} = :{name}" for name in attributes)
    return {
        "TableName": "products",
        "Key": KEY,
        "UpdateExpression": f"SET {sets}",
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        "ExpressionAttributeValues": {f":{name}": value for name, value in attributes.items()},
    }


def legacy_update(attributes: dict[str, Any]) -> dict[str, Any]:
    updates = {name: {"Value": value} for name, value in attributes.items()}
    return {"TableName": "products", "Key": KEY, "AttributeUpdates": updates}


@pytest.mark.parametrize("attributes", FINE)
def test_fine(attributes: dict[str, Any]) -> None:
    """What an index can hold, or leaves out, has no finding."""
    assert plain("PutItem", put(attributes)) == []
    if attributes:
        assert plain("UpdateItem", update(attributes)) == []
        assert plain("UpdateItem", legacy_update(attributes)) == []


@pytest.mark.parametrize(("attributes", "code", "message"), WRONG)
def test_wrong(attributes: dict[str, Any], code: str, message: str) -> None:
    """A wrong vector is refused in a put, a batch and an update; without a schema it is not."""
    request = put(attributes)
    batch = {"RequestItems": {"products": [{"PutRequest": {"Item": request["Item"]}}]}}

    assert plain("PutItem", request) == [(code, message)]
    assert plain("BatchWriteItem", batch) == [(code, message)]
    assert [each for each, _ in plain("UpdateItem", update(attributes))] == [code]
    assert plain("UpdateItem", legacy_update(attributes)) == [(code, message)]
    assert check_request("PutItem", request) == ()


@pytest.mark.parametrize(("attributes", "code", "message"), WRONG[:1])
def test_words_of_updates(attributes: dict[str, Any], code: str, message: str) -> None:
    """An update is refused in the words of a put, and the finding shows where."""
    (finding,) = check_request("UpdateItem", update(attributes), schema=SCHEMA)

    assert finding.message.endswith(message)
    assert finding.where.text == "SET #emb = :emb"
    assert finding.where.span == (4, 15)


def test_updates_of_stored_vectors() -> None:
    """What depends on the stored item has no finding: a part of it, or a default."""
    values = {":v": {"N": "1"}, ":l": numbers("1")}
    for text in (
        "SET emb[0] = :v, o = :l",
        "SET emb = list_append(emb, :l), o = :v",
        "SET emb = if_not_exists(emb, :l), o = :v",
        "REMOVE emb SET o = :v, p = :l",
    ):
        request = {
            "TableName": "products",
            "Key": KEY,
            "UpdateExpression": text,
            "ExpressionAttributeValues": values,
        }
        assert plain("UpdateItem", request) == [], text


def test_transactions() -> None:
    """A wrong vector cancels a transaction; an empty key of an index is refused at once."""
    for attributes, exception in (
        ({"emb": numbers("1")}, "TransactionCanceledException"),
        ({"country": {"N": "1"}}, "TransactionCanceledException"),
        ({"country": {"S": ""}}, "ValidationException"),
    ):
        entries = {"TransactItems": [{"Put": put(attributes)}]}
        (finding,) = check_request("TransactWriteItems", entries, schema=SCHEMA)
        assert finding.exception == exception


def test_index_whose_vector_is_not_known() -> None:
    """A description without the vector's attribute or its dimensions refuses no vector."""
    index = {"IndexName": "vidx", "SearchSchema": INDEX["SearchSchema"]}
    schema = {**SCHEMA, "VectorIndexes": [index]}

    assert check_request("PutItem", put({"emb": {"S": "x"}}), schema=schema) == ()
    assert len(check_request("PutItem", put({"rank": {"S": "x"}}), schema=schema)) == 1
