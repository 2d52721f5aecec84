"""What is stored is what is read: Amazon's own engine between writing and reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, event, given, settings

from dynasafe.errors import InvalidValueError
from dynasafe.testing.engines import Engine
from dynasafe.values.whole_items import decode_item, encode_item
from tests.integration.conftest import boto3_client, key_schema
from tests.support.generated_items import changes, instances

KEY = {"id": "k"}
WIRE_KEY = {"id": {"S": "k"}}
QUICK = settings(suppress_health_check=list(HealthCheck), max_examples=60)


class Stored:
    """A table with one item."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def put(self, item: Any) -> None:
        self.client.put_item(TableName=self.name, Item=encode_item(item))

    def get(self, item_class: Any) -> Any:
        found = self.client.get_item(TableName=self.name, Key=WIRE_KEY, ConsistentRead=True)
        return decode_item(item_class, found["Item"])


@pytest.fixture(scope="module")
def stored(engines: Any) -> Iterator[Stored]:
    engine: Engine = engines.get("dynamodb-local")
    client = boto3_client(engine)
    name = f"stored-{uuid4()}"
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **key_schema(id="S"))
    yield Stored(client, name)
    client.delete_table(TableName=name)


@QUICK
@given(item=instances())
def test_read_is_what_was_written(stored: Stored, item: Any) -> None:
    """An item is read from the engine as it was put, or the put is refused."""
    try:
        stored.put(item)
    except InvalidValueError:
        event("refused")
        return
    event("written")
    assert stored.get(type(item)) == item


@QUICK
@given(change=changes())
def test_update_does_what_the_class_says(stored: Stored, change: tuple[Any, Any, Any]) -> None:
    """The engine stores the item that plain Python computes, and the class reads it."""
    item, builder, expected = change
    if builder is None:
        return
    stored.put(item)
    stored.client.update_item(**builder.build_client(table_name=stored.name, key=KEY))
    assert stored.get(type(item)) == expected
