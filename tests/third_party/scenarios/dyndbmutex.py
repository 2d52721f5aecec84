"""dyndbmutex: a mutex in a table of its own name."""

from __future__ import annotations

from typing import Any

from dyndbmutex.dyndbmutex import DynamoDbMutex

from tests.third_party.scenario import REGION, Place, scenario


@scenario("dyndbmutex")
def locks_and_releases(place: Place) -> Any:
    first = DynamoDbMutex(place.table, holder="one", region_name=REGION)
    second = DynamoDbMutex(place.table, holder="two", region_name=REGION)
    before = first.lock(), second.lock()
    first.release()
    return *before, second.lock()


@scenario("dyndbmutex")
def locks_nothing(place: Place) -> Any:
    return DynamoDbMutex("", holder="one", region_name=REGION).lock()
