"""cachu: a cache for functions, with a session of its own."""

from __future__ import annotations

from typing import Any

from cachu.backends.dynamodb import DynamoDBBackend, create_dynamodb_table

from tests.third_party.scenario import Place, scenario


def backend(place: Place) -> Any:
    create_dynamodb_table(place.table, region_name="us-east-1", endpoint_url=place.url)
    return DynamoDBBackend(place.table, region_name="us-east-1", endpoint_url=place.url)


@scenario("cachu")
def sets_and_gets(place: Place) -> Any:
    made = backend(place)
    made.set("a", {"n": 1}, 60)
    return made.get("a")


@scenario("cachu")
def deletes(place: Place) -> Any:
    made = backend(place)
    for key in ("a", "b"):
        made.set(key, key, 60)
    made.delete("a")
    return made.get("b"), made.count()


@scenario("cachu")
def sets_what_is_too_large(place: Place) -> Any:
    return backend(place).set("a", "x" * 450_000, 60)


@scenario("cachu")
def sets_under_no_key(place: Place) -> Any:
    return backend(place).set("", "x", 60)
