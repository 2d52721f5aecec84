"""dynamodb-autoincrement: numbers that count up, by transactions of aioboto3's resource."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aioboto3
import boto3
from dynamodb_autoincrement import DynamoDBAutoIncrement, DynamoDBHistoryAutoIncrement

from tests.third_party.scenario import Place, scenario


def resource(place: Place) -> Any:
    return aioboto3.Session().resource("dynamodb", **place.options())


def widgets(place: Place, dynamodb: Any, name: str, **options: Any) -> Any:
    items = replace(place, table=f"{place.table}-items")
    client = boto3.client("dynamodb", **place.options())
    place.create_table(client, tableName="S")
    items.create_table(client, widgetID="N")
    return DynamoDBAutoIncrement(
        dynamodb=dynamodb,
        counter_table_name=place.table,
        counter_table_key={"tableName": name},
        table_name=items.table,
        attribute_name="widgetID",
        initial_value=1,
        **options,
    )


@scenario("dynamodb-autoincrement")
async def counts_up(place: Place) -> Any:
    async with resource(place) as dynamodb:
        made = widgets(place, dynamodb, "widgets")
        return [await made.put({"widgetName": f"w{n}"}) for n in range(3)]


@scenario("dynamodb-autoincrement")
async def counts_up_without_a_transaction(place: Place) -> Any:
    async with resource(place) as dynamodb:
        made = widgets(place, dynamodb, "widgets", dangerously=True)
        return [await made.put({"widgetName": f"w{n}"}) for n in range(2)]


@scenario("dynamodb-autoincrement")
async def counts_under_no_name(place: Place) -> Any:
    async with resource(place) as dynamodb:
        return await widgets(place, dynamodb, "").put({"widgetName": "w"})


@scenario("dynamodb-autoincrement")
async def keeps_the_history(place: Place) -> Any:
    history = replace(place, table=f"{place.table}-history")
    client = boto3.client("dynamodb", **place.options())
    place.create_table(client, widgetID="S")
    history.create_table(client, widgetID="S", version="N")
    async with resource(place) as dynamodb:
        made = DynamoDBHistoryAutoIncrement(
            dynamodb=dynamodb,
            counter_table_name=place.table,
            counter_table_key={"widgetID": "w"},
            table_name=history.table,
            attribute_name="version",
            initial_value=1,
        )
        for color in ("red", "blue", "green"):
            await made.put({"color": color})
        return await made.list(), (await made.get(1))["color"], (await made.get())["color"]
