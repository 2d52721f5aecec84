"""idemkit: idempotency over aioboto3."""

from __future__ import annotations

from typing import Any

from idemkit.backends.dynamodb import DynamoBackend

from tests.third_party.scenario import Place, scenario


def backend(place: Place) -> Any:
    return DynamoBackend(table=place.table, endpoint_url=place.url)


@scenario("idemkit")
async def claims_once(place: Place) -> Any:
    async with backend(place) as made:
        first = await made.claim("k1", "fingerprint", 30, 60)
        second = await made.claim("k1", "fingerprint", 30, 60)
        return type(first).__name__, type(second).__name__


@scenario("idemkit")
async def claims_no_key(place: Place) -> Any:
    async with backend(place) as made:
        return await made.claim("", "fingerprint", 30, 60)
