"""The incident: three update methods that passed `names if names else None`, then `{}`.

They ran green on the lenient engine, and failed in production. Here they fail on DynamoDB Local in
both of their ways, and work through dynasafe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aioboto3
import pytest
from botocore.exceptions import ClientError

from dynasafe import UpdateBuilder, client_config
from dynasafe.testing.engines import Engine
from tests.integration.conftest import CREDENTIALS, REGION, boto3_resource, key_schema

RESERVED = frozenset({"name", "status"})
KEY = {"id": "u1"}

# What the three methods were called with: the changed fields of a user.
PROFILE = {"email": "ada@example.org", "phone": "1"}  # no reserved word: the names are empty
RENAME = {"name": "Ada", "email": "ada@example.org"}
COUNTER = {"login_count": 3}  # no reserved word either


def by_hand(fields: dict[str, Any], *, none_for_empty: bool) -> dict[str, Any]:
    """The methods' own way to make parameters."""
    names = {f"#{field}": field for field in fields if field in RESERVED}
    sets = [f"{'#' if field in RESERVED else ''}{field} = :{field}" for field in fields]
    return {
        "Key": KEY,
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ExpressionAttributeNames": (names if names else None) if none_for_empty else names,
        "ExpressionAttributeValues": {f":{field}": value for field, value in fields.items()},
    }


@pytest.fixture
def users(dynamodb_local: Engine) -> Iterator[Any]:
    table = boto3_resource(dynamodb_local).create_table(
        TableName="incident-users", BillingMode="PAY_PER_REQUEST", **key_schema(id="S")
    )
    yield table
    table.delete()


@pytest.mark.parametrize("fields", [PROFILE, COUNTER])
def test_none_for_names_raises_in_boto3(users: Any, fields: dict[str, Any]) -> None:
    """None in place of no names raises AttributeError in boto3."""
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute"):
        users.update_item(**by_hand(fields, none_for_empty=True))


@pytest.mark.parametrize("fields", [PROFILE, COUNTER])
def test_empty_names_are_refused_by_dynamodb(users: Any, fields: dict[str, Any]) -> None:
    """DynamoDB refuses empty names."""
    with pytest.raises(ClientError, match="ExpressionAttributeNames must not be empty"):
        users.update_item(**by_hand(fields, none_for_empty=False))


def test_reserved_word_hid_the_fault(users: Any) -> None:
    """The same code works for an attribute that is a reserved word, which hid the fault."""
    users.update_item(**by_hand(RENAME, none_for_empty=True))

    assert users.get_item(Key=KEY)["Item"] == {**KEY, **RENAME}


@pytest.mark.parametrize("fields", [PROFILE, RENAME, COUNTER])
def test_built_updates_work_with_boto3(users: Any, fields: dict[str, Any]) -> None:
    """The same updates, built by UpdateBuilder, work with boto3."""
    update = UpdateBuilder.from_patch(fields, allow=fields.keys())

    users.update_item(**update.build(key=KEY))

    assert users.get_item(Key=KEY)["Item"] == {**KEY, **fields}


@pytest.mark.parametrize("fields", [PROFILE, RENAME, COUNTER])
async def test_built_updates_work_with_aioboto3(
    users: Any, dynamodb_local: Engine, fields: dict[str, Any]
) -> None:
    """The same updates, built by UpdateBuilder, work with aioboto3."""
    update = UpdateBuilder.from_patch(fields, allow=fields.keys())
    options: Any = {
        "region_name": REGION,
        "endpoint_url": dynamodb_local.endpoint_url,
        "config": client_config(),
        **CREDENTIALS,
    }

    async with aioboto3.Session().resource("dynamodb", **options) as resource:
        table = await resource.Table("incident-users")
        await table.update_item(**update.build(key=KEY))
        stored = (await table.get_item(Key=KEY))["Item"]
    async with aioboto3.Session().client("dynamodb", **options) as client:
        await client.update_item(**update.build_client(table_name="incident-users", key=KEY))

    assert stored == {**KEY, **fields}
