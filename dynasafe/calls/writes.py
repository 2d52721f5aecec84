"""PutItem, UpdateItem and DeleteItem: versions, write ids, and lost answers.

Sources: "Optimistic locking with version number", Amazon DynamoDB Developer Guide; "PutItem",
"UpdateItem" and "DeleteItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from dynasafe.calls.plans import CallState, Plan, aside_plan
from dynasafe.calls.requests import Large, Request, Table, present, read
from dynasafe.errors import (
    APPLIED,
    ConditionalCheckFailedError,
    DynasafeError,
    OutcomeUnknownError,
    UnsupportedTypeError,
    VersionConflictError,
)
from dynasafe.expressions.nodes import (
    Comparison,
    ConditionNode,
    Function,
    Path,
    Value,
    conjunction,
    disjunction,
)
from dynasafe.expressions.render import render_members
from dynasafe.items.conditions import ConditionLike, condition_node
from dynasafe.items.item import Item
from dynasafe.items.item_format import ItemShape, Key
from dynasafe.items.projections import whole_names
from dynasafe.items.updates import UpdateBuilder
from dynasafe.records import Record, assign
from dynasafe.resilience.attempts import Call, Resolution, Success
from dynasafe.values.wire import AttributeValue, holds_many

T = TypeVar("T")
AttributesT = TypeVar("AttributesT")
if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    ItemT_co = TypeVarWithDefault("ItemT_co", covariant=True, default=Any)
else:
    ItemT_co = TypeVar("ItemT_co", covariant=True)

AttributeMap = Mapping[str, Any]
ReturnOld = Literal["NONE", "ALL_OLD"]
WriteKind = Literal["Put", "Update", "Delete", "ConditionCheck"]

_RETURNS_OLD = ("ALL_OLD", "UPDATED_OLD")


class WriteResult(Record, Generic[AttributesT]):
    """The result of a write.

    `attributes` has the attributes that return_values asks for, or None. For UPDATED_OLD and
    UPDATED_NEW it is a dict with DynamoDB's names. `attempts` counts the requests that were sent,
    and those that read the item afterwards.
    """

    __slots__ = __match_args__ = (
        "attributes",
        "attempts",
        "consumed_capacity",
        "item_collection_metrics",
    )
    attributes: AttributesT
    attempts: int
    consumed_capacity: Mapping[str, Any] | None
    item_collection_metrics: Mapping[str, Any] | None

    def __init__(
        self,
        *,
        attributes: AttributesT,
        attempts: int,
        consumed_capacity: Mapping[str, Any] | None = None,
        item_collection_metrics: Mapping[str, Any] | None = None,
    ) -> None:
        assign(self, "attributes", attributes)
        assign(self, "attempts", attempts)
        assign(self, "consumed_capacity", consumed_capacity)
        assign(self, "item_collection_metrics", item_collection_metrics)

    def __repr__(self) -> str:  # without the attributes, whose values may be personal data
        return f"WriteResult(attempts={self.attempts})"


class VersionCheck:
    """Optimistic locking: the version that the stored item must have, and its new version."""

    __slots__ = ("expected", "name", "new")

    def __init__(self, name: str, expected: int) -> None:
        self.name: str = name
        self.expected: int = expected
        self.new: int = expected + 1

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
        try:
            return None if text is None else int(text)
        except ValueError:  # another writer stored a fraction, which no instance has
            return None


class Write(Generic[ItemT_co]):
    """One write in wire form, to be sent alone or in a transaction.

    Args:
        instance: the Item whose version and write id are updated after the write succeeded.
        builder: the UpdateBuilder of an update.
        has_other_condition: whether it has conditions other than that on the version.
    """

    __slots__ = (
        "builder",
        "has_other_condition",
        "instance",
        "is_idempotent",
        "kind",
        "params",
        "shape",
        "table_name",
        "version",
        "write_id",
    )

    def __init__(
        self,
        kind: WriteKind,
        table: Table[Any],
        params: AttributeMap,
        *,
        is_idempotent: bool = True,
        instance: Item | None = None,
        version: VersionCheck | None = None,
        has_other_condition: bool = False,
        write_id: str | None = None,
        builder: UpdateBuilder[Any] | None = None,
    ) -> None:
        self.builder: UpdateBuilder[Any] | None = builder
        self.kind: WriteKind = kind
        self.table_name: str = table.name
        self.shape: ItemShape[Any] = table.shape
        self.params: AttributeMap = params
        self.is_idempotent: bool = is_idempotent
        self.instance: Item | None = instance
        self.version: VersionCheck | None = version
        self.has_other_condition: bool = has_other_condition
        self.write_id: str | None = write_id

    def __repr__(self) -> str:  # without the parameters, whose values may be personal data
        return f"Write({self.kind!r}, {self.table_name!r})"

    def replaced_names(self) -> frozenset[str]:
        """The attributes that an update replaces as a whole."""
        if self.builder is None:
            return frozenset()
        update = self.builder.written_for(self.shape.schema).update
        return whole_names(action.path for action in update.actions)

    @property
    def operation(self) -> str:
        """The operation for the write alone."""
        return f"{self.kind}Item"

    def request(self, return_values: str | None, **members: str | None) -> Request:
        """The write as PutItem, UpdateItem or DeleteItem."""
        params = self.params
        if return_values is not None or members:
            params = {**params, **present({"ReturnValues": return_values, **members})}
        return Request(
            params,
            Call(
                operation=self.operation,
                table_name=self.table_name,
                is_write=True,
                # A repeat would return this call's own new values as the old ones.
                is_repeatable=self.is_idempotent and return_values not in _RETURNS_OLD,
                resolve_condition_failure=(
                    self.resolve if "ConditionExpression" in self.params else None
                ),
            ),
            self.shape.item_class,
        )

    def resolve(self, stored: AttributeMap | None) -> Resolution:
        """Whether an earlier attempt of this same write made the condition fail.

        Its unique write id in the stored item proves it. Nothing proves the contrary: after an
        applied attempt, another writer may have stored anything, even an older version.
        """
        return "applied" if self.is_stored_in(stored) else "unknown"

    def is_stored_in(self, stored: AttributeMap | None) -> bool:
        """Whether the stored item (in wire form) has the id of this write."""
        if stored is None or self.write_id is None:
            return False
        attribute = self.shape.schema.write_id if self.shape.schema is not None else None
        return attribute is not None and stored.get(attribute.name) == {"S": self.write_id}

    def key(self) -> dict[str, AttributeValue] | None:
        """The key in wire form, or None for a plain put, whose key only the table knows."""
        if self.kind != "Put":
            key: dict[str, AttributeValue] = self.params["Key"]
            return key
        schema = self.shape.schema
        if schema is None:
            return None
        return {name: self.params["Item"][name] for name in sorted(schema.key_names)}

    def is_version_conflict(self, stored: AttributeMap | None) -> bool:
        """Whether a condition failed because of the version."""
        if self.version is None:
            return False
        if not self.has_other_condition:
            return True
        stored_version = self.version.stored(stored)
        if stored_version is None:
            # No item, or one without a version, is right only for a first write.
            return self.version.expected != _first_version(self.shape)
        return stored_version != self.version.expected

    def with_write_id(self, write_id: str) -> Write[ItemT_co]:
        """The same write with another write id."""
        stored = {"S": self.write_id}
        member = "Item" if self.kind == "Put" else "ExpressionAttributeValues"
        values = self.params[member]
        name = next(name for name, value in values.items() if value == stored)
        return Write(
            self.kind,
            Table(self.table_name, self.shape),
            {**self.params, member: {**values, name: {"S": write_id}}},
            is_idempotent=self.is_idempotent,
            instance=self.instance,
            version=self.version,
            has_other_condition=self.has_other_condition,
            write_id=write_id,
        )

    def advance(self) -> None:
        """After a success: set the instance's version and write id to the stored ones."""
        schema = self.shape.schema
        if self.instance is None or schema is None or self.kind == "Delete":
            return
        if self.version is not None and schema.version is not None:
            setattr(self.instance, schema.version.field_name, self.version.new)
        if self.write_id is not None and schema.write_id is not None:
            setattr(self.instance, schema.write_id.field_name, self.write_id)

    def describe(self, error: BaseException | None) -> None:
        """Add the item's key to an error about an unknown outcome."""
        if isinstance(error, OutcomeUnknownError):
            key = self.key()
            error.key = None if key is None else self.shape.decode_part(key)
            error.write_id = self.write_id


# Writes from typed arguments


def put(
    table: Table[Any],
    item: object,
    *,
    condition: ConditionLike | None = None,
    write_id: str | None = None,
) -> Write[Any]:
    """A put of a whole item, with a version check if it has a version.

    Args:
        write_id: the unique id of this write; None if the Item class has no attribute for it.
    """
    encoded = table.shape.encode(item)
    schema = table.shape.schema
    instance = item if isinstance(item, Item) and schema is not None else None
    version = version_check(table, instance)
    if version is not None:
        encoded[version.name] = {"N": str(version.new)}
    if write_id is not None and schema is not None and schema.write_id is not None:
        encoded[schema.write_id.name] = {"S": write_id}
    params: dict[str, Any] = {"TableName": table.name, "Item": encoded}
    _add_condition(params, table, condition, version)
    return Write(
        "Put",
        table,
        params,
        instance=instance,
        version=version,
        has_other_condition=condition is not None,
        write_id=write_id,
    )


def update(
    table: Table[Any],
    key: Key,
    builder: UpdateBuilder,
    *,
    condition: ConditionLike | None = None,
    write_id: str | None = None,
) -> Write[Any]:
    """An update of one item, with a version check if the key is an instance with a version."""
    if not isinstance(builder, UpdateBuilder):
        raise UnsupportedTypeError(
            "update",
            f"an UpdateBuilder is expected, not {type(builder).__name__}. Fix: "
            "UpdateBuilder().set(...), or UpdateBuilder.from_patch(...) for a dict",
        )
    schema = table.shape.schema
    encoded_key = table.shape.encode_key(key)
    instance = key if isinstance(key, Item) and schema is not None else None
    version = version_check(table, instance)
    own: list[tuple[Any, object]] = []
    if schema is not None and version is not None:
        own.append((table.shape.attribute(version.name), version.new))
    if schema is not None and schema.write_id is not None and write_id is not None:
        own.append((table.shape.attribute(schema.write_id.name), write_id))
    compiled = builder.compile(
        schema, encoded_key, condition=_conditions(table, condition, version), own=own
    )
    params: dict[str, Any] = {"TableName": table.name, "Key": encoded_key, **compiled.members}
    if "ConditionExpression" in params:
        params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return Write(
        "Update",
        table,
        params,
        is_idempotent=compiled.is_idempotent,
        instance=instance,
        version=version,
        has_other_condition=condition is not None or compiled.has_condition,
        write_id=write_id,
        builder=builder,
    )


def values_read_again(table: Table[Any], builder: object) -> object:
    """The values of an update of another class than the table's: that class must read them."""
    if not isinstance(builder, UpdateBuilder):
        return None
    return builder.values_for(table.shape.schema)


def delete(
    table: Table[Any],
    key: Key,
    *,
    condition: ConditionLike | None = None,
    write_id: str | None = None,
) -> Write[Any]:
    """A delete of one item, with a version check if the key is an instance with a version.

    It stores no write id, because no item is left.
    """
    instance = key if isinstance(key, Item) and table.shape.schema is not None else None
    version = version_check(table, instance)
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    _add_condition(params, table, condition, version)
    return Write(
        "Delete",
        table,
        params,
        instance=instance,
        version=version,
        has_other_condition=condition is not None,
    )


def check(table: Table[Any], key: Key, condition: ConditionLike) -> Write[Any]:
    """A condition on an item that the transaction does not change."""
    params: dict[str, Any] = {"TableName": table.name, "Key": table.shape.encode_key(key)}
    _add_condition(params, table, condition, None)
    return Write("ConditionCheck", table, params)


# Plans


def write_plan(
    write: Write[Any], state: CallState, return_values: str | None, **members: str | None
) -> Plan[WriteResult[Any]]:
    """Make the write alone, and return its result.

    After a lost answer, the stored item is read, if the write stores an id.
    """
    state.describe = describe = (
        partial(_describe, write, return_values)
        if _leaves_id(write, return_values)
        else write.describe
    )
    try:
        success = yield write.request(return_values, **members)
    except ConditionalCheckFailedError as error:
        read = partial(explained, write, error)
        raise (yield from aside_plan(read, if_long=holds_many(error.item))) from error.__cause__
    except OutcomeUnknownError as error:
        describe(error)
        if not _leaves_id(write, return_values):
            raise
        return (yield from settle_plan(write, state, return_values, error))
    except BaseException as cancellation:
        describe(cancellation.__cause__)
        raise
    response = success.response
    if response is None or return_values is not None or "Attributes" in response:
        return (yield from finish_plan(write, state, success, return_values))
    if write.instance is not None:
        write.advance()
    return _result(state, response, None)


def finish_plan(
    write: Write[Any],
    state: CallState,
    success: Success,
    return_values: str | None,
    token: str | None = None,
) -> Plan[WriteResult[Any]]:
    """The result of a write that was applied; ALL_NEW is read back if the answer lacks it.

    Raises:
        OutcomeUnknownError: the answer was lost, and with it the attributes that were asked for.
    """
    write.advance()
    if success.response is None and return_values not in (None, "NONE", "ALL_NEW"):
        unknown = OutcomeUnknownError(
            write.operation,
            table_name=write.table_name,
            attempts=success.attempts,
            reason=f"{APPLIED}{return_values} was in the answer that was lost",
        )
        write.describe(unknown)
        raise unknown
    response = success.response or {}
    attributes = response.get("Attributes")
    decoded: Any = None
    if attributes is not None:
        if return_values in ("ALL_OLD", "ALL_NEW"):
            decode = partial(write.shape.decode, attributes)
        else:
            decode = partial(write.shape.decode_part, attributes, write.replaced_names())
        decoded = yield from aside_plan(decode, if_long=type(response) is Large)
    elif return_values == "ALL_NEW":
        decoded = yield from _read_back_plan(write, token)
    return _result(state, response, decoded)


def _result(state: CallState, response: Mapping[str, Any], attributes: Any) -> WriteResult[Any]:
    return WriteResult(
        attributes=attributes,
        attempts=state.attempts,
        consumed_capacity=_only(response.get("ConsumedCapacity")),
        item_collection_metrics=_only(response.get("ItemCollectionMetrics")),
    )


def settle_plan(
    write: Write[Any], state: CallState, return_values: str | None, unknown: OutcomeUnknownError
) -> Plan[WriteResult[Any]]:
    """Find out with one consistent read whether the write was applied.

    If its id is stored, it was. With another id, or none, the outcome stays unknown: the request
    may not have arrived, or another writer may have come after it.
    """
    unknown._resolve_plan = lambda again: settle_plan(write, again, return_values, unknown)
    try:
        stored = yield from _stored_plan(write)
    except DynasafeError as error:
        unknown.add_note(f"Its item could not be read: {type(error).__name__}")
        raise unknown from unknown.__cause__
    except BaseException as cancellation:
        raise cancellation from unknown
    if not write.is_stored_in(stored):
        unknown.item = stored
        raise unknown from unknown.__cause__
    state.is_applied = True
    write.advance()
    decoded = None
    if return_values == "ALL_NEW":
        decode = partial(write.shape.decode, stored)
        decoded = yield from aside_plan(decode, if_long=holds_many(stored))
    return WriteResult(attributes=decoded, attempts=state.attempts)


def _describe(write: Write[Any], return_values: str | None, error: BaseException | None) -> None:
    """Add to an unknown outcome what is known, and how the write's id settles it."""
    write.describe(error)
    if isinstance(error, OutcomeUnknownError):
        error._resolve_plan = lambda again: settle_plan(write, again, return_values, error)


def _leaves_id(write: Write[Any], return_values: str | None) -> bool:
    """Whether the stored item can prove that the write was applied, and gives its result."""
    return write.write_id is not None and return_values in (None, "NONE", "ALL_NEW")


def _stored_plan(write: Write[Any]) -> Plan[Any]:
    """The item from one consistent read, in wire form, or None."""
    params = {"TableName": write.table_name, "Key": write.key(), "ConsistentRead": True}
    success = yield read("GetItem", write.table_name, params, is_sent_once=True)
    return success.response.get("Item")


def _read_back_plan(write: Write[Any], token: str | None) -> Plan[Any]:
    params = {"TableName": write.table_name, "Key": write.params["Key"], "ConsistentRead": True}
    unknown = OutcomeUnknownError(
        write.operation,
        table_name=write.table_name,
        reason=f"{APPLIED}not read back",
        client_request_token=token,
    )
    write.describe(unknown)
    try:
        success = yield read("GetItem", write.table_name, params)
    except DynasafeError as error:
        # The read's own error would say that nothing was sent, or that it was refused.
        unknown.reason += f": {type(error).__name__}"
        raise unknown from error
    except BaseException as cancellation:
        raise cancellation from unknown
    item = success.response.get("Item")
    if item is None:
        return None
    decode = partial(write.shape.decode, item)
    return (yield from aside_plan(decode, if_long=type(success.response) is Large))


def explained(write: Write[Any], error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
    """The same error with a typed item; a VersionConflictError if the version was the reason."""
    stored: AttributeMap | None = error.item
    if write.is_version_conflict(stored):
        assert write.version is not None
        conflict = VersionConflictError(
            error.operation,
            error.code,
            error.message,
            error_class=error.error_class,
            table_name=error.table_name,
            http_status=error.http_status,
            request_id=error.request_id,
            attempts=error.attempts,
        )
        conflict.expected_version = write.version.expected
        conflict.stored_version = write.version.stored(stored)
        error = conflict
    error.item = write.shape.decode_refused(stored, error)
    return error


def _only(found: Any) -> Any:
    """The result of the only operation, from a transaction's list or map of results."""
    if isinstance(found, list):
        return found[0] if found else None
    return found


# Conditions and versions


def _first_version(shape: ItemShape[Any]) -> int:
    schema = shape.schema
    assert schema is not None
    assert schema.version is not None
    return int(schema.version.default()) if schema.version.has_default else 0


def version_check(table: Table[Any], instance: Item | None) -> VersionCheck | None:
    """The version of an instance and the next one; None if its class has no version.

    Raises:
        UnsupportedTypeError: the instance's version is not an int.
    """
    schema = table.shape.schema
    if instance is None or schema is None or schema.version is None:
        return None
    expected = getattr(instance, schema.version.field_name)
    if isinstance(expected, bool) or not isinstance(expected, int):
        raise UnsupportedTypeError(
            schema.version.name, f"a version is an int, not {type(expected).__name__}"
        )
    return VersionCheck(schema.version.name, expected)


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
    params.update(render_members({"ConditionExpression": node}))
    # Returning the old item costs nothing, and shows the caller why the condition failed.
    params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
