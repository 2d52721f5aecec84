"""Requests in wire form, and their common parts.

Every member of a request is present and non-empty, or absent.

Source: "Actions", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.expressions.nodes import Expression, Projection
from dynasafe.expressions.render import render_members
from dynasafe.items.conditions import ConditionLike, condition_node
from dynasafe.items.item_format import ItemShape, ItemT
from dynasafe.items.projections import ProjectionLike, projection_node
from dynasafe.resilience.attempts import Call


class Request:
    """A request in wire form, with the facts that the retry loop needs.

    Args:
        schema: for the keys of its tables: an Item class, or Item classes by table name.
        is_checked: whether it is already validated.
        is_sent_once: never repeated, whatever the settings say.
    """

    __slots__ = ("call", "is_checked", "is_sent_once", "params", "schema")

    def __init__(
        self,
        params: Mapping[str, Any],
        call: Call,
        schema: object = None,
        *,
        is_checked: bool = False,
        is_sent_once: bool = False,
    ) -> None:
        self.params: Mapping[str, Any] = params
        self.call: Call = call
        self.schema: object = schema
        self.is_checked: bool = is_checked
        self.is_sent_once: bool = is_sent_once

    def under_token(self, since_s: float, *, may_be_applied: bool = False) -> Request:
        """The same request, with the time from which its token may have been sent."""
        call = self.call.under_token(since_s, may_be_applied=may_be_applied)
        return Request(self.params, call, self.schema, is_checked=self.is_checked)

    def __repr__(self) -> str:  # without the parameters, whose values may be personal data
        return f"Request({self.call.operation!r}, {self.call.table_name!r})"


class Large(dict[str, Any]):
    """A request or an answer that takes long to write or read."""


class Table(Generic[ItemT]):
    """A table's name and the format of its items."""

    __slots__ = ("name", "shape")

    def __init__(self, name: str, shape: ItemShape[ItemT]) -> None:
        if not isinstance(name, str) or not name:
            raise ValueOutOfRangeError("table_name", "a non-empty str is expected")
        self.name: str = name
        self.shape: ItemShape[ItemT] = shape
        shape.table_name = name


def read(
    operation: str,
    table_name: str | None,
    params: Mapping[str, Any],
    schema: object = None,
    *,
    is_sent_once: bool = False,
) -> Request:
    """A request that changes nothing."""
    call = Call(operation=operation, table_name=table_name, is_write=False, is_repeatable=True)
    return Request(params, call, schema, is_sent_once=is_sent_once)


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def projected(table: Table[Any], projection: ProjectionLike | None) -> Projection | None:
    """The tree of a read's projection, or None for whole items."""
    return None if projection is None else projection_node(projection, table.shape.schema)


def expressions(
    table: Table[Any],
    *,
    key_condition: ConditionLike | None = None,
    filter: ConditionLike | None = None,
    projection: Projection | None = None,
) -> dict[str, Any]:
    """The expressions of a read, with their placeholders."""
    schema = table.shape.schema
    nodes: dict[str, Expression] = {}
    if key_condition is not None:
        nodes["KeyConditionExpression"] = condition_node(key_condition, schema)
    if filter is not None:
        nodes["FilterExpression"] = condition_node(filter, schema)
    if projection is not None:
        nodes["ProjectionExpression"] = projection
    return render_members(nodes)


def one_of(by_table: Mapping[str, Any] | None, default: Any) -> Any:
    """The part of an answer for the only table of the request."""
    return next(iter((by_table or {}).values()), default)
