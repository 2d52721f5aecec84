"""Dyntastic: pydantic models over boto3's resource."""

from __future__ import annotations

from typing import Any

from dyntastic import A, Dyntastic

from tests.third_party.scenario import Place, scenario


def model(place: Place) -> Any:
    class Thing(Dyntastic):
        __table_name__ = place.table
        __hash_key__ = "id"
        __range_key__ = "turn"
        __table_region__ = "us-east-1"
        __table_host__ = place.url

        id: str
        turn: int
        name: str | None = None
        status: str | None = None
        tags: set[str] = set()
        lines: list[int] = []

    Thing.create_table()
    return Thing


@scenario("dyntastic")
def saves_and_reads(place: Place) -> Any:
    thing = model(place)
    thing(id="a", turn=1, name="Ada", status="new", tags={"x"}, lines=[1]).save()
    found = thing.get("a", 1)
    return found.name, found.status, found.tags, found.lines


@scenario("dyntastic")
def updates(place: Place) -> Any:
    thing = model(place)
    first = thing(id="a", turn=1, name="Ada", tags={"x"}, lines=[1])
    first.save()
    first.update(A.status.set("open"), A.lines.append(2), condition=A.name == "Ada")
    return first.status, first.lines


@scenario("dyntastic")
def queries(place: Place) -> Any:
    thing = model(place)
    with thing.batch_writer():
        for turn in range(5):
            thing(id="a", turn=turn, name="n", tags={"x"}).save()
    found = thing.query("a", range_key_condition=A.turn > 2, filter_condition=A.name == "n")
    return [each.turn for each in found], len(list(thing.scan(A.name.is_in(["n", "m"]))))


@scenario("dyntastic")
def saves_an_empty_set(place: Place) -> Any:
    return model(place)(id="a", turn=1, name="Ada").save()


@scenario("dyntastic")
def saves_an_empty_key(place: Place) -> Any:
    return model(place)(id="", turn=1, tags={"x"}).save()


@scenario("dyntastic")
def updates_nothing(place: Place) -> Any:
    thing = model(place)
    first = thing(id="a", turn=1, tags={"x"})
    first.save()
    return first.update(A.tags.delete(set()))


@scenario("dyntastic")
def updates_one_path_twice(place: Place) -> Any:
    thing = model(place)
    first = thing(id="a", turn=1, tags={"x"})
    first.save()
    return first.update(A.name.set("a"), A.name.set("b"))
