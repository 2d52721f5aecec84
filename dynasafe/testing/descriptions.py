"""The description of a table for tests, from an Item class or an existing description.

Source: "CreateTable", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dynasafe.errors import UnsupportedTypeError
from dynasafe.items.item import Item
from dynasafe.items.schema import Schema
from dynasafe.validation.table_schema import table_schema


def table_description(
    given: type[Item] | Mapping[str, Any], *, indexes: Mapping[str, tuple[str, ...]] | None = None
) -> Mapping[str, Any]:
    """A table's description, in the form of CreateTable and DescribeTable.

    Args:
        given: an Item class; or a description, which is returned as it is.
        indexes: global secondary indexes of an Item class, by name, each with the names in DynamoDB
            of its partition key and, if it has one, its sort key: `{"by_email": ("email",)}`. They
            project all attributes.

    Raises:
        UnsupportedTypeError: `given` is neither, or has no partition key, or a key attribute has
            a type that cannot be a key, or that its annotation does not name.
    """
    if not (isinstance(given, type) and issubclass(given, Item)):
        table_schema(given, "")  # refuses what is not a description
        return cast("Mapping[str, Any]", given.get("Table", given))
    schema = given.__dynasafe_schema__
    if schema.partition_key is None:
        raise UnsupportedTypeError(
            "item_class",
            f"{given.__name__} has no partition key. Fix: attribute(key='partition')",
        )
    keys = {name: tuple(names) for name, names in (indexes or {}).items()}
    named = dict.fromkeys(each.name for each in schema.key_attributes)
    named.update(dict.fromkeys(name for names in keys.values() for name in names))
    global_indexes = [
        {
            "IndexName": name,
            "KeySchema": _key_elements(names),
            "Projection": {"ProjectionType": "ALL"},
        }
        for name, names in keys.items()
    ]
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_elements(tuple(each.name for each in schema.key_attributes)),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": _key_type(schema, name)} for name in named
        ],
        **({"GlobalSecondaryIndexes": global_indexes} if global_indexes else {}),
    }


def _key_type(schema: Schema, name: str) -> str:
    codec = schema.codecs.get(name)
    if codec is None:
        raise UnsupportedTypeError(name, f"{schema.item_class.__name__} has no such attribute")
    type_name = codec.key_type_name
    if type_name not in ("S", "N", "B"):
        raise UnsupportedTypeError(
            name,
            f"a key is a str, a number or bytes, which an Attr[{codec.name}] is not for sure. "
            "Fix: annotate it with one, or give a description as CreateTable takes it",
        )
    return type_name


def _key_elements(names: tuple[str, ...]) -> list[dict[str, str]]:
    roles = ("HASH", "RANGE")
    return [
        {"AttributeName": name, "KeyType": role} for name, role in zip(names, roles, strict=False)
    ]


def create_table_params(table_name: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of CreateTable for a table as described."""
    params: dict[str, Any] = {
        "TableName": table_name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": description["KeySchema"],
        "AttributeDefinitions": description["AttributeDefinitions"],
    }
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = [
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
            for index in description.get(member) or ()
        ]
        if indexes:
            params[member] = indexes
    return params


def described(
    table_name: str,
    given: Mapping[str, Any],
    counts: Mapping[str | None, tuple[int, int]],
) -> dict[str, Any]:
    """The DescribeTable answer for a table in memory.

    Args:
        given: the parameters of CreateTable, or an answer of DescribeTable.
        counts: the items and their bytes, of the table (None) and of each index by its name.
    """
    arn = f"arn:aws:dynamodb:memory:000000000000:table/{table_name}"
    kept = {name: value for name, value in given.items() if name not in _OF_REQUESTS}
    mode = (given.get("BillingModeSummary") or given).get("BillingMode")
    count, size_bytes = counts[None]
    answer: dict[str, Any] = {
        **kept,
        "TableName": table_name,
        "TableStatus": "ACTIVE",
        "TableArn": arn,
        "ItemCount": count,
        "TableSizeBytes": size_bytes,
        "ProvisionedThroughput": _throughput(given),
        "DeletionProtectionEnabled": bool(given.get("DeletionProtectionEnabled")),
    }
    if mode == "PAY_PER_REQUEST" or (mode is None and "ProvisionedThroughput" not in given):
        answer["BillingModeSummary"] = {"BillingMode": "PAY_PER_REQUEST"}
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = []
        for index in given.get(member) or ():
            name = index["IndexName"]
            count, size_bytes = counts[name]
            of_index = {
                **index,
                "IndexArn": f"{arn}/index/{name}",
                "ItemCount": count,
                "IndexSizeBytes": size_bytes,
            }
            if member == "GlobalSecondaryIndexes":
                of_index |= {"IndexStatus": "ACTIVE", "ProvisionedThroughput": _throughput(index)}
            indexes.append(of_index)
        if indexes:
            answer[member] = indexes
    return answer


_OF_REQUESTS = frozenset({"BillingMode", "ResourcePolicy", "Tags"})
"""Parameters of CreateTable that DescribeTable does not return."""


def _throughput(given: Mapping[str, Any]) -> dict[str, int]:
    """The provisioned throughput of a table or an index; zero with PAY_PER_REQUEST."""
    provisioned = given.get("ProvisionedThroughput") or {}
    units = {name: provisioned.get(name, 0) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    return {"NumberOfDecreasesToday": 0, **units}
