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
