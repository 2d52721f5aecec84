"""DynamoDB's operations as requests in wire form, made from typed arguments.

Every member of a request is present and non-empty, or absent.

Source: "Actions", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import (
    Comparison,
    ConditionNode,
    Function,
    Path,
    Value,
    conjunction,
    disjunction,
)
from dynasafe.expressions.parse import parse_condition, parse_update
from dynasafe.expressions.render import Placeholders, render_condition, render_projection
from dynasafe.items.conditions import ConditionLike, condition_node
from dynasafe.items.item import Item
from dynasafe.items.item_format import ItemShape, ItemT, Key
from dynasafe.items.projections import ProjectionLike, projection_node
from dynasafe.items.updates import UpdateBuilder
from dynasafe.resilience.attempts import Call, Resolution
from dynasafe.values.convert import from_attribute_map
from dynasafe.values.wire import AttributeValue

AttributesT = TypeVar("AttributesT")

ReturnOld = Literal["NONE", "ALL_OLD"]
Select = Literal["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"]
WriteKind = Literal["Put", "Update", "Delete", "ConditionCheck"]

_RETURNS_OLD = ("ALL_OLD", "UPDATED_OLD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in wire form, with what the retry loop must know of it."""

    params: Mapping[str, Any]
    call: Call
    schema: object = None
    """What is known of its tables' keys: an Item class, or such classes by table name."""


@dataclass(frozen=True, slots=True)
class Table(Generic[ItemT]):
    """A table's name and the shape of its items."""

    name: str
    shape: ItemShape[ItemT]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueOutOfRangeError("table_name", "a non-empty str is expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult(Generic[AttributesT]):
    """What a write returned.

    `attributes` are those that return_values asked for, or None. Of UPDATED_OLD and UPDATED_NEW
    they are a dict by the names in DynamoDB.
    """

    attributes: AttributesT
    attempts: int
    consumed_capacity: Mapping[str, Any] | None = None
    item_collection_metrics: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[AttributesT]):
    """One answer of a query or scan."""

    items: tuple[AttributesT, ...]
    count: int
    scanned_count: int
    last_evaluated_key: Mapping[str, Any] | None
    """Where the next page begins (`exclusive_start_key`), or None at the end."""
    consumed_capacity: Mapping[str, Any] | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """Optimistic locking: the version that the stored item must have, and the one it gets.

    Source: "Optimistic locking with version number", Amazon DynamoDB Developer Guide.
    """

    name: str
    expected: int
    new: int

    def condition(self, is_new_item: bool) -> ConditionNode:
        attribute = Path((self.name,))
        expected = Value({"N": str(self.expected)}, self.name)
        is_expected = Comparison("=", attribute, expected)
        if not is_new_item:
            return is_expected
        return disjunction(Function("attribute_not_exists", (attribute,)), is_expected)

    def stored(self, item: Mapping[str, AttributeValue] | None) -> int | None:
        """The version of a stored item in wire form."""
        text = (item or {}).get(self.name, {}).get("N")
        return None if text is None else int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write in wire form, to be sent alone or in a transaction."""

    kind: WriteKind
    table_name: str
    shape: ItemShape[Any]
    params: Mapping[str, Any]
    is_idempotent: bool
    instance: Item | None = field(default=None, repr=False)
    """The Item whose version and write id follow when the write has succeeded."""
    version: VersionCheck | None = None
    has_other_condition: bool = False
    """Whether something else than the version can make it fail."""
    write_id: str | None = None

    @property
    def has_condition(self) -> bool:
        return "ConditionExpression" in self.params

    def request(
        self,
        *,
        return_values: str | None = None,
        return_consumed_capacity: str | None = None,
        return_item_collection_metrics: str | None = None,
    ) -> Request:
        """The write as PutItem, UpdateItem or DeleteItem."""
        operation = f"{self.kind}Item"
        options = _present(
            {
                "ReturnValues": return_values,
                "ReturnConsumedCapacity": return_consumed_capacity,
                "ReturnItemCollectionMetrics": return_item_collection_metrics,
            }
        )
        return Request(
            params={**self.params, **options} if options else self.params,
            call=Call(
                operation=operation,
                table_name=self.table_name,
                is_write=True,
                # The old values that a repeat returns would be this call's own new ones.
                is_repeatable=self.is_idempotent and return_values not in _RETURNS_OLD,
                resolve_condition_failure=self.resolve if self.has_condition else None,
            ),
            schema=self.shape.item_class,
        )

    def resolve(self, stored: Mapping[str, Any] | None) -> Resolution:
        """Whether an earlier attempt of this write made its own condition fail.

        Proven by its write id, which no other write has. That the stored item looks as if this
        write had made it proves nothing: another may have written the same. Versions only rise,
        so a lower one proves the contrary; so does the same version with other contents.
        """
        if stored is None:
            return "unknown"
        schema = self.shape.schema
        write_id = schema.write_id if schema else None
        if write_id is not None and stored.get(write_id.name) == {"S": self.write_id}:
            return "applied"
        if self.version is None:
            return "unknown"
        stored_version = self.version.stored(stored) or 0
        if stored_version < self.version.new:
            return "not_applied"
        is_next = stored_version == self.version.new
        if is_next and (write_id is not None or self.kind == "Put"):
            # As Python values, since the service may write a number or order a set in its own way.
            own = self.params.get("Item")
            is_same = own is not None and from_attribute_map(own) == from_attribute_map(stored)
            return "unknown" if is_same else "not_applied"
        return "unknown"

    def is_version_conflict(self, stored: Mapping[str, Any] | None) -> bool:
        """Whether a failed condition failed for the version."""
        if self.version is None:
            return False
        if not self.has_other_condition:
            return True
        stored_version = self.version.stored(stored)
        if stored_version is None:
            # No item, or one without a version: fine for a first write only.
            return not self._is_first_version
        return stored_version != self.version.expected

    @property
    def _is_first_version(self) -> bool:
        assert self.version is not None
        return self.version.expected == self.version.new - 1 == _first_version(self.shape)

    def advance(self) -> None:
        """After a success: the instance has the version and write id that are stored now."""
        schema = self.shape.schema
        if self.instance is None or schema is None or self.kind == "Delete":
            return
        if self.version is not None and schema.version is not None:
            setattr(self.instance, schema.version.field_name, self.version.new)
        if self.write_id is not None and schema.write_id is not None:
            setattr(self.instance, schema.write_id.field_name, self.write_id)


def put(
    table: Table[ItemT],
    item: object,
    *,
    condition: ConditionLike | None = None,
    write_id: str | None = None,
) -> Write:
    """A put of a whole item, under its version if it has one.

    Args:
        write_id: the unique id of this write, for an Item class that has a place for it.
    """
    encoded = table.shape.encode(item)
    schema = table.shape.schema
    instance = item if isinstance(item, Item) and schema is not None else None
    version = _version_check(table, instance)
    if version is not None:
        encoded[version.name] = {"N": str(version.new)}
    write_id = _wanted_write_id(table, write_id)
    if write_id is not None and schema is not None and schema.write_id is not None:
        encoded[schema.write_id.name] = {"S": write_id}
    params: dict[str, Any] = {"TableName": table.name, "Item": encoded}
    _add_condition(params, table, condition, version)
    return Write(
        kind="Put",
        table_name=table.name,
        shape=table.shape,
        params=params,
        is_idempotent=True,
        instance=instance,
        version=version,
        has_other_condition=condition is not None,
        write_id=write_id,
    )


def update(
    table: Table[ItemT],
    key: Key,
    builder: UpdateBuilder,
    *,
    condition: ConditionLike | None = None,
    write_id: str | None = None,
) -> Write:
    """An update of one item; under its version, if the key is an instance that has one."""
    if not isinstance(builder, UpdateBuilder):
        raise UnsupportedTypeError(
            "update",
            f"an UpdateBuilder is expected, not {type(builder).__name__}. Fix: "
            "UpdateBuilder().set(...), or UpdateBuilder.from_patch(...) for a dict",
        )
    schema = table.shape.schema
    encoded_key = table.shape.encode_key(key)
    builder.freeze()
    builder = builder.written_for(schema)
    builder.require_not_in_key(encoded_key)
    instance = key if isinstance(key, Item) and schema is not None else None
    version = _version_check(table, instance)
    write_id = _wanted_write_id(table, write_id)
    if version is not None or write_id is not None:
        builder = builder.copy()
    if version is not None:
        builder.set(table.shape.attribute(version.name), version.new)
    if write_id is not None and schema is not None and schema.write_id is not None:
        builder.set(table.shape.attribute(schema.write_id.name), write_id)
    extra = _conditions(table, condition, version)
    params: dict[str, Any] = {
        "TableName": table.name,
        "Key": encoded_key,
        **builder.expressions(extra),
    }
    if "ConditionExpression" in params:
        params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    terms = [node for node in (builder.condition_node, extra) if node is not None]
    return Write(
        kind="Update",
        table_name=table.name,
        shape=table.shape,
        params=params,
        is_idempotent=builder.is_idempotent_under(conjunction(*terms) if terms else None),
        instance=instance,
        version=version,
        has_other_condition=condition is not None or builder.condition_node is not None,
        write_id=write_id,
    )


def delete(table: Table[ItemT], key: Key, *, condition: ConditionLike | None = None) -> Write:
    """A delete of one item; under its version, if the key is an instance that has one."""
    instance = key if isinstance(key, Item) and table.shape.schema is not None else None
    version = _version_check(table, instance)
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    _add_condition(params, table, condition, version)
    return Write(
        kind="Delete",
        table_name=table.name,
        shape=table.shape,
        params=params,
        is_idempotent=True,
        instance=instance,
        version=version,
        has_other_condition=condition is not None,
    )


def check(table: Table[ItemT], key: Key, condition: ConditionLike) -> Write:
    """A condition on an item that the transaction leaves alone."""
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    _add_condition(params, table, condition, None)
    return Write(
        kind="ConditionCheck",
        table_name=table.name,
        shape=table.shape,
        params=params,
        is_idempotent=True,
    )


def get(
    table: Table[ItemT],
    key: Key,
    *,
    projection: ProjectionLike | None = None,
    consistent_read: bool | None = None,
    return_consumed_capacity: str | None = None,
) -> Request:
    """GetItem."""
    placeholders = Placeholders()
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    _add_projection(params, table, projection, placeholders)
    _add_placeholders(params, placeholders)
    params.update(
        _present(
            {
                "ConsistentRead": consistent_read,
                "ReturnConsumedCapacity": return_consumed_capacity,
            }
        )
    )
    return read("GetItem", table.name, params, table.shape.item_class)


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """One read in wire form, for a transaction."""

    shape: ItemShape[Any]
    params: Mapping[str, Any]
    is_whole: bool

    def decode(self, attribute_map: Mapping[str, AttributeValue]) -> Any:
        return (
            self.shape.decode(attribute_map)
            if self.is_whole
            else self.shape.decode_part(attribute_map)
        )


def transact_get(table: Table[ItemT], key: Key, *, projection: ProjectionLike | None = None) -> Get:
    """A read in a transaction."""
    return Get(
        shape=table.shape,
        params=get(table, key, projection=projection).params,
        is_whole=projection is None,
    )


def pages(
    table: Table[ItemT],
    *,
    key_condition: ConditionLike | None = None,
    filter: ConditionLike | None = None,
    projection: ProjectionLike | None = None,
    **members: Any,
) -> dict[str, Any]:
    """The parameters of a Query or Scan, without where it starts and how much it takes."""
    placeholders = Placeholders()
    params: dict[str, Any] = {"TableName": table.name}
    for member, condition in (
        ("KeyConditionExpression", key_condition),
        ("FilterExpression", filter),
    ):
        if condition is not None:
            params[member] = render_condition(
                condition_node(condition, table.shape.schema), placeholders
            )
    _add_projection(params, table, projection, placeholders)
    _add_placeholders(params, placeholders)
    params.update(_present(members))
    return params


def page_request(
    operation: Literal["Query", "Scan"], table: Table[Any], params: Mapping[str, Any]
) -> Request:
    """Query or Scan, for one page."""
    return read(operation, table.name, params, table.shape.item_class)


def batch_get(table: Table[Any], entry: Mapping[str, Any]) -> Request:
    """BatchGetItem of one table."""
    params = {"RequestItems": {table.name: entry}}
    return read("BatchGetItem", table.name, params, table.shape.item_class)


def batch_write(table: Table[Any], writes: Sequence[Mapping[str, Any]]) -> Request:
    """BatchWriteItem. Its puts and deletes have no conditions, so they can be repeated."""
    call = Call(
        operation="BatchWriteItem", table_name=table.name, is_write=True, is_repeatable=True
    )
    params = {"RequestItems": {table.name: writes}}
    return Request(params=params, call=call, schema=table.shape.item_class)


def transact_write(writes: Sequence[Write], token: str, **members: str | None) -> Request:
    """TransactWriteItems, under a token by which DynamoDB recognises a repeat."""
    tables = {write.table_name for write in writes}
    return Request(
        params={
            "TransactItems": [{write.kind: dict(write.params)} for write in writes],
            "ClientRequestToken": token,
            **_present(members),
        },
        call=Call(
            operation="TransactWriteItems",
            table_name=tables.pop() if len(tables) == 1 else None,
            is_write=True,
            is_repeatable=True,
            client_request_token=token,
        ),
        schema={write.table_name: write.shape.item_class for write in writes},
    )


def transact_gets(gets: Sequence[Get], **members: str | None) -> Request:
    """TransactGetItems."""
    tables = {get.params["TableName"] for get in gets}
    table_name = tables.pop() if len(tables) == 1 else None
    params = {"TransactItems": [{"Get": dict(get.params)} for get in gets], **_present(members)}
    schema = {get.params["TableName"]: get.shape.item_class for get in gets}
    return read("TransactGetItems", table_name, params, schema)


def read(
    operation: str, table_name: str | None, params: Mapping[str, Any], schema: object = None
) -> Request:
    """A request that changes nothing."""
    call = Call(operation=operation, table_name=table_name, is_write=False, is_repeatable=True)
    return Request(params=params, call=call, schema=schema)


_READ_PREFIXES = ("Get", "Query", "Scan", "BatchGet", "TransactGet", "Describe", "List")
_REPEATABLE_WRITES = frozenset({"PutItem", "DeleteItem", "BatchWriteItem"})
_HAVE_TOKENS = frozenset({"TransactWriteItems", "ExecuteTransaction"})


def raw(operation: str, params: Mapping[str, Any], *, token: str) -> Request:
    """A hand-written request in the client's form.

    Args:
        token: for an operation that takes a ClientRequestToken, where it has none.

    Raises:
        UnsupportedTypeError: it is no operation's name, or no mapping.
    """
    if not isinstance(operation, str):
        raise UnsupportedTypeError(
            "operation", f"a str is expected, not {type(operation).__name__}"
        )
    if not isinstance(params, Mapping):
        raise UnsupportedTypeError("params", f"a mapping is expected, not {type(params).__name__}")
    table_name = params.get("TableName")
    if operation.startswith(_READ_PREFIXES):
        return read(operation, table_name, params)
    if operation in _HAVE_TOKENS:
        params = {"ClientRequestToken": token, **params}
    is_repeatable = operation in _HAVE_TOKENS or (
        params.get("ReturnValues") not in _RETURNS_OLD
        and (operation in _REPEATABLE_WRITES or _is_idempotent_update(operation, params))
    )
    call = Call(
        operation=operation,
        table_name=table_name if isinstance(table_name, str) else None,
        is_write=True,
        is_repeatable=is_repeatable,
        client_request_token=params["ClientRequestToken"] if operation in _HAVE_TOKENS else None,
    )
    return Request(params=params, call=call)


def _is_idempotent_update(operation: str, params: Mapping[str, Any]) -> bool:
    if operation != "UpdateItem" or "UpdateExpression" not in params:
        return False
    names = params.get("ExpressionAttributeNames") or {}
    values = params.get("ExpressionAttributeValues") or {}
    try:
        node = parse_update(params["UpdateExpression"], names, values)
        text = params.get("ConditionExpression")
        condition = None if text is None else parse_condition(text, names, values)
    except (InvalidRequestError, TypeError, AttributeError):
        return False  # refused anyway, and no ground to send it twice
    return is_idempotent(node, condition)


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _wanted_write_id(table: Table[Any], write_id: str | None) -> str | None:
    schema = table.shape.schema
    return write_id if schema is not None and schema.write_id is not None else None


def _first_version(shape: ItemShape[Any]) -> int:
    schema = shape.schema
    assert schema is not None
    assert schema.version is not None
    return int(schema.version.default()) if schema.version.has_default else 0


def _version_check(table: Table[Any], instance: Item | None) -> VersionCheck | None:
    schema = table.shape.schema
    if instance is None or schema is None or schema.version is None:
        return None
    expected = getattr(instance, schema.version.field_name)
    if isinstance(expected, bool) or not isinstance(expected, int):
        raise UnsupportedTypeError(
            schema.version.name, f"a version is an int, not {type(expected).__name__}"
        )
    return VersionCheck(name=schema.version.name, expected=expected, new=expected + 1)


def _conditions(
    table: Table[Any], condition: ConditionLike | None, version: VersionCheck | None
) -> ConditionNode | None:
    terms = [] if condition is None else [condition_node(condition, table.shape.schema)]
    if version is not None:
        terms.append(version.condition(version.expected == _first_version(table.shape)))
    return conjunction(*terms) if terms else None


def _add_condition(
    params: dict[str, Any],
    table: Table[Any],
    condition: ConditionLike | None,
    version: VersionCheck | None,
) -> None:
    node = _conditions(table, condition, version)
    if node is None:
        return
    placeholders = Placeholders()
    params["ConditionExpression"] = render_condition(node, placeholders)
    _add_placeholders(params, placeholders)
    # The old item costs nothing, and tells the caller what stood in the way.
    params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"


def _add_projection(
    params: dict[str, Any],
    table: Table[Any],
    projection: ProjectionLike | None,
    placeholders: Placeholders,
) -> None:
    if projection is not None:
        node = projection_node(projection, table.shape.schema)
        params["ProjectionExpression"] = render_projection(node, placeholders)


def _add_placeholders(params: dict[str, Any], placeholders: Placeholders) -> None:
    if placeholders.names:
        params["ExpressionAttributeNames"] = placeholders.names
    if placeholders.values:
        params["ExpressionAttributeValues"] = placeholders.values
