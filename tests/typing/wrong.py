"""Lines that mypy --strict and pyright both refuse: each that ends in `# error`."""

from __future__ import annotations

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attribute


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


async def story(db: AsyncDynamoDB) -> None:
    people = db.table("people", Person)
    await people.put_item({"id": "p1"})  # error
    await people.put_item(Address(city="x"))  # error
    await people.update_item({"id": "p1"}, {"name": "x"})  # error
    await people.update_item({"id": "p1"}, update, return_values="NEW")  # error
    result = await people.update_item({"id": "p1"}, update)
    result.attributes.name  # error
    found = await people.get_item({"id": "p1"})
    found.name  # error
    people.get_item({"id": "p1"}).name  # error
    await people.get_item({"id": "p1"}, timeout="3")  # error
    await people.get_item({"id": "p1"}, timeout_s="3")  # error
    async for person in people.scan():
        person.nickname  # error
    db.table("people", str)  # error
