"""Tables made from Item classes, for development and tests.

Source: "CreateTable" and "UpdateTimeToLive", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.items.item import Item
from dynasafe.testing.descriptions import create_table_params, table_description

_POLL_S = 0.25


async def create_tables(
    db: AsyncDynamoDB,
    tables: Mapping[str, type[Item] | Mapping[str, Any]],
    *,
    indexes: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> None:
    """Create the tables, paid by request, and wait until they are there.

        await create_tables(db, {"people": Person}, indexes={"people": {"by_email": ("email",)}})

    Args:
        tables: by name, an Item class or a table's description. Of a class with a `ttl=True`
            attribute, Time to Live is switched on.
        indexes: by table, as `table_description` takes them.

    Raises:
        ServiceError: there is a table of this name, or DynamoDB refused it.
    """
    for name, given in tables.items():
        described = table_description(given, indexes=(indexes or {}).get(name))
        await db.call("CreateTable", create_table_params(name, described))
    for name, given in tables.items():
        await _until_active(db, name)
        ttl = given.__dynasafe_schema__.ttl if isinstance(given, type) else None
        if ttl is not None:
            specification = {"Enabled": True, "AttributeName": ttl.name}
            await db.call(
                "UpdateTimeToLive",
                {"TableName": name, "TimeToLiveSpecification": specification},
            )


async def _until_active(db: AsyncDynamoDB, name: str) -> None:
    while True:
        answer = await db.call("DescribeTable", {"TableName": name})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
        await asyncio.sleep(_POLL_S)
