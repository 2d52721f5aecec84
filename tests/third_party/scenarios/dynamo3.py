"""dynamo3: a thin connection over botocore."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from dynamo3 import DynamoDBConnection, DynamoKey
from dynamo3.constants import NUMBER

from tests.third_party.scenario import Place, scenario


def connect(place: Place) -> Any:
    url = urlsplit(place.url)
    connection = DynamoDBConnection.connect(
        "us-east-1",
        access_key="test",
        secret_key="test",
        host=url.hostname,
        port=url.port or 80,
        is_secure=False,
    )
    connection.create_table(place.table, DynamoKey("id"), DynamoKey("turn", NUMBER))
    return connection


@scenario("dynamo3")
def puts_and_gets(place: Place) -> Any:
    connection = connect(place)
    connection.put_item(place.table, {"id": "a", "turn": 1, "name": "Ada", "tags": {"x"}})
    return sorted(connection.get_item(place.table, {"id": "a", "turn": 1}).items(), key=str)


@scenario("dynamo3")
def updates(place: Place) -> Any:
    connection = connect(place)
    connection.update_item(
        place.table, {"id": "a", "turn": 1}, "SET #n = :n", alias={"#n": "name"}, n="Ada"
    )
    return connection.get_item(place.table, {"id": "a", "turn": 1})["name"]


@scenario("dynamo3")
def queries(place: Place) -> Any:
    connection = connect(place)
    with connection.batch_write(place.table) as batch:
        for turn in range(30):
            batch.put({"id": "a", "turn": turn})
    found = connection.query(place.table, "id = :id AND turn < :turn", id="a", turn=3)
    return len(list(found)), connection.scan(place.table, select="COUNT")


@scenario("dynamo3")
def updates_a_reserved_word(place: Place) -> Any:
    connection = connect(place)
    return connection.update_item(place.table, {"id": "a", "turn": 1}, "SET name = :n", n="Ada")


@scenario("dynamo3")
def puts_an_empty_set(place: Place) -> Any:
    connect(place).put_item(place.table, {"id": "a", "turn": 1, "tags": set()})


@scenario("dynamo3")
def puts_without_its_key(place: Place) -> Any:
    return connect(place).put_item(place.table, {"id": "a"})


@scenario("dynamo3")
def queries_an_empty_key(place: Place) -> Any:
    return list(connect(place).query(place.table, "id = :id", id=""))


@scenario("dynamo3")
def gives_a_value_that_nothing_uses(place: Place) -> Any:
    connection = connect(place)
    key = {"id": "a", "turn": 1}
    return connection.update_item(place.table, key, "SET b = :n", n="Ada", m="Bob")
