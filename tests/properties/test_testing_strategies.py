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
def test_items_of_takes_attributes(person: Person) -> None:
    """Instances have the attributes that the strategy was given."""
    assert person.id == "p1"
    assert person.name in ("Ada", "Bob")


def test_items_of_refuses_unknown_names() -> None:
    """A name that the class does not have is refused, with a suggestion."""
    with pytest.raises(InvalidValueError, match=r"Person has no such attribute. .* mean name\?"):
        strategies.items_of(Person, nane="Ada")


@given(strategies.items(key=KEY))
def test_items_can_be_put_and_read(item: dict[str, Any]) -> None:
    """Any generated item is valid in a put and reads as it was written."""
    wire = to_attribute_map(item)

    assert check_request("PutItem", {"TableName": "some-table", "Item": wire}) == ()
    assert to_attribute_map(from_attribute_map(wire)) == wire


@pytest.mark.parametrize("item_class", [Person, Order])
@given(data=st.data())
def test_instances_can_be_put_and_read(item_class: Any, data: st.DataObject) -> None:
    """Any generated instance is valid in a put and reads as it was written."""
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
def test_models_can_be_put_and_read(sensor: Sensor) -> None:
    """Any generated instance with models inside reads as it was written."""
    assert decode_item(Sensor, encode_item(sensor)) == sensor


@given(st.data())
def test_updates_and_conditions_fit_their_item(data: st.DataObject) -> None:
    """Generated updates and conditions for an item apply to it and are valid requests."""
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
async def test_updates_keep_the_class(item_class: Any, data: st.DataObject) -> None:
    """A generated update of an instance gives, in memory and in a table, the same instance."""
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
def test_paths_exist_in_their_item(data: st.DataObject) -> None:
    """A generated path of an item exists in it."""
    item = data.draw(strategies.items(key=KEY))

    assert data.draw(strategies.paths(item)).exists().matches(item)


@given(strategies.attribute_names())
def test_names_can_be_aliased_and_stored(name: str) -> None:
    """Any generated name has 1 to 255 bytes and is valid in an update."""
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
def test_strategies_give_each_kind(strategy: Any, kind: Any) -> None:
    """Each strategy generates each of these kinds."""
    find(strategy, kind, settings=settings(max_examples=5000, database=None))


@given(data=st.data())
async def test_patches_are_accepted(data: st.DataObject) -> None:
    """A table in memory accepts any generated patch."""
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])
    patch = data.draw(strategies.patches(Person))

    await people.update_item({"id": "p1"}, UpdateBuilder(Person).patch(patch, none="null"))

    assert await people.get_item({"id": "p1"}) is not None


@given(strategies.bad_values())
def test_bad_values_are_refused(value: Any) -> None:
    """Any generated bad value is refused."""
    with pytest.raises(InvalidValueError):
        to_attribute_value(value)


@given(strategies.bad_items())
def test_bad_items_are_refused(item: dict[str, Any]) -> None:
    """Any generated bad item is refused."""
    with pytest.raises(InvalidValueError):
        to_attribute_map(item)


@pytest.mark.parametrize("item_class", [Person, Order])
@given(data=st.data())
def test_bad_instances_are_refused(item_class: Any, data: st.DataObject) -> None:
    """Any generated bad instance is refused."""
    instance = data.draw(strategies.bad_items_of(item_class))

    with pytest.raises(InvalidValueError):
        encode_item(instance)


@given(strategies.bad_paths())
def test_bad_paths_are_refused(path: str) -> None:
    """Any generated bad path is refused."""
    with pytest.raises(InvalidValueError):
        attr(path)


@given(strategies.bad_conditions())
def test_bad_conditions_are_found(params: dict[str, Any]) -> None:
    """Any generated bad condition has a finding."""
    assert check_request("DeleteItem", params)


@given(strategies.bad_keys(Order))
def test_bad_keys_are_refused(key: dict[str, Any]) -> None:
    """Any generated bad key is refused."""
    with pytest.raises(InvalidValueError):
        schema_of(Order).encode_key(key)


@given(strategies.bad_updates())
def test_bad_updates_are_found(params: dict[str, Any]) -> None:
    """Any generated bad update has a finding."""
    assert check_request("UpdateItem", params)


@given(strategies.bad_patches(Person))
def test_bad_patches_are_refused(patch: dict[str, Any]) -> None:
    """Any generated bad patch is refused."""
    with pytest.raises(InvalidRequestError):
        UpdateBuilder(Person).patch(patch, none="remove")


@given(strategies.bad_attribute_names())
def test_bad_names_are_refused(name: Any) -> None:
    """Any generated bad name is refused, or has a finding."""
    try:
        item = to_attribute_map({**KEY, name: 1})
    except InvalidValueError:
        return
    assert check_request("PutItem", {"TableName": "some-table", "Item": item})
