"""Powertools for AWS Lambda: idempotency and parameters."""

from __future__ import annotations

from typing import Any

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parameters import DynamoDBProvider

from tests.third_party.scenario import Place, scenario


def idempotent(place: Place, **options: Any) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), id="S")
    layer = DynamoDBPersistenceLayer(table_name=place.table, **options)

    @idempotent_function(
        data_keyword_argument="order", persistence_store=layer, config=IdempotencyConfig()
    )
    def pay(*, order: dict[str, Any]) -> Any:
        calls.append(order)
        if order.get("fails"):
            raise RuntimeError("no")
        return {"paid": order["id"], "receipt": order.get("receipt", "")}

    calls: list[Any] = []
    return pay, calls


@scenario("aws-lambda-powertools")
def runs_once(place: Place) -> Any:
    pay, calls = idempotent(place)
    return [pay(order={"id": "o1"}) for _ in range(3)], len(calls)


@scenario("aws-lambda-powertools")
def runs_again_after_an_error(place: Place) -> Any:
    pay, calls = idempotent(place)
    for _ in range(2):
        try:
            pay(order={"id": "o1", "fails": True})
        except RuntimeError:
            continue
    return len(calls)


@scenario("aws-lambda-powertools")
def stores_what_is_too_large(place: Place) -> Any:
    pay, _ = idempotent(place)
    return pay(order={"id": "o1", "receipt": "x" * 450_000})


@scenario("aws-lambda-powertools")
def reads_parameters(place: Place) -> Any:
    client = boto3.client("dynamodb", **place.options())
    place.create_table(client, id="S", sk="S")
    for name in ("a", "b"):
        item = {"id": {"S": "p"}, "sk": {"S": name}, "value": {"S": name * 2}}
        client.put_item(TableName=place.table, Item=item)
    return DynamoDBProvider(table_name=place.table).get_multiple("p")


@scenario("aws-lambda-powertools")
def reads_a_parameter_without_a_name(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), id="S")
    return DynamoDBProvider(table_name=place.table).get("")
