"""bloop: an engine over a client that it makes."""

from __future__ import annotations

from typing import Any

import boto3
from bloop import BaseModel, Column, Engine, GlobalSecondaryIndex, Number, Set, String

from tests.third_party.scenario import Place, scenario


def bound(place: Place) -> Any:
    client = boto3.client("dynamodb", **place.options())
    client.create_table(
        TableName=place.table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "turn", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "turn", "AttributeType": "N"},
            {"AttributeName": "name", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_name",
                "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    engine = Engine(
        dynamodb=client,
        dynamodbstreams=boto3.client("dynamodbstreams", **place.options()),
    )

    class Thing(BaseModel):
        class Meta:
            table_name = place.table
            billing = {"mode": "on_demand"}

        id = Column(String, hash_key=True)
        turn = Column(Number, range_key=True)
        name = Column(String)
        status = Column(String)
        tags = Column(Set(String))
        by_name = GlobalSecondaryIndex(projection="all", hash_key="name")

    engine.bind(Thing, skip_table_setup=True)  # which asks for backups that the engine has not
    return engine, Thing


@scenario("bloop")
def saves_and_loads(place: Place) -> Any:
    engine, thing = bound(place)
    engine.save(thing(id="a", turn=1, name="Ada", status="new", tags={"x"}))
    found = thing(id="a", turn=1)
    engine.load(found)
    return found.name, found.status, found.tags


@scenario("bloop")
def saves_under_a_condition(place: Place) -> Any:
    engine, thing = bound(place)
    first = thing(id="a", turn=1, name="Ada")
    engine.save(first, condition=thing.id.is_(None))
    first.name = None
    engine.save(first, condition=thing.name == "Ada")
    return [each.name for each in engine.query(thing, key=thing.id == "a")]


@scenario("bloop")
def queries_an_index(place: Place) -> Any:
    engine, thing = bound(place)
    engine.save(thing(id="a", turn=1, name="Ada"), thing(id="b", turn=1, name="Bob"))
    found = engine.query(thing.by_name, key=thing.name == "Ada", filter=thing.turn < 3)
    return [each.id for each in found]


@scenario("bloop")
def scans_in_parallel(place: Place) -> Any:
    engine, thing = bound(place)
    engine.save(thing(id="a", turn=1))
    return len(list(engine.scan(thing, parallel=(0, 1))))


@scenario("bloop")
def writes_in_a_transaction(place: Place) -> Any:
    engine, thing = bound(place)
    with engine.transaction() as transaction:
        transaction.save(thing(id="a", turn=1, name="Ada"))
    return len(list(engine.scan(thing)))


@scenario("bloop")
def checks_in_a_transaction(place: Place) -> Any:
    engine, thing = bound(place)
    with engine.transaction() as transaction:
        transaction.check(thing(id="a", turn=1), condition=thing.name.is_(None))
        transaction.save(thing(id="b", turn=1))
    return len(list(engine.scan(thing)))


@scenario("bloop")
def saves_an_empty_index_key(place: Place) -> Any:
    engine, thing = bound(place)
    return engine.save(thing(id="a", turn=1, name=""))


@scenario("bloop")
def saves_what_is_too_large(place: Place) -> Any:
    engine, thing = bound(place)
    return engine.save(thing(id="a", turn=1, status="x" * 410_000))
