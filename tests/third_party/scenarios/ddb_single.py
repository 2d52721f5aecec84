"""ddb-single: models in one table."""

from __future__ import annotations

from typing import Any

from ddb_single import BaseModel, DBField, Query, Table
from ddb_single.table import FieldType

from tests.third_party.scenario import Place, scenario


def query(place: Place) -> Any:
    table = Table(table_name=place.table, endpoint_url=place.url, region_name="us-east-1")
    table.init()

    class Person(BaseModel):
        __table__ = table
        __model_name__ = "person"

        name = DBField(unique_key=True)
        age = DBField(type=FieldType.NUMBER, search_key=True)
        note = DBField()

    return Query(table), Person


@scenario("ddb-single")
def creates_and_gets(place: Place) -> Any:
    made, person = query(place)
    made.model(person(name="Ada", age=36)).create()
    return [each["age"] for each in [made.model(person).get_by_unique("Ada")]]


@scenario("ddb-single")
def searches(place: Place) -> Any:
    made, person = query(place)
    for age in (20, 30):
        made.model(person(name=f"n{age}", age=age)).create()
    return [each["name"] for each in made.model(person).search(person.age.gt(25))]


@scenario("ddb-single")
def creates_what_is_too_large(place: Place) -> Any:
    made, person = query(place)
    return made.model(person(name="Ada", age=1, note="x" * 410_000)).create()
