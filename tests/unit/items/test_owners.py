"""Names and owners: which attributes of which class an expression has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr as Boto3Attr

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import InvalidPathError, InvalidValueError, UnsupportedTypeError
from dynasafe.expressions.render import render
from dynasafe.items.conditions import condition_node
from dynasafe.items.projections import projection_node
from dynasafe.items.schema import schema_of
from dynasafe.testing import fake_table


class Address(Item):
    zip_code: Attr[str] = attribute(name="zipCode", default="")
    moved_in: Attr[datetime | None] = attribute(
        name="movedIn", default=None, stored_as="epoch_seconds"
    )


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    first_name: Attr[str] = attribute(name="firstName", default="")
    home: Attr[Address] = attribute(name="homeAddress", default_factory=Address)
    lodgings: Attr[list[Address]] = attribute(default_factory=list)
    by_kind: Attr[dict[str, Address]] = attribute(name="byKind", default_factory=dict)
    seen_at: Attr[datetime | None] = attribute(name="seenAt", default=None, ttl=True)
    number: Attr[int] = attribute(default=0)


class Employee(Person):
    level: Attr[int] = attribute(default=1)


class Order(Item):
    number: Attr[int] = attribute(key="partition")
    zip_code: Attr[str] = attribute(default="")


SCHEMA = schema_of(Person)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PATHS = [
    ("home.zip_code", "homeAddress.zipCode"),
    ("homeAddress.zip_code", "homeAddress.zipCode"),
    ("homeAddress.zipCode", "homeAddress.zipCode"),
    ("lodgings[2].zip_code", "lodgings[2].zipCode"),
    ("by_kind.work.zip_code", "byKind.#work.zipCode"),
    ("first_name", "firstName"),
]


@pytest.mark.parametrize(("path", "stored"), PATHS)
def test_names_are_translated_at_every_level(path: str, stored: str) -> None:
    """Text and attr() mean the same attribute in updates, conditions and projections."""
    for attribute_ in (path, attr(path)):
        for build, text in (
            (lambda u, a: u.set(a, "9"), "SET {} = :{}"),
            (lambda u, a: u.set_if_not_exists(a, "9"), "SET {0} = if_not_exists({0}, :{1})"),
            (lambda u, a: u.remove(a), "REMOVE {}"),
        ):
            built = build(UpdateBuilder(Person), attribute_).expressions()
            hint = stored.rpartition(".")[2]
            assert built["UpdateExpression"] == text.format(stored, hint)
        assert render(projection_node([attribute_], SCHEMA)).text == stored
    condition = (attr(path) == "9") & ~attr(path).exists() | (attr(path).size() > 2)
    condition |= attr(path).is_in(["a"]) | attr(path).begins_with("a") | attr(path).contains("a")
    condition |= attr(path).between("a", "b") | Boto3Attr(path).eq("9")
    text = render(condition_node(condition, SCHEMA)).text
    assert text.replace(f":{hint}", "").count(stored) == 8
    assert "zip_code" not in text


def test_untyped_values_are_written_as_typed():
    """A datetime that is stored as epoch seconds is compared with epoch seconds."""
    seconds = {"N": str(int(NOON.timestamp()))}
    for untyped in (attr("seen_at"), attr("seenAt"), attr("home.moved_in")):
        rendered = render(condition_node(untyped > NOON, SCHEMA))
        assert list(rendered.values.values()) == [seconds]
        with pytest.raises(InvalidValueError, match=r"datetime . None is expected, not str"):
            condition_node(untyped > "2030", SCHEMA)


def test_a_condition_is_not_changed_afterwards():
    """A list that changes after the comparison changes nothing."""
    choices: list[Any] = [1]
    condition = attr("anything") == choices
    choices.append(2)

    assert render(condition_node(condition, SCHEMA)).values == {":anything": {"L": [{"N": "1"}]}}


@pytest.mark.parametrize(
    "path", ["home.zipcode", "lodgings[0].zip_cod", "by_kind.x.zipcode", "homeAddress.zipcode"]
)
def test_unknown_part_is_refused(path: str) -> None:
    """An unknown part of a path is refused with a suggestion."""
    for use in (
        lambda: UpdateBuilder(Person).set(path, "9"),
        lambda: condition_node(attr(path) == "9", SCHEMA),
        lambda: projection_node([path], SCHEMA),
        lambda: condition_node(Boto3Attr(path).eq("9"), SCHEMA),
    ):
        with pytest.raises(UnsupportedTypeError, match=r"Did you mean 'zip_code'\?"):
            use()


def test_unknown_attribute_of_an_update():
    """A condition may ask for what the class does not declare; an update of it may not set it."""
    with pytest.raises(UnsupportedTypeError, match=r"Did you mean 'first_name'\? Fix: declare it"):
        UpdateBuilder(Person).set("firstname", "Ada")
    assert render(condition_node(attr("kind") == "x", SCHEMA)).text == "kind = :kind"


FOREIGN = [
    lambda: UpdateBuilder(Person).set(Order.number, 7),
    lambda: UpdateBuilder(Person).set(Person.number, Order.number),
    lambda: UpdateBuilder(Person).set(Person.number, Order.number + 1),
    lambda: UpdateBuilder(Person).set(Person.number, Person.number + Order.number),
    lambda: UpdateBuilder(Person).set(Person.number, Order.number.if_not_exists(1)),
    lambda: UpdateBuilder(Person).set(Employee.level, 7),
    lambda: UpdateBuilder(Person).remove(Order.zip_code),
    lambda: UpdateBuilder(Person).condition(Order.number == 7),
    lambda: condition_node(Order.number.exists(), SCHEMA),
    lambda: condition_node((Person.number > 1) & ~(Order.number == 7), SCHEMA),
    lambda: condition_node(Person.number == Order.number, SCHEMA),
    lambda: condition_node(Person.first_name.size() > Order.zip_code.size(), SCHEMA),
    lambda: condition_node(Person.number.is_in([1, Order.number]), SCHEMA),
    lambda: condition_node(Person.number.between(1, Order.number), SCHEMA),
    lambda: projection_node([Person.number, Order.number], SCHEMA),
    lambda: Person.home[Order.number],
    lambda: Person.lodgings[0][Order.number],
    lambda: Person.lodgings[Address.zip_code],
    lambda: Person.first_name[Address.zip_code],
]


@pytest.mark.parametrize("use", FOREIGN)
def test_attributes_of_another_class_are_refused(use: Any) -> None:
    """Attributes of another class are refused in updates, conditions, projections and paths."""
    with pytest.raises(UnsupportedTypeError, match=r"attributes? of|indexes, not keys|no parts"):
        use()


def test_attributes_of_a_base_are_accepted():
    """A subclass accepts the attributes of its base."""
    update = UpdateBuilder(Employee).set(Person.first_name, "Ada").set(Employee.level, 2)
    update.condition(Person.home[Address.zip_code] == "9")
    schema = schema_of(Employee)

    assert update.expressions()["UpdateExpression"] == "SET firstName = :firstName, #level = :level"
    assert render(projection_node([Person.number], schema)).text == "#number"


async def test_tables_refuse_other_classes():
    """A table refuses updates, conditions and projections of another class."""
    people = fake_table(Person)
    key = {"id": "a"}
    await people.put_item(Person(id="a"))
    with pytest.raises(UnsupportedTypeError, match="Order"):
        await people.update_item(key, UpdateBuilder(Order).set(Order.zip_code, "7"))
    with pytest.raises(UnsupportedTypeError, match="Order"):
        people.update(key, UpdateBuilder(Order).set(Order.zip_code, "7"))
    for call in (
        lambda: people.put_item(Person(id="b"), condition=Order.number == 1),
        lambda: people.delete_item(key, condition=Order.number == 1),
        lambda: people.get_item(key, projection=[Order.zip_code]),
        lambda: people.scan(filter=Order.number == 1).to_list(),
        lambda: people.query(Order.number == 1).to_list(),
    ):
        with pytest.raises(UnsupportedTypeError, match="an attribute of Order"):
            await call()
    assert await people.scan().to_list() == [Person(id="a")]


async def test_untyped_updates_must_fit():
    """An untyped update is translated, and refused if the class could not read its values."""
    people = fake_table(Person)
    key = {"id": "a"}
    await people.put_item(Person(id="a", lodgings=[Address()]))

    update = UpdateBuilder().set("first_name", "Ada").set("lodgings[0].zip_code", "9")
    await people.update_item(key, update.set("kind", "x").add("number", 2).set("seen_at", None))

    read = await people.get_item(key)
    assert read is not None
    assert (read.first_name, read.lodgings[0].zip_code, read.number) == ("Ada", "9", 2)
    for wrong in (
        UpdateBuilder().set("number", "3"),
        UpdateBuilder().add("number", {"x"}),
        UpdateBuilder().set("seen_at", NOON),
        UpdateBuilder().append("lodgings", ["x"]),
        UpdateBuilder().set_if_not_exists("home.zip_code", 3),
    ):
        with pytest.raises(UnsupportedTypeError, match=r"UpdateBuilder\(Person\)"):
            await people.update_item(key, wrong)


@pytest.mark.parametrize(
    "use",
    [
        lambda: Person.lodgings[-1],
        lambda: Person.by_kind[""],
        lambda: Person.by_kind["\ud800"],
        lambda: attr("a..b"),
        lambda: attr("\ud800"),
        lambda: attr(name="\ud800"),
        lambda: attr(name=""),
        lambda: condition_node(Boto3Attr("a..b").eq(1)),
    ],
)
def test_invalid_paths_are_refused(use: Any) -> None:
    """An invalid path raises InvalidPathError."""
    with pytest.raises(InvalidPathError):
        use()


@pytest.mark.parametrize(
    "use",
    [
        lambda: attr(3),  # type: ignore[call-overload]
        lambda: Person.lodgings[True],
        lambda: Person.lodgings[1.0],
        lambda: Person.first_name.is_in("paid"),
        lambda: Person.first_name.is_in(3),  # type: ignore[call-overload]
        lambda: Person.number.begins_with("1"),  # type: ignore[misc]
        lambda: Person.seen_at.begins_with("2030"),
        lambda: Person.number.contains("1"),  # type: ignore[misc]
        lambda: Person.first_name.is_type(3),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_wrong_types_are_refused(use: Any) -> None:
    """An argument of a wrong type raises UnsupportedTypeError."""
    with pytest.raises(UnsupportedTypeError):
        use()
