"""Conditions on keys: their operands, and where a query may start."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request

NOT_FIRST = "DYS155"
OUTSIDE = "DYS167"


def codes(condition: str, *, sort: str = "S", start: Any = None, **values: Any) -> list[str]:
    schema = {
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": sort},
        ],
    }
    params = {
        "TableName": "table",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {
            ":p": {"S": "a"},
            **{f":{name}": value for name, value in values.items()},
        },
        **({} if start is None else {"ExclusiveStartKey": {"pk": {"S": "a"}, "sk": start}}),
    }
    return [each.code for each in check_request("Query", params, schema=schema)]


@pytest.mark.parametrize("term", ["begins_with(:b, sk)", ":b BETWEEN sk AND :b"])
def test_key_comes_first(term: str) -> None:
    """An operator with a place for the key has it first."""
    assert codes(f"pk = :p AND {term}", b={"S": "b"}) == [NOT_FIRST]


@pytest.mark.parametrize(
    ("term", "inside", "outside"),
    [
        ("sk < :v", "a", "z"),
        ("sk <= :v", "m", "z"),
        ("sk > :v", "z", "a"),
        ("sk >= :v", "m", "a"),
        ("sk BETWEEN :v AND :v", "m", "a"),
        ("begins_with(sk, :v)", "mm", "a"),
    ],
)
@pytest.mark.parametrize("kind", ["S", "B"])
def test_start(term: str, inside: str, outside: str, kind: str) -> None:
    """A query starts at a key that fulfils its condition."""

    def value(text: str) -> dict[str, Any]:
        return {kind: text.encode() if kind == "B" else text}

    found = {
        text: codes(f"pk = :p AND {term}", sort=kind, start=value(text), v=value("m"))
        for text in (inside, outside)
    }
    assert found == {inside: [], outside: [OUTSIDE]}
