"""Rules about the entries of batches and transactions as a whole.

Sources: "BatchGetItem", "BatchWriteItem", "TransactWriteItems", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.limits import MAX_TRANSACTION_BYTES
from dynasafe.validation.report import Report
from dynasafe.validation.table_schema import TableSchema
from dynasafe.validation.value_rules import named_size_bytes, wire_value
from dynasafe.values.wire import fingerprint


class Identities:
    """The items that a request names. Each may be named once."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._seen: set[object] = set()

    def add(self, table: str, key: Mapping[str, Any] | None, place: str, report: Report) -> None:
        """Add an item by its key, whose values are valid; None if the key is unknown."""
        if key is None:
            return
        identity = table, fingerprint(key)
        if identity in self._seen:
            report.add("DYS172", self._message, place, "name each item once")
        self._seen.add(identity)


class Payload:
    """The size of a transaction: its keys and items, and its expressions with their values."""

    def __init__(self) -> None:
        self._size_bytes = 0

    def add(self, part: Mapping[str, Any], place: str, report: Report) -> None:
        """Add one operation. Reports once when the total exceeds the limit."""
        before = self._size_bytes
        for member in ("Item", "Key"):
            self._size_bytes += named_size_bytes(part.get(member, {}), report)
        for value in part.get("ExpressionAttributeValues", {}).values():
            self._size_bytes += wire_value(value, report).size_bytes
        for member in ("UpdateExpression", "ConditionExpression"):
            self._size_bytes += len(part.get(member, "").encode(errors="replace"))
        if before <= MAX_TRANSACTION_BYTES < self._size_bytes:
            report.add(
                "DYS174",
                f"Transaction payload size cannot exceed 4MB. Payload Size: {self._size_bytes}",
                place,
                "split it, if its parts need not be written all or none",
            )


def key_of(item: Mapping[str, Any], schema: TableSchema | None) -> Mapping[str, Any] | None:
    """The key of an item, if it is known and complete; the whole item without a schema.

    Without a schema the whole item serves as the key: two equal items have the same key.
    """
    if schema is None:
        return item
    if not all(each.name in item for each in schema.key.attributes):
        return None
    return {each.name: item[each.name] for each in schema.key.attributes}


def only_action(
    entry: Mapping[str, Any] | None, actions: tuple[str, ...], place: str, report: Report
) -> str | None:
    """The one action of a transaction's entry."""
    given = [each for each in actions if each in (entry or {})]
    if len(given) == 1:
        return given[0]
    is_write = len(actions) > 1
    if given or not is_write:
        words = ["Check", "Put", "Update or Delete"] if is_write else actions
        message = f"TransactItems can only contain one of {', '.join(words)}"
    else:
        message = (
            "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
        )
    # In botocore's model Get is required, and the actions of a write are optional.
    is_refused_by_boto3 = not (given or is_write or report.context.is_wire)
    report.add(
        "DYS171",
        message,
        place,
        f"give one of {', '.join(actions)}",
        exception="ParamValidationError" if is_refused_by_boto3 else None,
    )
    return None


def only_write(entry: Mapping[str, Any] | None, place: str, report: Report) -> str | None:
    """The one write of a batch's entry."""
    given = [each for each in ("PutRequest", "DeleteRequest") if each in (entry or {})]
    if len(given) == 1:
        return given[0]
    report.add(
        "DYS170",
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported datatypes",
        place,
        "give a PutRequest with an Item, or a DeleteRequest with a Key",
    )
    return None


def check_count(count: int, limit: int, operation: str, report: Report) -> None:
    """Check the number of entries of a batch over all its tables."""
    if count > limit:
        report.add(
            "DYS173",
            f"Too many items requested for the {operation} call",
            "RequestItems",
            f"send at most {limit} at once; Table and AsyncTable split them",
        )
