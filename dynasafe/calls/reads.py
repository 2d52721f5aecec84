"""GetItem and TransactGetItems.

Source: "GetItem" and "TransactGetItems", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dynasafe.calls.plans import Aside, Plan, aside_plan
from dynasafe.calls.requests import (
    Large,
    Request,
    Table,
    expressions,
    present,
    projected,
    read,
)
from dynasafe.expressions.nodes import Projection
from dynasafe.items.item_format import ItemShape, ItemT, Key
from dynasafe.items.projections import ProjectionLike, whole_names
from dynasafe.values.wire import AttributeValue

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    ItemT_co = TypeVarWithDefault("ItemT_co", covariant=True, default=Any)
else:
    ItemT_co = TypeVar("ItemT_co", covariant=True)


class Get(Generic[ItemT_co]):
    """One read in wire form, for a transaction."""

    __slots__ = ("decode", "params", "shape")

    def __init__(
        self, shape: ItemShape[Any], params: Mapping[str, Any], projection: Projection | None
    ) -> None:
        self.shape: ItemShape[Any] = shape
        self.params: Mapping[str, Any] = params
        self.decode: Callable[[Mapping[str, AttributeValue]], Any] = decoder(shape, projection)

    def __repr__(self) -> str:
        return f"Get({self.params['TableName']!r})"


def decoder(
    shape: ItemShape[Any], projection: Projection | None
) -> Callable[[Mapping[str, AttributeValue]], Any]:
    """The decoder of whole items, or of the projected attributes."""
    if projection is None:
        return shape.decode
    return partial(shape.decode_part, whole=whole_names(projection.paths))


def get_params(
    table: Table[Any], key: Key, projection: Projection | None, consistent_read: bool | None
) -> dict[str, Any]:
    """The parameters of GetItem."""
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    if projection is not None:
        params.update(expressions(table, projection=projection))
    if consistent_read is not None:
        params["ConsistentRead"] = consistent_read
    return params


def get_plan(
    table: Table[ItemT], key: Key, projection: ProjectionLike | None, consistent_read: bool | None
) -> Plan[Any]:
    """GetItem: the item, or None; with a projection, a dict."""
    part = projected(table, projection)
    params = get_params(table, key, part, consistent_read)
    success = yield read("GetItem", table.name, params, table.shape.item_class)
    item = success.response.get("Item")
    if item is None:
        return None
    decode = table.shape.decode if part is None else decoder(table.shape, part)
    if type(success.response) is Large:
        return (yield Aside(partial(decode, item)))
    return decode(item)


def transact_get(
    table: Table[Any], key: Key, *, projection: ProjectionLike | None = None
) -> Get[Any]:
    """A read in a transaction."""
    part = projected(table, projection)
    return Get(table.shape, get_params(table, key, part, None), part)


def transact_get_plan(gets: Sequence[Get[Any]]) -> Plan[list[Any]]:
    """TransactGetItems: the items in the order of the reads; None for a missing one."""
    success = yield transact_get_request(gets)
    answers = success.response.get("Responses", ())
    items = [answer.get("Item") or None for answer in answers]

    def decoded() -> list[Any]:
        pairs = zip(gets, items, strict=True)
        return [None if item is None else get.decode(item) for get, item in pairs]

    return (yield from aside_plan(decoded, if_long=type(success.response) is Large))


def transact_get_request(gets: Sequence[Get[Any]], **members: str | None) -> Request:
    tables = {get.params["TableName"] for get in gets}
    table_name = tables.pop() if len(tables) == 1 else None
    params = {"TransactItems": [{"Get": dict(get.params)} for get in gets], **present(members)}
    schema = {get.params["TableName"]: get.shape.item_class for get in gets}
    return read("TransactGetItems", table_name, params, schema)
