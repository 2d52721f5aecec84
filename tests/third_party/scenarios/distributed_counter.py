"""distributed-counter: counters in a table."""

from __future__ import annotations

from typing import Any

from distributed_counter import DistributedCounter

from tests.third_party.scenario import Place, scenario


def counter(place: Place) -> Any:
    made = DistributedCounter(place.table, endpoint_url=place.url, region_name="us-east-1")
    made.create_table()
    return made


@scenario("distributed-counter")
def counts(place: Place) -> Any:
    made = counter(place)
    made.put("visits", 3)
    return made.increment("visits", 2), made.decrement("visits", 1), made.get("visits")


@scenario("distributed-counter")
def counts_under_no_name(place: Place) -> Any:
    return counter(place).put("", 3)


@scenario("distributed-counter")
def counts_in_fractions(place: Place) -> Any:
    return counter(place).put("visits", 1.5)
