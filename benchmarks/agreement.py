"""Checks that all contenders do the same work, before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.contenders import load
from benchmarks.work import ITEM, OLD_NAMES, WIRE_ITEM, NewNames, new_names
from dynasafe.expressions import evaluate
from dynasafe.expressions.parser import parse_update
from dynasafe.values.convert import from_attribute_map

BUILDERS = ("by_dynasafe", "by_hand", "by_aiodynamo", "by_pynamodb")
SERIALIZERS = ("by_dynasafe", "by_hand", "by_aiodynamo", "by_pydynox")


def effect(request: Mapping[str, Any], names: NewNames = OLD_NAMES) -> dict[str, Any]:
    """The item after an update in wire form of an item with these attributes."""
    tree = parse_update(
        request["UpdateExpression"],
        request.get("ExpressionAttributeNames", {}),
        request.get("ExpressionAttributeValues", {}),
    )
    stored = {name: WIRE_ITEM[old] for name, old in zip(names, OLD_NAMES, strict=True)}
    return from_attribute_map({**evaluate.apply(tree, stored), **request["Key"]})


def require_same_work(
    *, builders: Iterable[str] = BUILDERS, serializers: Iterable[str] = SERIALIZERS
) -> None:
    """Check these modules of `benchmarks.contenders`.

    Raises:
        AssertionError: one does not do the same as the others.
    """
    change, names = next(new_names())
    expected, expected_new = (
        {
            "id": change.key,
            name: change.name,
            visits: ITEM["visits"] + change.amount,
            tags: ITEM["tags"] | change.tags,
        }
        for name, visits, _, tags in (OLD_NAMES, names)
    )
    for module in builders:
        assert effect(load(f"{module}:build")(change)) == expected, module
        assert effect(load(f"{module}:build_new")(change, names), names) == expected_new, module
    for module in serializers:
        assert from_attribute_map(load(f"{module}:serialize")(ITEM)) == ITEM, module
        # Some read numbers as floats, which do not equal Decimals.
        plain = load(f"{module}:deserialize")(WIRE_ITEM)
        assert _in_floats(plain) == _in_floats(ITEM), module


def _in_floats(value: Any) -> Any:
    match value:
        case dict():
            return {name: _in_floats(each) for name, each in value.items()}
        case list():
            return [_in_floats(each) for each in value]
        case set() | str() | bool() | None:
            return value
        case _:
            return float(value)
