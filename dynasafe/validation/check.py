"""check_request: everything that DynamoDB would refuse in a request, at once.

Sources: the operations' pages in the Amazon DynamoDB API Reference; the words and the order of the
messages are the service's, where public evidence shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynasafe.attribute_value import to_attribute_map
from dynasafe.errors import InvalidRequestError, InvalidValueError
from dynasafe.expressions.conditions import Boto3Condition, condition_node
from dynasafe.expressions.nodes import Update
from dynasafe.expressions.render import Placeholders, render_condition
from dynasafe.findings import Finding
from dynasafe.limits import (
    MAX_BATCH_GET_KEYS,
    MAX_BATCH_WRITES,
    MAX_CLIENT_REQUEST_TOKEN_LENGTH,
    MAX_TRANSACT_ITEMS,
)
from dynasafe.validation.expression_rules import check_expressions
from dynasafe.validation.key_rules import (
    check_filter,
    check_item,
    check_key,
    check_key_condition,
    check_updated_keys,
    check_values,
)
from dynasafe.validation.member_rules import check_members
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import KeySchema, TableSchema, table_schema
from dynasafe.validation.value_rules import TYPES

Params = Mapping[str, Any]
_VALUE_MAPS = ("Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey")


def check_request(
    operation: str, params: Mapping[str, Any], *, schema: object = None
) -> tuple[Finding, ...]:
    """What DynamoDB would refuse in the request, the first finding first in its order.

    Args:
        operation: as in the API Reference: "UpdateItem". Others than those of items are not known,
            and have no findings.
        params: in the client's form (AttributeValues), or in that of boto3's Table (Python
            values, conditions of boto3.dynamodb.conditions, no TableName).
        schema: checks keys and indexes too. An Item class; a DescribeTable answer, its `Table`
            part, or a CloudFormation resource's properties; or a mapping from table name to any of
            these.

    Raises:
        UnsupportedTypeError: the schema is none of these.
    """
    check = _CHECKS.get(operation)
    report = Report()
    if check is None:
        return ()
    if not isinstance(params, Mapping):
        report.add(
            "DYS102",
            f"the parameters are of type {type(params).__name__}",
            "parameters",
            "give a dict of the operation's parameters",
        )
        return tuple(report.findings)
    if operation not in _MANY and _is_resource_form(params):
        params = _from_resource_form(params, report)
    check(operation, params, schema, report)
    return tuple(report.findings)


def require_valid(operation: str, params: Mapping[str, Any], *, schema: object = None) -> None:
    """Refuse a request that DynamoDB would refuse.

    Raises:
        InvalidRequestError: with all findings.
    """
    findings = check_request(operation, params, schema=schema)
    if findings:
        raise InvalidRequestError(operation, findings)


# The form of boto3's Table


def _is_resource_form(params: Params) -> bool:
    """Whether values are Python's, as in a call of a Table's method."""
    if any(
        isinstance(params.get(member), Boto3Condition)
        for member in ("ConditionExpression", "KeyConditionExpression", "FilterExpression")
    ):
        return True
    values = [
        value
        for member in _VALUE_MAPS
        if isinstance(params.get(member), Mapping)
        for value in params[member].values()
    ]
    # A map of one member that is named as a type is taken for that type.
    if any(_is_typed(value) for value in values):
        return False
    return "TableName" not in params or any(not isinstance(value, Mapping) for value in values)


def _from_resource_form(params: Params, report: Report) -> dict[str, Any]:
    converted: dict[str, Any] = {"TableName": "a-table", **params}
    placeholders = Placeholders(escape="always")
    for member in ("KeyConditionExpression", "ConditionExpression", "FilterExpression"):
        condition = params.get(member)
        if isinstance(condition, Boto3Condition):
            try:
                node = condition_node(condition)
            except InvalidValueError as error:
                report.add("DYS110", str(error), member, "mend the value in the condition")
                continue
            converted[member] = render_condition(node, placeholders)
    for member in _VALUE_MAPS:
        values = params.get(member)
        if isinstance(values, Mapping):
            try:
                converted[member] = to_attribute_map(values)
            except InvalidValueError as error:
                report.add("DYS110", error.reason, f"{member}.{error.path}", "mend the value")
                converted[member] = {name: {"NULL": True} for name in values}
    for member, made in (
        ("ExpressionAttributeNames", placeholders.names),
        ("ExpressionAttributeValues", placeholders.values),
    ):
        if made:
            given = converted.get(member)
            converted[member] = {**(given if isinstance(given, Mapping) else {}), **made}
    return converted


def _is_typed(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in TYPES


# What several operations share


def _schema_of(schema: object, params: Params) -> TableSchema | None:
    return table_schema(schema, params.get("TableName"))


def _check_forms(
    params: Params, expressions: Sequence[str], legacy: Sequence[str], report: Report
) -> None:
    """Expressions and the parameters that they have replaced do not go together."""
    used = [member for member in expressions if params.get(member) is not None]
    replaced = [member for member in legacy if params.get(member) is not None]
    if "KeyConditions" in replaced and "KeyConditionExpression" not in used:
        replaced.remove("KeyConditions")
    if used and replaced:
        report.add(
            "DYS106",
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(replaced)}}} "
            f"Expression parameters: {{{', '.join(used)}}}",
            replaced[0],
            "use expressions only",
        )
    if params.get("ExpressionAttributeNames") is not None and not used:
        report.add(
            "DYS107",
            "ExpressionAttributeNames can only be specified when using expressions",
            "ExpressionAttributeNames",
            "leave it out, or add the expression that uses it",
        )
    with_values = [member for member in expressions if member != "ProjectionExpression"]
    if (
        params.get("ExpressionAttributeValues") is not None
        and with_values
        and not any(params.get(member) is not None for member in with_values)
    ):
        verb = "are" if len(with_values) > 1 else "is"
        report.add(
            "DYS107",
            "ExpressionAttributeValues can only be specified when using expressions: "
            f"{' and '.join(with_values)} {verb} null",
            "ExpressionAttributeValues",
            "leave it out, or add the expression that uses it",
        )


def _check_attributes_to_get(params: Params, report: Report) -> None:
    names = params.get("AttributesToGet")
    if isinstance(names, list | tuple) and len(set(map(str, names))) < len(names):
        report.add(
            "DYS108",
            f"{INVALID_VALUES}Duplicate value in attribute name: "
            f"{next(name for name in names if list(names).count(name) > 1)}",
            "AttributesToGet",
            "name each attribute once",
        )


def _check_return_values(params: Params, report: Report) -> None:
    if params.get("ReturnValues") in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        report.add(
            "DYS109",
            "ReturnValues can only be ALL_OLD or NONE",
            "ReturnValues",
            "use ALL_OLD, or read the item afterwards",
        )


# One item


def _check_get(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    _check_forms(fine, ["ProjectionExpression"], ["AttributesToGet"], report)
    has_values = check_values(fine.get("Key"), "Key", report)
    _check_attributes_to_get(fine, report)
    check_expressions(fine, ["ProjectionExpression"], report)
    if has_values:
        check_key(fine["Key"], "Key", _schema_of(schema, fine), report)


def _check_put(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    _check_forms(fine, ["ConditionExpression"], ["Expected", "ConditionalOperator"], report)
    has_values = check_values(fine.get("Item"), "Item", report)
    _check_return_values(fine, report)
    check_expressions(fine, ["ConditionExpression"], report)
    if has_values:
        check_item(fine["Item"], "Item", _schema_of(schema, fine), report)


def _check_delete(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    _check_forms(fine, ["ConditionExpression"], ["Expected", "ConditionalOperator"], report)
    has_values = check_values(fine.get("Key"), "Key", report)
    _check_return_values(fine, report)
    check_expressions(fine, ["ConditionExpression"], report)
    if has_values:
        check_key(fine["Key"], "Key", _schema_of(schema, fine), report)


def _check_update(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    members = ["UpdateExpression", "ConditionExpression"]
    legacy = ["AttributeUpdates", "Expected", "ConditionalOperator"]
    _check_forms(fine, members, legacy, report)
    has_values = check_values(fine.get("Key"), "Key", report)
    expressions = check_expressions(fine, members, report)
    known = _schema_of(schema, fine)
    key = fine.get("Key")
    if has_values:
        check_key(key, "Key", known, report)
    update = expressions.nodes.get("UpdateExpression")
    if isinstance(update, Update) and isinstance(key, Mapping):
        names = dict.fromkeys(each.name for each in known.key.attributes) if known else key
        check_updated_keys(update, names, expressions, report)


# Queries and scans


def _check_query(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    members = ["ProjectionExpression", "FilterExpression", "KeyConditionExpression"]
    legacy = ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"]
    _check_forms(fine, members, legacy, report)
    _check_attributes_to_get(fine, report)
    if "KeyConditions" not in params and "KeyConditionExpression" not in params:
        report.add(
            "DYS160",
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request.",
            "KeyConditionExpression",
            "give the partition key with =",
        )
    order = ["KeyConditionExpression", "FilterExpression", "ProjectionExpression"]
    expressions = check_expressions(fine, order, report)
    keys = _check_index(fine, _schema_of(schema, fine), report)
    _check_select(fine, report)
    node = expressions.nodes.get("KeyConditionExpression")
    if node is not None:
        named = check_key_condition(node, expressions, keys, report)
        if keys is not None:
            named = frozenset(each.name for each in keys.attributes)
        filtered = expressions.nodes.get("FilterExpression")
        if filtered is not None:
            check_filter(filtered, expressions, named, report)
    _check_start(fine, report)


def _check_scan(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    members = ["ProjectionExpression", "FilterExpression"]
    legacy = ["AttributesToGet", "ScanFilter", "ConditionalOperator"]
    _check_forms(fine, members, legacy, report)
    _check_attributes_to_get(fine, report)
    _check_segments(fine, report)
    check_expressions(fine, ["FilterExpression", "ProjectionExpression"], report)
    _check_index(fine, _schema_of(schema, fine), report)
    _check_select(fine, report)
    _check_start(fine, report)


def _check_start(params: Params, report: Report) -> None:
    check_values(params.get("ExclusiveStartKey"), "ExclusiveStartKey", report)


def _check_segments(params: Params, report: Report) -> None:
    segment, total = params.get("Segment"), params.get("TotalSegments")
    if (segment is None) is (total is None):
        if segment is not None and total is not None and segment >= total:
            report.add(
                "DYS162",
                "The Segment parameter is zero-based and must be less than parameter "
                f"TotalSegments: Segment: {segment} is not less than TotalSegments: {total}",
                "Segment",
                "count segments from 0",
            )
        return
    missing, given = ("TotalSegments", "Segment") if total is None else ("Segment", "TotalSegments")
    when = "Segment parameter is present" if total is None else "parameter TotalSegments is present"
    report.add(
        "DYS161",
        f"The {missing} parameter is required but was not present in the request when {when}",
        missing,
        f"give both, or leave {given} out",
    )


def _check_index(params: Params, schema: TableSchema | None, report: Report) -> KeySchema | None:
    """The key of what is read: the table's, or the index's."""
    index_name = params.get("IndexName")
    if schema is None:
        return None
    if index_name is None:
        return schema.key
    if not schema.knows_indexes:
        return None
    index = schema.indexes.get(index_name)
    if index is None:
        report.add(
            "DYS163",
            f"The table does not have the specified index: {index_name}",
            "IndexName",
            "name one of: " + (", ".join(sorted(schema.indexes)) or "none, it has no indexes"),
        )
    elif index.is_global and params.get("ConsistentRead"):
        report.add(
            "DYS164",
            "Consistent reads are not supported on global secondary indexes",
            "ConsistentRead",
            "leave it out, or read from the table",
        )
    return index


def _check_select(params: Params, report: Report) -> None:
    select = params.get("Select")
    if select is None:
        return
    chosen = next(
        (m for m in ("ProjectionExpression", "AttributesToGet") if params.get(m) is not None), None
    )
    message = None
    if select == "SPECIFIC_ATTRIBUTES" and chosen is None:
        message = (
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES"
        )
    elif select == "COUNT" and chosen is not None:
        message = f"Cannot specify the {chosen} when choosing to get only the Count"
    elif select in ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES") and chosen is not None:
        message = f"Cannot specify the {chosen} when choosing to get {select}"
    elif select == "ALL_PROJECTED_ATTRIBUTES" and params.get("IndexName") is None:
        message = "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
    if message is not None:
        report.add("DYS165", message, "Select", "leave Select out: the rest implies it")


# Batches and transactions


def _print(attribute_map: Any) -> str:
    return repr(sorted(attribute_map.items())) if isinstance(attribute_map, Mapping) else ""


def _check_batch_get(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    count = 0
    for table, entry in _tables_of(fine, report):
        inside = report.inside(f"RequestItems.{table}")
        if not isinstance(entry, Mapping):
            _wrong_part(entry, "a map with Keys", inside)
            continue
        members = check_members("Keys", entry, inside)
        _check_forms(members, ["ProjectionExpression"], ["AttributesToGet"], inside)
        _check_attributes_to_get(members, inside)
        check_expressions(members, ["ProjectionExpression"], inside)
        keys = members.get("Keys", ())
        count += len(keys)
        known = table_schema(schema, table)
        for index, key in enumerate(keys):
            if check_values(key, f"Keys[{index}]", inside):
                check_key(key, f"Keys[{index}]", known, inside)
        if len({_print(key) for key in keys}) < len(keys):
            _duplicates("Provided list of item keys contains duplicates", "Keys", inside)
        if "Keys" in members and not keys:
            inside.add(
                "DYS105",
                f"1 validation error detected: Value '[]' at 'requestItems.{table}.member.keys' "
                "failed to satisfy constraint: Member must have length greater than or equal to 1",
                "Keys",
                "give at least one key",
            )
    if count > MAX_BATCH_GET_KEYS:
        _too_many("Too many items requested for the BatchGetItem call", MAX_BATCH_GET_KEYS, report)


def _check_batch_write(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    count = 0
    for table, entries in _tables_of(fine, report):
        inside = report.inside(f"RequestItems.{table}")
        if not isinstance(entries, list | tuple):
            _wrong_part(entries, "a list of PutRequest and DeleteRequest", inside)
            continue
        count += len(entries)
        known = table_schema(schema, table)
        names = [each.name for each in known.key.attributes] if known else None
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            print_ = _check_write_request(entry, f"[{index}]", known, names, inside)
            if print_ and print_ in seen:
                _duplicates("Provided list of item keys contains duplicates", f"[{index}]", inside)
            seen.add(print_ or "")
    if count > MAX_BATCH_WRITES:
        _too_many("Too many items requested for the BatchWriteItem call", MAX_BATCH_WRITES, report)


def _check_write_request(
    entry: Any, place: str, schema: TableSchema | None, names: list[str] | None, report: Report
) -> str | None:
    """The key's print, where it is known."""
    given = [
        member
        for member in ("PutRequest", "DeleteRequest")
        if isinstance(entry, Mapping) and entry.get(member) is not None
    ]
    if len(given) != 1 or not isinstance(entry[given[0]], Mapping):
        report.add(
            "DYS170",
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes"
            if len(given) != 1
            else f"{given[0]} is of type {type(entry[given[0]]).__name__}",
            place,
            "give a PutRequest with an Item, or a DeleteRequest with a Key",
        )
        return None
    (member,) = given
    part = "Item" if member == "PutRequest" else "Key"
    content = entry[member].get(part)
    if not isinstance(content, Mapping):
        _wrong_part(content, f"a {member} with its {part}", report)
        return None
    if part == "Item":
        if check_values(content, f"{place}.Item", report):
            check_item(content, f"{place}.Item", schema, report)
        return None if names is None else _print({n: content[n] for n in names if n in content})
    if check_values(content, f"{place}.Key", report):
        check_key(content, f"{place}.Key", schema, report)
    return _print(content)


def _check_transact_get(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    _check_transaction(fine, ("Get",), schema, report)


def _check_transact_write(operation: str, params: Params, schema: object, report: Report) -> None:
    fine = check_members(operation, params, report)
    token = fine.get("ClientRequestToken")
    if token is not None and not 1 <= len(token) <= MAX_CLIENT_REQUEST_TOKEN_LENGTH:
        bound = (
            "greater than or equal to 1"
            if not token
            else f"less than or equal to {MAX_CLIENT_REQUEST_TOKEN_LENGTH}"
        )
        report.add(
            "DYS105",
            f"1 validation error detected: Value '{token}' at 'clientRequestToken' failed to "
            f"satisfy constraint: Member must have length {bound}",
            "ClientRequestToken",
            f"use 1 to {MAX_CLIENT_REQUEST_TOKEN_LENGTH} characters",
        )
    kinds = ("ConditionCheck", "Put", "Delete", "Update")
    _check_transaction(fine, kinds, schema, report)


def _check_transaction(
    params: Params, kinds: Sequence[str], schema: object, report: Report
) -> None:
    items = params.get("TransactItems", ())
    if "TransactItems" in params and not 1 <= len(items) <= MAX_TRANSACT_ITEMS:
        bound = (
            "greater than or equal to 1"
            if not items
            else f"less than or equal to {MAX_TRANSACT_ITEMS}"
        )
        report.add(
            "DYS105",
            "1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy "
            f"constraint: Member must have length {bound}",
            "TransactItems",
            f"give 1 to {MAX_TRANSACT_ITEMS} operations",
        )
    seen: set[str] = set()
    for index, entry in enumerate(items):
        inside = report.inside(f"TransactItems[{index}]")
        given = (
            [kind for kind in kinds if entry.get(kind) is not None]
            if isinstance(entry, Mapping)
            else []
        )
        if len(given) != 1 or not isinstance(entry[given[0]], Mapping):
            inside.add(
                "DYS171",
                "TransactItems can only contain one of "
                + ", ".join(["Check", "Put", "Update or Delete"] if len(kinds) > 1 else kinds),
                "",
                f"give one of {', '.join(kinds)}",
            )
            continue
        print_ = _check_transact_item(given[0], entry[given[0]], schema, inside)
        if print_ is not None and print_ in seen:
            _duplicates(
                "Transaction request cannot include multiple operations on one item",
                given[0],
                inside,
            )
        if print_ is not None:
            seen.add(print_)


def _check_transact_item(kind: str, params: Params, schema: object, report: Report) -> str | None:
    inside = report.inside(kind)
    known = _schema_of(schema, params)
    if kind == "Get":
        _check_get(kind, params, schema, inside)
    elif kind == "Put":
        _check_put(kind, params, schema, inside)
    elif kind == "Update":
        _check_update(kind, params, schema, inside)
    else:
        _check_delete(kind, params, schema, inside)
    key = params.get("Key")
    if kind == "Put":
        item = params.get("Item")
        if known is None or not isinstance(item, Mapping):
            return None
        key = {each.name: item.get(each.name) for each in known.key.attributes}
    return f"{params.get('TableName')}:{_print(key)}"


def _tables_of(params: Params, report: Report) -> list[tuple[Any, Any]]:
    tables = params.get("RequestItems")
    if tables is None:
        return []
    if not tables:
        report.add(
            "DYS105",
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1",
            "RequestItems",
            "name at least one table",
        )
    return list(tables.items())


def _wrong_part(given: object, expected: str, report: Report) -> None:
    report.add("DYS102", f"a part is of type {type(given).__name__}", "", f"give {expected}")


def _duplicates(message: str, place: str, report: Report) -> None:
    report.add("DYS172", message, place, "name each item once")


def _too_many(message: str, limit: int, report: Report) -> None:
    report.add(
        "DYS173", message, "RequestItems", f"send at most {limit} at once; AsyncTable splits them"
    )


_MANY = frozenset({"BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"})
_CHECKS: dict[str, Callable[[str, Params, object, Report], None]] = {
    "GetItem": _check_get,
    "PutItem": _check_put,
    "UpdateItem": _check_update,
    "DeleteItem": _check_delete,
    "Query": _check_query,
    "Scan": _check_scan,
    "BatchGetItem": _check_batch_get,
    "BatchWriteItem": _check_batch_write,
    "TransactGetItems": _check_transact_get,
    "TransactWriteItems": _check_transact_write,
}
