"""What is known of a table's keys and indexes.

Source: "TableDescription", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynasafe.errors import UnsupportedTypeError
from dynasafe.item import Item, schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttribute:
    """A part of a key. Its type is None where it is not known."""

    name: str
    type_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySchema:
    """The partition key, then the sort key if there is one."""

    attributes: tuple[KeyAttribute, ...]
    is_global: bool = False

    @property
    def partition_key(self) -> KeyAttribute:
        return self.attributes[0]

    @property
    def sort_key(self) -> KeyAttribute | None:
        return self.attributes[1] if len(self.attributes) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table's key, and those of its indexes, where they are known at all."""

    key: KeySchema
    indexes: Mapping[str, KeySchema] = field(default_factory=dict)
    knows_indexes: bool = True


def table_schema(schema: object, table_name: object) -> TableSchema | None:
    """The schema of one table.

    Args:
        schema: an Item class; a DescribeTable answer or its `Table` part, or anything with its
            KeySchema and AttributeDefinitions; or a mapping from table name to any of these.

    Raises:
        UnsupportedTypeError: it is none of these.
    """
    if schema is None:
        return None
    if isinstance(schema, type) and issubclass(schema, Item):
        return _of_item_class(schema)
    if isinstance(schema, Mapping):
        if "KeySchema" in (schema.get("Table") or ()):
            return _of_description(schema["Table"])
        if "KeySchema" in schema:
            return _of_description(schema)
        if "KeySchema" in (schema.get("Properties") or ()):
            return _of_description(schema["Properties"])  # a CloudFormation resource
        return table_schema(schema.get(table_name), table_name)
    raise UnsupportedTypeError(
        "schema",
        "an Item class, a DescribeTable answer, or a mapping from table name to one of them is "
        f"expected, not {type(schema).__name__}",
    )


def _of_item_class(item_class: type[Item]) -> TableSchema | None:
    schema = schema_of(item_class)
    if schema.partition_key is None:
        return None
    attributes = (
        KeyAttribute(name=each.name, type_name=schema.codecs[each.name].type_name)
        for each in schema.key_attributes
    )
    return TableSchema(key=KeySchema(attributes=tuple(attributes)), knows_indexes=False)


def _of_description(description: Mapping[str, Any]) -> TableSchema:
    types = {
        each["AttributeName"]: each["AttributeType"]
        for each in description.get("AttributeDefinitions") or ()
    }
    indexes = {
        index["IndexName"]: _key_schema(index["KeySchema"], types, is_global=is_global)
        for member, is_global in (
            ("GlobalSecondaryIndexes", True),
            ("LocalSecondaryIndexes", False),
        )
        for index in description.get(member) or ()
    }
    return TableSchema(
        key=_key_schema(description["KeySchema"], types, is_global=False), indexes=indexes
    )


def _key_schema(elements: Any, types: Mapping[str, str], *, is_global: bool) -> KeySchema:
    ordered = sorted(elements, key=lambda element: element["KeyType"] != "HASH")
    return KeySchema(
        attributes=tuple(
            KeyAttribute(
                name=element["AttributeName"], type_name=types.get(element["AttributeName"])
            )
            for element in ordered
        ),
        is_global=is_global,
    )
