"""The strategies for users: what they call valid is, and what they call bad is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import UpdateBuilder, check_request
from dynasafe.attribute_value import from_attribute_map, to_attribute_map, to_attribute_value
from dynasafe.errors import InvalidRequestError, InvalidValueError
from dynasafe.item import decode_item, encode_item, encode_key, schema_of
from dynasafe.testing import fake_table, strategies
from tests.support.people import Order, Person

KEY = {"pk": "k"}


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


@given(st.data())
def test_given_updates_and_conditions_for_an_item_then_they_are_valid_for_it(
    data: st.DataObject,
) -> None:
    item = data.draw(strategies.items())
    update = data.draw(strategies.updates(item)).copy()
    condition = data.draw(strategies.conditions(item))

    after = update.apply(item)
    held = condition.matches(item)

    assert isinstance(held, bool)
    to_attribute_map(after)
    params = update.condition(condition).build_client(table_name="some-table", key={"p-k": "k"})
    assert check_request("UpdateItem", params) == ()


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


@given(strategies.bad_keys(Order))
def test_given_a_bad_key_then_it_is_refused(key: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        encode_key(schema_of(Order), key)


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
