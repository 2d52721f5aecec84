"""GetItem and TransactGetItems.

Source: "GetItem" and "TransactGetItems", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dynasafe.calls.plans import Plan
from dynasafe.calls.requests import (
    Request,
    Table,
    add_placeholders,
    add_projection,
    present,
    read,
)
from dynasafe.expressions.render import Placeholders
from dynasafe.items.item_format import ItemShape, ItemT, Key
from dynasafe.items.projections import ProjectionLike
from dynasafe.values.wire import AttributeValue

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    ItemT_co = TypeVarWithDefault("ItemT_co", covariant=True, default=Any)
else:
    ItemT_co = TypeVar("ItemT_co", covariant=True)


class Get(Generic[ItemT_co]):
    """One read in wire form, for a transaction."""

    __slots__ = ("is_whole", "params", "shape")

    def __init__(self, shape: ItemShape[Any], params: Mapping[str, Any], is_whole: bool) -> None:
        self.shape: ItemShape[Any] = shape
        self.params: Mapping[str, Any] = params
        self.is_whole: bool = is_whole

    def decode(self, attribute_map: Mapping[str, AttributeValue]) -> Any:
        if self.is_whole:
            return self.shape.decode(attribute_map)
        return self.shape.decode_part(attribute_map)

    def __repr__(self) -> str:
        return f"Get({self.params['TableName']!r})"


def get_params(
    table: Table[Any], key: Key, projection: ProjectionLike | None, consistent_read: bool | None
) -> dict[str, Any]:
    """The parameters of GetItem."""
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    if projection is not None:
        placeholders = Placeholders()
        add_projection(params, table, projection, placeholders)
        add_placeholders(params, placeholders)
    if consistent_read is not None:
        params["ConsistentRead"] = consistent_read
    return params


def get_plan(
    table: Table[ItemT], key: Key, projection: ProjectionLike | None, consistent_read: bool | None
) -> Plan[Any]:
    """GetItem: the item, or None; with a projection, a dict."""
    params = get_params(table, key, projection, consistent_read)
    success = yield read("GetItem", table.name, params, table.shape.item_class)
    item = success.response.get("Item")
    if item is None:
        return None
    return table.shape.decode(item) if projection is None else table.shape.decode_part(item)


def transact_get(
    table: Table[Any], key: Key, *, projection: ProjectionLike | None = None
) -> Get[Any]:
    """A read in a transaction."""
    params = get_params(table, key, projection, None)
    return Get(table.shape, params, projection is None)


def transact_get_plan(gets: Sequence[Get[Any]]) -> Plan[list[Any]]:
    """TransactGetItems: the items in the order of the reads; None stands for a missing one."""
    success = yield transact_get_request(gets)
    answers = success.response.get("Responses", ())
    items = (answer.get("Item") or None for answer in answers)
    return [
        None if item is None else get.decode(item) for get, item in zip(gets, items, strict=True)
    ]


def transact_get_request(gets: Sequence[Get[Any]], **members: str | None) -> Request:
    tables = {get.params["TableName"] for get in gets}
    table_name = tables.pop() if len(tables) == 1 else None
    params = {"TransactItems": [{"Get": dict(get.params)} for get in gets], **present(members)}
    schema = {get.params["TableName"]: get.shape.item_class for get in gets}
    return read("TransactGetItems", table_name, params, schema)
