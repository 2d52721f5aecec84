"""pydynox, whose serialiser and client are written in Rust."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydynox.pydynox_core import item_from_dynamo, item_to_dynamo

from benchmarks.contenders.by_hand import NAMES, expression
from benchmarks.work import ITEM, REGION, TABLE_NAME, Calls


def serialize(item: dict[str, Any]) -> dict[str, Any]:
    wire: dict[str, Any] = item_to_dynamo(item)
    return wire


def deserialize(item: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = item_from_dynamo(item)
    return plain


@asynccontextmanager
async def connect(endpoint_url: str) -> AsyncIterator[Calls]:
    from pydynox import DynamoDBClient

    client = DynamoDBClient(
        region=REGION, access_key="a", secret_key="b", endpoint_url=endpoint_url
    )

    async def update(turn: int) -> object:
        return await client.update_item(
            TABLE_NAME,
            {"id": f"p{turn}"},
            update_expression=expression(NAMES),
            expression_attribute_names={"#name": "name"},
            expression_attribute_values={
                ":name": f"Ada {turn}",
                ":zero": 0,
                ":amount": 1,
                ":tags": {f"tag{turn}"},
            },
        )

    async def get(turn: int) -> object:
        return await client.get_item(TABLE_NAME, {"id": f"p{turn}"})

    async def put(turn: int) -> object:
        return await client.put_item(TABLE_NAME, {**ITEM, "id": f"p{turn}"})

    async def query(turn: int) -> object:
        found = client.query(
            TABLE_NAME, "id = :id", expression_attribute_values={":id": f"p{turn}"}
        )
        return [item async for item in found]

    yield Calls(update, get, put, query)
