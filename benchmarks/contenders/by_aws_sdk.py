"""AWS's new SDK, generated of the same models; values go and come as objects of its types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.contenders.by_hand import NAMES, expression
from benchmarks.work import REGION, TABLE_NAME, WIRE_ITEM, Calls


async def client(endpoint_url: str) -> Any:
    from aws_sdk_dynamodb.client import AsyncDynamoDBClient
    from aws_sdk_dynamodb.config import AsyncDynamoDBConfig

    config = await AsyncDynamoDBConfig.resolve(
        region=REGION,
        endpoint_uri=endpoint_url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    return AsyncDynamoDBClient(config)


@asynccontextmanager
async def connect(endpoint_url: str) -> AsyncIterator[Calls]:
    from aws_sdk_dynamodb import models

    service = await client(endpoint_url)

    def value(wire: dict[str, Any]) -> Any:
        ((kind, content),) = wire.items()
        if kind == "L":
            content = [value(each) for each in content]
        elif kind == "M":
            content = {name: value(each) for name, each in content.items()}
        return getattr(models, f"AttributeValue{kind}")(content)

    text = models.AttributeValueS
    item = {name: value(each) for name, each in WIRE_ITEM.items()}

    async def update(turn: int) -> object:
        return await service.update_item(
            models.UpdateItemInput(
                table_name=TABLE_NAME,
                key={"id": text(f"p{turn}")},
                update_expression=expression(NAMES),
                expression_attribute_names={"#name": "name"},
                expression_attribute_values={
                    ":name": text(f"Ada {turn}"),
                    ":zero": models.AttributeValueN("0"),
                    ":amount": models.AttributeValueN("1"),
                    ":tags": models.AttributeValueSS([f"tag{turn}"]),
                },
            )
        )

    async def get(turn: int) -> object:
        answer = await service.get_item(
            models.GetItemInput(table_name=TABLE_NAME, key={"id": text(f"p{turn}")})
        )
        return answer.item

    async def put(turn: int) -> object:
        return await service.put_item(
            models.PutItemInput(table_name=TABLE_NAME, item={**item, "id": text(f"p{turn}")})
        )

    async def query(turn: int) -> object:
        answer = await service.query(
            models.QueryInput(
                table_name=TABLE_NAME,
                key_condition_expression="id = :id",
                expression_attribute_values={":id": text(f"p{turn}")},
            )
        )
        return answer.items

    try:
        yield Calls(update, get, put, query)
    finally:
        await service.close()
