"""dynamo-dlm: a lock for so many at once."""

from __future__ import annotations

from typing import Any

import boto3
import dynamo_dlm

from tests.third_party.scenario import Place, scenario


def lock(place: Place, **types: str) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), **types)
    return dynamo_dlm.DynamoDbLock("job", table_name=place.table, wait_forever=False)


@scenario("dynamo-dlm")
def locks_and_releases(place: Place) -> Any:
    made = lock(place, resource_id="S", concurrency_id="N")
    with made:
        pass
    with made:
        return "again"


@scenario("dynamo-dlm")
def locks_in_a_table_with_another_key(place: Place) -> Any:
    with lock(place, id="N"):
        return "locked"
