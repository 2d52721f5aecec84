"""What mode "repair" mends in a hand-written request: what has one meaning only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.events import Hook, RequestRepaired, emit

# Without these members a request means the same as with an empty one. It does not without
# UpdateExpression and AttributeUpdates: an UpdateItem that has neither creates an empty item.
_DROPPED_IF_EMPTY = frozenset(
    {
        "AttributesToGet",
        "ConditionExpression",
        "ExclusiveStartKey",
        "Expected",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "FilterExpression",
        "ProjectionExpression",
        "QueryFilter",
        "ScanFilter",
    }
)
_NEVER_DROPPED = frozenset({"UpdateExpression", "AttributeUpdates"})


def repair(operation: str, params: dict[str, Any], hooks: tuple[Hook, ...]) -> None:
    dropped: list[str] = []
    repaired = _without_empty(params, "", dropped)
    for member, value in repaired.items():
        if member == "TransactItems" and isinstance(value, list | tuple):
            repaired[member] = [
                _with_repaired_parts(entry, f"{member}[{index}].", dropped)
                for index, entry in enumerate(value)
            ]
        elif member == "RequestItems" and isinstance(value, Mapping):
            repaired[member] = _with_repaired_parts(value, f"{member}.", dropped)
    if dropped:
        params.clear()
        params.update(repaired)
        table_name = params.get("TableName")
        emit(
            hooks,
            RequestRepaired(
                operation=operation,
                table_name=table_name if isinstance(table_name, str) else None,
                members=tuple(dropped),
            ),
        )


def _with_repaired_parts(parts: Any, place: str, dropped: list[str]) -> Any:
    """The operations of a transaction's entry, or the tables of a batch, each repaired."""
    if not isinstance(parts, Mapping):
        return parts
    return {
        name: _without_empty(part, f"{place}{name}.", dropped)
        if isinstance(part, Mapping)
        else part
        for name, part in parts.items()
    }


def _without_empty(part: Mapping[str, Any], place: str, dropped: list[str]) -> dict[str, Any]:
    """A copy, since what is within a request belongs to the caller."""
    kept = {}
    for member, value in part.items():
        is_dropped = value is None or (member in _DROPPED_IF_EMPTY and _is_empty(value))
        if is_dropped and member not in _NEVER_DROPPED:
            dropped.append(f"{place}{member}")
        else:
            kept[member] = value
    return kept


def _is_empty(value: object) -> bool:
    return isinstance(value, str | dict | list) and not value
