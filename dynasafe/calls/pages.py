"""Query and Scan, a page at a time.

Source: "Paginating table query results in DynamoDB"; "Scanning tables in DynamoDB".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from dynasafe.calls.options import OnInvalid, report, require_on_invalid
from dynasafe.calls.plans import Plan, aside_plan
from dynasafe.calls.reads import decoder
from dynasafe.calls.requests import (
    Large,
    Table,
    expressions,
    present,
    projected,
    read,
)
from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions.nodes import Projection
from dynasafe.findings.quoting import printable
from dynasafe.items.conditions import ConditionLike
from dynasafe.items.item_format import ItemShape
from dynasafe.items.projections import ProjectionLike
from dynasafe.limits import MAX_TOTAL_SEGMENTS
from dynasafe.records import Record, assign
from dynasafe.resilience.settings_rules import require_count
from dynasafe.values.wire import bytes_of

T = TypeVar("T")

AttributeMap = Mapping[str, Any]


class Page(Record, Generic[T]):
    """One answer of a query or scan."""

    __slots__ = __match_args__ = (
        "items",
        "count",
        "scanned_count",
        "last_evaluated_key",
        "last_evaluated_key_json",
        "consumed_capacity",
        "attempts",
        "invalid",
    )
    items: tuple[T, ...]
    count: int
    scanned_count: int
    last_evaluated_key: Mapping[str, Any] | None
    """Where the next page begins (`exclusive_start_key`), or None at the end."""
    last_evaluated_key_json: Mapping[str, Mapping[str, str]] | None
    """The same key in types that `json.dumps` takes, to continue in another process; bytes are
    base64."""
    consumed_capacity: Mapping[str, Any] | None
    attempts: int
    invalid: tuple[StoredValueError, ...]
    """The error of each item that does not fit its class; `items` does not have these items."""

    def __init__(
        self,
        *,
        items: tuple[T, ...],
        count: int,
        scanned_count: int,
        last_evaluated_key: Mapping[str, Any] | None,
        last_evaluated_key_json: Mapping[str, Mapping[str, str]] | None = None,
        consumed_capacity: Mapping[str, Any] | None = None,
        attempts: int = 1,
        invalid: tuple[StoredValueError, ...] = (),
    ) -> None:
        assign(self, "items", items)
        assign(self, "count", count)
        assign(self, "scanned_count", scanned_count)
        assign(self, "last_evaluated_key", last_evaluated_key)
        assign(self, "last_evaluated_key_json", last_evaluated_key_json)
        assign(self, "consumed_capacity", consumed_capacity)
        assign(self, "attempts", attempts)
        assign(self, "invalid", invalid)

    def __repr__(self) -> str:  # without the items, whose values may be personal data
        is_last = self.last_evaluated_key is None
        return f"Page(count={self.count}, scanned_count={self.scanned_count}, is_last={is_last})"


class Paging(Record, Generic[T]):
    """A query or scan: its request without a start key, and the decoder of its items."""

    __slots__ = __match_args__ = (
        "operation",
        "table",
        "params",
        "decode",
        "max_items",
        "total_segments",
        "on_invalid",
    )
    operation: Literal["Query", "Scan"]
    table: Table[Any]
    params: AttributeMap
    decode: Callable[[AttributeMap], T]
    max_items: int | None
    total_segments: int | None
    on_invalid: OnInvalid

    def __init__(
        self,
        *,
        operation: Literal["Query", "Scan"],
        table: Table[Any],
        params: AttributeMap,
        decode: Callable[[AttributeMap], T],
        max_items: int | None,
        total_segments: int | None,
        on_invalid: OnInvalid = "raise",
    ) -> None:
        assign(self, "operation", operation)
        assign(self, "table", table)
        assign(self, "params", params)
        assign(self, "decode", decode)
        assign(self, "max_items", max_items)
        assign(self, "total_segments", total_segments)
        assign(self, "on_invalid", on_invalid)

    def starts(self) -> list[AttributeMap]:
        """The start of the first page of each segment."""
        if self.total_segments is None:
            return [{}]
        return [
            {"TotalSegments": self.total_segments, "Segment": segment}
            for segment in range(self.total_segments)
        ]

    def counting(self) -> Paging[T]:
        """The same query or scan, but only counting the items."""
        counting = dict(self.params)
        for member in ("ProjectionExpression", "Select"):
            counting.pop(member, None)
        counting["Select"] = "COUNT"
        return self.replaced(params=counting, max_items=None)


def paging(
    operation: Literal["Query", "Scan"],
    table: Table[Any],
    key_condition: ConditionLike | None,
    projection: ProjectionLike | None,
    options: Mapping[str, Any],
) -> Paging[Any]:
    """A query or scan with the options of its method.

    Raises:
        InvalidValueError: an option has the wrong type, is outside its range, or contradicts
            another.
    """
    for name in ("limit", "max_items"):
        if options.get(name) is not None:
            require_count(name, options[name])
    index_name = options.get("index_name")
    if isinstance(index_name, str) and not index_name:
        raise ValueOutOfRangeError(
            "index_name",
            "the name is empty. Fix: leave index_name out to read the table",
        )
    start = options.get("exclusive_start_key")
    total_segments = options.get("total_segments")
    if total_segments is not None:
        require_count("total_segments", total_segments, most=MAX_TOTAL_SEGMENTS)
        if start is not None:
            raise ValueOutOfRangeError(
                "exclusive_start_key", "a scan of several segments has no single start key"
            )
    on_invalid = options.get("on_invalid", "raise")
    require_on_invalid(on_invalid)
    shape = table.shape
    part = projected(table, projection)
    params = page_params(
        table,
        key_condition=key_condition,
        filter=options.get("filter"),
        projection=part,
        IndexName=index_name,
        Select=options.get("select"),
        Limit=options.get("limit"),
        ConsistentRead=options.get("consistent_read"),
        ScanIndexForward=options.get("scan_index_forward"),
        ExclusiveStartKey=None if start is None else _encode_start(shape, start),
        ReturnConsumedCapacity=options.get("return_consumed_capacity"),
    )
    return Paging(
        operation=operation,
        table=table,
        params=params,
        decode=decoder(shape, part),
        max_items=options.get("max_items"),
        total_segments=total_segments,
        on_invalid=on_invalid,
    )


def page_params(
    table: Table[Any],
    *,
    key_condition: ConditionLike | None = None,
    filter: ConditionLike | None = None,
    projection: Projection | None = None,
    **members: Any,
) -> dict[str, Any]:
    """The parameters of a Query or Scan."""
    return {
        "TableName": table.name,
        **expressions(table, key_condition=key_condition, filter=filter, projection=projection),
        **present(members),
    }


def page_plan(
    paging: Paging[T], start: AttributeMap, remaining: int | None
) -> Plan[tuple[Page[T], AttributeMap | None]]:
    """One page, and the start of the next one, or None at the end.

    Args:
        remaining: how many items are still wanted.
    """
    params = {**paging.params, **start}
    if remaining is not None and "FilterExpression" not in params:
        params["Limit"] = min(remaining, params.get("Limit", remaining))
    table = paging.table
    success = yield read(paging.operation, table.name, params, table.shape.item_class)
    response = success.response
    last_evaluated_key = response.get("LastEvaluatedKey") or None
    decoded = partial(table.shape.decode_all, response.get("Items", ()), paging.decode)
    items, invalid = yield from aside_plan(decoded, if_long=type(response) is Large)
    report(invalid, paging.on_invalid)
    page = Page(
        items=tuple(items),
        invalid=tuple(invalid),
        count=response.get("Count", 0),
        scanned_count=response.get("ScannedCount", 0),
        last_evaluated_key=(
            None if last_evaluated_key is None else table.shape.decode_part(last_evaluated_key)
        ),
        last_evaluated_key_json=_as_json(last_evaluated_key),
        consumed_capacity=response.get("ConsumedCapacity"),
        attempts=success.attempts,
    )
    if last_evaluated_key is None:
        return page, None
    return page, {**start, "ExclusiveStartKey": last_evaluated_key}


def _encode_start(shape: ItemShape[Any], key: Mapping[str, Any]) -> AttributeMap:
    """A start key in wire form: the primary key, and for an index its key as well."""
    if not isinstance(key, Mapping):
        raise UnsupportedTypeError(
            "exclusive_start_key", f"a mapping is expected, not {type(key).__name__}"
        )
    if not key:
        raise ValueOutOfRangeError(
            "exclusive_start_key",
            "it is empty. Fix: give a page's last_evaluated_key, or leave it out",
        )
    encoded: dict[str, Any] = {}
    for name, value in key.items():
        try:
            stored_name, codec = shape.attribute_codec(name)
            if isinstance(value, Mapping):
                encoded[stored_name] = _from_json(value)
            else:
                encoded[stored_name] = codec.encode(codec.parse(value))
        except InvalidValueError as error:
            raise error.within(printable(str(name))).within("exclusive_start_key") from None
    return encoded


def _as_json(key: AttributeMap | None) -> Mapping[str, Mapping[str, str]] | None:
    if key is None:
        return None
    return {
        name: {
            type_name: base64.b64encode(content).decode() if type_name == "B" else content
            for type_name, content in value.items()
        }
        for name, value in key.items()
    }


def _from_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """A key's value in wire form, from its JSON form."""
    ((type_name, content),) = value.items() if len(value) == 1 else [("", None)]
    try:
        if type_name == "B":
            return {"B": bytes_of(content)}
    except (TypeError, ValueError):
        pass
    if type_name in ("S", "N") and isinstance(content, str):
        return {type_name: content}
    raise ValueOutOfRangeError(
        "", "it is not a key value. Fix: give a page's last_evaluated_key_json as it was"
    )
