from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import EmptyUpdateError, InvalidRequestError, InvalidValueError


class Address(Item):
    city: Attr[str]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    first_name: Attr[str] = attribute(name="firstName", default="")
    is_admin: Attr[bool] = attribute(default=False, patchable=False)
    visits: Attr[int] = attribute(default=0)
    tags: Attr[set[str]] = attribute(default_factory=set)
    address: Attr[Address | None] = attribute(default=None)
    scores: Attr[list[int]] = attribute(default_factory=list)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    version: Attr[int] = attribute(default=0, version=True)
    written_by: Attr[str] = attribute(default="", write_id=True)


KEY = {"id": "p1"}


def test_given_reserved_and_plain_names_when_built_then_only_the_reserved_are_aliased() -> None:
    update = UpdateBuilder().set("status", "x").set("email", "ada@example.org")

    assert update.build(key=KEY) == {
        "Key": {"id": "p1"},
        "UpdateExpression": "SET #status = :status, email = :email",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":status": "x", ":email": "ada@example.org"},
    }


def test_given_no_reserved_word_and_no_value_when_built_then_no_member_is_empty() -> None:
    assert UpdateBuilder().remove("email").build_client(table_name="people", key=KEY) == {
        "TableName": "people",
        "Key": {"id": {"S": "p1"}},
        "UpdateExpression": "REMOVE email",
    }


def test_given_a_typed_update_when_built_then_every_clause_is_written_once() -> None:
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
def test_given_overlapping_paths_when_added_then_both_are_named(make: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        make(UpdateBuilder())


def test_given_no_actions_when_built_then_it_is_refused() -> None:
    with pytest.raises(EmptyUpdateError):
        UpdateBuilder().condition(attr("a").exists()).build(key=KEY)


def test_given_a_key_attribute_when_updated_then_it_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="part of the key"):
        UpdateBuilder(Person).set(Person.id, "x")
    with pytest.raises(InvalidRequestError, match="part of the key"):
        UpdateBuilder().set("id", "x").build(key=KEY)


def test_given_a_built_update_when_changed_then_it_is_refused_and_a_copy_is_not() -> None:
    update = UpdateBuilder().set("a", 1)
    update.build(key=KEY)

    with pytest.raises(TypeError, match="frozen"):
        update.set("b", 2)
    assert "b = :b" in update.copy().set("b", 2).build(key=KEY)["UpdateExpression"]
    with pytest.raises(TypeError, match="frozen"):
        update.remove()


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, UpdateBuilder.copy])
def test_given_a_builder_of_ones_own_class_when_copied_then_it_is_of_it(make_copy: Any) -> None:
    class PersonUpdate(UpdateBuilder):
        def renamed(self, name: str) -> PersonUpdate:
            return self.set("name", name)

    update = PersonUpdate().renamed("Ada").condition(attr("name").exists())
    expected = update.build(key=KEY)
    copied = make_copy(update)

    assert copied.build(key=KEY) == expected
    assert "age = :age" in make_copy(update).set("age", 3).build(key=KEY)["UpdateExpression"]
    assert type(copied) is PersonUpdate


def test_given_a_patch_when_a_value_is_refused_then_nothing_of_it_is_in_the_update() -> None:
    update = UpdateBuilder().set("a", 1)
    with pytest.raises(InvalidValueError, match="c: NaN"):
        update.patch({"b": 2, "c": float("nan")}, allow={"b", "c"})
    assert update.build(key=KEY)["UpdateExpression"] == "SET a = :a"


def test_given_a_patch_when_a_name_is_not_allowed_then_all_are_named() -> None:
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
def test_given_a_patch_when_none_takes_away_what_an_item_needs_then_it_is_refused(
    patch: dict[str, Any], none: Any, lost: str | None
) -> None:
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


def test_given_an_allowed_patch_when_built_then_none_is_removed() -> None:
    update = UpdateBuilder.from_patch(
        {"name": "Ada", "phone": None}, allow={"name", "phone"}, none="remove"
    )

    assert update.build(key=KEY)["UpdateExpression"] == "SET #name = :name REMOVE phone"


def test_given_a_condition_when_used_as_a_truth_value_then_it_raises() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(Person.visits == 3)


@pytest.mark.parametrize("value", [float("nan"), set(), object(), 10**39 + 1, "\ud800"])
def test_given_a_value_without_wire_form_when_set_then_its_path_is_named(value: object) -> None:
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
def test_given_an_update_when_asked_then_it_knows_whether_a_repeat_is_safe(
    update: UpdateBuilder, expected: bool
) -> None:
    assert update.is_idempotent is expected
