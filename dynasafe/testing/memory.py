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
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeVar, Unpack, overload
from zlib import crc32

from dynasafe.aio.clock import Clock
from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.aio.table import AsyncTable, PlainItem
from dynasafe.calls.options import TableOptions
from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions import evaluate
from dynasafe.expressions.parser import (
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
)
from dynasafe.findings.finding import Finding, Where
from dynasafe.items.item import Item
from dynasafe.items.item_format import ItemShape
from dynasafe.operations import OPERATIONS, table_names
from dynasafe.testing.capacity import (
    TRANSACTION_FACTOR,
    Units,
    add_units,
    consumed_capacity,
    read_units,
    write_units,
)
from dynasafe.testing.descriptions import table_description
from dynasafe.testing.requests import RecordedRequest
from dynasafe.testing.scripted import condition_failed, refused, transaction_canceled
from dynasafe.testing.sending import Sending, tell
from dynasafe.validation import check_request, require_valid
from dynasafe.validation.check import read_request
from dynasafe.validation.table_schema import KeySchema, TableSchema, table_schema
from dynasafe.values.numbers import decode_number, encode_number
from dynasafe.values.wire import bytes_of, item_size_bytes, sort_key

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
        clock: gives the time, for retries and timeouts.
        options: the same as for a real table.

    Raises:
        InvalidRequestError, InvalidValueError: an item that DynamoDB would refuse.
    """
    transport = MemoryTransport({name: table_description(item_class, indexes=indexes)})
    of_class = item_class if isinstance(item_class, type) else None
    transport.put_all(name, of_class, items)
    return AsyncTable(name, of_class, transport=transport, clock=clock, **options)


def fake_database(*, clock: Clock | None = None, **tables: Any) -> AsyncDynamoDB:
    """An AsyncDynamoDB whose tables are in memory, for transactions over several of them.

    To give settings, use `AsyncDynamoDB.over(MemoryTransport({"people": Person}), retry=...)`.

    Args:
        tables: by name, as the `item_class` of `fake_table`. With indexes:
            `people=table_description(Person, indexes={...})`.
    """
    return AsyncDynamoDB.over(MemoryTransport(tables), clock=clock)


@dataclass
class MemoryTable:
    """The items of one table, by their keys."""

    schema: TableSchema
    items: dict[_Key, AttributeMap] = field(default_factory=dict)

    def identity(self, attributes: Mapping[str, Any]) -> _Key:
        return tuple(sort_key(attributes[each.name]) for each in self.schema.key.attributes)

    def get(self, key: Mapping[str, Any]) -> AttributeMap | None:
        return self.items.get(self.identity(key))

    def put(self, item: Mapping[str, Any]) -> None:
        self.items[self.identity(item)] = _canonical_map(item)

    def delete(self, key: Mapping[str, Any]) -> None:
        self.items.pop(self.identity(key), None)


def _canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as DynamoDB gives it back: numbers without exponents, binary as bytes."""
    ((type_name, content),) = value.items()
    match type_name:
        case "N":
            return {"N": _plain_number(content)}
        case "NS":
            return {"NS": list(map(_plain_number, content))}
        case "B":
            return {"B": bytes_of(content)}
        case "BS":
            return {"BS": [bytes_of(each) for each in content]}
        case "SS":
            return {"SS": list(content)}
        case "L":
            return {"L": [_canonical(each) for each in content]}
        case "M":
            return {"M": {name: _canonical(each) for name, each in content.items()}}
        case _:
            return {type_name: content}


def _plain_number(text: str) -> str:
    """All digits, also where a request would better have an exponent."""
    return f"{Decimal(encode_number(decode_number(text))):f}"


def _canonical_map(item: Mapping[str, Any]) -> AttributeMap:
    return {name: _canonical(value) for name, value in item.items()}


class MemoryTables:
    """Answers requests from tables in memory.

    Args:
        tables: by name, an Item class or a table's description.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._descriptions: dict[str, Mapping[str, Any]] = {}
        self.tables: dict[str, MemoryTable] = {}
        for name, given in tables.items():
            self._create(name, table_description(given))
        self.calls: list[RecordedRequest] = []
        """The requests that were sent, in order."""
        self._tokens: dict[str, tuple[Any, Mapping[str, Any]]] = {}
        self._time_to_live: dict[str, Mapping[str, Any]] = {}

    def answer(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """DynamoDB's answer to one request."""
        self.calls.append(RecordedRequest(operation, params))
        answer = _ANSWERS.get(operation)
        if answer is None:
            if operation not in OPERATIONS:
                require_valid(operation, params)
            raise refused("UnknownOperationException", f"{operation} is not known in memory")
        if operation != "CreateTable":
            self._refuse_unknown_tables(operation, params)
        self._refuse_legacy(params)
        findings = check_request(operation, params, schema=self._descriptions, form="client")
        if findings:
            raise _refusal(findings[0], params)
        return answer(self, read_request(operation, params))

    def put(self, table_name: str, item: Mapping[str, Any]) -> None:
        """Put an item in wire form, as if it had been there before.

        Raises:
            InvalidRequestError: DynamoDB would refuse it.
        """
        params = {"TableName": table_name, "Item": item}
        require_valid("PutItem", params, schema=self._descriptions)
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
        self._descriptions[name] = {**description, "TableName": name, "TableStatus": "ACTIVE"}
        self.tables[name] = MemoryTable(schema)

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
        return {"TableDescription": self._descriptions[params["TableName"]]}

    def list_tables(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = params.get("ExclusiveStartTableName", "")
        names = sorted(name for name in self.tables if name > start)
        page = names[: params.get("Limit", _TABLES_OF_A_PAGE)]
        more = {"LastEvaluatedTableName": page[-1]} if len(page) < len(names) else {}
        return {"TableNames": page, **more}

    def describe_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Table": self._descriptions[params["TableName"]]}

    def update_time_to_live(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Remembered only: nothing in memory is deleted by itself."""
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
        del self.tables[params["TableName"]]
        self._time_to_live.pop(params["TableName"], None)
        return {"TableDescription": self._descriptions.pop(params["TableName"])}

    # One item

    def get_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        item = self.tables[params["TableName"]].get(params["Key"])
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
        table = self.tables[params["TableName"]]
        old = table.get(params["Item" if kind == "Put" else "Key"])
        if not _holds(params, old):
            wants_item = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise condition_failed(old if wants_item else None)
        try:
            new = _written(kind, params, old, table.schema)
        except InvalidRequestError as error:
            raise refused("ValidationException", error.findings[0].message) from error
        _store(table, params, new)
        returned = _returned(params, old, new)
        answer = self._capacity(params, write_units(table.schema, old, new))
        return {**answer, "Attributes": returned} if returned else answer

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
        found = [item for item in table.items.values() if _has(keys, item)]
        found = [item for item in found if evaluate.holds(condition, item)]
        is_backward = params.get("ScanIndexForward") is False

        def place(item: Mapping[str, Any]) -> Any:
            return _position(table, keys, item)

        return self._page(params, keys, found, place, is_backward=is_backward)

    def scan(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        table, keys = self._read_of(params)
        total, segment = params.get("TotalSegments", 1), params.get("Segment", 0)

        def place(item: Mapping[str, Any]) -> Any:
            # Like DynamoDB's, the order of partitions has nothing to do with that of their keys.
            partition = repr(sort_key(item[keys.attributes[0].name]))
            return crc32(partition.encode()), _position(table, keys, item)

        found = [
            item
            for item in table.items.values()
            if _has(keys, item) and place(item)[0] % total == segment
        ]
        return self._page(params, keys, found, place, is_backward=False)

    def _read_of(self, params: Mapping[str, Any]) -> tuple[MemoryTable, KeySchema]:
        table = self.tables[params["TableName"]]
        index_name = params.get("IndexName")
        return table, table.schema.key if index_name is None else table.schema.indexes[index_name]

    def _page(
        self,
        params: Mapping[str, Any],
        keys: KeySchema,
        found: list[AttributeMap],
        place: Callable[[Mapping[str, Any]], Any],
        *,
        is_backward: bool,
    ) -> Mapping[str, Any]:
        """As many items as one answer has, from where the page before has ended."""
        found = sorted(found, key=place, reverse=is_backward)
        if "ExclusiveStartKey" in params:
            # The item of the start key may have been deleted meanwhile.
            after = place(_canonical_map(params["ExclusiveStartKey"]))
            if is_backward:
                found = [item for item in found if place(item) < after]
            else:
                found = [item for item in found if place(item) > after]
        limit = params.get("Limit", math.inf)
        evaluated: list[AttributeMap] = []
        size_bytes = 0
        for item in found:
            if len(evaluated) >= limit or size_bytes >= _PAGE_BYTES:
                break
            evaluated.append(item)
            size_bytes += item_size_bytes(item)
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
        if evaluated and (len(evaluated) < len(found) or len(evaluated) >= limit):
            key = self.tables[params["TableName"]].schema.key
            names = [each.name for each in (*key.attributes, *keys.attributes)]
            answer["LastEvaluatedKey"] = {name: evaluated[-1][name] for name in names}
        return answer

    # Batches

    def batch_get_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        responses: dict[str, list[AttributeMap]] = {}
        units: dict[str, Units] = {}
        for name, entry in params["RequestItems"].items():
            found = [self.tables[name].get(key) for key in entry["Keys"]]
            responses[name] = [_projected(entry, item) for item in found if item is not None]
            units[name] = {None: sum(_read_units(entry, [item or {}]) for item in found)}
        answer = {"Responses": responses, "UnprocessedKeys": {}}
        return {**answer, **self._capacities(params, units)}

    def batch_write_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        units: dict[str, Units] = {}
        for name, entries in params["RequestItems"].items():
            table, units[name] = self.tables[name], {}
            for entry in entries:
                ((kind, part),) = entry.items()
                new = part["Item"] if kind == "PutRequest" else None
                old = table.get(part["Key"] if new is None else new)
                add_units(units[name], write_units(table.schema, old, new))
                _store(table, part, new)
        return {"UnprocessedItems": {}, **self._capacities(params, units)}

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
        if token in self._tokens:
            before, answer = self._tokens[token]
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
        if token is not None:
            self._tokens[token] = (params["TransactItems"], answer)
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
    kind: str, params: Mapping[str, Any], old: AttributeMap | None, schema: TableSchema
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
    new = evaluate.apply(parse_update(text, *_placeholders(params)), item)
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


def _store(table: MemoryTable, params: Mapping[str, Any], new: AttributeMap | None) -> None:
    if new is None:
        table.delete(params["Key"])
    else:
        table.put(new)


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
    return _canonical_map(item)


def _projected(params: Mapping[str, Any], item: AttributeMap) -> AttributeMap:
    text = params.get("ProjectionExpression")
    if text is not None:
        names = params.get("ExpressionAttributeNames", {})
        item = evaluate.project(parse_projection(text, names).paths, item)
    return _canonical_map(item)


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


def _has(keys: KeySchema, item: AttributeMap) -> bool:
    """Whether the item is in the index: it has the index's key."""
    return all(each.name in item for each in keys.attributes)


def _position(table: MemoryTable, keys: KeySchema, item: Mapping[str, Any]) -> tuple[Any, ...]:
    """What orders items; those of equal keys in an index, the table's keys."""
    own = (sort_key(item[each.name]) for each in keys.attributes)
    return (*own, *table.identity(item))


class MemoryTransport(MemoryTables):
    """Answers requests from tables in memory.

    Args:
        tables: by name, an Item class or a table's description.
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
        return self.answer(operation, params)


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
