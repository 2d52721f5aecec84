"""PynamoDB: models, through sessions of botocore that it makes itself."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tests.third_party.scenario import REGION, Place, scenario


def model(place: Place) -> Any:
    class Thing(Model):
        class Meta:
            table_name = place.table
            host = place.url
            region = REGION
            billing_mode = "PAY_PER_REQUEST"

        id = UnicodeAttribute(hash_key=True)
        turn = NumberAttribute(range_key=True)
        name = UnicodeAttribute(null=True)
        status = UnicodeAttribute(null=True)
        tags = UnicodeSetAttribute(null=True)
        blob = BinaryAttribute(null=True, legacy_encoding=False)
        lines = ListAttribute(null=True)
        more: Any = MapAttribute(null=True)
        version = VersionAttribute()

    Thing.create_table(wait=True)
    return Thing


@scenario("pynamodb")
def saves_and_reads(place: Place) -> Any:
    thing = model(place)
    thing("a", 1, name="Ada", status="new", tags={"x"}, blob=b"\x00", lines=[1, "b"]).save()
    found = thing.get("a", 1)
    return found.name, found.status, found.tags, found.blob, found.lines, found.version


@scenario("pynamodb")
def updates(place: Place) -> Any:
    thing = model(place)
    first = thing("a", 1, name="Ada", lines=[1])
    first.save()
    first.update(
        actions=[thing.status.set("open"), thing.lines.set(thing.lines.append([2]))],
        condition=thing.name == "Ada",
    )
    return first.status, first.lines, first.version


@scenario("pynamodb")
def queries(place: Place) -> Any:
    thing = model(place)
    with thing.batch_write() as batch:
        for turn in range(30):
            batch.save(thing("a", turn, name=f"n{turn}"))
    found = thing.query("a", thing.turn.between(5, 25), thing.name.startswith("n1"))
    return [each.turn for each in found], thing.count("a"), len(list(thing.scan(limit=7)))


@scenario("pynamodb")
def reads_a_batch(place: Place) -> Any:
    thing = model(place)
    for turn in range(3):
        thing("a", turn).save()
    return sorted(each.turn for each in thing.batch_get([("a", 0), ("a", 2), ("b", 0)]))


@scenario("pynamodb")
def writes_in_a_transaction(place: Place) -> Any:
    thing = model(place)
    connection = Connection(region=REGION, host=place.url)
    with TransactWrite(connection=connection) as transaction:
        transaction.save(thing("a", 1, name="x"))
        transaction.save(thing("a", 2, name="y"))
    return thing.count("a")


@scenario("pynamodb")
def saves_an_empty_key(place: Place) -> Any:
    return model(place)("", 1).save()


@scenario("pynamodb")
def queries_an_empty_key(place: Place) -> Any:
    return [each.id for each in model(place).query("")]


@scenario("pynamodb")
def saves_what_is_too_large(place: Place) -> Any:
    return model(place)("a", 1, name="x" * 410_000).save()


@scenario("pynamodb")
def updates_one_path_twice(place: Place) -> Any:
    thing = model(place)
    first = thing("a", 1, name="Ada")
    first.save()
    return first.update(actions=[thing.name.set("b"), thing.name.remove()])
