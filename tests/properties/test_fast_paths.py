"""Each shorter way gives what the longer one does, the first time and every time after."""

from __future__ import annotations

import copy
import dataclasses
import gc
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, StrEnum
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import InvalidRequestError, InvalidValueError, StoredValueError
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import conjunction
from dynasafe.expressions.render import Placeholders, render_condition, render_update
from dynasafe.items.update_actions import Action
from dynasafe.items.written_updates import WrittenUpdates
from dynasafe.testing import strategies
from dynasafe.validation.check import check_from_scratch
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import (
    from_attribute_map,
    from_attribute_value,
    to_attribute_map,
    to_attribute_value,
)
from dynasafe.values.wire import TOO_DEEP
from tests.properties.update_strategies import true_conditions, updates
from tests.support.people import Person
from tests.support.requests import RANDOMS, Requests


def outcome(function: Any, *arguments: Any) -> Any:
    """What the function returns or raises."""
    try:
        return function(*arguments)
    except (InvalidValueError, StoredValueError) as error:
        return error


class Keyed(Item):
    pk: Attr[str] = attribute(key="partition")
    sk: Attr[int] = attribute(key="sort")


class Thing(Item):
    pk: Attr[int] = attribute(key="partition")


def place(outcome: Any, *parts: str | int) -> Any:
    """The outcome for a value that stands at this place of another."""
    if not isinstance(outcome, InvalidValueError | StoredValueError):
        return outcome
    for part in reversed(parts):
        outcome.within(part)
    path = "" if outcome.reason == TOO_DEEP else outcome.path  # which ends where the levels do
    return type(outcome), path, outcome.reason


@given(strategies.values() | strategies.bad_values() | st.floats() | st.integers())
def test_write_anywhere(value: Any) -> None:
    """A value is written alone as it is in a list, a map, an item, and by the codec of any type."""
    for container, parts in (([value], [0]), ({"a": value}, ["a"]), ({"a": [value]}, ["a", 0])):
        alone = place(outcome(to_attribute_value, value), *parts)
        within = place(outcome(to_attribute_value, container))
        for part in parts if isinstance(within, dict) else ():
            ((_, content),) = within.items()
            within = content[part]
        assert repr(within) == repr(alone)
    alone = place(outcome(to_attribute_value, value), "a")
    item = place(outcome(to_attribute_map, {"a": value}))
    assert repr(item["a"] if isinstance(item, dict) else item) == repr(alone)
    typed = place(outcome(codec_for(Any).encode, value), "a")
    assert repr(typed) == repr(alone)


@given(strategies.items())
def test_given_any_item_then_a_map_reads_as_its_values_do(item: dict[str, Any]) -> None:
    wire = to_attribute_map(item)
    expected = {name: from_attribute_value(value) for name, value in wire.items()}
    assert from_attribute_map(wire) == expected
    assert from_attribute_value({"M": wire}) == expected


TEXTS_OF_NUMBERS = st.from_regex(
    r"-?[0-9]{1,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)
CONTENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | TEXTS_OF_NUMBERS
    | st.sampled_from(
        [
            "NaN",
            "sNaN",
            "-Infinity",
            "1E125",
            "1E126",
            "9" * 60,
            "9" * 126,
            "9" * 127,
            "9" * 5000,
            "0" * 200,
            "-12",
            "+1",
            " 1 ",
            "1_0",
            "\u0661",
            "\u00b2",
        ]
    )
    | st.binary(max_size=3),
    lambda within: (
        st.lists(within, max_size=3)
        | st.dictionaries(
            st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X"]),
            within,
            max_size=2,
        )
    ),
)
"""What may stand in JSON where AttributeValues are expected."""


@given(CONTENTS)
def test_read_anywhere(content: Any) -> None:
    """A value is read alone as it is in a list, a map, an item, and by the codec of any type."""
    alone = place(outcome(from_attribute_value, content), 0)
    within = place(outcome(from_attribute_value, {"L": [content]}))
    assert repr(within[0] if isinstance(within, list) else within) == repr(alone)
    alone = place(outcome(from_attribute_value, content), "a", "b")
    for read, wire in (
        (from_attribute_value, {"M": {"a": {"M": {"b": content}}}}),
        (from_attribute_map, {"a": {"M": {"b": content}}}),
    ):
        within = place(outcome(read, wire))
        assert repr(within["a"]["b"] if isinstance(within, dict) else within) == repr(alone)
    alone = place(outcome(from_attribute_value, content))
    typed = place(outcome(codec_for(Any).decode, content))
    assert repr(typed[1:] if isinstance(typed, tuple) else typed) == (
        repr(alone[1:] if isinstance(alone, tuple) else alone)
    )


def written_anew(builder: UpdateBuilder) -> dict[str, Any]:
    """The builder's members, from its tree."""
    placeholders = Placeholders(escape=builder.escape)
    members: dict[str, Any] = {"UpdateExpression": render_update(builder.update, placeholders)}
    if builder.condition_node is not None:
        condition = conjunction(builder.condition_node)
        members["ConditionExpression"] = render_condition(condition, placeholders)
    if placeholders.names:
        members["ExpressionAttributeNames"] = placeholders.names
    if placeholders.values:
        members["ExpressionAttributeValues"] = placeholders.values
    return members


@given(request=updates(), data=st.data())
def test_given_any_chain_then_its_text_is_that_of_its_tree(
    request: Any, data: st.DataObject
) -> None:
    item, builder, _ = request
    if data.draw(st.booleans()):
        builder.condition(data.draw(true_conditions(item)))

    for _ in range(2):
        assert builder.expressions() == written_anew(builder)
    assert builder.is_idempotent == is_idempotent(builder.update, builder.condition_node)


@given(
    names=st.lists(st.sampled_from(["Ada", "Bo", "é"]), min_size=2, max_size=5),
    amounts=st.lists(st.integers(-5, 5), min_size=2, max_size=5),
    escape=st.sampled_from(["auto", "always"]),
)
def test_given_one_chain_with_other_values_then_each_has_its_own(
    names: list[str], amounts: list[int], escape: Any
) -> None:
    for name, amount in zip(names, amounts, strict=False):
        builder = (
            UpdateBuilder(Person, escape=escape)
            .set(Person.name, name)
            .increment(Person.visits, amount)
            .append(Person.scores, [amount])
            .add(Person.tags, {name})
            .remove("email")
        )
        params = builder.build(key={"id": "p1"})
        assert builder.expressions() == written_anew(builder)
        values = params["ExpressionAttributeValues"]
        assert (values[":name"], values[":visits"], values[":scores"]) == (name, amount, [amount])


def test_given_a_chain_longer_than_is_kept_then_its_text_is_that_of_its_tree() -> None:
    for _ in range(2):
        builder = UpdateBuilder()
        for number in range(20):
            builder.increment(f"a{number}", number).remove(f"b{number}").add(f"c{number}", {"x"})
            builder.set(f"d[{number}].e", number).prepend(f"f{number}", [number])
        assert builder.expressions() == written_anew(builder)
        assert builder.is_idempotent == is_idempotent(builder.update) is False


def test_given_a_value_that_is_refused_when_caught_then_the_builder_is_as_before() -> None:
    for _ in range(3):  # a new chain, one of which a part is known, and a known one
        builder = UpdateBuilder(Person).set(Person.name, "Ada")
        with pytest.raises(InvalidValueError):
            builder.increment(Person.visits, "x")
        with pytest.raises(InvalidRequestError):
            builder.set(Person.name, "Bo")
        builder.add(Person.tags, {"t"}).increment(Person.visits, 1)
        assert builder.expressions() == written_anew(builder)
        assert len(builder.update.actions) == 3


def chain(random: Random) -> UpdateBuilder:
    """A chain of some of a few actions, so that chains meet and part."""
    builder = UpdateBuilder()
    for name in random.sample(["a", "b", "status", "d.e", "f[0]"], random.randint(1, 5)):
        match random.randrange(4):
            case 0:
                builder.set(name, random.random())
            case 1:
                builder.increment(name, random.randrange(9))
            case 2:
                builder.add(name, random.choice([1, {"x"}]))
            case _:
                builder.remove(name)
    return builder


def test_given_threads_when_they_build_at_once_then_each_has_its_own_request() -> None:
    def build(seed: int) -> None:
        random = Random(seed)
        for _ in range(200):
            builder = chain(random)
            assert builder.expressions() == written_anew(builder)

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(build, range(16)))
    finally:
        sys.setswitchinterval(interval_s)


def test_given_more_chains_than_are_kept_then_each_is_still_right() -> None:
    for number in range(3000):
        builder = UpdateBuilder().set(f"name{number}", number).remove(f"other{number}")
        members = builder.expressions()
        assert members["UpdateExpression"] == (
            f"SET name{number} = :name{number} REMOVE other{number}"
        )
    assert builder.expressions() == written_anew(builder)


def test_given_names_of_an_enum_then_they_are_names() -> None:
    class Name(StrEnum):
        FIRST = "first"
        SECOND = "second"

    for _ in range(2):
        builder = UpdateBuilder().set(Name.FIRST, 1).set("other", 2).remove(Name.SECOND)
        assert builder.expressions() == written_anew(builder)
        assert builder.expressions()["UpdateExpression"] == (
            "SET #first = :first, #other = :other REMOVE #second"
        )


def test_given_one_path_of_other_types_when_known_then_each_has_its_own_type() -> None:
    class Town(Item):
        name: Attr[str]

    class House(Item):
        town: Attr[Town]
        rooms: Attr[list[str]]

    UpdateBuilder().set(House.town[Town.name], "Ely").set(House.rooms[0], "hall")
    UpdateBuilder().set(attr("town.name"), 3).set(attr("rooms[0]"), 4)
    UpdateBuilder().set("town.name", 3).set("rooms[0]", 4)
    for wrong in (House.town[Town.name], House.rooms[0]):
        with pytest.raises(InvalidValueError, match="str is expected, not int"):
            UpdateBuilder().set(wrong, 3)


@settings(suppress_health_check=list(HealthCheck))
@given(random=RANDOMS)
def test_given_any_request_then_what_was_seen_before_changes_no_verdict(random: Random) -> None:
    operation, body = Requests(random).make()

    for schema in (None, Keyed, Thing):
        expected = check_from_scratch(operation, body, schema=schema)
        for _ in range(2):
            assert check_request(operation, body, schema=schema) == expected


@pytest.mark.parametrize("pk", ["k", "", "k" * 240, "k" * 2048, "k" * 2049])
@pytest.mark.parametrize("schema", [None, Keyed])
def test_given_keys_of_any_length_then_what_was_seen_before_changes_no_verdict(
    pk: str, schema: Any
) -> None:
    values = {":pk": {"S": pk}}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    requests: dict[str, dict[str, Any]] = {
        "PutItem": {"Item": {"pk": {"S": pk}, "sk": {"N": "1"}, "text": {"S": "x" * 3000}}},
        "GetItem": {"Key": {"pk": {"S": pk}, "sk": {"N": "1"}}},
        "Query": query,
        "Scan": {"ExclusiveStartKey": {"pk": {"S": pk}, "sk": {"N": "1"}}},
    }
    for operation, members in requests.items():
        body = {"TableName": "requests", **members}
        expected = check_from_scratch(operation, body, schema=schema)
        for _ in range(2):
            assert check_request(operation, body, schema=schema) == expected


def test_given_a_builder_that_was_copied_by_pythons_copy_then_no_other_is_touched() -> None:
    first = UpdateBuilder().remove("draft")
    copy.copy(first).remove("other")

    assert first.expressions() == {"UpdateExpression": "REMOVE draft"}
    assert UpdateBuilder().remove("draft").expressions() == {"UpdateExpression": "REMOVE draft"}


def test_given_a_builder_that_is_changed_while_it_is_read_then_no_other_is_touched() -> None:
    builder = UpdateBuilder()

    def values() -> Iterator[int]:
        builder.remove("a")
        yield 1

    builder.append("lines", values()).build_client(table_name="t", key={"id": "x"})
    other = UpdateBuilder().append("lines", [2])
    assert other.expressions() == written_anew(other)


def test_given_literals_that_are_added_then_their_sum_is_looked_at_each_time() -> None:
    def update(one: str, two: str) -> dict[str, Any]:
        return {
            "TableName": "requests",
            "Key": {"pk": {"S": "k"}},
            "UpdateExpression": "SET a = :one + :two",
            "ExpressionAttributeValues": {":one": {"N": one}, ":two": {"N": two}},
        }

    for request in (update("1", "2"), update("9" * 38, "0.1")):
        expected = check_from_scratch("UpdateItem", request)
        assert check_request("UpdateItem", request) == expected
    assert expected != ()


class Named(str, Enum):  # noqa: UP042  (not a StrEnum, whose str() is its value)
    RED = "red"


class Added(Enum):
    MEMBERS = frozenset({"x"})
    NUMBER = 1


def test_given_members_of_a_str_enum_then_their_values_are_the_names() -> None:
    assert UpdateBuilder().set(Named.RED, 1).expressions()["UpdateExpression"] == "SET red = :red"
    nested = UpdateBuilder().set(attr("m")[Named.RED], 1).expressions()
    assert nested["UpdateExpression"] == "SET m.red = :red"
    patched = UpdateBuilder().patch({Named.RED: 1}, allow=["red"]).expressions()
    assert patched["UpdateExpression"] == "SET red = :red"
    by_name = UpdateBuilder().remove(attr(name=Named.RED)).expressions()
    assert by_name["UpdateExpression"] == "REMOVE red"


def test_given_what_adds_a_number_once_and_members_once_then_each_is_told_apart() -> None:
    for _ in range(2):
        assert UpdateBuilder().add("a", Added.MEMBERS).is_idempotent
        assert not UpdateBuilder().add("a", Added.NUMBER).is_idempotent


def test_given_an_index_that_is_none_then_it_is_refused() -> None:
    for wrong in (True, 1.0, None):
        with pytest.raises(TypeError, match="q: a list index, a map key or an attribute is"):
            attr("q")[wrong]
    assert str(attr("q")[1]) == "q[1]"


NESTED = {"l": [1, {"m": [2]}], "s": {"x"}}


def test_a_built_request_is_of_its_own() -> None:
    """Changing what was given, or what was built, changes no other request."""
    given = copy.deepcopy(NESTED)
    condition = attr("c") != [1]
    first = UpdateBuilder().set("a", given).append("b", [given]).increment("n", 1)
    first.condition(condition)
    twin = first.copy()
    expected = first.build_client(table_name="t", key={"id": "x"})
    for changed in (given, first.build(key={"id": "x"}), copy.deepcopy(expected)):
        spoil(changed)
    spoil(first.build_client(table_name="t", key={"id": "x"}))
    again = UpdateBuilder().set("a", NESTED).append("b", [NESTED]).increment("n", 1)
    for builder in (first, twin, again.condition(condition)):
        assert builder.build_client(table_name="t", key={"id": "x"}) == expected


def spoil(value: Any) -> None:
    """Change all that can be changed."""
    match value:
        case dict():
            for each in value.values():
                spoil(each)
            value["spoilt"] = "leak"
        case list():
            for each in value:
                spoil(each)
            value.append("leak")
        case set():
            value.add("leak")


def test_new_names_push_out_only_each_other() -> None:
    """What is used again stays in the cache, whatever the names of others; and all is bounded."""
    cache = WrittenUpdates("auto")
    for number in range(6000):
        for name in ("updated", "status", f"name{number}", "é" * number):
            action = cache.actions.get(("set", name))
            if action is None:
                assert number == 0 or name not in ("updated", "status")
                action = Action("set", attr(name=name or "x"))
                cache.keep_action(("set", name), action)
            cache.text([action], [{"N": "1"}])
    assert len(cache.actions) < 1024
    assert len(cache.texts) < 1024


def test_classes_are_not_kept() -> None:
    """A class that is made at run time goes, with all that was built and read of it."""

    def use() -> weakref.ref[type]:
        class Local(Item):
            pk: Attr[str] = attribute(key="partition")
            n: Attr[int] = attribute(default=0)

        @dataclasses.dataclass
        class Point:
            x: int

        UpdateBuilder(Local).set(Local.n, 1).build_client(table_name="t", key={"pk": "a"})
        UpdateBuilder().set(Local.n, 1).add("a", 1).expressions()
        UpdateBuilder().set("local", Local(pk="a")).set("point", Point(1)).expressions()
        return weakref.ref(Local)

    local = use()
    gc.collect()
    assert local() is None
