"""python-dynamodb-lock: a lock with heartbeats."""

from __future__ import annotations

from typing import Any

import boto3
from python_dynamodb_lock.python_dynamodb_lock import DynamoDBLockClient

from tests.third_party.scenario import Place, scenario


def locks(place: Place) -> Any:
    resource: Any = boto3.resource("dynamodb", **place.options())
    DynamoDBLockClient.create_dynamodb_table(resource.meta.client, table_name=place.table)
    return DynamoDBLockClient(resource, table_name=place.table)


@scenario("python-dynamodb-lock")
def locks_and_releases(place: Place) -> Any:
    made = locks(place)
    lock = made.acquire_lock("job", additional_attributes={"note": "x"})
    released = lock.release()
    made.close()
    return lock.partition_key, released


@scenario("python-dynamodb-lock")
def locks_nothing(place: Place) -> Any:
    made = locks(place)
    try:
        return made.acquire_lock("")
    finally:
        made.close()


@scenario("python-dynamodb-lock")
def locks_with_an_empty_set(place: Place) -> Any:
    made = locks(place)
    try:
        return made.acquire_lock("job", additional_attributes={"tags": set()})
    finally:
        made.close()
