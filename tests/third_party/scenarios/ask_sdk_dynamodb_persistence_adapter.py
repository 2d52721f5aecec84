"""The Alexa Skills Kit's persistence adapter."""

from __future__ import annotations

from typing import Any

import boto3
from ask_sdk_dynamodb.adapter import DynamoDbAdapter

from tests.third_party.scenario import Place, scenario


def adapter(place: Place, key: str = "user-1") -> Any:
    return DynamoDbAdapter(
        place.table,
        create_table=True,
        partition_keygen=lambda envelope: key,
        dynamodb_resource=boto3.resource("dynamodb", **place.options()),
    )


@scenario("ask-sdk-dynamodb-persistence-adapter")
def saves_and_reads(place: Place) -> Any:
    made = adapter(place)
    before = made.get_attributes(None)
    made.save_attributes(None, {"name": "Ada", "turn": 3, "none": None, "empty": ""})
    found = made.get_attributes(None)
    made.delete_attributes(None)
    return before, sorted(found.items(), key=str), made.get_attributes(None)


@scenario("ask-sdk-dynamodb-persistence-adapter")
def saves_a_float(place: Place) -> Any:
    return adapter(place).save_attributes(None, {"score": 1.5})


@scenario("ask-sdk-dynamodb-persistence-adapter")
def saves_an_empty_set(place: Place) -> Any:
    return adapter(place).save_attributes(None, {"tags": set()})


@scenario("ask-sdk-dynamodb-persistence-adapter")
def reads_of_no_user(place: Place) -> Any:
    return adapter(place, key="").get_attributes(None)


@scenario("ask-sdk-dynamodb-persistence-adapter")
def saves_what_is_too_large(place: Place) -> Any:
    return adapter(place).save_attributes(None, {"text": "x" * 450_000})
