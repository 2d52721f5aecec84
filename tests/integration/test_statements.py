"""PartiQL: the verdict of DynamoDB Local on statements that name all of a key, and that do not."""

from __future__ import annotations

import pytest

from dynasafe import check_request
from dynasafe.testing.engines import Engine
from tests.support.requests import send
from tests.unit.validation.test_statement_rules import NO_KEY, SCHEMA

ONE_ITEM = [
    "UPDATE tab SET a = 1 WHERE pk = 'x' AND sk = 1",
    'UPDATE "tab" SET a = 1 WHERE "pk" = \'x\' AND "sk" = 1',
    "DELETE FROM tab WHERE sk = 1 AND pk = 'x' AND a > 3",
    "SELECT * FROM tab",
    "SELECT * FROM tab WHERE a = 1",
    "INSERT INTO tab VALUE {'pk': 'y', 'sk': 2}",
]
MANY_ITEMS = [
    "UPDATE tab SET a = 1 WHERE pk = 'x'",
    "UPDATE tab SET a = 1 WHERE sk = 1",
    "UPDATE tab SET a = 1 WHERE a = 1",
    "DELETE FROM tab WHERE pk = 'sk'",
    "DELETE FROM tab WHERE a = 1",
]


@pytest.fixture
def table(dynamodb_local: Engine) -> str:
    """The endpoint of an engine with the table and one item."""
    url = dynamodb_local.endpoint_url
    send(url, "DeleteTable", {"TableName": "tab"})
    send(
        url, "CreateTable", {"TableName": "tab", "BillingMode": "PAY_PER_REQUEST", **SCHEMA["tab"]}
    )
    send(url, "PutItem", {"TableName": "tab", "Item": {"pk": {"S": "x"}, "sk": {"N": "1"}}})
    return url


def test_verdicts(table: str) -> None:
    """A statement is refused for its keys exactly where the engine refuses it."""
    for statement in [*ONE_ITEM, *MANY_ITEMS]:
        params = {"Statement": statement}
        code, message = send(table, "ExecuteStatement", params)
        ours = [
            (each.code, each.message)
            for each in check_request("ExecuteStatement", params, schema=SCHEMA)
        ]
        if statement in MANY_ITEMS:
            assert (code, message) == ("ValidationException", NO_KEY), statement
            assert ours == [("DYS189", NO_KEY)], statement
        else:
            assert NO_KEY not in message, (statement, message)
            assert ours == [], statement
    send(table, "DeleteTable", {"TableName": "tab"})
