"""The keys and indexes of a table, as far as they are known.

Source: "TableDescription", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dynasafe.errors import UnsupportedTypeError
from dynasafe.items.item import Item
from dynasafe.items.schema import schema_of
from dynasafe.records import Record, assign


class KeyAttribute(Record):
    """A part of a key. Its type is None where it is not known."""

    __slots__ = __match_args__ = ("name", "type_name")
    name: str
    type_name: str | None

    def __init__(self, *, name: str, type_name: str | None) -> None:
        assign(self, "name", name)
        assign(self, "type_name", type_name)


class KeySchema(Record):
    """The partition key, then the sort key if there is one.

    A global index may have up to four attributes of each.
    """

    __slots__ = __match_args__ = (
        "attributes",
        "partition_count",
        "index_name",
        "is_global",
        "projected",
    )
    attributes: tuple[KeyAttribute, ...]
    partition_count: int
    """How many of the attributes, which are the first, are the partition key."""
    index_name: str | None
    """None for the table's own key."""
    is_global: bool
    projected: frozenset[str] | None
    """The names of all attributes that an index has, or None if it has all, or it is not known."""

    def __init__(
        self,
        *,
        attributes: tuple[KeyAttribute, ...],
        partition_count: int = 1,
        index_name: str | None = None,
        is_global: bool = False,
        projected: frozenset[str] | None = None,
    ) -> None:
        assign(self, "attributes", attributes)
        assign(self, "partition_count", partition_count)
        assign(self, "index_name", index_name)
        assign(self, "is_global", is_global)
        assign(self, "projected", projected)

    @property
    def partition_attributes(self) -> tuple[KeyAttribute, ...]:
        return self.attributes[: self.partition_count]

    @property
    def sort_attributes(self) -> tuple[KeyAttribute, ...]:
        return self.attributes[self.partition_count :]


class VectorIndex(Record):
    """A vector index, as far as it is known."""

    __slots__ = __match_args__ = ("attribute", "dimensions", "search_schema", "partition_key")
    attribute: str | None
    """Where items have the vector; None where it is not known, as its dimensions may be."""
    dimensions: int | None
    search_schema: Mapping[str, str | None]
    """The types of the attributes that a search may name; None where it is not known."""
    partition_key: str | None

    def __init__(
        self,
        *,
        attribute: str | None,
        dimensions: int | None,
        search_schema: Mapping[str, str | None],
        partition_key: str | None = None,
    ) -> None:
        assign(self, "attribute", attribute)
        assign(self, "dimensions", dimensions)
        assign(self, "search_schema", search_schema)
        assign(self, "partition_key", partition_key)


class TableSchema:
    """A table's key, and those of its indexes, where they are known at all.

    Two are equal if they are the same object, so that requests can be remembered by it.
    """

    __slots__ = (
        "indexed_names",
        "indexes",
        "key",
        "key_names",
        "knows_indexes",
        "vector_indexes",
    )

    def __init__(
        self,
        *,
        key: KeySchema,
        indexes: Mapping[str, KeySchema] | None = None,
        vector_indexes: Mapping[str, VectorIndex] | None = None,
        knows_indexes: bool = True,
    ) -> None:
        self.key: Final = key
        self.indexes: Final = indexes or {}
        """In the order of their names, in which the service looks at them."""
        self.vector_indexes: Final = vector_indexes or {}
        self.knows_indexes: Final = knows_indexes
        self.key_names: Final = frozenset(each.name for each in key.attributes)
        """Of the attributes of the table's key."""
        of_indexes = (each.name for index in self.indexes.values() for each in index.attributes)
        self.indexed_names: Final = self.key_names.union(of_indexes)
        """Of the attributes of any key."""


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
