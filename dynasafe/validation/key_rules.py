"""Rules about keys, items and paths of a table with a known schema.

Sources: "PutItem", "UpdateItem", Amazon DynamoDB API Reference; "Constraints in Amazon DynamoDB".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynasafe.expressions.nodes import (
    AddAction,
    Arithmetic,
    DeleteAction,
    IfNotExists,
    ListAppend,
    SetAction,
    Update,
)
from dynasafe.limits import MAX_ITEM_BYTES, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from dynasafe.validation.expression_rules import Expressions
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import KeyAttribute, KeySchema, TableSchema
from dynasafe.validation.value_rules import (
    check_attribute_value,
    check_name,
    named,
    named_size_bytes,
    only_member,
    plain_size_bytes,
    sort_key,
)

NOT_VALID = "One or more parameter values are not valid. "
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty {kind} value."


def check_values(params: Mapping[str, Any], member: str, report: Report) -> bool:
    """The values of a key or an item; whether it is there and they are fine."""
    if member not in params:
        return False
    if plain_size_bytes(params[member], report) < 0:
        for name in params[member]:
            check_name(name, member, report)
        for name, value in params[member].items():
            check_attribute_value(value, named(member, name), report)
    return not report.has_about(member)


# Keys


def check_key(
    key: Mapping[str, Any], member: str, schema: TableSchema | None, report: Report
) -> None:
    """A whole primary key, as GetItem has it, whose values are fine."""
    if schema is None:
        _check_some_key(key, member, report)
        return
    if key.keys() != {each.name for each in schema.key.attributes}:
        mismatch(member, report)
        return
    check_key_attributes(key, schema.key, member, report)


def _check_some_key(key: Mapping[str, Any], member: str, report: Report) -> None:
    """Check the rules that hold for keys of any table."""
    literals = {name: only_member(value) for name, value in key.items()}
    if not 1 <= len(key) <= 2 or not all(
        literal is not None and literal[0] in ("S", "N", "B") for literal in literals.values()
    ):
        mismatch(member, report)
        return
    for name, literal in literals.items():
        _check_key_content(name, literal, MAX_PARTITION_KEY_BYTES, f"{member}.{name}", report)


def check_key_attributes(
    key: Mapping[str, Any], schema: KeySchema, member: str, report: Report
) -> None:
    """The types and the contents of a key's attributes."""
    if not all(fits(key[each.name], each) for each in schema.attributes):
        mismatch(member, report)
        return
    _check_key_contents(key, schema, member, report)


def mismatch(member: str, report: Report) -> None:
    """Report a key that does not match the table's."""
    report.add(
        "DYS130",
        "The provided key element does not match the schema",
        member,
        "give exactly the attributes of the primary key, each of its type",
        cancels=True,
    )


def fits(value: object, attribute: KeyAttribute) -> bool:
    """Whether the value has the attribute's type."""
    if not isinstance(value, Mapping):
        return False
    return attribute.type_name is None or value.get(attribute.type_name) is not None


def empty_kind(literal: tuple[str, Any] | None) -> str | None:
    """The service's words for an empty string or binary value."""
    kinds = {"S": "string", "B": "binary"}
    return kinds.get(literal[0]) if literal is not None and not literal[1] else None


def empty_key_message(kind: str, name: str, index_name: str | None) -> str:
    """The service's message for an empty value of a key of the table or an index."""
    if index_name is None:
        return f"{NOT_VALID}{_EMPTY.format(kind=kind)} Key: {name}"
    return (
        f"{NOT_VALID}A value specified for a secondary index key is not supported. "
        f"{_EMPTY.format(kind=kind)} IndexName: {index_name}, IndexKey: {name}"
    )


def _check_key_contents(
    item: Mapping[str, Any],
    schema: KeySchema,
    member: str,
    report: Report,
    index_name: str | None = None,
) -> None:
    for position, each in enumerate(schema.attributes):
        is_sort = position >= schema.partition_count
        limit = MAX_SORT_KEY_BYTES if is_sort else MAX_PARTITION_KEY_BYTES
        literal = only_member(item.get(each.name))
        place = f"{member}.{each.name}"
        _check_key_content(each.name, literal, limit, place, report, index_name)


def _check_key_content(
    name: str,
    literal: tuple[str, Any] | None,
    limit: int,
    place: str,
    report: Report,
    index_name: str | None = None,
) -> None:
    if literal is None or literal[0] not in ("S", "B"):
        return
    kind = empty_kind(literal)
    if kind is not None:
        message = empty_key_message(kind, name, index_name)
        report.add("DYS132", message, place, "give a value of at least one byte")
    elif len(sort_key(literal)) > limit:
        message = (
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
            if limit == MAX_SORT_KEY_BYTES
            else "Size of hashkey has exceeded the maximum size limit of2048 bytes"
        )
        fix = f"keep it to {limit} bytes"
        report.add("DYS133", INVALID_VALUES + message, place, fix, cancels=True)


# Items


def check_item_size(item: Mapping[str, Any], member: str, report: Report) -> None:
    """An item whose values are fine."""
    if named_size_bytes(item, report) > MAX_ITEM_BYTES:
        report.add(
            "DYS135",
            "Item size has exceeded the maximum allowed size",
            member,
            "keep items to 400 KB: split it, or keep large values elsewhere",
        )


def check_item_keys(
    item: Mapping[str, Any], member: str, schema: TableSchema, report: Report
) -> None:
    """The keys of the table, and of its indexes, in a whole item whose values are fine."""
    for each in schema.key.attributes:
        if each.name not in item:
            report.add(
                "DYS131",
                f"{INVALID_VALUES}Missing the key {each.name} in the item",
                member,
                "put every attribute of the primary key into the item",
                cancels=True,
            )
        elif not fits(item[each.name], each):
            actual = next(iter(item[each.name]))
            report.add(
                "DYS136",
                f"{INVALID_VALUES}Type mismatch for key {each.name} expected: {each.type_name} "
                f"actual: {actual}",
                f"{member}.{each.name}",
                f"write it as {each.type_name}",
                cancels=True,
            )
    _check_key_contents(item, schema.key, member, report)
    for index_name, index in schema.indexes.items():
        for each in index.attributes:
            if each.name in item and each not in schema.key.attributes:
                _check_index_type(
                    only_member(item[each.name]), each, index_name, f"{member}.{each.name}", report
                )
        others = tuple(each for each in index.attributes if each not in schema.key.attributes)
        _check_key_contents(item, KeySchema(attributes=others), member, report, index_name)


def _check_index_type(
    literal: tuple[str, Any] | None,
    attribute: KeyAttribute,
    index_name: str,
    place: str,
    report: Report,
) -> None:
    if literal is None or attribute.type_name in (None, literal[0]):
        return
    report.add(
        "DYS136",
        f"{INVALID_VALUES}Type mismatch for Index Key {attribute.name} Expected: "
        f"{attribute.type_name} Actual: {literal[0]} IndexName: {index_name}",
        place,
        f"write it as {attribute.type_name}",
        cancels=True,
    )


# Updates


def check_updated_keys(
    expressions: Expressions, schema: TableSchema | None, key: Mapping[str, Any], report: Report
) -> None:
    """Actions must not change a key attribute, or give an index key attribute the wrong type."""
    update = expressions.nodes.get("UpdateExpression")
    if not isinstance(update, Update):
        return
    text = expressions.texts["UpdateExpression"]
    names = [each.name for each in schema.key.attributes] if schema else list(key)
    for action in update.actions:
        elements = expressions.elements(action.path)
        if elements is not None and elements[0] in names:
            _updates_key(str(elements[0]), "UpdateExpression", report, text, action.path.span)
    for index_name, each in _index_attributes(schema):
        for action in update.actions:
            if expressions.elements(action.path) != (each.name,):
                continue
            literal = _result(action, expressions)
            _check_index_type(literal, each, index_name, "UpdateExpression", report)
            value = getattr(action, "value", None)
            kind = empty_kind(expressions.wire(value))
            if kind is not None:
                report.add(
                    "DYS132",
                    f"{NOT_VALID}The update expression attempted to update a secondary index key "
                    f"to a value that is not supported. {_EMPTY.format(kind=kind)}",
                    "UpdateExpression",
                    "give a value of at least one byte, or REMOVE the attribute",
                    text=text,
                    span=action.span,
                )


def check_updated_attributes(
    updates: Mapping[str, Any], schema: TableSchema | None, key: Mapping[str, Any], report: Report
) -> None:
    """The same check for AttributeUpdates."""
    names = [each.name for each in schema.key.attributes] if schema else list(key)
    for name in names:
        if name in updates:
            _updates_key(name, f"AttributeUpdates.{name}", report)
    for index_name, each in _index_attributes(schema):
        value = updates.get(each.name, {}).get("Value")
        place = f"AttributeUpdates.{each.name}"
        _check_index_type(only_member(value), each, index_name, place, report)
        kind = empty_kind(only_member(value))
        if kind is not None:
            message = empty_key_message(kind, each.name, index_name)
            report.add("DYS132", message, place, "give a value of at least one byte")


def _updates_key(name: str, place: str, report: Report, text: Any = None, span: Any = None) -> None:
    report.add(
        "DYS120",
        f"{INVALID_VALUES}Cannot update attribute {name}. This attribute is part of the key",
        place,
        "put a new item and delete the old one, in one transaction",
        text=text,
        span=span,
        cancels=True,
    )


def _index_attributes(schema: TableSchema | None) -> Iterator[tuple[str, KeyAttribute]]:
    """The attributes of the indexes' keys that are not of the table's key."""
    if schema is not None:
        for index_name, index in schema.indexes.items():
            for each in index.attributes:
                if each not in schema.key.attributes:
                    yield index_name, each


def _result(action: object, expressions: Expressions) -> tuple[str, Any] | None:
    """The type of what an action writes, where it is known; its content does not matter."""
    value = action.value if isinstance(action, SetAction | AddAction | DeleteAction) else None
    while isinstance(value, IfNotExists):
        value = value.default
    match value:
        case Arithmetic():
            return "N", None
        case ListAppend():
            return "L", None
        case _:
            return expressions.wire(value)


# Paths


def check_key_paths(
    expressions: Expressions, schema: TableSchema | None, report: Report, *members: str
) -> None:
    """Report paths inside a key's value, in these expressions or in all."""
    if schema is None:
        return
    names = {each.name: "Key" for each in schema.key.attributes}
    for _, each in _index_attributes(schema):
        names.setdefault(each.name, "IndexKey")
    for member in members or expressions.paths:
        paths = expressions.paths.get(member, ())
        nested = {
            elements[0]: path
            for path in reversed(paths)
            if (elements := expressions.elements(path)) is not None and len(elements) > 1
        }
        for name, kind in names.items():
            if name in nested:
                report.add(
                    "DYS138",
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' "
                    f"are not allowed: {kind}: {name}",
                    member,
                    "name the attribute itself",
                    text=expressions.texts[member],
                    span=nested[name].span,
                )
