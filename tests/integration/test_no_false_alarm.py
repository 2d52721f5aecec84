"""The watch over this suite: what a strict engine accepts, check_request finds nothing in.

The fixture `no_false_alarm` watches every test here, but for requests that go past every client:
test_request_conformance.py compares those itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dynasafe import AsyncDynamoDB, DynamoDB, Finding, check_request
from dynasafe.findings.finding import Where
from dynasafe.testing.engines import Engine
from tests.integration.conftest import (
    CREDENTIALS,
    REGION,
    CreateTable,
    boto3_client,
    boto3_resource,
)
from tests.support.false_alarms import false_alarms

ITEM = {"id": {"S": "a"}, "email": {"S": "x"}}


def refuse_puts(operation: str, params: Mapping[str, Any]) -> tuple[Finding, ...]:
    """check_request, if it had a rule that refuses each PutItem."""
    if operation == "PutItem":
        refusal = "no item is good enough"
        return (
            Finding(code="DYS110", message=refusal, where=Where(parameter="Item"), fix="send none"),
        )
    return check_request(operation, params)


async def test_false_alarms_are_found(
    db: AsyncDynamoDB, engine: Engine, create_table: CreateTable
) -> None:
    """A false alarm is found in each client, if the engine is strict."""
    name = await create_table()
    resource = boto3_resource(engine)
    with false_alarms(refuse_puts) as alarms:
        boto3_client(engine).put_item(TableName=name, Item=ITEM)
        resource.Table(name).put_item(Item={"id": "a"})
        await db.call("PutItem", {"TableName": name, "Item": ITEM})
        await db.call("GetItem", {"TableName": name, "Key": {"id": {"S": "a"}}})
        with DynamoDB.connect(
            region_name=REGION, endpoint_url=engine.endpoint_url, client_options=CREDENTIALS
        ) as sync_db:
            await asyncio.to_thread(sync_db.call, "PutItem", {"TableName": name, "Item": ITEM})

    assert alarms.accepted == (5 if engine.is_strict else 0)
    assert [operation for operation, _ in alarms.found] == ["PutItem"] * (4 * engine.is_strict)
    alarms.require_none(but=["DYS110"])
    if engine.is_strict:
        with pytest.raises(AssertionError, match=r"PutItem: no item is good enough \[DYS110\]"):
            alarms.require_none(but=["DYS111"])


async def test_correct_alarm_is_not_a_false_one(engine: Engine, create_table: CreateTable) -> None:
    """A finding for a request that the engine refuses is not a false alarm."""
    name = await create_table()
    empty_names = {
        "ConditionExpression": "attribute_not_exists(id)",
        "ExpressionAttributeNames": {},
    }
    refusal = pytest.raises(ClientError, match="must not be empty")
    with false_alarms() as alarms, refusal if engine.is_strict else nullcontext():
        boto3_client(engine).put_item(TableName=name, Item=ITEM, **empty_names)

    assert alarms.found == []
    assert alarms.accepted == 0
