"""capo, generated of AWS's models; values go and come in wire form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.contenders.by_hand import NAMES, expression
from benchmarks.work import REGION, TABLE_NAME, WIRE_ITEM, Calls


def client(endpoint_url: str) -> Any:
    from capo_dynamodb import AsyncDynamoDBClient, Credentials

    return AsyncDynamoDBClient(
        region=REGION,
        endpoint=endpoint_url,
        credentials=Credentials(access_key="a", secret_key="b"),
    )


@asynccontextmanager
async def connect(endpoint_url: str) -> AsyncIterator[Calls]:
    async with client(endpoint_url) as service:

        async def update(turn: int) -> object:
            return await service.update_item(
                TABLE_NAME,
                {"id": {"S": f"p{turn}"}},
                update_expression=expression(NAMES),
                expression_attribute_names={"#name": "name"},
                expression_attribute_values={
                    ":name": {"S": f"Ada {turn}"},
                    ":zero": {"N": "0"},
                    ":amount": {"N": "1"},
                    ":tags": {"SS": [f"tag{turn}"]},
                },
            )

        async def get(turn: int) -> object:
            answer = await service.get_item(TABLE_NAME, {"id": {"S": f"p{turn}"}})
            return answer["item"]

        async def put(turn: int) -> object:
            return await service.put_item(TABLE_NAME, {**WIRE_ITEM, "id": {"S": f"p{turn}"}})

        async def query(turn: int) -> object:
            answer = await service.query(
                TABLE_NAME,
                key_condition_expression="id = :id",
                expression_attribute_values={":id": {"S": f"p{turn}"}},
            )
            return answer["items"]

        yield Calls(update, get, put, query)
