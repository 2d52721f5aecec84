"""aiocache-dynamodb: an async cache over aiobotocore."""

from __future__ import annotations

from typing import Any

import boto3
from aiocache_dynamodb import DynamoDBCache

from tests.third_party.scenario import Place, scenario


def cache(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), cache_key="S")
    return DynamoDBCache(
        table_name=place.table,
        endpoint_url=place.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@scenario("aiocache-dynamodb")
async def sets_and_gets(place: Place) -> Any:
    async with cache(place) as made:
        await made.set("a", "x", ttl=60)
        return await made.get("a"), await made.get("b"), await made.exists("a")


@scenario("aiocache-dynamodb")
async def adds_once(place: Place) -> Any:
    async with cache(place) as made:
        await made.add("a", "x")
        return await made.add("a", "y")


@scenario("aiocache-dynamodb")
async def increments(place: Place) -> Any:
    async with cache(place) as made:
        return [await made.increment("n") for _ in range(3)]


@scenario("aiocache-dynamodb")
async def sets_several(place: Place) -> Any:
    async with cache(place) as made:
        await made.multi_set([(f"k{n}", str(n)) for n in range(5)])
        return await made.multi_get(["k1", "k3", "none"])


@scenario("aiocache-dynamodb")
async def sets_more_than_a_batch_has(place: Place) -> Any:
    async with cache(place) as made:
        return await made.multi_set([(f"k{n}", str(n)) for n in range(30)])


@scenario("aiocache-dynamodb")
async def gets_one_key_twice(place: Place) -> Any:
    async with cache(place) as made:
        return await made.multi_get(["a", "a"])


@scenario("aiocache-dynamodb")
async def sets_what_is_too_large(place: Place) -> Any:
    async with cache(place) as made:
        return await made.set("a", "x" * 450_000)


@scenario("aiocache-dynamodb")
async def sets_under_no_key(place: Place) -> Any:
    async with cache(place) as made:
        return await made.set("", "x")
