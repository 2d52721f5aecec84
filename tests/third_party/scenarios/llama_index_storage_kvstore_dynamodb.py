"""LlamaIndex's key-value store."""

from __future__ import annotations

from typing import Any

import boto3
from llama_index.storage.kvstore.dynamodb import DynamoDBKVStore

from tests.third_party.scenario import Place, scenario


def store(place: Place) -> Any:
    resource: Any = boto3.resource("dynamodb", **place.options())
    place.create_table(resource.meta.client, collection="S", key="S")
    return DynamoDBKVStore(resource.Table(place.table))


@scenario("llama-index-storage-kvstore-dynamodb")
def puts_and_gets(place: Place) -> Any:
    made = store(place)
    made.put("a", {"n": 1, "score": 0.5}, "docs")
    made.put("b", {"list": [1, "x"]}, "docs")
    found = sorted(made.get("a", "docs").items()), sorted(made.get_all("docs"))
    made.delete("a", "docs")
    return found, made.get("a", "docs")


@scenario("llama-index-storage-kvstore-dynamodb")
def puts_under_no_key(place: Place) -> Any:
    return store(place).put("", {"n": 1}, "docs")


@scenario("llama-index-storage-kvstore-dynamodb")
def reads_no_collection(place: Place) -> Any:
    return store(place).get_all("")


@scenario("llama-index-storage-kvstore-dynamodb")
def puts_what_is_too_large(place: Place) -> Any:
    return store(place).put("a", {"text": "x" * 450_000}, "docs")
