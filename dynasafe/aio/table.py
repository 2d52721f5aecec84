"""AsyncTable: one table's operations, typed, repeated only where that is safe.

Source: "Actions", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Generic, Literal, TypeVar, cast, overload
from uuid import uuid4

from typing_extensions import Unpack

from dynasafe.aio.batches import (
    Batch,
    Encode,
    require_distinct,
    require_same_names,
    send_part,
    wait_for_unprocessed,
    write_fingerprint,
)
from dynasafe.aio.clock import Clock
from dynasafe.aio.execute import Executor
from dynasafe.aio.pages import Pages
from dynasafe.aio.settings import (
    DEFAULT_MAX_CONNECTIONS,
    CallOptions,
    Settings,
    TableOptions,
)
from dynasafe.aio.transactions import new_token, run_with_token
from dynasafe.aio.transport import Transport
from dynasafe.calls import requests as operations
from dynasafe.calls.requests import Get, ReturnOld, Select, Table, Write, WriteResult
from dynasafe.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    DynasafeError,
    OutcomeUnknownError,
    TransactionCanceledError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    VersionConflictError,
)
from dynasafe.items.conditions import ConditionLike
from dynasafe.items.item_format import ItemShape, ItemT, Key
from dynasafe.items.projections import ProjectionLike
from dynasafe.items.updates import (
    ReturnConsumedCapacity,
    ReturnItemCollectionMetrics,
    ReturnValues,
    UpdateBuilder,
)
from dynasafe.limits import MAX_BATCH_GET_KEYS, MAX_BATCH_WRITES, MAX_TOTAL_SEGMENTS
from dynasafe.resilience.attempts import Success
from dynasafe.resilience.deadline import Deadline
from dynasafe.resilience.settings_rules import require_count
from dynasafe.values.wire import fingerprint

T = TypeVar("T")
PlainItem = dict[str, Any]
AttributeMap = Mapping[str, Any]


class WriteOptions(CallOptions, total=False):
    """What puts, updates and deletes may be told besides."""

    condition: ConditionLike | None
    """Must hold for the stored item; with an update, beside the builder's own."""
    return_consumed_capacity: ReturnConsumedCapacity | None
    return_item_collection_metrics: ReturnItemCollectionMetrics | None
    exactly_once: bool
    """Send it as a transaction under a token; see `AsyncTable.update_item`."""
    client_request_token: str | None
    """A token of your own; see `AsyncTable.update_item`."""


class ScanOptions(CallOptions, total=False):
    """What scans may be told."""

    filter: ConditionLike | None
    """What is read and does not fit is left out; it is paid for all the same."""
    index_name: str | None
    consistent_read: bool | None
    limit: int | None
    """How many items one request reads, before the filter."""
    max_items: int | None
    """How many items come at most, over all requests."""
    exclusive_start_key: Mapping[str, Any] | None
    """A page's `last_evaluated_key`, to go on after it."""
    select: Select | None
    return_consumed_capacity: ReturnConsumedCapacity | None
    total_segments: int | None
    """Read so many parts of the table at once; items then come in no order."""


class QueryOptions(CallOptions, total=False):
    """What queries may be told: as scans, but for segments, and the order."""

    filter: ConditionLike | None
    index_name: str | None
    consistent_read: bool | None
    scan_index_forward: bool | None
    """False: the highest sort key first."""
    limit: int | None
    max_items: int | None
    exclusive_start_key: Mapping[str, Any] | None
    select: Select | None
    return_consumed_capacity: ReturnConsumedCapacity | None


class AsyncTable(Generic[ItemT]):
    """A table, whose items are instances of an Item class, or plain dicts.

    Usually made by `AsyncDynamoDB.table()`. All methods of one table may be called by many tasks
    at once, on one event loop.

    Args:
        name: the table's name or ARN.
        item_class: the class of its items; without it they are dicts.
        transport: sends the requests.
        clock: where time comes from.
        max_connections: how many requests are under way at once.
        options: see `TableOptions`.
    """

    @overload
    def __init__(
        self: AsyncTable[PlainItem],
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
        self._connect(name, item_class, executor, Settings().override(options))

    def _connect(self, name: str, item_class: Any, executor: Executor, settings: Settings) -> None:
        self._table: Table[ItemT] = Table(name, ItemShape(item_class))
        self._executor = executor
        self._settings = settings

    @property
    def name(self) -> str:
        """The table's name or ARN."""
        return self._table.name

    def __repr__(self) -> str:
        item_class = self._table.shape.item_class
        return f"AsyncTable({self.name!r}, {item_class.__name__ if item_class else 'dict'})"

    # One item

    @overload
    async def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: None = None,
        **options: Unpack[CallOptions],
    ) -> ItemT | None: ...
    @overload
    async def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: ProjectionLike,
        **options: Unpack[CallOptions],
    ) -> PlainItem | None: ...
    async def get_item(
        self,
        key: Key,
        *,
        consistent_read: bool | None = None,
        projection: ProjectionLike | None = None,
        **options: Unpack[CallOptions],
    ) -> ItemT | PlainItem | None:
        """The item, or None. With a projection, a dict by the names in DynamoDB.

        Raises:
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
            StoredValueError: the stored item does not fit the item class.
        """
        request = operations.get(
            self._table, key, projection=projection, consistent_read=consistent_read
        )
        response = await self._read(request, options)
        item = response.get("Item")
        if item is None:
            return None
        shape = self._table.shape
        return shape.decode(item) if projection is None else shape.decode_part(item)

    @overload
    async def put_item(
        self,
        item: ItemT,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    async def put_item(
        self,
        item: ItemT,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    async def put_item(
        self,
        item: ItemT,
        *,
        return_values: ReturnOld | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Create the item, or replace it as a whole.

        An item with a version is written only if the stored one still has it, and then has the
        next one.

        Args:
            exactly_once: as in `update_item`; `return_values` cannot be asked for then.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: it may or may not have been put.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        write = operations.put(
            self._table, item, condition=options.get("condition"), write_id=self._new_write_id()
        )
        return await self._write(write, return_values, options)

    @overload
    async def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["ALL_NEW"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT]: ...
    @overload
    async def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    async def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["UPDATED_OLD", "UPDATED_NEW"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[PlainItem | None]: ...
    @overload
    async def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    async def update_item(
        self,
        key: Key,
        update: UpdateBuilder,
        *,
        return_values: ReturnValues | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Change some attributes of an item; one that is missing is created.

        If the key is an instance with a version, the item is changed only if the stored one still
        has that version, and then has the next one, as has the instance. By a plain key, versions
        are left alone.

        Args:
            condition: must hold too, beside the builder's own.
            exactly_once: send it as a transaction under a token by which DynamoDB recognises a
                repeat, so that a lost answer never makes an increment count twice. It costs two
                write units in place of one. Of return_values only ALL_NEW can be had: the item
                as a consistent read finds it afterwards, when others may have changed it again.
            client_request_token: a token of your own, kept somewhere safe, by which you can go on
                after a crash: the same call with the same token within 10 minutes is applied
                once. Implies exactly_once.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: it may or may not have been applied. If it was exactly_once,
                `await error.resolve()` finds out.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        write = operations.update(
            self._table,
            key,
            update,
            condition=options.get("condition"),
            write_id=self._new_write_id(),
        )
        return await self._write(write, return_values, options)

    @overload
    async def delete_item(
        self,
        key: Key,
        *,
        return_values: Literal["ALL_OLD"],
        **options: Unpack[WriteOptions],
    ) -> WriteResult[ItemT | None]: ...
    @overload
    async def delete_item(
        self,
        key: Key,
        *,
        return_values: Literal["NONE"] | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[None]: ...
    async def delete_item(
        self,
        key: Key,
        *,
        return_values: ReturnOld | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult[Any]:
        """Delete the item; one that is missing is no error.

        If the key is an instance with a version, only if the stored item still has that version.

        Raises:
            ConditionalCheckFailedError: the condition was false; `item` is the stored item.
            VersionConflictError: the stored version is another.
            OutcomeUnknownError: it may or may not have been deleted.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        write = self.delete(key, condition=options.get("condition"))
        return await self._write(write, return_values, options)

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

            async for person in people.query(Person.id == "p1"): ...

        Args:
            key_condition: equality on the partition key, and at most one condition on the sort
                key, joined by `&`.
            filter: what is read and does not fit is left out; it is paid for all the same.
            limit: how many items one request reads, before the filter.
            max_items: how many items come at most, over all requests.
            exclusive_start_key: a page's `last_evaluated_key`, to go on after it.
        """
        return self._pages("Query", key_condition, projection, options)

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
            total_segments: read so many parts of the table at once; items then come in no order.

        The others are as in `query`.
        """
        total_segments = options.get("total_segments")
        if total_segments is not None:
            require_count("total_segments", total_segments, most=MAX_TOTAL_SEGMENTS)
            if options.get("exclusive_start_key") is not None:
                raise ValueOutOfRangeError(
                    "exclusive_start_key", "a scan of several segments has one start for each"
                )
        return self._pages("Scan", None, projection, options)

    def _pages(
        self,
        operation: Literal["Query", "Scan"],
        key_condition: ConditionLike | None,
        projection: ProjectionLike | None,
        options: QueryOptions | ScanOptions,
    ) -> Pages[Any]:
        own, settings = self._split(options, _OF_QUERIES if operation == "Query" else _OF_SCANS)
        for name in ("limit", "max_items"):
            if own.get(name) is not None:
                require_count(name, own[name])
        shape = self._table.shape
        start = own.get("exclusive_start_key")
        params = operations.pages(
            self._table,
            key_condition=key_condition,
            filter=own.get("filter"),
            projection=projection,
            IndexName=own.get("index_name"),
            Select=own.get("select"),
            Limit=own.get("limit"),
            ConsistentRead=own.get("consistent_read"),
            ScanIndexForward=own.get("scan_index_forward"),
            ExclusiveStartKey=None if start is None else _encode_start(shape, start),
            ReturnConsumedCapacity=own.get("return_consumed_capacity"),
        )
        return Pages(
            self._executor,
            settings,
            operation=operation,
            table=self._table,
            params=params,
            decode=shape.decode if projection is None else shape.decode_part,
            decode_key=shape.decode_part,
            max_items=own.get("max_items"),
            total_segments=own.get("total_segments"),
        )

    async def batch_get_item(
        self,
        keys: Iterable[Key],
        *,
        consistent_read: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> list[ItemT]:
        """The items with these keys, in the order of the keys; missing ones are left out.

        Any number of keys: they are sent 100 at a time, and what DynamoDB hands back is sent
        again. A key that is given twice is read once, and its item comes twice.

        Raises:
            BatchIncompleteError: it stopped half-way; `items` has what was found.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
            StoredValueError: a stored item does not fit the item class.
        """
        settings = self._settings.override(options)
        shape = self._table.shape
        given = list(keys)
        encoded = [shape.encode_key(key) for key in given]
        for index, each in enumerate(encoded):
            require_same_names(index, each, encoded[0])
        prints = [fingerprint(key) for key in encoded]
        first: dict[Hashable, Key] = {}
        for print_, key in zip(prints, given, strict=True):
            first.setdefault(print_, key)
        batch = Batch(
            operation="BatchGetItem",
            table_name=self.name,
            source=zip(repeat(shape.encode_key), first.values()),
            total=len(first),
            deadline=self._deadline(settings),
        )
        found: dict[Hashable, ItemT] = {}
        extra = {} if consistent_read is None else {"ConsistentRead": consistent_read}
        while part := batch.next_part(MAX_BATCH_GET_KEYS):
            entry = {"Keys": [each.wire for each in part], **extra}
            request = operations.batch_get(self._table, entry)
            response = await send_part(self._executor, settings, batch, request, part)
            names = part[0].wire.keys()
            try:
                read = {
                    fingerprint({name: item[name] for name in names}): shape.decode(item)
                    for item in _first_of(response.get("Responses"), ())
                }
            except Exception as error:  # a codec may raise whatever it likes
                batch.stop(error, part, is_unknown=True)
            found |= read
            batch.items += read.values()
            handed_back = _first_of(response.get("UnprocessedKeys"), {})
            if batch.note(part, handed_back.get("Keys", ()), fingerprint):
                await wait_for_unprocessed(self._executor, settings, batch)
        return [found[print_] for print_ in prints if print_ in found]

    async def batch_write_item(
        self,
        *,
        put: Iterable[ItemT] = (),
        delete: Iterable[Key] = (),
        **options: Unpack[CallOptions],
    ) -> None:
        """Put and delete any number of items, 25 at a time; not as one transaction.

        What DynamoDB hands back is sent again. A batch has no conditions, so versions are stored
        as they are, and not checked.

        Args:
            put, delete: a collection is looked at as a whole before anything is sent: each entry
                can be sent, and no two are of one item. An iterator is taken 25 entries at a time,
                looked at as it comes, and not kept, so that it may be longer than the memory; after
                an error it stands behind the last one that the error has. What it raises itself
                is raised as it is, if nothing was processed yet.

        Raises:
            BatchIncompleteError: it stopped half-way; `processed`, `unprocessed` and `unknown`
                hold what was given.
            OutcomeUnknownError: the only request of the batch may or may not have been applied.
            ValueOutOfRangeError: two of the writes are of one item.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        settings = self._settings.override(options)
        is_streamed = isinstance(put, Iterator) or isinstance(delete, Iterator)
        if not is_streamed:
            put, delete = list(put), list(delete)
            self._require_writable(put, delete)
        batch = Batch(
            operation="BatchWriteItem",
            table_name=self.name,
            source=self._writes(put, delete),
            total=None if is_streamed else sum(1 for _ in chain(put, delete)),
            is_streamed=is_streamed,
            deadline=self._deadline(settings),
        )
        while part := batch.next_part(MAX_BATCH_WRITES):
            request = operations.batch_write(self._table, [each.wire for each in part])
            response = await send_part(self._executor, settings, batch, request, part)
            handed_back = _first_of(response.get("UnprocessedItems"), [])
            if batch.note(part, handed_back, write_fingerprint):
                await wait_for_unprocessed(self._executor, settings, batch)

    def _writes(self, put: Iterable[ItemT], delete: Iterable[Key]) -> Iterator[tuple[Encode, Any]]:
        """What is put and deleted, with what makes a write of it."""
        shape = self._table.shape

        def put_request(item: ItemT) -> AttributeMap:
            return {"PutRequest": {"Item": shape.encode(item)}}

        def delete_request(key: Key) -> AttributeMap:
            return {"DeleteRequest": {"Key": shape.encode_key(key)}}

        return chain(zip(repeat(put_request), put), zip(repeat(delete_request), delete))

    def _require_writable(self, put: Iterable[ItemT], delete: Sequence[Key]) -> None:
        schema = self._table.shape.schema
        key_names: Sequence[str] | None = None
        if schema is not None:
            key_names = [each.name for each in schema.key_attributes]
        elif delete:
            key_names = list(self._table.shape.encode_key(delete[0]))
        writes = (encode(given) for encode, given in self._writes(put, delete))
        require_distinct(writes, key_names)

    def _deadline(self, settings: Settings) -> Deadline | None:
        if settings.timeout_s is None:
            return None
        return Deadline.after(settings.timeout_s, now_s=self._executor.clock.now_s())

    # Parts of a transaction

    def put(self, item: ItemT, *, condition: ConditionLike | None = None) -> Write:
        """A put for `transact_write_items`."""
        return operations.put(self._table, item, condition=condition, write_id=self._new_write_id())

    def update(
        self, key: Key, update: UpdateBuilder, *, condition: ConditionLike | None = None
    ) -> Write:
        """An update for `transact_write_items`."""
        return operations.update(
            self._table, key, update, condition=condition, write_id=self._new_write_id()
        )

    def delete(self, key: Key, *, condition: ConditionLike | None = None) -> Write:
        """A delete for `transact_write_items`."""
        return operations.delete(self._table, key, condition=condition)

    def check(self, key: Key, condition: ConditionLike) -> Write:
        """A condition for `transact_write_items` on an item that it does not change."""
        return operations.check(self._table, key, condition)

    def get(self, key: Key, *, projection: ProjectionLike | None = None) -> Get:
        """A read for `transact_get_items`."""
        return operations.transact_get(self._table, key, projection=projection)

    # Within

    def _new_write_id(self) -> str | None:
        """Where items have a place for one; drawing it costs as much as an update's expression."""
        schema = self._table.shape.schema
        return None if schema is None or schema.write_id is None else str(uuid4())

    async def _read(self, request: operations.Request, options: CallOptions) -> AttributeMap:
        success = await self._executor.run(request, self._settings.override(options))
        assert success.response is not None
        return success.response

    def _split(
        self, options: Mapping[str, Any], own_names: Collection[str]
    ) -> tuple[dict[str, Any], Settings]:
        """The operation's own options, and the settings of the call."""
        if not options:
            return {}, self._settings
        own = {name: each for name, each in options.items() if name in own_names}
        rest = {name: each for name, each in options.items() if name not in own_names}
        return own, self._settings.override(cast("CallOptions", rest))

    async def _write(
        self, write: Write, return_values: str | None, options: WriteOptions
    ) -> WriteResult[Any]:
        own, settings = self._split(options, _OF_WRITES)
        client_request_token = own.get("client_request_token")
        return_consumed_capacity = own.get("return_consumed_capacity")
        return_item_collection_metrics = own.get("return_item_collection_metrics")

        token: str | None = None

        async def finish(success: Success) -> WriteResult[Any]:
            return await self._finish(write, success, return_values, settings, token)

        if own.get("exactly_once") or client_request_token is not None:
            if return_values not in (None, "NONE") and not (
                return_values == "ALL_NEW" and write.kind == "Update"
            ):
                raise ValueOutOfRangeError(
                    "return_values",
                    f"a transaction returns no {return_values}. Fix: leave it out, or use "
                    "ALL_NEW of update_item, which is read back",
                )
            token = new_token(client_request_token)
            request = operations.transact_write(
                [write],
                token,
                ReturnConsumedCapacity=return_consumed_capacity,
                ReturnItemCollectionMetrics=return_item_collection_metrics,
            )

            def explain(error: TransactionCanceledError) -> DynasafeError:
                return self._explain_cancellation(write, error)

            return await run_with_token(
                self._executor, request, settings, finish=finish, explain=explain
            )
        request = write.request(
            return_values=return_values,
            return_consumed_capacity=return_consumed_capacity,
            return_item_collection_metrics=return_item_collection_metrics,
        )
        try:
            success = await self._executor.run(request, settings)
        except ConditionalCheckFailedError as error:
            raise self._explain(write, error) from error.__cause__
        return await finish(success)

    async def _finish(
        self,
        write: Write,
        success: Success,
        return_values: str | None,
        settings: Settings,
        token: str | None,
    ) -> WriteResult[Any]:
        write.advance()
        response = success.response or {}
        attributes = response.get("Attributes")
        shape = self._table.shape
        decoded: Any = None
        if attributes is not None:
            whole = return_values in ("ALL_OLD", "ALL_NEW")
            decoded = shape.decode(attributes) if whole else shape.decode_part(attributes)
        elif return_values == "ALL_NEW":
            decoded = await self._read_back(write, settings, token)
        return WriteResult(
            attributes=decoded,
            attempts=success.attempts,
            consumed_capacity=_first(response.get("ConsumedCapacity")),
            item_collection_metrics=_first(response.get("ItemCollectionMetrics")),
        )

    async def _read_back(self, write: Write, settings: Settings, token: str | None) -> ItemT | None:
        params = {"TableName": self.name, "Key": write.params["Key"], "ConsistentRead": True}
        request = operations.read("GetItem", self.name, params)
        try:
            success = await self._executor.run(request, settings)
        except (DynasafeError, CancelledError) as error:
            # Its own words would be that nothing was sent, or that it was refused.
            unknown = OutcomeUnknownError(
                f"{write.kind}Item",
                table_name=self.name,
                reason=f"it was applied, but not read back: {type(error).__name__}",
                client_request_token=token,
            )
            if isinstance(error, CancelledError):
                raise error from unknown
            raise unknown from error
        assert success.response is not None
        item = success.response.get("Item")
        return None if item is None else self._table.shape.decode(item)

    def _explain(
        self, write: Write, error: ConditionalCheckFailedError
    ) -> ConditionalCheckFailedError:
        """The same error with a typed item, as a version conflict where it is one."""
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
        error.item = self._table.shape.decode_refused(stored, error)
        return error

    def _explain_cancellation(self, write: Write, error: TransactionCanceledError) -> DynasafeError:
        """The error that the write alone would have met."""
        reason: CancellationReason | None = error.reasons[0] if error.reasons else None
        if reason is None or reason.code != "ConditionalCheckFailed":
            return error
        alone = ConditionalCheckFailedError(
            f"{write.kind}Item",
            "ConditionalCheckFailedException",
            reason.message or "The conditional request failed",
            error_class="condition_failed",
            table_name=error.table_name,
            http_status=error.http_status,
            request_id=error.request_id,
            attempts=error.attempts,
        )
        alone.item = reason.item
        return self._explain(write, alone)


_OF_WRITES = WriteOptions.__annotations__.keys() - CallOptions.__annotations__.keys()
_OF_QUERIES = QueryOptions.__annotations__.keys() - CallOptions.__annotations__.keys()
_OF_SCANS = ScanOptions.__annotations__.keys() - CallOptions.__annotations__.keys()


def connected_table(
    name: str, item_class: type[ItemT] | None, executor: Executor, settings: Settings
) -> AsyncTable[ItemT]:
    """A table that shares its client's connections, quota and circuit breakers."""
    table: AsyncTable[ItemT] = AsyncTable.__new__(AsyncTable)
    table._connect(name, item_class, executor, settings)
    return table


def _first_of(by_table: Mapping[str, T] | None, default: T) -> T:
    """What an answer says of the only table that was asked."""
    return next(iter((by_table or {}).values()), default)


def _first(found: Any) -> Any:
    """Of a transaction's list or map of results, the one of its only operation."""
    if isinstance(found, list):
        return found[0] if found else None
    return found


def _encode_start(shape: ItemShape[Any], key: Mapping[str, Any]) -> AttributeMap:
    """A start key in wire form: the primary key, and for an index its key as well."""
    schema = shape.schema
    if schema is None:
        return shape.encode_key(key)
    if not isinstance(key, Mapping):
        raise UnsupportedTypeError(
            "exclusive_start_key", f"a mapping is expected, not {type(key).__name__}"
        )
    encoded: dict[str, Any] = {}
    for name, value in key.items():
        found = schema.find(name)
        if found is None:
            raise UnsupportedTypeError(
                f"exclusive_start_key.{name}",
                f"{schema.item_class.__name__} has no such attribute",
            )
        encoded[found.name] = shape.attribute(found.name).encoded(value)
    return encoded
