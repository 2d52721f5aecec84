"""dynalock: a lock as a context manager."""

from __future__ import annotations

from typing import Any

import boto3
from dynalock import DynaLock

from tests.third_party.scenario import Place, scenario


def lock(place: Place, name: str = "job") -> Any:
    return DynaLock(lock_id=name, region_name="us-east-1", table_name=place.table)


@scenario("dynalock")
def locks_and_releases(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), LockId="S")
    with lock(place).lock():
        pass
    with lock(place).lock():
        return "again"


@scenario("dynalock")
def locks_twice(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), LockId="S")
    with lock(place).lock(), lock(place).lock():
        return "both"


@scenario("dynalock")
def locks_in_a_table_with_another_key(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), id="S")
    with lock(place).lock():
        return "locked"
