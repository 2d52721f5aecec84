"""CreateTable and UpdateTable: keys, definitions, indexes and capacity."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from dynasafe import check_request
from tests.support.requests import TABLE

INVALID = "One or more parameter values were invalid: "
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
ALL = {"Projection": {"ProjectionType": "ALL"}}


def key(**kinds: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()]


def defined(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def index(name: str = "by-g", *, of: list[dict[str, str]], **members: Any) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": of, **ALL, **members}


def vector_index(**members: Any) -> dict[str, Any]:
    return {
        "IndexName": "by-vector",
        "VectorAttribute": {"AttributeName": "vector"},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
        **ALL,
        **members,
    }


PK = {"AttributeDefinitions": defined(pk="S"), "KeySchema": key(pk="HASH"), **ON_DEMAND}
PK_SK = {
    "AttributeDefinitions": defined(pk="S", sk="N"),
    "KeySchema": key(pk="HASH", sk="RANGE"),
    **ON_DEMAND,
}
WITH_G = {**PK, "AttributeDefinitions": defined(pk="S", g="S")}
GLOBAL = "GlobalSecondaryIndexes"
LOCAL = "LocalSecondaryIndexes"
UNITS = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}


def created(**members: Any) -> list[tuple[str, str]]:
    params = {"TableName": "table", **members}
    return [(each.code, each.message) for each in check_request("CreateTable", params)]


FINE: list[dict[str, Any]] = [
    PK,
    PK_SK,
    {name: value for name, value in TABLE.items() if name != "TableName"},
    {**PK, "BillingMode": "PROVISIONED", **UNITS},
    {name: value for name, value in {**PK, **UNITS}.items() if name != "BillingMode"},
    {**WITH_G, GLOBAL: [index(of=key(g="HASH"))]},
    {**WITH_G, GLOBAL: [index(of=key(g="HASH", pk="RANGE"))]},
    {
        **PK,
        "AttributeDefinitions": defined(pk="S", a="S", b="S", c="S", d="N"),
        GLOBAL: [index(of=key(a="HASH", b="HASH", c="RANGE", d="RANGE"))],
    },
    {
        **PK_SK,
        "AttributeDefinitions": defined(pk="S", sk="N", l="N"),
        LOCAL: [index(of=key(pk="HASH", l="RANGE"))],
    },
    {
        **WITH_G,
        "VectorIndexes": [
            vector_index(
                SearchSchema=[{"AttributeName": "g", "SearchSchemaElementType": "INLINE_FILTER"}]
            )
        ],
    },
    {"GlobalTableSourceArn": "arn:aws:dynamodb:us-east-1:1:table/t"},
]


@pytest.mark.parametrize("members", FINE)
def test_new_table(members: dict[str, Any]) -> None:
    """Tables that DynamoDB makes have no finding."""
    assert created(**deepcopy(members)) == []


MANY_UNITS = {"ReadCapacityUnits": 2**63 - 1, "WriteCapacityUnits": 1}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {**PK, "KeySchema": key(pk="HASH") * 2},
        "DYS181",
        "Invalid KeySchema: Some index key attribute have no definition",
    ),
    (
        {**PK, "KeySchema": key(other="HASH")},
        "DYS181",
        f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. Keys: "
        "[other], AttributeDefinitions: [pk]",
    ),
    (
        {**PK_SK, "KeySchema": key(pk="HASH") * 2},
        "DYS180",
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
    ),
    (
        {**PK, "KeySchema": key(pk="RANGE")},
        "DYS180",
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    ),
    (
        {**PK_SK, "KeySchema": key(pk="HASH", sk="HASH")},
        "DYS180",
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
    ),
    (
        {**PK, "AttributeDefinitions": defined(pk="S", name="S")},
        "DYS181",
        f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes "
        "defined in AttributeDefinitions",
    ),
    (
        {**PK, "BillingMode": "PROVISIONED"},
        "DYS183",
        f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when "
        "BillingMode is PROVISIONED",
    ),
    (
        {**PK, **UNITS},
        "DYS183",
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
        "BillingMode is PAY_PER_REQUEST",
    ),
    (
        {**PK, "BillingMode": "PROVISIONED", "ProvisionedThroughput": MANY_UNITS},
        "DYS183",
        "Given value 9223372036854775807 for ReadCapacityUnits is out of bounds",
    ),
    (
        {
            **PK,
            "AttributeDefinitions": defined(pk="S", a="S", b="S"),
            GLOBAL: [index(of=key(a="HASH", pk="RANGE", b="HASH"))],
        },
        "DYS180",
        "Invalid KeySchema: at most 4 HASH, then 4 RANGE",
    ),
    (
        {**WITH_G, GLOBAL: [index(of=key(g="HASH"), Projection={"ProjectionType": "INCLUDE"})]},
        "DYS182",
        f"{INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
    ),
    (
        {
            **WITH_G,
            "VectorIndexes": [
                vector_index(
                    SearchSchema=[
                        {"AttributeName": name, "SearchSchemaElementType": "HASH"}
                        for name in ("g", "pk")
                    ]
                )
            ],
        },
        "DYS182",
        "A SearchSchema has one HASH element and 20 INLINE_FILTER elements at most",
    ),
    (
        {**PK, "VectorIndexes": [vector_index(Dimensions=5000)]},
        "DYS182",
        "Dimensions are at most 4096",
    ),
    ({**PK, GLOBAL: []}, "DYS182", f"{INVALID}List of GlobalSecondaryIndexes is empty"),
    (
        {**WITH_G, LOCAL: [index(of=key(pk="HASH", g="RANGE"))]},
        "DYS182",
        f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a "
        "LocalSecondaryIndex",
    ),
    (
        {**PK_SK, LOCAL: [index(of=key(pk="HASH"))]},
        "DYS182",
        f"{INVALID}Index KeySchema does not have a range key for index: by-g",
    ),
    (
        {**PK_SK, LOCAL: [index(of=key(sk="HASH", pk="RANGE"))]},
        "DYS182",
        f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for "
        "index: by-g. index hash key: sk, table hash key: pk",
    ),
    (
        {**WITH_G, GLOBAL: [index(of=key(g="HASH"))] * 2},
        "DYS182",
        f"{INVALID}Duplicate index name: by-g",
    ),
    (
        {**WITH_G, GLOBAL: [index(of=key(g="HASH"), Projection={})]},
        "DYS182",
        f"{INVALID}Unknown ProjectionType: null",
    ),
    (
        {
            **WITH_G,
            GLOBAL: [
                index(
                    of=key(g="HASH"),
                    Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["a"]},
                )
            ],
        },
        "DYS182",
        f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified",
    ),
    (
        {**WITH_G, GLOBAL: [index(of=key(g="HASH"), **UNITS)]},
        "DYS183",
        f"{INVALID}ProvisionedThroughput should not be specified for index: by-g when BillingMode "
        "is PAY_PER_REQUEST",
    ),
    (
        {**WITH_G, GLOBAL: [index(of=key(pk="HASH"))]},
        "DYS181",
        f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [pk, g], keys "
        "used: [pk]",
    ),
    (
        {
            **PK,
            "VectorIndexes": [
                vector_index(
                    SearchSchema=[{"AttributeName": "g", "SearchSchemaElementType": "HASH"}]
                )
            ],
        },
        "DYS182",
        "One element in SearchSchema is not defined in attribute definitions",
    ),
    (
        {
            **PK,
            "BillingMode": "PROVISIONED",
            **UNITS,
            "VectorIndexes": [vector_index()],
        },
        "DYS183",
        f"{INVALID}Vector indexes need the BillingMode PAY_PER_REQUEST",
    ),
]


@pytest.mark.parametrize(("members", "code", "message"), WRONG)
def test_wrong_table(members: dict[str, Any], code: str, message: str) -> None:
    """The finding has the service's words, and nothing else is found."""
    assert created(**deepcopy(members)) == [(code, message)]


@pytest.mark.parametrize("count", [5, 6])
def test_local_indexes(count: int) -> None:
    """A table has five local indexes at most."""
    names = {f"l{number}": "N" for number in range(count)}
    members = {
        **PK_SK,
        "AttributeDefinitions": defined(pk="S", sk="N", **names),
        LOCAL: [index(name * 3, of=key(pk="HASH", **{name: "RANGE"})) for name in names],
    }

    assert [code for code, _ in created(**members)] == ["DYS182"] * (count - 5)


def updated(**members: Any) -> list[str]:
    findings = check_request("UpdateTable", {"TableName": "table", **members})
    return [each.code for each in findings]


CREATE = {"Create": index(of=key(g="HASH"))}


@pytest.mark.parametrize(
    ("members", "codes"),
    [
        ({}, ["DYS184"]),
        ({"AttributeDefinitions": defined(g="S")}, ["DYS184"]),
        (ON_DEMAND, []),
        ({"BillingMode": "PROVISIONED"}, ["DYS183"]),
        ({"BillingMode": "PROVISIONED", **UNITS}, []),
        ({**ON_DEMAND, **UNITS}, ["DYS183"]),
        (UNITS, []),
        ({"DeletionProtectionEnabled": True}, []),
        ({"GlobalSecondaryIndexUpdates": [{}]}, ["DYS184"]),
        (
            {"GlobalSecondaryIndexUpdates": [CREATE], "AttributeDefinitions": defined(g="S")},
            [],
        ),
        ({"GlobalSecondaryIndexUpdates": [CREATE]}, ["DYS181"]),
        (
            {
                "BillingMode": "PROVISIONED",
                **UNITS,
                "GlobalSecondaryIndexUpdates": [CREATE],
                "AttributeDefinitions": defined(g="S"),
            },
            ["DYS183"],
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                **UNITS,
                "GlobalSecondaryIndexUpdates": [{"Create": {**CREATE["Create"], **UNITS}}],
                "AttributeDefinitions": defined(g="S"),
            },
            [],
        ),
        (
            {"GlobalSecondaryIndexUpdates": [CREATE], "AttributeDefinitions": defined(h="S")},
            ["DYS181"],
        ),
        (
            {
                "GlobalSecondaryIndexUpdates": [CREATE, {"Delete": {"IndexName": "by-g"}}],
                "AttributeDefinitions": defined(g="S"),
            },
            ["DYS184"],
        ),
        ({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-g"}}]}, []),
        ({"VectorIndexUpdates": [{"Create": vector_index()}]}, []),
        ({"VectorIndexUpdates": [{}]}, ["DYS184"]),
    ],
)
def test_changed_table(members: dict[str, Any], codes: list[str]) -> None:
    """What an UpdateTable changes."""
    assert updated(**deepcopy(members)) == codes
