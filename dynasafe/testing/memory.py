"""Tables in memory, which accept, refuse and answer as DynamoDB does.

    people = fake_table(Person)
    db = fake_database(people=Person, orders=Order)

What a request does is decided by the library's own expression tree; what DynamoDB would refuse is
refused in its words. The legacy parameters that expressions have replaced are not known here.

Source: the operations' pages in the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, overload
from zlib import crc32

from dynasafe.aio.clock import Clock
from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.aio.table import AsyncTable, PlainItem
from dynasafe.attribute_value import (
    bytes_of,
    decode_number,
    encode_number,
    item_size_bytes,
    to_attribute_value,
)
from dynasafe.errors import InvalidRequestError
from dynasafe.expressions import evaluate
from dynasafe.expressions.parse import (
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
)
from dynasafe.item import Item
from dynasafe.testing.descriptions import described
from dynasafe.testing.requests import RecordedRequest
from dynasafe.testing.scripted import condition_failed, refused, transaction_canceled
from dynasafe.validation import check_request
from dynasafe.validation.table_schema import KeySchema, TableSchema, table_schema

ItemT = TypeVar("ItemT", bound=Item)
AttributeMap = dict[str, Any]
_Key = tuple[Any, ...]
_PAGE_BYTES = 1_048_576
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
) -> AsyncTable[ItemT]: ...
@overload
def fake_table(
    item_class: Mapping[str, Any],
    *,
    name: str = "fake-table",
    items: Iterable[Mapping[str, object]] = (),
    clock: Clock | None = None,
) -> AsyncTable[PlainItem]: ...
def fake_table(
    item_class: Any,
    *,
    name: str = "fake-table",
    indexes: Mapping[str, tuple[str, ...]] | None = None,
    items: Iterable[Any] = (),
    clock: Clock | None = None,
) -> AsyncTable[Any]:
    """An AsyncTable whose items are in memory.

    Args:
        item_class: an Item class, or for plain items a table's description: KeySchema,
            AttributeDefinitions and its indexes, as DescribeTable gives them.
        indexes: global secondary indexes of an Item class, by name: `{"by_email": ("email",)}`, or
            a partition and a sort key, by the attributes' names in DynamoDB.
        items: what is in the table at first.
        clock: where time comes from, for retries and timeouts.
    """
    transport = MemoryTransport({name: described(item_class, indexes)})
    for item in items:
        transport.tables[name].put(to_attribute_value(item)["M"])
    is_typed = isinstance(item_class, type)
    return AsyncTable(name, item_class if is_typed else None, transport=transport, clock=clock)


def fake_database(*, clock: Clock | None = None, **tables: Any) -> AsyncDynamoDB:
    """An AsyncDynamoDB whose tables are in memory, for transactions over several of them.

    Args:
        tables: by name, as `item_class` of `fake_table`.
    """
    return AsyncDynamoDB.over(MemoryTransport(tables), clock=clock)


@dataclass
class MemoryTable:
    """The items of one table, by their keys."""

    schema: TableSchema
    items: dict[_Key, AttributeMap] = field(default_factory=dict)

    def identity(self, attributes: Mapping[str, Any]) -> _Key:
        return tuple(
            evaluate.sort_key(attributes[each.name]) for each in self.schema.key.attributes
        )

    def get(self, key: Mapping[str, Any]) -> AttributeMap | None:
        return self.items.get(self.identity(key))

    def put(self, item: Mapping[str, Any]) -> None:
        self.items[self.identity(item)] = _canonical_map(item)

    def delete(self, key: Mapping[str, Any]) -> None:
        self.items.pop(self.identity(key), None)


def _canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as DynamoDB gives it back: numbers in one spelling, binary as bytes."""
    ((type_name, content),) = value.items()
    match type_name:
        case "N":
            return {"N": encode_number(decode_number(content))}
        case "NS":
            return {"NS": [encode_number(decode_number(each)) for each in content]}
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


def _canonical_map(item: Mapping[str, Any]) -> AttributeMap:
    return {name: _canonical(value) for name, value in item.items()}


class MemoryTransport:
    """Answers requests from tables in memory.

    Args:
        tables: by name, an Item class or a table's description.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._descriptions: dict[str, Mapping[str, Any]] = {}
        self.tables: dict[str, MemoryTable] = {}
        for name, given in tables.items():
            self._create(name, described(given))
        self.calls: list[RecordedRequest] = []
        """The requests that were sent, in order."""
        self._tokens: dict[str, tuple[Any, Mapping[str, Any]]] = {}

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        self.calls.append(RecordedRequest(operation, params))
        await asyncio.sleep(0)  # a request takes a turn of the event loop at least
        answer = _ANSWERS.get(operation)
        if answer is None:
            raise refused("UnknownOperationException", f"{operation} is not known in memory")
        if operation != "CreateTable":
            self._refuse_unknown_tables(params)
        self._refuse_legacy(params)
        findings = check_request(operation, params, schema=self._descriptions)
        if findings:
            raise refused("ValidationException", findings[0].message)
        return answer(self, params)

    def _create(self, name: str, description: Mapping[str, Any]) -> None:
        schema = table_schema(description, name)
        assert schema is not None
        self._descriptions[name] = description
        self.tables[name] = MemoryTable(schema)

    def _refuse_unknown_tables(self, params: Mapping[str, Any]) -> None:
        names = [params.get("TableName"), *(params.get("RequestItems") or ())]
        for entry in params.get("TransactItems") or ():
            names += [part.get("TableName") for part in entry.values()]
        if any(name is not None and name not in self.tables for name in names):
            raise refused("ResourceNotFoundException", "Requested resource not found")

    def _refuse_legacy(self, params: Mapping[str, Any]) -> None:
        used = sorted(_LEGACY & params.keys())
        if used:
            raise refused(
                "ValidationException",
                f"tables in memory do not know the legacy parameters {', '.join(used)}. "
                "Mend: use expressions, or an engine",
            )

    # Tables

    def create_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self._create(params["TableName"], {**params, "TableStatus": "ACTIVE"})
        return {"TableDescription": self._descriptions[params["TableName"]]}

    def describe_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Table": self._descriptions[params["TableName"]]}

    def delete_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        del self.tables[params["TableName"]]
        return {"TableDescription": self._descriptions.pop(params["TableName"])}

    # One item

    def get_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        item = self.tables[params["TableName"]].get(params["Key"])
        answer = _capacity(params, _read_units(params, [item or {}]))
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
            new = _written(kind, params, old)
        except InvalidRequestError as error:
            raise refused("ValidationException", error.findings[0].message) from error
        _store(table, params, new)
        returned = _returned(params, old, new)
        units = _write_units([old or {}, new or {}])
        answer = _capacity(params, units)
        return {**answer, "Attributes": returned} if returned else answer

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
            partition = repr(evaluate.sort_key(item[keys.partition_key.name]))
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
        start = params.get("ExclusiveStartKey")
        if start is not None:
            # The item of the start key may have been deleted meanwhile.
            after = place(start)
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
        answer: dict[str, Any] = {
            **_capacity(params, _read_units(params, evaluated)),
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
        for name, entry in params["RequestItems"].items():
            found = (self.tables[name].get(key) for key in entry["Keys"])
            responses[name] = [_projected(entry, item) for item in found if item is not None]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def batch_write_item(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, entries in params["RequestItems"].items():
            for entry in entries:
                if "PutRequest" in entry:
                    self.tables[name].put(entry["PutRequest"]["Item"])
                else:
                    self.tables[name].delete(entry["DeleteRequest"]["Key"])
        return {"UnprocessedItems": {}}

    # Transactions

    def transact_get_items(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        gets = [entry["Get"] for entry in params["TransactItems"]]
        found = ((get, self.tables[get["TableName"]].get(get["Key"])) for get in gets)
        return {
            "Responses": [
                {} if item is None else {"Item": _projected(get, item)} for get, item in found
            ]
        }

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
        writes = [next(iter(entry.items())) for entry in params["TransactItems"]]
        plans = [self._planned(kind, part) for kind, part in writes]
        codes = [code for code, _, _ in plans]
        if any(code != "None" for code in codes):
            raise transaction_canceled(*codes, items=[item for _, item, _ in plans])
        for (_, part), (_, _, new) in zip(writes, plans, strict=True):
            if new is not _UNCHANGED:
                _store(self.tables[part["TableName"]], part, cast(AttributeMap | None, new))
        answer = {}
        if token is not None:
            self._tokens[token] = (params["TransactItems"], answer)
        return answer

    def _planned(self, kind: str, params: Mapping[str, Any]) -> tuple[str, Any, Any]:
        """The code of a transaction's write, the item for its reason, and what it would store."""
        table = self.tables[params["TableName"]]
        old = table.get(params["Item" if kind == "Put" else "Key"])
        if not _holds(params, old):
            wants_item = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            return "ConditionalCheckFailed", old if wants_item else None, None
        if kind == "ConditionCheck":
            return "None", None, _UNCHANGED
        try:
            return "None", None, _written(kind, params, old)
        except InvalidRequestError:
            return "ValidationError", None, None


_UNCHANGED = object()


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


def _written(kind: str, params: Mapping[str, Any], old: AttributeMap | None) -> AttributeMap | None:
    """The item that a write leaves; None for a deleted one."""
    if kind == "Put":
        return dict(params["Item"])
    if kind == "Delete":
        return None
    item = old if old is not None else dict(params["Key"])
    text = params.get("UpdateExpression")
    if text is None:
        return item
    return evaluate.apply(parse_update(text, *_placeholders(params)), item)


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
    is_wanted = "ProjectionExpression" in params or params.get("Select") == "ALL_ATTRIBUTES"
    if keys.projected is not None and not is_wanted:
        item = {name: value for name, value in item.items() if name in keys.projected}
    return _projected(params, item)


def _has(keys: KeySchema, item: AttributeMap) -> bool:
    """Whether the item is in the index: it has the index's key."""
    return all(each.name in item for each in keys.attributes)


def _position(table: MemoryTable, keys: KeySchema, item: Mapping[str, Any]) -> tuple[Any, ...]:
    """What orders the items of one partition; of equal sort keys in an index, the table's keys."""
    sort = keys.sort_key
    own = () if sort is None else (evaluate.sort_key(item[sort.name]),)
    return (*own, *table.identity(item)) if keys is not table.schema.key else own


def _capacity(params: Mapping[str, Any], units: float) -> dict[str, Any]:
    if params.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return {}
    return {
        "ConsumedCapacity": {"TableName": params["TableName"], "CapacityUnits": units},
    }


def _read_units(params: Mapping[str, Any], items: list[AttributeMap]) -> float:
    blocks = math.ceil(sum(map(item_size_bytes, items)) / 4096) or 1
    return blocks * (1.0 if params.get("ConsistentRead") else 0.5)


def _write_units(items: list[AttributeMap]) -> float:
    return float(max(1, *(math.ceil(item_size_bytes(item) / 1024) for item in items)))


_ANSWERS: dict[str, Callable[[MemoryTransport, Mapping[str, Any]], Mapping[str, Any]]] = {
    "CreateTable": MemoryTransport.create_table,
    "DescribeTable": MemoryTransport.describe_table,
    "DeleteTable": MemoryTransport.delete_table,
    "GetItem": MemoryTransport.get_item,
    "PutItem": MemoryTransport.put_item,
    "UpdateItem": MemoryTransport.update_item,
    "DeleteItem": MemoryTransport.delete_item,
    "Query": MemoryTransport.query,
    "Scan": MemoryTransport.scan,
    "BatchGetItem": MemoryTransport.batch_get_item,
    "BatchWriteItem": MemoryTransport.batch_write_item,
    "TransactGetItems": MemoryTransport.transact_get_items,
    "TransactWriteItems": MemoryTransport.transact_write_items,
}
