"""PartiQL statements: their parameters are counted, and what writes names its item."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request

# Parameters


@pytest.mark.parametrize(
    ("statement", "parameters", "codes"),
    [
        ("SELECT * FROM t WHERE id = ?", 1, []),
        ("SELECT * FROM t WHERE id = ?", 0, ["DYS187"]),
        ("SELECT * FROM t WHERE id = 'a'", 1, ["DYS187"]),
        ("INSERT INTO t VALUE {'id': ?, 'n': ?}", 2, []),
        ("SELECT * FROM t WHERE id = 'what?' AND n = ?", 1, []),
        ("SELECT * FROM t WHERE id = 'it''s ?' AND n = ?", 1, []),
        ('SELECT "a?" FROM t -- ?\n WHERE /* ? */ id = ?', 1, []),
    ],
)
def test_parameters_of_statements(statement: str, parameters: int, codes: list[str]) -> None:
    """Each ? outside of texts, names and comments has a parameter."""
    entry: dict[str, Any] = {"Statement": statement}
    if parameters:
        entry["Parameters"] = [{"S": "a"}] * parameters
    for operation, params in (
        ("ExecuteStatement", entry),
        ("BatchExecuteStatement", {"Statements": [entry]}),
        ("ExecuteTransaction", {"TransactStatements": [entry]}),
    ):
        assert [each.code for each in check_request(operation, params)] == codes


def test_values_of_statements() -> None:
    """A parameter that is no value is a finding, with its place."""
    params = {"Statement": "SELECT * FROM t WHERE n = ?", "Parameters": [{"N": "x"}]}

    (finding,) = check_request("ExecuteStatement", params)

    assert (finding.code, finding.where.parameter) == ("DYS119", "Parameters[0]")


# Keys

SCHEMA: dict[str, Any] = {
    "tab": {
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
    }
}
NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tab SET a = 1 WHERE pk = 'x' AND sk = 1",
        'update "tab" set a = 1 where "pk" = \'x\' and "sk" = 1 RETURNING ALL OLD *',
        "DELETE FROM tab WHERE sk = 1 AND 'x' = pk AND a > 3",
        "DELETE FROM tab WHERE PK = 'x' AND SK = 1",
        "UPDATE other SET a = 1 WHERE a = 1",  # of another table
        "SELECT * FROM tab WHERE a = 1",  # a read may scan
        "SELECT * FROM tab",
        "INSERT INTO tab VALUE {'pk': 'x'}",
        "DELETE",
        "DELETE tab",
        "",
    ],
)
def test_statements_that_may_be_of_one_item(statement: str) -> None:
    """What names all of the key, or is no write that is known, has no finding of its keys."""
    for schema in (SCHEMA, None):
        params = {"Statement": statement or " "}
        assert check_request("ExecuteStatement", params, schema=schema) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tab SET a = 1",
        "UPDATE tab SET sk = 1 WHERE pk = 'x'",
        "DELETE FROM \"tab\" WHERE pk = 'sk'",
        "DELETE FROM tab WHERE pk = 'x' -- AND sk = 1",
        "DELETE FROM tab WHERE a = 1",
    ],
)
def test_statements_of_many_items(statement: str) -> None:
    """A write whose WHERE leaves a key attribute out is refused, alone or among others."""
    entry = {"Statement": statement}
    for operation, params in (
        ("ExecuteStatement", entry),
        ("BatchExecuteStatement", {"Statements": [entry]}),
        ("ExecuteTransaction", {"TransactStatements": [entry]}),
    ):
        (finding,) = check_request(operation, params, schema=SCHEMA)
        assert (finding.code, finding.message) == ("DYS189", NO_KEY)
        assert finding.fix.endswith('WHERE "pk" = ? AND "sk" = ?')
        assert check_request(operation, params) == ()
