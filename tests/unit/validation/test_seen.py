"""Requests that are alike, and what is not alike anything."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import check_request


@pytest.mark.parametrize("form", ["client", "wire"])
@pytest.mark.parametrize("action", ["Put", "Delete", "Update", "Get", "ConditionCheck"])
@pytest.mark.parametrize(
    "values",
    ["hi", None, 3, [], ["x"], {"a": "b"}, {"a": {"N": 3}}, {"a": {"N": "x"}}, {"a": {"S": []}}],
    ids=repr,
)
def test_an_entry_whose_values_are_none(values: Any, action: str, form: Any) -> None:
    """An item or a key of another kind is a finding, in a transaction too."""
    operation = "TransactGetItems" if action == "Get" else "TransactWriteItems"
    member = "Item" if action == "Put" else "Key"
    entry = {action: {"TableName": "people", member: values}}
    assert check_request(operation, {"TransactItems": [entry]}, form=form)
