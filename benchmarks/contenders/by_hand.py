"""boto3 and aioboto3, with requests that are written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from benchmarks.work import (
    ITEM,
    MOST_CONNECTIONS,
    REGION,
    TABLE_NAME,
    WIRE_ITEM,
    Calls,
    Change,
    NewNames,
)

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize

NAMES = NewNames("#name", "visits", "email", "tags")


def expression(names: NewNames) -> str:
    return (
        f"SET {names.name} = :name, {names.visits} = if_not_exists({names.visits}, :zero) + :amount"
        f" REMOVE {names.email} ADD {names.tags} :tags"
    )


def build(change: Change) -> Mapping[str, Any]:
    return {
        "TableName": TABLE_NAME,
        "Key": {"id": _serialize(change.key)},
        "UpdateExpression": expression(NAMES),
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": {
            ":name": _serialize(change.name),
            ":zero": _serialize(0),
            ":amount": _serialize(change.amount),
            ":tags": _serialize(change.tags),
        },
    }


def build_new(change: Change, names: NewNames) -> Mapping[str, Any]:
    return {
        "TableName": TABLE_NAME,
        "Key": {"id": _serialize(change.key)},
        "UpdateExpression": expression(names),
        "ExpressionAttributeValues": {
            ":name": _serialize(change.name),
            ":zero": _serialize(0),
            ":amount": _serialize(change.amount),
            ":tags": _serialize(change.tags),
        },
    }


def serialize(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in item.items()}


def deserialize(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}


def options(endpoint_url: str, certificate: str | None = None) -> dict[str, Any]:
    from aiobotocore.config import AioConfig

    return {
        "region_name": REGION,
        "endpoint_url": endpoint_url,
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
        "verify": certificate,
        "config": AioConfig(max_pool_connections=MOST_CONNECTIONS),
    }


@asynccontextmanager
async def connect_table(endpoint_url: str) -> AsyncIterator[Calls]:
    import aioboto3
    from boto3.dynamodb.conditions import Key

    async with aioboto3.Session().resource("dynamodb", **options(endpoint_url)) as resource:
        table = await resource.Table(TABLE_NAME)

        async def update(turn: int) -> object:
            return await table.update_item(
                Key={"id": f"p{turn}"},
                UpdateExpression=expression(NAMES),
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues={
                    ":name": f"Ada {turn}",
                    ":zero": 0,
                    ":amount": 1,
                    ":tags": {f"tag{turn}"},
                },
            )

        async def get(turn: int) -> object:
            return (await table.get_item(Key={"id": f"p{turn}"}))["Item"]

        async def put(turn: int) -> object:
            return await table.put_item(Item={**ITEM, "id": f"p{turn}"})

        async def query(turn: int) -> object:
            answer = await table.query(KeyConditionExpression=Key("id").eq(f"p{turn}"))
            return answer["Items"]

        yield Calls(update, get, put, query)


@asynccontextmanager
async def connect_client(endpoint_url: str, certificate: str | None = None) -> AsyncIterator[Calls]:
    """The bare client: values go and come in wire form, so no one serialises them."""
    import aioboto3

    given = options(endpoint_url, certificate)
    async with aioboto3.Session().client("dynamodb", **given) as client:

        async def update(turn: int) -> object:
            return await client.update_item(
                TableName=TABLE_NAME,
                Key={"id": {"S": f"p{turn}"}},
                UpdateExpression=expression(NAMES),
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues={
                    ":name": {"S": f"Ada {turn}"},
                    ":zero": {"N": "0"},
                    ":amount": {"N": "1"},
                    ":tags": {"SS": [f"tag{turn}"]},
                },
            )

        async def get(turn: int) -> object:
            answer = await client.get_item(TableName=TABLE_NAME, Key={"id": {"S": f"p{turn}"}})
            return answer["Item"]

        async def put(turn: int) -> object:
            return await client.put_item(
                TableName=TABLE_NAME, Item={**WIRE_ITEM, "id": {"S": f"p{turn}"}}
            )

        async def query(turn: int) -> object:
            answer = await client.query(
                TableName=TABLE_NAME,
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": f"p{turn}"}},
            )
            return answer["Items"]

        yield Calls(update, get, put, query)
