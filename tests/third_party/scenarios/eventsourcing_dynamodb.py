"""eventsourcing-dynamodb: events of aggregates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import boto3
from eventsourcing.persistence import StoredEvent
from eventsourcing_dynamodb.recorders import DynamoAggregateRecorder

from tests.third_party.scenario import Place, scenario

ORIGIN = UUID(int=1)


def recorder(place: Place, count: int) -> Any:
    resource: Any = boto3.resource("dynamodb", **place.options())
    place.create_table(resource.meta.client, originator_id="S", originator_version="N")
    made = DynamoAggregateRecorder(place.table, resource)
    made.insert_events([StoredEvent(ORIGIN, n, "topic", b"state") for n in range(count)])
    return made


@scenario("eventsourcing-dynamodb")
def inserts_and_selects(place: Place) -> Any:
    found = recorder(place, 30).select_events(ORIGIN, gt=26)
    return [each.originator_version for each in found]


@scenario("eventsourcing-dynamodb")
def selects_the_last(place: Place) -> Any:
    found = recorder(place, 3).select_events(ORIGIN, desc=True, limit=1)
    return found[0].originator_version


@scenario("eventsourcing-dynamodb")
def selects_between(place: Place) -> Any:
    return recorder(place, 5).select_events(ORIGIN, gt=1, lte=3)


@scenario("eventsourcing-dynamodb")
def inserts_one_twice(place: Place) -> Any:
    event = StoredEvent(ORIGIN, 9, "topic", b"state")
    return recorder(place, 1).insert_events([event, event])
