"""Lines that type checkers accept, with the types that they make of them."""

# Made from tests/typing/right.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, assert_type

from pydantic import BaseModel

from dynasafe import (
    Attr,
    CircuitBreaker,
    DynamoDB,
    Item,
    RetryPolicy,
    Table,
    UpdateBuilder,
    attr,
    attribute,
)
from dynasafe.items.conditions import Condition
from dynasafe.typing import WriteResult


class Address(Item):
    city: Attr[str]


class Model(BaseModel):
    id: str


class Row(TypedDict):
    id: str


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    visits: Attr[int] = attribute(default=0)
    balance: Attr[Decimal] = attribute(default=Decimal(0))
    tags: Attr[set[str]] = attribute(default_factory=set)
    address: Attr[Address | None] = attribute(default=None)
    scores: Attr[list[int]] = attribute(default_factory=list)
    labels: Attr[dict[str, int]] = attribute(default_factory=dict)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    version: Attr[int] = attribute(default=0, version=True)


ada = Person(id="p1", name="Ada", tags={"a"}, address=Address(city="London"))
assert_type(ada.name, str)
assert_type(ada.email, str | None)
assert_type(ada.scores, list[int])
assert_type(Person.name, Attr[str, Person])
assert_type(Person.scores[0], Attr[int, Person])
assert_type(Person.labels["x"], Attr[int, Person])
assert_type(Person.address[Address.city], Attr[str, Person])  # right, but not for zuban
assert_type(attr("a.b"), Attr[Any])
ada.name = "Ada L."
ada.visits += 1

assert_type(Person.visits < 3, Condition[Person])
assert_type(Person.visits == 3, Condition[Person])
assert_type((Person.visits < 3) & ~(Person.name == "x") | Person.email.exists(), Condition[Person])
Person.visits.between(1, 3)
Person.visits.is_in([1, 2])
Person.name.begins_with("A")
Person.name.contains("d")
Person.tags.contains("a")
Person.scores.contains(3)
Person.tags.size() > 3
Person.visits == Person.version
attr("anything") == {"a": [1]}

update = (
    UpdateBuilder(Person)
    .set(Person.name, "Ada")
    .set(Person.email, None)
    .set(Person.visits, Person.visits + 1)
    .set(Person.visits, Person.visits.if_not_exists(0) - 1)
    .set(Person.balance, Person.balance + Decimal("0.1"))
    .set(Person.address[Address.city], "Paris")  # right, but not for zuban
    .set(Person.scores[0], 3)
    .set(Person.labels["x"], 3)
    .set(Person.expires_at, datetime.now(UTC))
    .set_if_not_exists(Person.email, "x")
    .append(Person.scores, [7])
    .prepend(Person.scores, (7,))
    .increment(Person.visits, 1)
    .add(Person.tags, {"new"})
    .add(Person.visits, 1)
    .delete(Person.tags, {"old"})
    .remove(Person.email, Person.scores[1])
    .condition(Person.id.exists() & (Person.visits < 100))
)
assert_type(update.is_empty, bool)
assert_type(update.build(key={"id": "p1"}, return_values="ALL_NEW"), dict[str, Any])
UpdateBuilder().set("name", "Ada").set(attr("a.b"), 3).add("n", 1)
UpdateBuilder.from_patch({"name": "Ada"}, allow={"name"}, none="remove")
UpdateBuilder(Person).patch({"name": "Ada"}, none="null")


def story(db: DynamoDB) -> None:
    people = db.table("people", Person)
    assert_type(people, Table[Person])
    assert_type(people.get_item({"id": "p1"}, consistent_read=True), Person | None)
    assert_type(people.get_item({"id": "p1"}, projection=[Person.name]), dict[str, Any] | None)
    new = people.update_item({"id": "p1"}, update, return_values="ALL_NEW")
    assert_type(new, WriteResult[Person])
    assert_type(new.attributes.name, str)
    part = people.update_item({"id": "p1"}, update, return_values="UPDATED_NEW")
    assert_type(part.attributes, dict[str, Any] | None)
    none = people.update_item(ada, update, exactly_once=True, retry=RetryPolicy())
    assert_type(none.attributes, None)
    old = people.put_item(ada, condition=Person.id.not_exists(), return_values="ALL_OLD")
    assert_type(old.attributes, Person | None)
    for person in people.query(Person.id == "p1", filter=Person.visits > 1, max_items=9):
        assert_type(person, Person)
    for row in people.scan(projection=["name"], total_segments=4):
        assert_type(row, dict[str, Any])
    assert_type(people.batch_get_item([{"id": "p1"}, ada]), list[Person])
    people.batch_write_item(put=[ada], delete=[{"id": "p2"}])
    db.transact_write_items(
        [people.put(ada), people.update(ada, update), people.check(ada, Person.visits > 1)]
    )
    assert_type(db.transact_get_items([people.get(ada)]), list[Person | None])
    assert_type(db.table("people", Model).get_item({"id": "p1"}), Model | None)
    assert_type(db.table("people", Row).get_item({"id": "p1"}), Row | None)
    plain = db.table("people")
    assert_type(plain, Table[dict[str, Any]])
    assert_type(plain.get_item({"id": "p1"}), dict[str, Any] | None)
    answer = db.call("UpdateItem", {"TableName": "people"}, timeout_s=3, retry=None)
    assert_type(answer, Mapping[str, Any])


breaker = CircuitBreaker(name="mail", minimum_calls=10)


@breaker
def send_mail(to: str, *, copies: int = 1) -> bool:
    with breaker:
        return bool(to) and copies > 0


def mail() -> None:
    assert_type(send_mail("x", copies=2), bool)
