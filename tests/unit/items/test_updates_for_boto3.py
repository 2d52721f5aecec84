"""What build() gives is what boto3's Table takes, and long expressions become short."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import AsyncTable, UpdateBuilder, attr, check_request
from dynasafe.testing import ScriptedTransport, strategies
from dynasafe.values.convert import from_attribute_value, to_attribute_value

HUGE = [Decimal("1e100"), 10**125, Decimal("9" * 38), -(10**37), Decimal("1E-130"), Decimal("1.10")]


@given(strategies.values() | st.sampled_from(HUGE) | st.sets(st.sampled_from(HUGE), min_size=1))
def test_serializer_takes_what_was_built(value: Any) -> None:
    """boto3's serializer takes each built value without rounding a number."""
    built = UpdateBuilder().set("x", value).build(key={"id": "a"})["ExpressionAttributeValues"]

    serialized = TypeSerializer().serialize(built[":x"])

    assert from_attribute_value(serialized) == from_attribute_value(to_attribute_value(value))


def test_numbers_keep_their_types():
    """What is an int stays one, as far as boto3 takes it."""
    built = UpdateBuilder().set("x", 10**37).set("y", Decimal("1.50")).build(key={"id": "a"})
    values = built["ExpressionAttributeValues"]
    assert (type(values[":x"]), type(values[":y"])) == (int, Decimal)


@pytest.mark.parametrize("count", [61, 150, 200])
def test_long_update_gets_short_placeholders(count: int) -> None:
    """A long update gets short placeholders, with the same values for the same names."""
    update = UpdateBuilder().condition(attr("x" * 40).exists() & (attr("status") == "new"))
    for index in range(count):
        update.set(f"attribute_with_a_long_name_{index:04}", index)
    params = update.build_client(table_name="some-table", key={"id": "a"})

    assert check_request("UpdateItem", params) == ()
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]
    assert len(params["UpdateExpression"]) <= 4096
    for action in params["UpdateExpression"].removeprefix("SET ").split(", "):
        name, value = action.split(" = ")
        assert values[value] == {"N": str(int(names[name][-4:]))}


def test_short_update_keeps_readable_placeholders():
    """An update of less than 4,096 bytes keeps its readable placeholders."""
    update = UpdateBuilder()
    for index in range(60):
        update.set(f"attribute_with_a_long_name_{index:04}", index)
    assert ":attribute_with_a_long_name_0059" in update.expressions()["UpdateExpression"]


def _long_condition() -> Any:
    """Some 5,000 bytes with readable placeholders, and half of that with short ones."""
    names = [f"an_attribute_with_a_long_name_{number:02}" for number in range(60)]
    return reduce(and_, [attr(name).exists() & (attr(name) > 1) for name in names])


READS_AND_WRITES: list[tuple[str, Callable[[Any], Any]]] = [
    ("FilterExpression", lambda t: t.scan(filter=_long_condition()).to_list()),
    (
        "FilterExpression",
        lambda t: t.query(attr("pk") == "a", filter=_long_condition()).to_list(),
    ),
    ("ConditionExpression", lambda t: t.put_item({"pk": "a"}, condition=_long_condition())),
    ("ConditionExpression", lambda t: t.delete_item({"pk": "a"}, condition=_long_condition())),
    (
        "ConditionExpression",
        lambda t: t.update_item(
            {"pk": "a"}, UpdateBuilder().set("a", 1), condition=_long_condition()
        ),
    ),
    (
        "ProjectionExpression",
        lambda t: t.get_item(
            {"pk": "a"}, projection=[attr(name=f"{number}-{'x' * 60}") for number in range(80)]
        ),
    ),
]


@pytest.mark.parametrize(("member", "call"), READS_AND_WRITES)
async def test_long_expressions_have_short_placeholders(
    member: str, call: Callable[[Any], Any]
) -> None:
    """Long expressions of each call get short placeholders and stay valid."""
    transport = ScriptedTransport(otherwise={})
    await call(AsyncTable("some-table", transport=transport))
    ((operation, params),) = ((each.operation, each.params) for each in transport.calls)
    assert len(params[member]) <= 4096
    assert "#n0" in params["ExpressionAttributeNames"]
    assert check_request(operation, params) == ()
