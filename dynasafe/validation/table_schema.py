"""What is known of a table's keys and indexes.

Source: "TableDescription", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynasafe.errors import UnsupportedTypeError
from dynasafe.items.item import Item
from dynasafe.items.schema import schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttribute:
    """A part of a key. Its type is None where it is not known."""

    name: str
    type_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySchema:
    """The partition key, then the sort key if there is one.

    A global index may have up to four attributes of each.
    """

    attributes: tuple[KeyAttribute, ...]
    partition_count: int = 1
    """How many of the attributes, which are the first, are the partition key."""
    index_name: str | None = None
    """None for the table's own key."""
    is_global: bool = False
    projected: frozenset[str] | None = None
    """The names of all attributes that an index has, or None if it has all, or it is not known."""

    @property
    def partition_attributes(self) -> tuple[KeyAttribute, ...]:
        return self.attributes[: self.partition_count]

    @property
    def sort_attributes(self) -> tuple[KeyAttribute, ...]:
        return self.attributes[self.partition_count :]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndex:
    """What is known of a vector index."""

    attribute: str | None
    """Where items have the vector; None where it is not known, as its dimensions may be."""
    dimensions: int | None
    search_schema: Mapping[str, str | None]
    """The types of the attributes that a search may name; None where it is not known."""
    partition_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableSchema:
    """A table's key, and those of its indexes, where they are known at all.

    Two are equal if they are the same object, so that requests can be remembered by it.
    """

    key: KeySchema
    indexes: Mapping[str, KeySchema] = field(default_factory=dict)
    """In the order of their names, in which the service looks at them."""
    vector_indexes: Mapping[str, VectorIndex] = field(default_factory=dict)
    knows_indexes: bool = True
    key_names: frozenset[str] = field(init=False)
    """Of the attributes of the table's key."""
    indexed_names: frozenset[str] = field(init=False)
    """Of the attributes of any key."""

    def __post_init__(self) -> None:
        key_names = frozenset(each.name for each in self.key.attributes)
        of_indexes = (each.name for index in self.indexes.values() for each in index.attributes)
        object.__setattr__(self, "key_names", key_names)
        object.__setattr__(self, "indexed_names", key_names.union(of_indexes))


def table_schema(schema: object, table_name: object) -> TableSchema | None:
    """The schema of one table.

    Args:
        schema: an Item class; a DescribeTable answer or its `Table` part, or anything with its
            KeySchema and AttributeDefinitions; or a mapping from table name to any of these.

    Raises:
        UnsupportedTypeError: it is not one of these.
    """
    if schema is None or isinstance(schema, TableSchema):
        return schema
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
    key = _key_attributes(description["KeySchema"], types)
    indexes = {
        index["IndexName"]: _index(index, types, key, is_global=is_global)
        for member, is_global in (
            ("GlobalSecondaryIndexes", True),
            ("LocalSecondaryIndexes", False),
        )
        for index in description.get(member) or ()
    }
    return TableSchema(
        key=KeySchema(attributes=key),
        indexes=dict(sorted(indexes.items())),
        vector_indexes={
            index["IndexName"]: _vector_index(index, types)
            for index in description.get("VectorIndexes") or ()
        },
    )


def _vector_index(index: Mapping[str, Any], types: Mapping[str, str]) -> VectorIndex:
    elements = index.get("SearchSchema") or ()
    hashes = [e["AttributeName"] for e in elements if e["SearchSchemaElementType"] == "HASH"]
    return VectorIndex(
        attribute=(index.get("VectorAttribute") or {}).get("AttributeName"),
        dimensions=index.get("Dimensions"),
        search_schema={e["AttributeName"]: types.get(e["AttributeName"]) for e in elements},
        partition_key=hashes[0] if hashes else None,
    )


def _index(
    index: Mapping[str, Any],
    types: Mapping[str, str],
    table_key: tuple[KeyAttribute, ...],
    *,
    is_global: bool,
) -> KeySchema:
    attributes = _key_attributes(index["KeySchema"], types)
    projection = index.get("Projection") or {}
    projected = None
    if projection.get("ProjectionType") in ("KEYS_ONLY", "INCLUDE"):
        keys = (each.name for each in attributes + table_key)
        projected = frozenset([*keys, *(projection.get("NonKeyAttributes") or ())])
    return KeySchema(
        attributes=attributes,
        partition_count=sum(each["KeyType"] == "HASH" for each in index["KeySchema"]),
        index_name=index["IndexName"],
        is_global=is_global,
        projected=projected,
    )


def _key_attributes(elements: Any, types: Mapping[str, str]) -> tuple[KeyAttribute, ...]:
    ordered = sorted(elements, key=lambda element: element["KeyType"] != "HASH")
    return tuple(
        KeyAttribute(name=element["AttributeName"], type_name=types.get(element["AttributeName"]))
        for element in ordered
    )
