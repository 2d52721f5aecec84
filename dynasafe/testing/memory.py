"""Tables in memory, which accept, refuse and answer as DynamoDB does.

    people = fake_table(Person)
    db = fake_database(people=Person, orders=Order)

They evaluate requests with the library's expression trees, and refuse with DynamoDB's messages what
DynamoDB would refuse. They do not know the legacy parameters that expressions have replaced.

Source: the operations' pages in the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack, overload
from zlib import crc32

from dynasafe.aio.aside import aside
from dynasafe.aio.clock import Clock
from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.aio.table import AsyncTable, PlainItem
from dynasafe.calls.options import TableOptions
from dynasafe.calls.requests import Large
from dynasafe.environment.clock import SystemTime
from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions import evaluate
from dynasafe.expressions.nodes import Comparison, Path, Value
from dynasafe.expressions.parser import (
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
)
from dynasafe.findings.finding import Finding, Where
from dynasafe.items.item import Item
from dynasafe.items.item_format import ItemShape
from dynasafe.limits import TOKEN_WINDOW_S
from dynasafe.operations import OPERATIONS, table_names
from dynasafe.resilience.boundary import Refused
from dynasafe.testing.canonical import canonical, canonical_map
from dynasafe.testing.capacity import (
    TRANSACTION_FACTOR,
    Units,
    add_units,
    consumed_capacity,
    read_units,
    write_units,
)
from dynasafe.testing.descriptions import described, table_description
from dynasafe.testing.fault_proxy import FaultPlan
from dynasafe.testing.hostile import Faults
from dynasafe.testing.requests import RecordedRequest
from dynasafe.testing.scripted import condition_failed, refused, transaction_canceled
from dynasafe.testing.sending import Sending, tell
from dynasafe.validation import check_request, require_valid
from dynasafe.validation.check import check_from_scratch, read_request
from dynasafe.validation.expression_rules import conditions_of
from dynasafe.validation.report import Known
from dynasafe.validation.table_schema import KeySchema, TableSchema, table_schema
from dynasafe.values.wire import copied, holds_many, item_size_bytes, sort_key

ItemT = TypeVar("ItemT", bound=Item)
AttributeMap = dict[str, Any]
_Key = tuple[Any, ...]
_PAGE_BYTES = 1_048_576
_TABLES_OF_A_PAGE = 100
_LEGACY = frozenset(
    {"Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter"}
    | {"AttributesToGet", "ConditionalOperator"}
)


@overload
def fake_table(
    item_class: type[ItemT],
    *,
    name: str = "fake-table",
    indexes: Mapping[str, tuple[str, ...]] | None = None,
    items: Iterable[ItemT] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> AsyncTable[ItemT]: ...
@overload
def fake_table(
    item_class: Mapping[str, Any],
    *,
    name: str = "fake-table",
    items: Iterable[Mapping[str, object]] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> AsyncTable[PlainItem]: ...
def fake_table(
    item_class: Any,
    *,
    name: str = "fake-table",
    indexes: Mapping[str, tuple[str, ...]] | None = None,
    items: Iterable[Any] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> AsyncTable[Any]:
    """An AsyncTable whose items are in memory.

    Args:
        item_class: an Item class; or for plain items a table's description, with KeySchema,
            AttributeDefinitions and indexes, as DescribeTable returns them.
        indexes: global indexes of an Item class, as in `table_description`.
        items: the items that the table has at first.
        clock: gives the time, for retries, timeouts and the ten minutes of a token.
        options: the same as for a real table.

    Raises:
        InvalidRequestError, InvalidValueError: an item that DynamoDB would refuse.
    """
    described = {name: table_description(item_class, indexes=indexes)}
    transport = MemoryTransport(described, clock=clock)
    of_class = item_class if isinstance(item_class, type) else None
    transport.put_all(name, of_class, items)
    return AsyncTable(name, of_class, transport=transport, clock=clock, **options)


@overload
def fake_database(**tables: type[Any] | Mapping[str, Any]) -> AsyncDynamoDB: ...


@overload
def fake_database(*, clock: Clock | None, **tables: Any) -> AsyncDynamoDB: ...


# Two overloads, so that type checkers take `fake_database(**tables)` of a dict of tables.
def fake_database(*, clock: Any = None, **tables: Any) -> AsyncDynamoDB:
    """An AsyncDynamoDB whose tables are in memory, for transactions over several of them.

    To give settings, use `AsyncDynamoDB.over(MemoryTransport({"people": Person}), retry=...)`.

    Args:
        tables: by name, as the `item_class` of `fake_table`. With indexes:
            `people=table_description(Person, indexes={...})`.
    """
    return AsyncDynamoDB.over(MemoryTransport(tables, clock=clock), clock=clock)


@dataclass
class _Order:
    """The items of a table or an index with their places, in order."""

    places: list[_Key]
    items: list[AttributeMap]


@dataclass
class MemoryTable:
    """The items of one table, by their keys."""

    schema: TableSchema
    items: dict[_Key, AttributeMap] = field(default_factory=dict)
    keeps_before: bool = False
    before: MemoryTable | None = None
    """The table before its last write, where it is kept."""
    _orders: dict[str | None, _Order] = field(default_factory=dict, repr=False)

    def identity(self, attributes: Mapping[str, Any]) -> _Key:
        return tuple(sort_key(attributes[each.name]) for each in self.schema.key.attributes)

    def place(self, keys: KeySchema, attributes: Mapping[str, Any]) -> _Key:
        """The place of an item in a scan of the table or of an index. A partition's items are
        together.

        Like DynamoDB's, the order of partitions has nothing to do with that of their keys. Items
        with equal keys of an index have the order of the table's keys.
        """
        own = tuple(sort_key(attributes[each.name]) for each in keys.attributes)
        return (crc32(repr(own[0]).encode()), *own, *self.identity(attributes))

    def order(self, keys: KeySchema) -> _Order:
        """The items with the keys of the table or of an index, in order; kept until a write."""
        kept = self._orders.get(keys.index_name)
        if kept is None:
            names = [each.name for each in keys.attributes]
            found = [
                (self.place(keys, item), item)
                for item in self.items.values()
                if all(name in item for name in names)
            ]
            found.sort(key=itemgetter(0))
            kept = _Order([place for place, _ in found], [item for _, item in found])
            self._orders[keys.index_name] = kept
        return kept

    def get(self, key: Mapping[str, Any]) -> AttributeMap | None:
        return self.items.get(self.identity(key))

    def put(self, item: Mapping[str, Any], canonical_ids: Container[int] = ()) -> None:
        """Store an item.

        Args:
            canonical_ids: the identities of values that are canonical and not shared.
        """
        self._change()
        self.items[self.identity(item)] = {
            name: value if id(value) in canonical_ids else canonical(value)
            for name, value in item.items()
        }

    def delete(self, key: Mapping[str, Any]) -> None:
        self._change()
        self.items.pop(self.identity(key), None)

    def _change(self) -> None:
        if self.keeps_before:
            self.before = MemoryTable(self.schema, dict(self.items))
        self._orders.clear()


class MemoryFaultError(BaseException):
    """The tables in memory failed at a request, because of a bug in them and not in the request.

    It is not an Exception, which would count as a lost answer.
    """

    def __init__(self, operation: str) -> None:
        super().__init__(operation)
        self.operation = operation

    def __str__(self) -> str:
        return (
            f"The tables in memory failed at {self.operation}, which is a mistake of dynasafe. "
            "Fix: report it with the request, and use an engine meanwhile"
        )


class HasTime(Protocol):
    """A clock of the async or sync API."""

    def now_s(self) -> float: ...


class MemoryOptions(TypedDict, total=False):
    """Options of a MemoryTransport."""

    clock: HasTime | None
    page_items: int | None
    stale_reads: bool
    faults: FaultPlan | None


class _Ready:
    """A request that was checked and read before it is answered."""

    __slots__ = ("findings", "params", "request", "sizes_bytes")

    def __init__(
        self,
        params: Mapping[str, Any],
        findings: tuple[Finding, ...],
        request: Mapping[str, Any],
        sizes_bytes: Mapping[int, int] | None = None,
    ) -> None:
        self.params: Mapping[str, Any] = params
        self.findings: tuple[Finding, ...] = findings
        self.request: Mapping[str, Any] = request
        self.sizes_bytes: Mapping[int, int] = {} if sizes_bytes is None else sizes_bytes
        """Of values in the request that are canonical and made for the table, by identity."""


class MemoryTables:
    """Answers requests from tables in memory.

    Args:
        tables: by name, an Item class or a table's description.
        clock: says when a ClientRequestToken is no longer recognised; give the database's own.
        page_items: how many items a page evaluates at most, as if they were large.
        stale_reads: reads that are not consistent miss the last write of each table.
        faults: which request is lost, refused or handed back in part.
    """

    def __init__(
        self,
        tables: Mapping[str, Any],
        *,
        clock: HasTime | None = None,
        page_items: int | None = None,
        stale_reads: bool = False,
        faults: FaultPlan | None = None,
    ) -> None:
        if page_items is not None and page_items < 1:
            raise ValueOutOfRangeError("page_items", f"at least 1 is expected, not {page_items}")
        self._clock = SystemTime() if clock is None else clock
        self._page_items = page_items
        self._is_stale = stale_reads
        self._faults = Faults(faults or FaultPlan())
        self._descriptions: dict[str, Mapping[str, Any]] = {}
        self._schemas: dict[str, TableSchema] = {}
        self.tables: dict[str, MemoryTable] = {}
        for name, given in tables.items():
            self._create(name, table_description(given))
        self._ready: _Ready | None = None
        self.calls: list[RecordedRequest] = []
        """The requests that were sent, in order."""
        self._tokens: dict[str, tuple[Any, Mapping[str, Any], float]] = {}
        """By ClientRequestToken: the operations, the answer, and its time."""
        self._time_to_live: dict[str, Mapping[str, Any]] = {}

    def read(self, operation: str, params: Mapping[str, Any]) -> _Ready:
        """A large request, checked and read. It changes nothing, so another thread may do it."""
        known = Known()
        findings = check_from_scratch(
            operation, params, schema=self._schemas, form="client", known=known
        )
        request: dict[str, Any] = {}
        sizes_bytes: dict[int, int] = {}
        if not findings:
            request = read_request(operation, params, known)
            for member in ("Item", "ExpressionAttributeValues"):
                values: dict[str, Any] = {}
                for name, each in request.get(member, {}).items():
                    values[name] = canonical(each)
                    found = known.values.get(id(each))
                    if found is not None:
                        sizes_bytes[id(values[name])] = found[1].size_bytes
                if values:
                    request[member] = values
        return _Ready(params, findings, request, sizes_bytes)

    def answer(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """DynamoDB's answer to one request."""
        self.calls.append(RecordedRequest(operation, params))
        return self._faults.answer(operation, params, self._answer)

    def _answer(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = _ANSWERS.get(operation)
        if answer is None:
            if operation not in OPERATIONS:
                require_valid(operation, params)
            raise refused("UnknownOperationException", f"{operation} is not known in memory")
        if operation != "CreateTable":
            self._refuse_unknown_tables(operation, params)
        self._refuse_legacy(params)
        ready = self._ready
        if ready is None or ready.params is not params:
            findings = check_request(operation, params, schema=self._schemas, form="client")
            ready = _Ready(params, findings, {} if findings else read_request(operation, params))
        if ready.findings:
            raise _refusal(ready.findings[0], params)
        try:
            return answer(self, ready.request)
        except Refused:
            raise
        except Exception as error:
            raise MemoryFaultError(operation) from error

    def put(self, table_name: str, item: Mapping[str, Any]) -> None:
        """Put an item in wire form, as if it had been there before.

        Raises:
            InvalidRequestError: DynamoDB would refuse it.
        """
        params = {"TableName": table_name, "Item": item}
        require_valid("PutItem", params, schema=self._schemas)
        self.tables[table_name].put(read_request("PutItem", params)["Item"])

    def put_all(self, table_name: str, item_class: type[Any] | None, items: Iterable[Any]) -> None:
        """Put items as users give them.

        Raises:
            ValueOutOfRangeError: two have one key, so that one would replace the other.
        """
        shape: ItemShape[Any] = ItemShape(item_class)
        stored = self.tables[table_name].items
        for number, item in enumerate(items):
            wire = shape.encode(item)
            before = len(stored)
            self.put(table_name, wire)
            if len(stored) == before:
                reason = "has the key of an item before it. Fix: give each item a key of its own"
                raise ValueOutOfRangeError(f"items[{number}]", reason)

    def _create(self, name: str, description: Mapping[str, Any]) -> None:
        if name in self.tables:
            raise refused("ResourceInUseException", f"Table already exists: {name}")
        schema = table_schema(description, name)
        if schema is None:
            raise UnsupportedTypeError(name, "the description has no KeySchema")
        self._descriptions[name] = description
        self._schemas[name] = schema
        self.tables[name] = MemoryTable(schema, keeps_before=self._is_stale)

    def _refuse_unknown_tables(self, operation: str, params: Mapping[str, Any]) -> None:
        names = table_names(OPERATIONS[operation], params)
        if any(name not in self.tables for name in names):
            raise refused("ResourceNotFoundException", "Requested resource not found")

    def _refuse_legacy(self, params: Mapping[str, Any]) -> None:
        tables = params.get("RequestItems")
        entries = tables.values() if isinstance(tables, Mapping) else ()
        members = {member for entry in entries if isinstance(entry, Mapping) for member in entry}
        used = sorted(_LEGACY & (params.keys() | members))
        if used:
            raise refused(
                "ValidationException",
                f"tables in memory do not know the legacy parameters {', '.join(used)}. "
                "Fix: use expressions, or an engine",
            )

    # Tables

    def create_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            self._create(params["TableName"], params)
        except UnsupportedTypeError as error:
            raise refused("ValidationException", str(error)) from error
        return {"TableDescription": self._described(params["TableName"])}

    def _described(self, name: str) -> Mapping[str, Any]:
        table = self.tables[name]
        counts: dict[str | None, tuple[int, int]] = {None: _count(table.items.values())}
        counts |= {
            index_name: _count(table.order(keys).items)
            for index_name, keys in table.schema.indexes.items()
        }
        return described(name, self._descriptions[name], counts)

    def list_tables(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = params.get("ExclusiveStartTableName", "")
        names = sorted(name for name in self.tables if name > start)
        page = names[: params.get("Limit", _TABLES_OF_A_PAGE)]
        more = {"LastEvaluatedTableName": page[-1]} if len(page) < len(names) else {}
        return {"TableNames": page, **more}

    def describe_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Table": self._described(params["TableName"])}

    def update_time_to_live(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Only stored: items in memory do not expire."""
        specification = params["TimeToLiveSpecification"]
        self._time_to_live[params["TableName"]] = specification
        return {"TimeToLiveSpecification": specification}

    def describe_time_to_live(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        specification = self._time_to_live.get(params["TableName"])
        if specification is None or not specification["Enabled"]:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        name = specification["AttributeName"]
        description = {"TimeToLiveStatus": "ENABLED", "AttributeName": name}
        return {"TimeToLiveDescription": description}

    def delete_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name = params["TableName"]
        description = self._described(name)
        for kept in (self.tables, self._schemas, self._descriptions, self._time_to_live):
            kept.pop(name, None)
        return {"TableDescription": {**description, "TableStatus": "DELETING"}}

    # One item

    def get_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        item = self._table(params["TableName"], params).get(params["Key"])
        units: Units = {None: _read_units(params, [item or {}])}
        answer = self._capacity(params, units)
        return answer if item is None else {**answer, "Item": _projected(params, item)}

    def put_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._write("Put", params)

    def update_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._write("Update", params)

    def delete_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._write("Delete", params)

    def _write(self, kind: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        known: Mapping[int, int] = {} if self._ready is None else self._ready.sizes_bytes
        table = self.tables[params["TableName"]]
        old = table.get(params["Item" if kind == "Put" else "Key"])
        if not _holds(params, old):
            wants_item = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise condition_failed(old if wants_item else None)
        try:
            new = _written(kind, params, old, table.schema, known)
        except InvalidRequestError as error:
            raise refused("ValidationException", error.findings[0].message) from error
        _store(table, params, new, known)
        returned = _returned(params, old, new)
        answer: dict[str, Any] = {}
        if params.get("ReturnConsumedCapacity", "NONE") != "NONE":
            answer = self._capacity(params, write_units(table.schema, old, new))
        key = params["Item" if kind == "Put" else "Key"]
        for metrics in self._collections(params, [(params["TableName"], key)]).values():
            answer["ItemCollectionMetrics"] = metrics[0]
        return {**answer, "Attributes": returned} if returned else answer

    def _collections(
        self, params: Mapping[str, Any], written: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> dict[str, list[dict[str, Any]]]:
        """By table, the item collections written to; only tables with local indexes have some.

        Source: "ItemCollectionMetrics", Amazon DynamoDB API Reference.
        """
        found: dict[str, dict[Any, dict[str, Any]]] = {}
        if params.get("ReturnItemCollectionMetrics") != "SIZE":
            return {}
        for table_name, key in written:
            schema = self.tables[table_name].schema
            if any(not index.is_global for index in schema.indexes.values()):
                name = schema.key.attributes[0].name
                found.setdefault(table_name, {})[sort_key(key[name])] = {
                    "ItemCollectionKey": {name: canonical(key[name])},
                    "SizeEstimateRangeGB": [0.0, 1.0],
                }
        return {name: list(collections.values()) for name, collections in found.items()}

    def _capacity(self, params: Mapping[str, Any], units: Units) -> dict[str, Any]:
        name = params["TableName"]
        consumed = consumed_capacity(params, name, self.tables[name].schema, units)
        return {} if consumed is None else {"ConsumedCapacity": consumed}

    def _capacities(
        self,
        params: Mapping[str, Any],
        units: Mapping[str, Units],
        kind: Literal["Read", "Write"] | None = None,
    ) -> dict[str, Any]:
        """The same for each of several tables."""
        consumed = [
            consumed_capacity(params, name, self.tables[name].schema, each, kind=kind)
            for name, each in units.items()
        ]
        return {"ConsumedCapacity": consumed} if any(consumed) else {}

    # Pages

    def query(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        table, keys = self._read_of(params)
        condition = parse_key_condition(params["KeyConditionExpression"], *_placeholders(params))
        places = table.order(keys).places
        partition = _partition(condition, keys)
        # A partition's place is before those of its items, which begin with it.
        start = bisect_left(places, partition)
        end = bisect_right(places, partition, lo=start, key=lambda place: place[: len(partition)])

        def is_wanted(_: _Key, item: AttributeMap) -> bool:
            return evaluate.holds(condition, item)

        return self._page(params, (start, end), is_wanted)

    def scan(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        table, keys = self._read_of(params)
        total, segment = params.get("TotalSegments", 1), params.get("Segment", 0)

        def is_wanted(place: _Key, _: AttributeMap) -> bool:
            return bool(place[0] % total == segment)

        return self._page(params, (0, len(table.order(keys).places)), is_wanted)

    def _table(self, name: str, read: Mapping[str, Any]) -> MemoryTable:
        """The table as a read sees it."""
        table = self.tables[name]
        return table if read.get("ConsistentRead") is True else table.before or table

    def _read_of(self, params: Mapping[str, Any]) -> tuple[MemoryTable, KeySchema]:
        table = self._table(params["TableName"], params)
        index_name = params.get("IndexName")
        return table, table.schema.key if index_name is None else table.schema.indexes[index_name]

    def _page(
        self,
        params: Mapping[str, Any],
        within: tuple[int, int],
        is_wanted: Callable[[_Key, AttributeMap], bool],
    ) -> Mapping[str, Any]:
        """As many items as one answer has, from where the page before has ended."""
        table, keys = self._read_of(params)
        order = table.order(keys)
        start, end = within
        is_backward = params.get("ScanIndexForward") is False
        if "ExclusiveStartKey" in params:
            # The item of the start key may have been deleted meanwhile.
            after = table.place(keys, canonical_map(params["ExclusiveStartKey"]))
            if is_backward:
                end = bisect_left(order.places, after, start, end)
            else:
                start = bisect_right(order.places, after, start, end)
        limit = params.get("Limit", math.inf)
        evaluated: list[AttributeMap] = []
        size_bytes = 0
        is_more = False
        for index in reversed(range(start, end)) if is_backward else range(start, end):
            item = order.items[index]
            if not is_wanted(order.places[index], item):
                continue
            if size_bytes >= _PAGE_BYTES or len(evaluated) == self._page_items:
                is_more = True
                break
            evaluated.append(item)
            size_bytes += item_size_bytes(item)
            if len(evaluated) >= limit:
                is_more = True  # DynamoDB does not look whether there is
                break
        matching = [item for item in evaluated if _holds(params, item, "FilterExpression")]
        units: Units = {keys.index_name: _read_units(params, evaluated)}
        if _fetches(params, keys):
            units[None] = sum(_read_units(params, [item]) for item in matching)
        answer: dict[str, Any] = {
            **self._capacity(params, units),
            "Count": len(matching),
            "ScannedCount": len(evaluated),
        }
        if params.get("Select") != "COUNT":
            answer["Items"] = [_visible(params, keys, item) for item in matching]
        if is_more:
            names = [each.name for each in (*table.schema.key.attributes, *keys.attributes)]
            answer["LastEvaluatedKey"] = {name: evaluated[-1][name] for name in names}
        return answer

    # Batches

    def batch_get_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        responses: dict[str, list[AttributeMap]] = {}
        units: dict[str, Units] = {}
        for name, entry in params["RequestItems"].items():
            found = [self._table(name, entry).get(key) for key in entry["Keys"]]
            responses[name] = [_projected(entry, item) for item in found if item is not None]
            units[name] = {None: sum(_read_units(entry, [item or {}]) for item in found)}
        answer = {"Responses": responses, "UnprocessedKeys": {}}
        return {**answer, **self._capacities(params, units)}

    def batch_write_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        units: dict[str, Units] = {}
        written: list[tuple[str, Mapping[str, Any]]] = []
        for name, entries in params["RequestItems"].items():
            table, units[name] = self.tables[name], {}
            for entry in entries:
                ((kind, part),) = entry.items()
                new = part["Item"] if kind == "PutRequest" else None
                old = table.get(part["Key"] if new is None else new)
                add_units(units[name], write_units(table.schema, old, new))
                _store(table, part, new)
                written.append((name, part["Key"] if new is None else new))
        answer = {"UnprocessedItems": {}, **self._capacities(params, units)}
        collections = self._collections(params, written)
        return {**answer, "ItemCollectionMetrics": collections} if collections else answer

    # Transactions

    def transact_get_items(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        responses: list[dict[str, Any]] = []
        units: defaultdict[str, Units] = defaultdict(dict)
        for entry in params["TransactItems"]:
            get = entry["Get"]
            item = self.tables[get["TableName"]].get(get["Key"])
            responses.append({} if item is None else {"Item": _projected(get, item)})
            read: Units = {None: read_units([item or {}], is_consistent=True)}
            add_units(units[get["TableName"]], read, factor=TRANSACTION_FACTOR)
        return {"Responses": responses, **self._capacities(params, units, "Read")}

    def transact_write_items(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        token = params.get("ClientRequestToken")
        now_s = self._clock.now_s()
        if token in self._tokens and now_s - self._tokens[token][2] < TOKEN_WINDOW_S:
            before, answer, _ = self._tokens[token]
            if before != params["TransactItems"]:
                raise refused(
                    "IdempotentParameterMismatchException",
                    "Request uses the same client token as a previous, but non-identical request",
                )
            return answer
        plans = [
            self._planned(kind, part)
            for entry in params["TransactItems"]
            for kind, part in entry.items()
        ]
        if any(plan.code != "None" for plan in plans):
            raise transaction_canceled(
                *(plan.code for plan in plans),
                items=[plan.item for plan in plans],
                messages=[plan.message for plan in plans],
            )
        units: defaultdict[str, Units] = defaultdict(dict)
        for plan in plans:
            table = self.tables[plan.params["TableName"]]
            old = table.get(plan.params["Item" if plan.kind == "Put" else "Key"])
            new = old if plan.kind == "ConditionCheck" else plan.new
            written = write_units(table.schema, old, new)
            add_units(units[plan.params["TableName"]], written, factor=TRANSACTION_FACTOR)
            if plan.kind != "ConditionCheck":
                _store(table, plan.params, new)
        answer = self._capacities(params, units, "Write")
        collections = self._collections(
            params,
            [
                (plan.params["TableName"], plan.params["Item" if plan.kind == "Put" else "Key"])
                for plan in plans
                if plan.kind != "ConditionCheck"
            ],
        )
        if collections:
            answer["ItemCollectionMetrics"] = collections
        if token is not None:
            self._tokens[token] = (params["TransactItems"], answer, now_s)
        return answer

    def _planned(self, kind: str, params: Mapping[str, Any]) -> _Plan:
        table = self.tables[params["TableName"]]
        old = table.get(params["Item" if kind == "Put" else "Key"])
        plan = _Plan(kind, params)
        if not _holds(params, old):
            plan.code, plan.message = "ConditionalCheckFailed", "The conditional request failed"
            if params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                plan.item = old
        elif kind != "ConditionCheck":
            try:
                plan.new = _written(kind, params, old, table.schema)
            except InvalidRequestError as error:
                plan.code, plan.message = "ValidationError", error.findings[0].message
        return plan


@dataclass
class _Plan:
    """A write of a transaction: what it would store, or why it is refused."""

    kind: str
    params: Mapping[str, Any]
    code: str = "None"
    message: str | None = None
    item: AttributeMap | None = None
    new: AttributeMap | None = None


def _count(items: Collection[AttributeMap]) -> tuple[int, int]:
    """How many they are, and their bytes."""
    return len(items), sum(map(item_size_bytes, items))


def _placeholders(params: Mapping[str, Any]) -> tuple[Any, Any]:
    return (
        params.get("ExpressionAttributeNames", {}),
        params.get("ExpressionAttributeValues", {}),
    )


def _holds(
    params: Mapping[str, Any], item: AttributeMap | None, member: str = "ConditionExpression"
) -> bool:
    text = params.get(member)
    if text is None:
        return True
    return evaluate.holds(parse_condition(text, *_placeholders(params)), item or {})


def _written(
    kind: str,
    params: Mapping[str, Any],
    old: AttributeMap | None,
    schema: TableSchema,
    sizes_bytes: Mapping[int, int] | None = None,
) -> AttributeMap | None:
    """The item that a write leaves; None for a deleted one.

    Raises:
        InvalidRequestError: what DynamoDB refuses for this item.
    """
    if kind == "Put":
        return dict(params["Item"])
    if kind == "Delete":
        return None
    item = old if old is not None else dict(params["Key"])
    text = params.get("UpdateExpression")
    if text is None:
        return item
    new = evaluate.apply(parse_update(text, *_placeholders(params)), item, sizes_bytes)
    _require_index_keys(schema, new)
    return new


def _require_index_keys(schema: TableSchema, item: AttributeMap) -> None:
    """An update may copy into the key of an index what is not a key value."""
    for index in schema.indexes.values():
        for each in index.attributes:
            if each.name in item and each.type_name not in (None, *item[each.name]):
                finding = Finding(
                    code="DYS302",
                    message="The update expression attempted to update the secondary index key to "
                    "unsupported type",
                    where=Where(parameter="UpdateExpression"),
                    fix=f"{each.name} is a key of the index {index.index_name}: give it a "
                    f"value of the type {each.type_name}",
                )
                raise InvalidRequestError("UpdateItem", (finding,))


def _store(
    table: MemoryTable,
    params: Mapping[str, Any],
    new: AttributeMap | None,
    canonical_ids: Container[int] = (),
) -> None:
    if new is None:
        table.delete(params["Key"])
    else:
        table.put(new, canonical_ids)


def _returned(
    params: Mapping[str, Any], old: AttributeMap | None, new: AttributeMap | None
) -> AttributeMap | None:
    wanted = params.get("ReturnValues", "NONE")
    item = old if wanted in ("ALL_OLD", "UPDATED_OLD") else new
    text = params.get("UpdateExpression")
    if wanted == "NONE" or item is None or (text is None and wanted.startswith("UPDATED")):
        return None
    if text is not None and wanted.startswith("UPDATED"):
        update = parse_update(text, *_placeholders(params))
        item = evaluate.changed_attributes(update, item)
    return _copied(item)


def _projected(params: Mapping[str, Any], item: AttributeMap) -> AttributeMap:
    text = params.get("ProjectionExpression")
    if text is not None:
        names = params.get("ExpressionAttributeNames", {})
        item = evaluate.project(parse_projection(text, names).paths, item)
    return _copied(item)


def _copied(item: AttributeMap) -> AttributeMap:
    """What is stored, or a part of it, for an answer."""
    return {name: copied(value) for name, value in item.items()}


def _visible(params: Mapping[str, Any], keys: KeySchema, item: AttributeMap) -> AttributeMap:
    """What a page shows of an item: a local index fetches from the table what it lacks."""
    if keys.projected is not None and not _fetches(params, keys):
        item = {name: value for name, value in item.items() if name in keys.projected}
    return _projected(params, item)


def _fetches(params: Mapping[str, Any], keys: KeySchema) -> bool:
    """Whether a page of an index has to be read from the table as well."""
    if keys.projected is None:
        return False
    if params.get("Select") == "ALL_ATTRIBUTES":
        return True
    text = params.get("ProjectionExpression")
    if text is None:
        return False
    paths = parse_projection(text, params.get("ExpressionAttributeNames", {})).paths
    return not keys.projected.issuperset(path.elements[0] for path in paths)


def _read_units(params: Mapping[str, Any], items: Iterable[AttributeMap]) -> float:
    return read_units(items, is_consistent=params.get("ConsistentRead") is True)


def _refusal(finding: Finding, params: Mapping[str, Any]) -> Exception:
    """The service's error for a request of which this is the first finding."""
    if finding.reason_index is None:
        return refused("ValidationException", finding.message)
    count = len(params["TransactItems"])
    codes = ["None"] * count
    messages: list[str | None] = [None] * count
    codes[finding.reason_index] = "ValidationError"
    messages[finding.reason_index] = finding.message
    return transaction_canceled(*codes, messages=messages)


def _partition(condition: Any, keys: KeySchema) -> _Key:
    """How the places of the items begin that a key condition is about."""
    equal: dict[str, AttributeMap] = {}
    for term in conditions_of(condition):
        if isinstance(term, Comparison) and term.operator == "=":
            path, value = term.left, term.right
            if not isinstance(path, Path):
                path, value = value, path
            if isinstance(path, Path) and isinstance(value, Value):
                equal[str(path.elements[0])] = canonical(value.attribute_value)
    names = [each.name for each in keys.attributes[: keys.partition_count]]
    own = tuple(sort_key(equal[name]) for name in names)
    return (crc32(repr(own[0]).encode()), *own)


class MemoryTransport(MemoryTables):
    """Answers requests from tables in memory.

        hostile = MemoryTransport(
            {"people": Person}, page_items=1, stale_reads=True, faults=FaultPlan(seed=1, rates=...)
        )
        db = AsyncDynamoDB.over(hostile)

    Args:
        tables: by name, an Item class or a table's description.
        clock: says when a ClientRequestToken is no longer recognised; give the database's own.
        page_items: how many items a page evaluates at most, as if they were large.
        stale_reads: reads that are not consistent miss the last write of each table.
        faults: which request is lost, refused or handed back in part.
    """

    is_bound_to_loop = False

    async def refresh_credentials(self) -> bool:
        """Nothing: there are no credentials to change."""
        return False

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        tell(Sending("dynamodb", operation, params, is_blocking=False))
        await asyncio.sleep(0)  # a request takes a turn of the event loop at least
        ready: _Ready | None = None
        if operation in _ANSWERS and holds_many(params):
            ready = await aside(partial(self.read, operation, params))
        self._ready = ready
        try:
            answer = self.answer(operation, params)
        finally:
            self._ready = None
        if not holds_many(answer):
            return answer
        await asyncio.sleep(0)
        return Large(answer)


_ANSWERS: dict[str, Callable[[MemoryTables, Mapping[str, Any]], Mapping[str, Any]]] = {
    "CreateTable": MemoryTables.create_table,
    "ListTables": MemoryTables.list_tables,
    "DescribeTable": MemoryTables.describe_table,
    "DeleteTable": MemoryTables.delete_table,
    "UpdateTimeToLive": MemoryTables.update_time_to_live,
    "DescribeTimeToLive": MemoryTables.describe_time_to_live,
    "GetItem": MemoryTables.get_item,
    "PutItem": MemoryTables.put_item,
    "UpdateItem": MemoryTables.update_item,
    "DeleteItem": MemoryTables.delete_item,
    "Query": MemoryTables.query,
    "Scan": MemoryTables.scan,
    "BatchGetItem": MemoryTables.batch_get_item,
    "BatchWriteItem": MemoryTables.batch_write_item,
    "TransactGetItems": MemoryTables.transact_get_items,
    "TransactWriteItems": MemoryTables.transact_write_items,
}
