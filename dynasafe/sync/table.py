"""Table: the typed operations of one table, repeated only if that is safe.

Source: "Actions", Amazon DynamoDB API Reference.
"""

# Made from dynasafe/aio/table.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Unpack, cast, overload
from uuid import uuid4

from dynasafe.calls import reads, requests, writes
from dynasafe.calls.options import (
    DEFAULT_MAX_CONNECTIONS,
    CallOptions,
    Keywords,
    OnInvalid,
    QueryOptions,
    ScanOptions,
    Settings,
    TableOptions,
    WriteOptions,
)
from dynasafe.calls.reads import Get
from dynasafe.calls.transactions import single_write_plan
from dynasafe.calls.writes import ReturnOld, Write, WriteResult
from dynasafe.items.conditions import ConditionLike
from dynasafe.items.item_format import ItemShape, ItemT, Key
from dynasafe.items.projections import ProjectionLike
from dynasafe.items.updates import ReturnValues, UpdateBuilder
from dynasafe.sync.clock import Clock
from dynasafe.sync.execute import Executor
from dynasafe.sync.transport import Transport

if TYPE_CHECKING:
    from dynasafe.sync.pages import Pages

PlainItem = dict[str, Any]

_TABLE = Keywords("Table", TableOptions, ("clock", "item_class", "max_connections", "name"))
_GET = Keywords("get_item", named=("key", "consistent_read", "projection"))
_PUT = Keywords("put_item", WriteOptions, ("item", "return_values"))
_UPDATE = Keywords("update_item", WriteOptions, ("key", "update", "return_values"))
_DELETE = Keywords("delete_item", WriteOptions, ("key", "return_values"))
_QUERY = Keywords("query", QueryOptions, ("key_condition", "projection"))
_SCAN = Keywords("scan", ScanOptions, ("projection",))
_BATCH_GET = Keywords("batch_get_item", named=("keys", "consistent_read", "on_invalid"))
_BATCH_WRITE = Keywords("batch_write_item", named=("put", "delete"))


class Table(Generic[ItemT]):
    """A table. Its items are instances of an Item class, or plain dicts.

    Usually made by `DynamoDB.table()`. Many threads may call the methods of one table at once.

    Args:
        name: the table's name or ARN.
        item_class: the class of the items: an Item class, a pydantic model, a dataclass or a
            TypedDict. Without it, items are dicts.
        transport: sends the requests.
        clock: gives the time and random numbers.
        max_connections: the largest number of requests in progress at once.
        options: see `TableOptions`.
    """

    @overload
    def __init__(
        self: Table[PlainItem],
        name: str,
        item_class: None = None,
        *,
        transport: Transport,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        **options: Unpack[TableOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        item_class: type[ItemT],
        *,
        transport: Transport,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        **options: Unpack[TableOptions],
    ) -> None: ...
    def __init__(
        self,
        name: str,
        item_class: Any = None,
        *,
        transport: Transport,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        **options: Unpack[TableOptions],
    ) -> None:
        executor = Executor(transport, clock=clock, max_connections=max_connections)
        self._connect(name, item_class, executor, _TABLE.settings(options, Settings()))

    def _connect(self, name: str, item_class: Any, executor: Executor, settings: Settings) -> None:
        self._table: requests.Table[ItemT] = requests.Table(name, ItemShape(item_class))
        self._executor = executor
        self._settings = settings

    @property
    def name(self) -> str:
        """The table's name or ARN."""
        return self._table.name

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self._table.shape.name})"

    # One item

    @overload
    def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: None = None,
        **options: Unpack[CallOptions],
    ) -> ItemT | None: ...
    @overload
    def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: ProjectionLike,
        **options: Unpack[CallOptions],
    ) -> PlainItem | None: ...
    def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: ProjectionLike | None = None,
        **options: Unpack[CallOptions],
    ) -> ItemT | PlainItem | None:
        """The item, or None if it is missing. With a projection, a dict with DynamoDB's names.

        Raises:
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
            StoredValueError: the stored item does not fit the item class.
        """
        settings = _GET.settings(options, self._settings)
        table = self._table
        return cast(
            "ItemT | PlainItem | None",
            self._executor.call(
                "GetItem",
                table.name,
                settings,
                lambda _: reads.get_plan(table, key, projection, consistent_read),
            ),
        )

    @overload
    def put_item(
        self,
        item: ItemT,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    def put_item(
        self,
        item: ItemT,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    def put_item(
        self,
        item: ItemT,
        *,
        return_values: ReturnOld | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Create the item, or replace the whole stored item.

        An item with a version is written only if the stored item still has that version. Then
        the version is advanced.

        Args:
            exactly_once: as in `update_item`; it excludes `return_values`.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: the item may have been put or not.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        make = partial(writes.put, self._table, item)
        return self._write("PutItem", make, item, _PUT, options, return_values)

    @overload
    def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["ALL_NEW"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT]: ...
    @overload
    def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["UPDATED_OLD", "UPDATED_NEW"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[PlainItem | None]: ...
    @overload
    def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: ReturnValues | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Change some attributes of an item. A missing item is created.

        If the key is an instance with a version, the item is changed only if the stored item still
        has that version. Then the version is advanced, in the instance too. With a plain key, the
        version is neither checked nor changed.

        Args:
            condition: must hold in addition to the builder's own.
            exactly_once: send the update as a transaction with a token, by which DynamoDB
                recognises a repeat for 10 minutes. So an increment whose answer was lost counts
                once. It costs two write units instead of one. The only return_values is ALL_NEW,
                which takes a consistent read afterwards: others may have changed the item again.
            client_request_token: a token of your own, stored outside the process, to continue
                after a crash: the same call with the same token within 10 minutes is applied
                once. Implies exactly_once.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: the update may have been applied or not. With exactly_once,
                `error.resolve()` finds out.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        make = partial(writes.update, self._table, key, update)
        given = writes.values_read_again(self._table, update)
        return self._write("UpdateItem", make, given, _UPDATE, options, return_values)

    @overload
    def delete_item(
        self,
        key: Key,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    def delete_item(
        self,
        key: Key,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    def delete_item(
        self,
        key: Key,
        *,
        return_values: ReturnOld | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Delete the item. A missing item is not an error.

        If the key is an instance with a version, the item is deleted only if the stored item still
        has that version.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: the item may have been deleted or not.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        make = partial(writes.delete, self._table, key)
        return self._write("DeleteItem", make, None, _DELETE, options, return_values)

    # Many items

    @overload
    def query(
        self,
        key_condition: ConditionLike,
        *,
        projection: None = None,
        **options: Unpack[QueryOptions],
    ) -> Pages[ItemT]: ...
    @overload
    def query(
        self,
        key_condition: ConditionLike,
        *,
        projection: ProjectionLike,
        **options: Unpack[QueryOptions],
    ) -> Pages[PlainItem]: ...
    def query(
        self,
        key_condition: ConditionLike,
        *,
        projection: ProjectionLike | None = None,
        **options: Unpack[QueryOptions],
    ) -> Pages[Any]:
        """The items under one partition key, in the order of the sort key.

            for person in people.query(Person.id == "p1"): ...

        Args:
            key_condition: equality on the partition key, and at most one condition on the sort
                key, joined by `&`.
            filter: leaves out items that do not match; you pay for reading them.
            limit: the number of items that one request reads, before the filter.
            max_items: the largest number of items that you get, over all requests.
            exclusive_start_key: a page's `last_evaluated_key`, to continue after it.
        """
        own, settings = _QUERY.split(options, self._settings)
        return self._pages("Query", key_condition, projection, own, settings)

    @overload
    def scan(
        self,
        *,
        projection: None = None,
        **options: Unpack[ScanOptions],
    ) -> Pages[ItemT]: ...
    @overload
    def scan(
        self,
        *,
        projection: ProjectionLike,
        **options: Unpack[ScanOptions],
    ) -> Pages[PlainItem]: ...
    def scan(
        self,
        *,
        projection: ProjectionLike | None = None,
        **options: Unpack[ScanOptions],
    ) -> Pages[Any]:
        """All items of the table, or of an index.

        Args:
            total_segments: read this number of parts of the table at once. Items then come in no
                fixed order.

        The other arguments are those of `query`.
        """
        own, settings = _SCAN.split(options, self._settings)
        return self._pages("Scan", None, projection, own, settings)

    def batch_get_item(
        self,
        keys: Iterable[Key],
        *,
        consistent_read: bool | None = None,
        on_invalid: OnInvalid = "raise",
        **options: Unpack[CallOptions],
    ) -> list[ItemT]:
        """The items with these keys, in the order of the keys; missing items are left out.

        You may give any number of keys. They are sent 100 at a time, and the keys that DynamoDB
        hands back are sent again. A key that is given twice is read once, and its item comes twice.

        Args:
            on_invalid: what to do with a stored item that does not fit the item class: "raise" the
                error, "skip" the item, or call this function with the StoredValueError.

        Raises:
            BatchIncompleteError: it stopped half-way; `items` has the items that were read.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
            StoredValueError: a stored item does not fit the item class.
        """
        from dynasafe.calls import batches

        settings = _BATCH_GET.settings(options, self._settings)
        table = self._table
        found: list[ItemT] = self._executor.call(
            "BatchGetItem",
            table.name,
            settings,
            lambda state: batches.batch_get_plan(table, keys, consistent_read, state, on_invalid),
        )
        return found

    def batch_write_item(
        self,
        *,
        put: Iterable[ItemT] = (),
        delete: Iterable[Key] = (),
        **options: Unpack[CallOptions],
    ) -> None:
        """Put and delete any number of items, 25 at a time. It is not a transaction.

        The entries that DynamoDB hands back are sent again. A batch has no conditions, so versions
        are not checked. The versions of the put items and instances are advanced.

        Args:
            put, delete: a collection is checked as a whole before anything is sent, also for two
                writes of one item. An iterator is read 25 entries at a time, and its entries are
                not kept, so it may be larger than the memory. Two writes of one item are then seen
                only within the same 25 entries; otherwise the later write holds. After an error,
                the iterator is positioned after the last entry reported. If the iterator raises
                before anything was processed, you get its exception unchanged.

        Raises:
            BatchIncompleteError: it stopped half-way; `processed`, `unprocessed` and `unknown`
                have the entries.
            OutcomeUnknownError: the only request of the batch may have been applied or not.
            ValueOutOfRangeError: two of the writes are of one item.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        from dynasafe.calls import batches

        settings = _BATCH_WRITE.settings(options, self._settings)
        table = self._table
        self._executor.call(
            "BatchWriteItem",
            table.name,
            settings,
            lambda state: batches.batch_write_plan(table, put, delete, state),
        )

    # Parts of a transaction

    def put(self, item: ItemT, *, condition: ConditionLike | None = None) -> Write[ItemT]:
        """A put for `transact_write_items`."""
        return writes.put(self._table, item, condition=condition, write_id=self._new_write_id())

    def update(
        self, key: Key, update: UpdateBuilder, *, condition: ConditionLike | None = None
    ) -> Write[ItemT]:
        """An update for `transact_write_items`."""
        return writes.update(
            self._table, key, update, condition=condition, write_id=self._new_write_id()
        )

    def delete(self, key: Key, *, condition: ConditionLike | None = None) -> Write[ItemT]:
        """A delete for `transact_write_items`."""
        return writes.delete(self._table, key, condition=condition)

    def check(self, key: Key, condition: ConditionLike) -> Write[ItemT]:
        """A condition for `transact_write_items` on an item that it does not change."""
        return writes.check(self._table, key, condition)

    @overload
    def get(self, key: Key, *, projection: None = None) -> Get[ItemT]: ...
    @overload
    def get(self, key: Key, *, projection: ProjectionLike) -> Get[PlainItem]: ...
    def get(self, key: Key, *, projection: ProjectionLike | None = None) -> Get[Any]:
        """A read for `transact_get_items`."""
        return reads.transact_get(self._table, key, projection=projection)

    # Internal. Pages and batches are loaded at first use.

    def _pages(
        self,
        operation: Literal["Query", "Scan"],
        key_condition: ConditionLike | None,
        projection: ProjectionLike | None,
        options: Mapping[str, Any],
        settings: Settings,
    ) -> Pages[Any]:
        from dynasafe.calls.pages import paging
        from dynasafe.sync.pages import Pages

        paged = paging(operation, self._table, key_condition, projection, options)
        return Pages(self._executor, settings, paged)

    def _write(
        self,
        operation: str,
        make: Callable[..., Write[Any]],
        given: object,
        keywords: Keywords,
        options: WriteOptions,
        return_values: str | None,
    ) -> WriteResult[Any]:
        settings = self._settings
        own: Mapping[str, Any] = options
        if options:
            own, settings = keywords.split(options, settings)
        plan_of = partial(single_write_plan, self._table, make, given, own, return_values)
        return self._executor.call(operation, self._table.name, settings, plan_of)

    def _new_write_id(self) -> str | None:
        """Only if items have an attribute for it: a random id costs as much as an update's
        expression."""
        schema = self._table.shape.schema
        return None if schema is None or schema.write_id is None else str(uuid4())


def connected_table(
    name: str, item_class: type[ItemT] | None, executor: Executor, settings: Settings
) -> Table[ItemT]:
    """A table that shares its client's connections, quota and circuit breakers."""
    table: Table[ItemT] = Table.__new__(Table)
    table._connect(name, item_class, executor, settings)
    return table
