"""SearchVectors: the vector, how many results, and the condition."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request

ONE_ERROR = "1 validation error detected: "
INVALID = "Invalid SearchConditionExpression: "
INVALID_VECTOR = (
    "Search vector contains invalid values. All values in the search vector must be a 32-bit "
    "floating-point number attribute"
)
INDEX: dict[str, Any] = {
    "IndexName": "by-vector",
    "VectorAttribute": {"AttributeName": "vector"},
    "Dimensions": 2,
    "DistanceFunction": "COSINE",
    "Projection": {"ProjectionType": "ALL"},
    "SearchSchema": [
        {"AttributeName": "category", "SearchSchemaElementType": "HASH"},
        {"AttributeName": "brand", "SearchSchemaElementType": "INLINE_FILTER"},
    ],
}
SCHEMA: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "category", "brand")
    ],
    "VectorIndexes": [INDEX, {**INDEX, "IndexName": "free", "SearchSchema": []}],
}
VECTOR = [{"N": "0.5"}, {"N": "-1"}]
SEARCH: dict[str, Any] = {
    "TableName": "products",
    "IndexName": "by-vector",
    "SearchVector": VECTOR,
    "TopK": 10,
    "SearchConditionExpression": "category = :c",
    "ExpressionAttributeValues": {":c": {"S": "shoes"}},
}


def found(schema: object = SCHEMA, **members: Any) -> list[tuple[str, str]]:
    params = {name: value for name, value in {**SEARCH, **members}.items() if value is not None}
    findings = check_request("SearchVectors", params, schema=schema)
    return [(each.code, each.message) for each in findings]


def condition(text: str, **values: str) -> dict[str, Any]:
    named = {f":{name}": {"S": value} for name, value in values.items()}
    return {"SearchConditionExpression": text, "ExpressionAttributeValues": named or None}


NO_CONDITION = {
    "SearchConditionExpression": None,
    "ExpressionAttributeValues": None,
}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"TopK": 1},
        {"TopK": 100},
        condition("category = :c AND brand = :b", c="shoes", b="x"),
        condition(":c = category", c="shoes"),
        {"ExpressionAttributeNames": {"#c": "category"}, **condition("#c = :c", c="shoes")},
        {"IndexName": "free", **NO_CONDITION},
        {"ProjectionExpression": "title"},
    ],
)
def test_fine(members: dict[str, Any]) -> None:
    """What the service runs has no finding, with a schema and without."""
    assert found(**members) == []
    assert found(None, **members) == []


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"IndexName": "ab"},
            "DYS105",
            f"{ONE_ERROR}Value at 'IndexName' failed to satisfy constraint: Member must have "
            "length greater than or equal to 3",
        ),
        (
            {"SearchVector": []},
            "DYS105",
            f"{ONE_ERROR}Value at 'SearchVector' failed to satisfy constraint: Member must have "
            "length greater than or equal to 1",
        ),
        (
            {"SearchVector": VECTOR * 2049},
            "DYS105",
            f"{ONE_ERROR}Value at 'SearchVector' failed to satisfy constraint: Member must have "
            "length less than or equal to 4096",
        ),
        ({"SearchVector": [{"S": "0.5"}]}, "DYS185", INVALID_VECTOR),
        ({"SearchVector": [{"N": "1e39"}]}, "DYS185", INVALID_VECTOR),
        ({"SearchVector": [{"L": VECTOR}]}, "DYS185", INVALID_VECTOR),
        (
            {"TopK": 0},
            "DYS105",
            f"{ONE_ERROR}Value at 'TopK' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1",
        ),
        (
            {"TopK": 101},
            "DYS185",
            "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 "
            "inclusive",
        ),
        (
            condition("category <> :c", c="x"),
            "DYS186",
            f"{INVALID}Invalid comparator used in SearchConditionExpression",
        ),
        (
            condition("category = :c AND brand < :b", c="x", b="y"),
            "DYS186",
            f"{INVALID}Invalid comparator used in SearchConditionExpression",
        ),
        (
            condition("brand BETWEEN :b AND :c", b="x", c="y"),
            "DYS186",
            f"{INVALID}Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("category = :c OR brand = :b", c="x", b="y"),
            "DYS186",
            f"{INVALID}Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("begins_with(category, :c)", c="x"),
            "DYS186",
            f"{INVALID}Invalid operator used in SearchConditionExpression",
        ),
        (
            condition("category.x = :c", c="x"),
            "DYS186",
            f"{INVALID}SearchConditionExpression cannot have conditions on nested attributes",
        ),
        (
            condition("category = :c AND category = :d", c="x", d="y"),
            "DYS186",
            f"{INVALID}SearchConditionExpression must only contain one condition per attribute",
        ),
    ],
)
def test_without_a_schema(members: dict[str, Any], code: str, message: str) -> None:
    """What no table would take is found first, in the service's words."""
    assert found(None, **members) == [(code, message)]
    assert found(**members)[0] == (code, message)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"IndexName": "other"},
            "DYS163",
            "The table does not have the specified index: other",
        ),
        (
            {"SearchVector": VECTOR * 2},
            "DYS185",
            "Input search vector dimension 4 does not match vector index dimension 2",
        ),
        (
            NO_CONDITION,
            "DYS186",
            "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        ),
        (
            condition("brand = :b", b="x"),
            "DYS186",
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema",
        ),
        (
            condition("category = :c AND price = :p", c="x", p="y"),
            "DYS186",
            "SearchConditionExpression must not contain any attributes that is not in "
            "SearchSchema. Invalid attribute: price",
        ),
        (
            {"ExpressionAttributeValues": {":c": {"N": "1"}}},
            "DYS186",
            "Type of 'category' attribute in SearchConditionExpression (N) does not match type in "
            "search schema (S)",
        ),
        (
            condition("category = :c", c=""),
            "DYS132",
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: category",
        ),
    ],
)
def test_with_a_schema(members: dict[str, Any], code: str, message: str) -> None:
    """What does not fit the index is found with the table's description."""
    assert found(**members) == [(code, message)]
    assert found(None, **members) == []
