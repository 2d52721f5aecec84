"""Values that are looked at all at once are judged as those that are looked at one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from dynasafe.testing import strategies
from dynasafe.validation.check import Form, check_from_scratch
from dynasafe.values.convert import to_attribute_map
from dynasafe.values.wire import (
    attribute_value_size_bytes,
    fine_item_size_bytes,
    fine_size_bytes,
    item_size_bytes,
)
from tests.properties.test_fast_paths import CONTENTS


class Odd(dict[str, Any]):
    """A map that a glance does not settle, since its class is another."""


def findings(value: Any, form: Form) -> list[tuple[str, str, str]]:
    item = {"id": {"S": "x"}, "v": value}
    found = check_from_scratch("PutItem", {"TableName": "docs", "Item": item}, form=form)
    return [(each.code, each.message, each.where.parameter) for each in found]


@pytest.mark.parametrize("form", ["client", "wire"])
@given(content=CONTENTS)
def test_findings(form: Form, content: Any) -> None:
    """The same is found, whether a value is settled at a glance or not."""
    for value in (content, {"L": [content, content]}, {"M": {"a": content, "b": {"S": "x"}}}):
        if isinstance(value, dict):
            assert findings(value, form) == findings(Odd(value), form)
        size_bytes = fine_size_bytes(value, is_wire=form == "wire")
        if size_bytes >= 0:
            assert findings(value, form) == []
            assert size_bytes == attribute_value_size_bytes(value)


@given(strategies.items())
def test_sizes(item: dict[str, Any]) -> None:
    """What we write is settled at a glance, and has the size that the service counts."""
    wire = to_attribute_map(item)
    assert fine_item_size_bytes(wire) == item_size_bytes(wire)


def test_levels() -> None:
    """The last level that is allowed, and the one below."""
    value: Any = {"S": "x"}
    for depth in range(1, 34):
        value = {"L": [value]} if depth % 2 else {"M": {"a": value}}
        assert (fine_size_bytes(value) >= 0) is (depth <= 31)


def test_a_list_that_holds_itself_twice() -> None:
    """It has no end, and is given up when no request could hold it."""
    content: list[Any] = []
    content += [{"L": content}, {"L": content}]
    assert fine_size_bytes({"L": content}) == -1
