"""AWSimple: a class for a table, with a session of its own."""

from __future__ import annotations

from typing import Any

from awsimple import DynamoDBAccess

from tests.third_party.scenario import Place, scenario


def access(place: Place) -> Any:
    made = DynamoDBAccess(place.table)
    made.create_table("id")
    return made


@scenario("awsimple")
def puts_and_gets(place: Place) -> Any:
    made = access(place)
    made.put_item({"id": "a", "name": "Ada", "n": 2})
    found = made.get_item("id", "a")
    return found["name"], float(found["n"])


@scenario("awsimple")
def queries(place: Place) -> Any:
    made = access(place)
    for key in "abc":
        made.put_item({"id": key, "visits": 3})
    return [each["id"] for each in made.query("id", "b")], len(made.scan_table())


@scenario("awsimple")
def upserts_an_attribute(place: Place) -> Any:
    made = access(place)
    made.upsert_item("id", "a", item={"visits": 3})
    return made.get_item("id", "a")


@scenario("awsimple")
def upserts_two_attributes(place: Place) -> Any:
    made = access(place)
    made.upsert_item("id", "a", item={"visits": 3, "turns": 4})
    return made.get_item("id", "a")


@scenario("awsimple")
def upserts_a_reserved_word(place: Place) -> Any:
    made = access(place)
    made.upsert_item("id", "a", item={"name": "Ada"})
    return made.get_item("id", "a")


@scenario("awsimple")
def puts_once(place: Place) -> Any:
    made = access(place)
    return [made.put_item_if_not_exists({"id": "a"}) for _ in range(2)]


@scenario("awsimple")
def puts_an_empty_key(place: Place) -> Any:
    return access(place).put_item({"id": ""})
