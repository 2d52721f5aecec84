"""Lines that type checkers refuse: each that ends in `# error`.

`# error, but not for mypy ty` is accepted by these.
"""

# Made from tests/typing/wrong.py by `make twins`: change that one.

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from dynasafe import Attr, DynamoDB, Item, UpdateBuilder, attribute


class Address(Item):
    city: Attr[str]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    visits: Attr[int] = attribute(default=0)
    tags: Attr[set[str]] = attribute(default_factory=set)
    address: Attr[Address | None] = attribute(default=None)
    scores: Attr[list[int]] = attribute(default_factory=list)
    labels: Attr[dict[str, int]] = attribute(default_factory=dict)


class Line(Item):
    sku: Attr[str]
    note: Attr[str] = attribute(default="", name="theNote")


class Order(Item):
    number: Attr[int] = attribute(key="partition")
    nick: Attr[str] = attribute(default="")
    price: Attr[Decimal] = attribute(default=Decimal(0))
    status: Attr[Literal["new", "paid"]] = attribute(default="new")
    row: Attr[tuple[int, ...]] = attribute(default=())
    data: Attr[bytes] = attribute(default=b"")
    lines: Attr[list[Line]] = attribute(default_factory=list)


class Employee(Person):
    level: Attr[int] = attribute(default=1)


Person(id="p1", name=3)  # error
Person(id="p1")  # error
Person("p1", "Ada")  # error
Person(id="p1", name="Ada", nickname="x")  # error
ada = Person(id="p1", name="Ada")
ada.name = 3  # error
ada.nickname = "x"  # error
ada.visits + "x"  # error

update = UpdateBuilder(Person)
update.set(Person.name, 3)  # error
update.set(Person.nickname, "x")  # error
update.set(Person.name, None)  # error
update.set(Person.name, Person.visits)  # error
update.set(Person.visits, Person.visits + "x")  # error
update.set(Person.scores[0], "x")  # error
update.set(Person.address[Address.city], 3)  # error
update.set_if_not_exists(Person.visits, "x")  # error
update.add(Person.name, "x")  # error
update.add(Person.visits, {"x"})  # error
update.add(Person.tags, {3})  # error
update.append(Person.scores, ["x"])  # error
update.append(Person.name, ["x"])  # error
update.increment(Person.name, 1)  # error
update.increment(Person.visits, "x")  # error
update.delete(Person.scores, [1])  # error
update.delete(Person.tags, {1})  # error
update.condition(True)  # error
update.build(key={"id": "p1"}, return_values="NEW")  # error
UpdateBuilder.from_patch({"name": "x"})  # error
UpdateBuilder(Person).patch({"name": "x"}, none="drop")  # error

Person.scores["x"]  # error
Person.labels[0]  # error
Person.name[0]  # error
update.condition(Person.visits == "3")  # error
Person.visits < "3"  # error
Person.name.between(1, 2)  # error
Person.visits.is_in(["1"])  # error
Person.visits.begins_with("1")  # error
Person.visits.contains(1)  # error
Person.tags.contains(1)  # error
Person.tags.size() > "3"  # error
Person.name + 1  # error
Person.name.is_type("STRING")  # error


# Attributes of another class.
update.set(Order.number, 7)  # error
update.set(Person.visits, Order.number)  # error
update.set(Person.visits, Order.number + 1)  # error
update.remove(Order.nick)  # error
update.condition(Order.number == 7)  # error
update.set(Employee.level, 7)  # error, but not for mypy mypy-1.15
Person.address[Order.number]  # error
Person.address[Line.sku]  # error
Order.nick[Line.sku]  # error
Order.lines[Line.sku]  # error
(Person.visits == 3) & (Order.number == 3)  # error

# What is no condition, and no value.
update.set(Person.name, Person.name + "x")  # error
update.set(Person.visits, Person.visits + 0.5)  # error
update.increment(Person.visits, 0.5)  # error
Person.name.is_in("paid")  # error
Person.name.is_in([3])  # error
Order.status == "gone" & Person.visits.exists()  # error
Order.status < 3  # error
Order.row.contains("x")  # error
Order.row["x"]  # error
Order.data.contains("x")  # error
Order.data.begins_with("x")  # error
Order.price < "3"  # error
Order.price + "x"  # error
update.append(Person.scores, "x")  # error
update.append(Person.tags, ["x"])  # error
update.add(Person.scores, [1])  # error
update.set(Person.visits, Person.email)  # error
Line(sku="x", theNote="y")  # error
update.set(3, "x")  # error
update.remove(3)  # error
UpdateBuilder(str)  # error
UpdateBuilder(Person, escape="never")  # error


def story(db: DynamoDB) -> None:
    people = db.table("people", Person)
    people.put_item({"id": "p1"})  # error
    people.put_item(Address(city="x"))  # error
    people.update_item({"id": "p1"}, {"name": "x"})  # error
    people.update_item({"id": "p1"}, update, return_values="NEW")  # error
    result = people.update_item({"id": "p1"}, update)
    result.attributes.name  # error
    found = people.get_item({"id": "p1"})
    found.name  # error
    people.get_item({"id": "p1"}).name  # error
    people.get_item({"id": "p1"}, timeout="3")  # error, but not for ty
    people.get_item({"id": "p1"}, timeout_s="3")  # error
    for person in people.scan():
        person.nickname  # error
    db.table("people", str)  # error
