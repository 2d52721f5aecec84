"""What is built is accepted, and does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dynasafe import UpdateBuilder, attr
from dynasafe.errors import ValueOutOfRangeError
from dynasafe.items.conditions import Condition
from dynasafe.testing.engines import Engine
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from tests.integration.conftest import boto3_client, key_schema
from tests.integration.differences import lacks
from tests.properties.update_strategies import PlainItem, true_conditions, updates

KEY = {"pk": "k"}


@dataclass
class Strict:
    """A client on a strict engine, and a table whose key is `pk`."""

    client: Any
    table: str
    engine: Engine

    def request(self, data: st.DataObject) -> tuple[PlainItem, UpdateBuilder, PlainItem]:
        with_copies = not lacks(self.engine, "reads the item as it was before the update")
        request = data.draw(updates(with_copies=with_copies))
        if lacks(self.engine, "has no magic names"):
            assume("__proto__" not in str((request[0], request[1].update, request[2])))
        return request

    def condition(self, data: st.DataObject, item: PlainItem) -> Condition:
        """One that holds."""
        if lacks(self.engine, "compares every type"):
            return attr(name=sorted(item)[0]).exists() if item else attr("nothing").not_exists()
        return data.draw(true_conditions(item))

    def put(self, item: PlainItem) -> None:
        self.client.put_item(TableName=self.table, Item=to_attribute_map({**KEY, **item}))

    def get(self) -> dict[str, Any]:
        answer = self.client.get_item(TableName=self.table, Key=to_attribute_map(KEY))
        item: dict[str, Any] = answer["Item"]
        return item


@pytest.fixture
def strict(strict_engine: Engine) -> Iterator[Strict]:
    client = boto3_client(strict_engine)
    name = f"updates-{uuid4()}"
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S"))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.01})
    yield Strict(client, name, strict_engine)
    client.delete_table(TableName=name)


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_update_stores_what_python_computes(strict: Strict, data: st.DataObject) -> None:
    """Any update stores the item that plain Python computes."""
    item, builder, expected = strict.request(data)
    builder.condition(strict.condition(data, item))
    strict.put(item)

    params = builder.build_client(table_name=strict.table, key=KEY, return_values="ALL_NEW")
    answer = strict.client.update_item(**params)

    stored = strict.get()
    assert answer["Attributes"] == stored
    # By way of Python values, since engines write numbers and order sets in their own ways.
    assert to_attribute_map(from_attribute_map(stored)) == to_attribute_map({**KEY, **expected})


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_false_condition_changes_nothing(strict: Strict, data: st.DataObject) -> None:
    """An update whose condition does not hold changes nothing."""
    item, builder, _ = strict.request(data)
    builder.condition(~strict.condition(data, item))
    strict.put(item)
    before = strict.get()

    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        strict.client.update_item(**builder.build_client(table_name=strict.table, key=KEY))

    assert strict.get() == before


@pytest.mark.parametrize(("levels", "is_fine"), [(31, True), (32, False)])
def test_deepest_nesting_is_the_engines(dynamodb_local: Engine, levels: int, is_fine: bool) -> None:
    """The deepest nesting is accepted, and one level more is refused, as by the engine."""
    value: Any = "x"
    wire: Any = {"S": "x"}
    for _ in range(levels):
        value, wire = [value], {"L": [wire]}
    client = boto3_client(dynamodb_local)
    name = f"levels-{levels}"
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S"))
    try:
        if is_fine:
            client.put_item(TableName=name, Item=to_attribute_map({**KEY, "a": value}))
            return
        with pytest.raises(ClientError, match="Nesting Levels have exceeded supported limits"):
            client.put_item(TableName=name, Item={"pk": {"S": "k"}, "a": wire})
        with pytest.raises(ValueOutOfRangeError, match="deeper than 32 levels"):
            to_attribute_map({**KEY, "a": value})
    finally:
        client.delete_table(TableName=name)
