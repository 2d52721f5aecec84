"""Types of members, as clients of botocore take them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dynasafe import check_request


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        (datetime(2026, 1, 1), []),
        (1767225600, []),
        ("2026-01-01", []),
        ("soon", ["DYS102"]),
        (object(), ["DYS102"]),
    ],
)
def test_times(value: Any, codes: list[str]) -> None:
    """A time is a datetime, a number, or a text with digits."""
    found = check_request("ListBackups", {"TimeRangeLowerBound": value})
    assert [each.code for each in found] == codes


ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/people"


@pytest.mark.parametrize(("name", "codes"), [(ARN, []), ("people", []), ("a b", ["DYS105"])])
def test_names_of_a_batch(name: str, codes: list[str]) -> None:
    """A batch names its tables, or has their ARNs."""
    entry = {"Keys": [{"id": {"S": "a"}}]}
    found = check_request("BatchGetItem", {"RequestItems": {name: entry}})
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    ("params", "place", "fix"),
    [
        (
            {"ReturnValues": "ALL"},
            "ReturnValues",
            "ReturnValues must be one of ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW",
        ),
        ({"TableName": ""}, "TableName", "TableName must have length greater than or equal to 1"),
        ({"Key": None}, "Key", "Key must be given"),
        (
            {"ReturnValues": "ALL", "ReturnConsumedCapacity": "SOME"},
            "parameters",
            "ReturnConsumedCapacity must be one of INDEXES, TOTAL, NONE; ReturnValues must be one "
            "of ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW",
        ),
    ],
)
def test_fixes_name_the_parameter(params: dict[str, Any], place: str, fix: str) -> None:
    """The fix of a broken constraint names its parameter and what it allows."""
    update = {"TableName": "people", "Key": {"id": {"S": "a"}}, **params}
    given = {name: value for name, value in update.items() if value is not None}
    finding = check_request("UpdateItem", given)[0]
    assert (finding.code, finding.where.parameter, finding.fix) == ("DYS105", place, fix)


def test_a_long_list_of_broken_constraints_has_the_first_fixes() -> None:
    """Of many broken constraints, the fix has three, and counts the rest."""
    writes = [{"Delete": {"TableName": "", "Key": {"id": {"S": str(i)}}}} for i in range(5)]
    finding = check_request("TransactWriteItems", {"TransactItems": writes})[0]
    assert finding.fix == (
        "transactItems.1.member.delete.tableName must have length greater than or equal to 1; "
        "transactItems.2.member.delete.tableName must have length greater than or equal to 1; "
        "transactItems.3.member.delete.tableName must have length greater than or equal to 1; "
        "and 2 more"
    )
