from __future__ import annotations

import copy
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import (
    EmptyUpdateError,
    InvalidRequestError,
    InvalidValueError,
    UnsupportedTypeError,
)
from tests.support import people
from tests.support.people import Address


class Person(people.Person):
    written_by: Attr[str] = attribute(default="", write_id=True)


KEY = {"id": "p1"}


def test_only_reserved_names_are_aliased() -> None:
    """Only names that are reserved words are aliased."""
    update = UpdateBuilder().set("status", "x").set("email", "ada@example.org")

    assert update.build(key=KEY) == {
        "Key": {"id": "p1"},
        "UpdateExpression": "SET #status = :status, email = :email",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":status": "x", ":email": "ada@example.org"},
    }


def test_no_member_is_empty() -> None:
    """An update without names or values has no member for them."""
    assert UpdateBuilder().remove("email").build_client(table_name="people", key=KEY) == {
        "TableName": "people",
        "Key": {"id": {"S": "p1"}},
        "UpdateExpression": "REMOVE email",
    }


def test_every_clause_at_once() -> None:
    """A typed update with every clause has each clause once, with all names and values."""
    update = (
        UpdateBuilder(Person)
        .set(Person.name, "Ada")
        .set(Person.address[Address.city], "London")
        .set(Person.expires_at, datetime(2030, 1, 1, tzinfo=UTC))
        .set(Person.scores[0], 7)
        .increment(Person.visits, 1)
        .add(Person.tags, {"b", "a"})
        .remove(Person.email)
        .condition(Person.id.exists() & (Person.visits < 100))
        .condition(~(Person.name == "x") | Person.tags.contains("a"))
    )

    params = update.build_client(table_name="people", key=KEY, return_values="ALL_NEW")

    assert params == {
        "TableName": "people",
        "Key": {"id": {"S": "p1"}},
        "ReturnValues": "ALL_NEW",
        "UpdateExpression": (
            "SET #name = :name, address.city = :city, expires_at = :expires_at, "
            "scores[0] = :scores, visits = if_not_exists(visits, :visits_zero) + :visits "
            "REMOVE email ADD tags :tags"
        ),
        "ConditionExpression": (
            "attribute_exists(id) AND visits < :visits_2 AND "
            "(NOT #name = :name_2 OR contains(tags, :tags_2))"
        ),
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": {
            ":name": {"S": "Ada"},
            ":city": {"S": "London"},
            ":expires_at": {"N": "1893456000"},
            ":scores": {"N": "7"},
            ":visits_zero": {"N": "0"},
            ":visits": {"N": "1"},
            ":tags": {"SS": ["a", "b"]},
            ":visits_2": {"N": "100"},
            ":name_2": {"S": "x"},
            ":tags_2": {"S": "a"},
        },
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda u: u.set("a", 1).set("a", 2), r"path one: \[a\], path two: \[a\]"),
        (lambda u: u.set("a.b", 1).remove("a"), r"path one: \[a, b\], path two: \[a\]"),
        (lambda u: u.set("a", 1).remove("a.b"), r"path one: \[a\], path two: \[a, b\]"),
        (lambda u: u.set("a.b", 1).set("a[0]", 1), "conflict"),
    ],
)
def test_overlapping_paths_are_named(make: Any, message: str) -> None:
    """The error for two overlapping paths names both."""
    with pytest.raises(InvalidRequestError, match=message):
        make(UpdateBuilder())


def test_empty_update_is_refused() -> None:
    """An update without actions is refused when it is built."""
    with pytest.raises(EmptyUpdateError):
        UpdateBuilder().condition(attr("a").exists()).build(key=KEY)


def test_key_attribute_is_refused() -> None:
    """An update of a key attribute is refused."""
    with pytest.raises(InvalidRequestError, match="part of the key"):
        UpdateBuilder(Person).set(Person.id, "x")
    with pytest.raises(InvalidRequestError, match="part of the key"):
        UpdateBuilder().set("id", "x").build(key=KEY)


def test_built_update_is_frozen() -> None:
    """A built update refuses changes, and a copy of it takes them."""
    update = UpdateBuilder().set("a", 1)
    update.build(key=KEY)

    with pytest.raises(TypeError, match="frozen"):
        update.set("b", 2)
    assert "b = :b" in update.copy().set("b", 2).build(key=KEY)["UpdateExpression"]
    with pytest.raises(TypeError, match="frozen"):
        update.remove()


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, UpdateBuilder.copy])
def test_copy_has_its_own_class(make_copy: Any) -> None:
    """A copy of a builder of a subclass is of that subclass."""

    class PersonUpdate(UpdateBuilder):
        def renamed(self, name: str) -> PersonUpdate:
            return self.set("name", name)

    update = PersonUpdate().renamed("Ada").condition(attr("name").exists())
    expected = update.build(key=KEY)
    copied = make_copy(update)

    assert copied.build(key=KEY) == expected
    assert "age = :age" in make_copy(update).set("age", 3).build(key=KEY)["UpdateExpression"]
    assert type(copied) is PersonUpdate


def test_refused_patch_changes_nothing() -> None:
    """A patch with one invalid value changes nothing in the update."""
    update = UpdateBuilder().set("a", 1)
    with pytest.raises(InvalidValueError, match="c: NaN"):
        update.patch({"b": 2, "c": float("nan")}, allow={"b", "c"})
    assert update.build(key=KEY)["UpdateExpression"] == "SET a = :a"


def test_refused_names_of_a_patch() -> None:
    """The error for a patch lists all names that are not allowed."""
    patch = {"name": "Ada", "is_admin": True, "id": "x", "version": 7, "written_by": "me"}
    with pytest.raises(InvalidRequestError) as caught:
        UpdateBuilder(Person).patch({**patch, "email": None})

    assert [finding.code for finding in caught.value.findings] == ["DYS141"]
    assert "'id', 'is_admin', 'version', 'written_by'" in str(caught.value)


@pytest.mark.parametrize(
    ("patch", "none", "lost"),
    [
        ({"name": None, "email": None}, "remove", "'name'"),
        ({"name": None, "email": None, "visits": None}, "null", "'name', 'visits'"),
        ({"visits": None, "email": None}, "remove", None),
        ({"email": None}, "null", None),
        ({"name": None, "visits": None}, "skip", None),
    ],
)
def test_none_in_a_patch(patch: dict[str, Any], none: Any, lost: str | None) -> None:
    """A None in a patch is refused if it would take away what the item needs."""
    builder = UpdateBuilder(Person)
    if lost is None:
        builder.patch(patch, none=none)
        return
    with pytest.raises(InvalidRequestError) as caught:
        builder.patch(patch, none=none)
    (finding,) = caught.value.findings
    assert (finding.code, finding.message) == (
        "DYS144",
        f"The patch takes away what an item needs: {lost}",
    )
    assert builder.is_empty


def test_none_removes() -> None:
    """In a patch with none="remove", a None removes its attribute."""
    update = UpdateBuilder.from_patch(
        {"name": "Ada", "phone": None}, allow={"name", "phone"}, none="remove"
    )

    assert update.build(key=KEY)["UpdateExpression"] == "SET #name = :name REMOVE phone"


def test_condition_has_no_truth_value() -> None:
    """A condition used as a bool raises."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(Person.visits == 3)


@pytest.mark.parametrize("value", [float("nan"), set(), object(), 10**39 + 1, "\ud800"])
def test_value_without_wire_form(value: object) -> None:
    """The error for a value that has no wire form has its path."""
    with pytest.raises(InvalidValueError, match=r"geo\.lat"):
        UpdateBuilder().set("geo.lat", value)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (UpdateBuilder().set("a", 1), True),
        (UpdateBuilder().increment("a", 1), False),
        (UpdateBuilder().add("a", 1), False),
        (UpdateBuilder().add("a", {"x"}), True),
        (UpdateBuilder().append("a", [1]), False),
        (UpdateBuilder().remove("a"), True),
        (UpdateBuilder().remove("a[0]"), False),
        (UpdateBuilder().set("a[0]", 1), False),
        (UpdateBuilder().set("a[3]", 1), False),
        (UpdateBuilder().set_if_not_exists("a", 1), True),
        (UpdateBuilder().set("a", attr("b")), True),
        (UpdateBuilder().set("a", attr("b")).set("b", attr("a")), False),
        (UpdateBuilder().increment("a", 1).condition(attr("a") == 3), True),
        (UpdateBuilder().increment("a", 0).condition(attr("a") == 3), False),
        (UpdateBuilder().increment("a", 1).condition(attr("b") == 3), False),
    ],
)
def test_idempotent_updates(update: UpdateBuilder, expected: bool) -> None:
    """Which updates are safe to repeat and which are not."""
    assert update.is_idempotent is expected


class Level(Enum):
    LOW = "low"


class Basket(Item):
    id: Attr[str] = attribute(key="partition")
    note: Attr[str | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    rows: Attr[list[int] | None] = attribute(default=None)
    total: Attr[int | None] = attribute(default=None)
    anything: Attr[Any] = attribute(default=None)
    pair: Attr[tuple[int, str]] = attribute(default=(1, "x"))
    level: Attr[Level] = attribute(default=Level.LOW)


@pytest.mark.parametrize(
    ("name", "verb", "value", "message"),
    [
        ("note", "increment", 1, "note: increment takes a number, and the attribute is none"),
        ("tags", "increment", 1, "tags: increment takes a number, and the attribute is none"),
        ("note", "append", [1], "note: append takes a list, and the attribute is none"),
        ("total", "prepend", [1], "total: prepend takes a list, and the attribute is none"),
        ("pair", "append", [7], "pair: a tuple of a fixed length does not grow"),
        (
            "level",
            "prepend",
            [1],
            "level: append and prepend take a list, and the attribute is none",
        ),
        ("rows", "append", [1], None),
        ("total", "increment", 1, None),
        ("anything", "increment", 1, None),
        ("anything", "append", [1], None),
    ],
)
def test_a_verb_of_another_type(name: str, verb: str, value: Any, message: str | None) -> None:
    """Numbers alone are incremented, and lists alone grow; the error names the attribute."""
    change = getattr(UpdateBuilder(Basket), verb)
    if message is None:
        assert not change(name, value).is_empty
        return
    with pytest.raises(UnsupportedTypeError) as caught:
        change(name, value)
    assert str(caught.value) == message
