"""The strategies for users: what they call valid is, and what they call bad is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import (
    ConditionalCheckFailedError,
    InvalidRequestError,
    InvalidValueError,
)
from dynasafe.expressions.reserved_words import RESERVED_WORDS
from dynasafe.items.schema import schema_of
from dynasafe.testing import fake_table, strategies
from dynasafe.values.convert import from_attribute_map, to_attribute_map, to_attribute_value
from dynasafe.values.whole_items import decode_item, encode_item
from tests.support.people import Order, Person

KEY = {"pk": "k"}


@given(strategies.items_of(Person, id="p1", name=st.sampled_from(["Ada", "Bob"])))
def test_given_attributes_then_instances_have_them(person: Person) -> None:
    assert person.id == "p1"
    assert person.name in ("Ada", "Bob")


def test_given_an_attribute_that_a_class_does_not_have_then_it_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Person has no such attribute. .* mean name\?"):
        strategies.items_of(Person, nane="Ada")


@given(strategies.items(key=KEY))
def test_given_any_item_then_it_can_be_put_and_read(item: dict[str, Any]) -> None:
    wire = to_attribute_map(item)

    assert check_request("PutItem", {"TableName": "some-table", "Item": wire}) == ()
    assert to_attribute_map(from_attribute_map(wire)) == wire


@pytest.mark.parametrize("item_class", [Person, Order])
@given(data=st.data())
def test_given_any_instance_then_it_can_be_put_and_read(
    item_class: Any, data: st.DataObject
) -> None:
    instance = data.draw(strategies.items_of(item_class))
    wire = encode_item(instance)

    assert check_request("PutItem", {"TableName": "t.t", "Item": wire}, schema=item_class) == ()
    assert encode_item(decode_item(item_class, wire)) == wire


class Reading(BaseModel):
    """pydantic's own strategy gives NaN and infinity, which DynamoDB does not store."""

    value: float
    exact: Decimal
    count: int
    percent: float = Field(ge=0)
    unit: str | None = Field(default=None, alias="u", max_length=3)


class Sensor(Item):
    id: Attr[str] = attribute(key="partition")
    last: Attr[Reading]
    readings: Attr[list[Reading]]


@settings(max_examples=200)
@given(strategies.items_of(Sensor))
def test_given_models_within_an_instance_then_they_can_be_stored(sensor: Sensor) -> None:
    assert decode_item(Sensor, encode_item(sensor)) == sensor


@given(st.data())
def test_given_updates_and_conditions_for_an_item_then_they_are_valid_for_it(
    data: st.DataObject,
) -> None:
    item = data.draw(strategies.items(key=KEY))
    update = data.draw(strategies.updates(item, key=KEY)).copy()
    condition = data.draw(strategies.conditions(item))

    after = update.apply(item)
    held = condition.matches(item)

    assert isinstance(held, bool)
    assert after["pk"] == "k"
    to_attribute_map(after)
    params = update.condition(condition).build_client(table_name="some-table", key=KEY)
    assert check_request("UpdateItem", params) == ()


@pytest.mark.parametrize("item_class", [Person, Order])
@given(data=st.data())
async def test_given_updates_of_an_instance_then_it_stays_one_of_its_class(
    item_class: Any, data: st.DataObject
) -> None:
    instance = data.draw(strategies.items_of(item_class))
    update = data.draw(strategies.updates(instance))
    condition = data.draw(strategies.conditions(instance))
    table: Any = fake_table(item_class, items=[instance])
    key = {each.name: getattr(instance, each.name) for each in schema_of(item_class).key_attributes}

    after = update.copy().apply(instance)
    try:
        result = await table.update_item(key, update, condition=condition, return_values="ALL_NEW")
    except ConditionalCheckFailedError:
        assert not condition.matches(instance)
    else:
        assert condition.matches(instance)
        assert encode_item(result.attributes) == encode_item(after)


@given(data=st.data())
def test_given_paths_of_an_item_then_it_has_something_there(data: st.DataObject) -> None:
    item = data.draw(strategies.items(key=KEY))

    assert data.draw(strategies.paths(item)).exists().matches(item)


@given(strategies.attribute_names())
def test_given_any_name_then_it_can_be_aliased_and_stored(name: str) -> None:
    params = UpdateBuilder().set(attr(name=name), 1).build_client(table_name="ttt", key=KEY)

    assert 1 <= len(name.encode()) <= 255
    assert name == "pk" or check_request("UpdateItem", params) == ()


def _paths_of(update: UpdateBuilder) -> set[tuple[str | int, ...]]:
    return {tuple(action.path.elements) for action in update.update.actions}


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (strategies.attribute_names(), lambda name: name.upper() in RESERVED_WORDS),
        (strategies.attribute_names(), lambda name: "." in name),
        (strategies.attribute_names(), lambda name: "🙂" in name),
        (strategies.attribute_names(), lambda name: len(name.encode()) == 255 > len(name)),
        (strategies.values(), lambda value: isinstance(value, bytes)),
        (strategies.values(), lambda value: isinstance(value, set)),
        (strategies.values(), lambda value: value == [[]] or value == [{}]),
        (strategies.numbers(), lambda number: len(Decimal(number).as_tuple().digits) == 38),
        (strategies.items_of(Person), lambda person: person.tags == set()),
        (strategies.items_of(Person), lambda person: person.address is not None),
        (strategies.updates({"a": {"b": [1]}}), lambda update: _paths_of(update) & {("a", "b", 0)}),
    ],
)
def test_given_a_strategy_then_each_kind_comes(strategy: Any, kind: Any) -> None:
    find(strategy, kind, settings=settings(max_examples=5000, database=None))


@given(data=st.data())
async def test_given_a_patch_then_a_table_in_memory_takes_it(data: st.DataObject) -> None:
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])
    patch = data.draw(strategies.patches(Person))

    await people.update_item({"id": "p1"}, UpdateBuilder(Person).patch(patch, none="null"))

    assert await people.get_item({"id": "p1"}) is not None


@given(strategies.bad_values())
def test_given_a_bad_value_then_it_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValueError):
        to_attribute_value(value)


@given(strategies.bad_items())
def test_given_a_bad_item_then_it_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        to_attribute_map(item)


@pytest.mark.parametrize("item_class", [Person, Order])
@given(data=st.data())
def test_given_a_bad_instance_then_it_is_refused(item_class: Any, data: st.DataObject) -> None:
    instance = data.draw(strategies.bad_items_of(item_class))

    with pytest.raises(InvalidValueError):
        encode_item(instance)


@given(strategies.bad_paths())
def test_given_a_bad_path_then_it_is_refused(path: str) -> None:
    with pytest.raises(InvalidValueError):
        attr(path)


@given(strategies.bad_conditions())
def test_given_a_bad_condition_then_it_is_found(params: dict[str, Any]) -> None:
    assert check_request("DeleteItem", params)


@given(strategies.bad_keys(Order))
def test_given_a_bad_key_then_it_is_refused(key: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        schema_of(Order).encode_key(key)


@given(strategies.bad_updates())
def test_given_a_bad_update_then_it_is_found(params: dict[str, Any]) -> None:
    assert check_request("UpdateItem", params)


@given(strategies.bad_patches(Person))
def test_given_a_bad_patch_then_it_is_refused(patch: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        UpdateBuilder(Person).patch(patch, none="remove")


@given(strategies.bad_attribute_names())
def test_given_a_bad_name_then_it_is_refused(name: Any) -> None:
    try:
        item = to_attribute_map({**KEY, name: 1})
    except InvalidValueError:
        return
    assert check_request("PutItem", {"TableName": "some-table", "Item": item})
