"""Tables made from Item classes, for development and tests.

Source: "CreateTable" and "UpdateTimeToLive", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.items.item import Item
from dynasafe.testing.descriptions import create_table_params, table_description

POLL_S = 0.25


async def create_tables(
    db: AsyncDynamoDB,
    tables: Mapping[str, type[Item] | Mapping[str, Any]],
    *,
    indexes: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> None:
    """Create the tables, with on-demand billing, and wait until they are active.

        await create_tables(db, {"people": Person}, indexes={"people": {"by_email": ("email",)}})

    Args:
        tables: by name, an Item class or a table's description. If the class has a `ttl=True`
            attribute, Time to Live is switched on.
        indexes: by table, as `table_description` takes them.

    Raises:
        ServiceError: a table of this name exists, or DynamoDB refused the request.
    """
    for operation, params in creating(tables, indexes):
        await db.call(operation, params)
    for name, given in tables.items():
        await _until_active(db, name)
        time_to_live = time_to_live_params(name, given)
        if time_to_live is not None:
            await db.call("UpdateTimeToLive", time_to_live)


async def _until_active(db: AsyncDynamoDB, name: str) -> None:
    while True:
        if is_active(await db.call("DescribeTable", {"TableName": name})):
            return
        await asyncio.sleep(POLL_S)


def creating(
    tables: Mapping[str, type[Item] | Mapping[str, Any]],
    indexes: Mapping[str, Mapping[str, tuple[str, ...]]] | None,
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The requests that create the tables."""
    for name, given in tables.items():
        described = table_description(given, indexes=(indexes or {}).get(name))
        yield "CreateTable", create_table_params(name, described)


def is_active(described: Mapping[str, Any]) -> bool:
    """Whether a table is there, by the answer of DescribeTable."""
    return bool(described["Table"]["TableStatus"] == "ACTIVE")


def time_to_live_params(
    name: str, given: type[Item] | Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The request that switches Time to Live on, where a class has an attribute for it."""
    ttl = given.__dynasafe_schema__.ttl if isinstance(given, type) else None
    if ttl is None:
        return None
    specification = {"Enabled": True, "AttributeName": ttl.name}
    return {"TableName": name, "TimeToLiveSpecification": specification}
