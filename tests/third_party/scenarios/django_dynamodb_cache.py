"""django-dynamodb-cache: Django's cache."""

from __future__ import annotations

from typing import Any

import boto3
from django.conf import settings

settings.configure(USE_TZ=True)

from django_dynamodb_cache.backend import DjangoCacheBackend  # noqa: E402

from tests.third_party.scenario import Place, scenario  # noqa: E402


def cache(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), cache_key="S")
    params = {"OPTIONS": {"aws_region_name": "us-east-1"}, "TIMEOUT": 60}
    return DjangoCacheBackend(place.table, params)


@scenario("django-dynamodb-cache")
def sets_and_gets(place: Place) -> Any:
    made = cache(place)
    made.set("a", {"n": 1})
    return made.get("a"), made.get("b", "none"), made.has_key("a")


@scenario("django-dynamodb-cache")
def sets_several(place: Place) -> Any:
    made = cache(place)
    made.set_many({f"k{n}": n for n in range(40)})
    return sorted(made.get_many(["k1", "k39"]).items())


@scenario("django-dynamodb-cache")
def counts(place: Place) -> Any:
    made = cache(place)
    made.set("n", 1)
    made.touch("n")
    return made.incr("n"), made.add("n", 5)


@scenario("django-dynamodb-cache")
def gets_one_key_twice(place: Place) -> Any:
    return cache(place).get_many(["a", "a"])


@scenario("django-dynamodb-cache")
def sets_what_is_too_large(place: Place) -> Any:
    return cache(place).set("a", "x" * 450_000)
