"""The capacity that requests on tables in memory consume.

Sources: "DynamoDB read and write operations"; "Managing complex transactions with DynamoDB
transactions", section "Capacity management"; checked against DynamoDB Local.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from dynasafe.validation.table_schema import KeySchema, TableSchema
from dynasafe.values.wire import is_equal, item_size_bytes

AttributeMap = Mapping[str, Any]
Units = dict[str | None, float]
"""Capacity units of a table's parts: of its indexes by name, and of itself under None."""

_READ_UNIT_BYTES = 4096
_WRITE_UNIT_BYTES = 1024
TRANSACTION_FACTOR = 2


def read_units(items: Iterable[AttributeMap], *, is_consistent: bool) -> float:
    """The read units of items that are read together."""
    blocks = math.ceil(sum(map(item_size_bytes, items)) / _READ_UNIT_BYTES) or 1
    return blocks if is_consistent else blocks / 2


def write_units(schema: TableSchema, old: AttributeMap | None, new: AttributeMap | None) -> Units:
    """The write units of a write: for the item, and for each index whose entry it changes."""
    units: Units = {None: max(1, _entry_units(old), _entry_units(new))}
    for index in schema.indexes.values():
        before, after = _entry(index, old), _entry(index, new)
        costs = [_entry_units(before), _entry_units(after)]
        if before is None or after is None:
            units[index.index_name] = max(costs)
        elif not all(_is_same(before, after, each.name) for each in index.attributes):
            units[index.index_name] = sum(costs)  # one entry is deleted, and another is put
        elif not is_equal({"M": before}, {"M": after}):
            units[index.index_name] = max(costs)
    return units


def add_units(total: Units, more: Units, *, factor: int = 1) -> None:
    for part, count in more.items():
        total[part] = total.get(part, 0) + count * factor


def _entry(index: KeySchema, item: AttributeMap | None) -> AttributeMap | None:
    """The entry of an item in an index; None if the item is not in it."""
    if item is None or any(each.name not in item for each in index.attributes):
        return None
    if index.projected is None:
        return item
    return {name: value for name, value in item.items() if name in index.projected}


def _entry_units(entry: AttributeMap | None) -> int:
    return 0 if entry is None else math.ceil(item_size_bytes(entry) / _WRITE_UNIT_BYTES)


def _is_same(one: AttributeMap, other: AttributeMap, name: str) -> bool:
    return is_equal(one[name], other[name])


def consumed_capacity(
    params: AttributeMap,
    table_name: str,
    schema: TableSchema,
    units: Units,
    *,
    kind: Literal["Read", "Write"] | None = None,
) -> dict[str, Any] | None:
    """A ConsumedCapacity; None if the request does not ask for it.

    Args:
        kind: add the units by kind too, as answers to transactions do.
    """
    wanted = params.get("ReturnConsumedCapacity", "NONE")
    if wanted == "NONE":
        return None

    def told(count: float) -> dict[str, float]:
        both = {"CapacityUnits": float(count)}
        return both if kind is None else {**both, f"{kind}CapacityUnits": float(count)}

    answer: dict[str, Any] = {"TableName": table_name, **told(sum(units.values()))}
    if wanted == "INDEXES":
        answer["Table"] = told(units.get(None, 0))
        for name, count in units.items():
            if name is not None and count:
                scope = "Global" if schema.indexes[name].is_global else "Local"
                answer.setdefault(f"{scope}SecondaryIndexes", {})[name] = told(count)
    return answer
