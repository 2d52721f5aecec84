"""The faults that the library began with, and the shapes that public code has: all are found."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import SYNC, codes

INCIDENT = """
RESERVED = {"name", "status"}


class Users:
    def __init__(self):
        self.table = boto3.resource("dynamodb").Table("users")

    def update_profile(self, user_id, email=None, phone=None, name=None):
        parts, names, values = [], {}, {}
        if email:
            parts.append("email = :email")
            values[":email"] = email
        if name:
            parts.append("#name = :name")
            names["#name"] = "name"
            values[":name"] = name
        if not parts:
            return
        self.table.update_item(
            Key={"id": user_id},
            UpdateExpression="SET " + ", ".join(parts),
            ExpressionAttributeNames=names if names else None,
            ExpressionAttributeValues=values,
        )

    def set_status(self, user_id, fields):
        names = {f"#{field}": field for field in fields if field in RESERVED}
        params = {
            "Key": {"id": user_id},
            "UpdateExpression": "SET " + ", ".join(f"#{field} = :{field}" for field in fields),
            "ExpressionAttributeValues": {f":{field}": fields[field] for field in fields},
        }
        params["ExpressionAttributeNames"] = names or None
        self.table.update_item(**params)

    def count_login(self, user_id):
        names = {}
        self.table.update_item(
            Key={"id": user_id},
            UpdateExpression="SET login_count = if_not_exists(login_count, :zero) + :one",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":zero": 0, ":one": 1},
        )
"""

MIGRATION = """
import asyncio

import aioboto3

session = aioboto3.Session()


class Users:
    async def save(self, user):
        async with session.resource("dynamodb") as database:
            table = await database.Table("users")
            table.put_item(Item=user)

    async def load(self, user_id):
        table = boto3.resource("dynamodb").Table("users")
        return table.get_item(Key={"id": user_id}).get("Item")

    async def delete(self, user_id):
        await boto3.resource("dynamodb").Table("users").delete_item(Key={"id": user_id})
"""


def test_incident() -> None:
    """Each of the three methods has the finding that would have stopped it."""
    assert codes(INCIDENT) == ["DYS310", "DYS310", "DYS103"]


def test_migration() -> None:
    """A write that nobody awaits, a blocking read, and an await of boto3."""
    assert codes(MIGRATION) == ["DYS360", "DYS362", "DYS363"]


SHAPES = [
    ("a query's first page", "def f(i):\n    return table.query(KeyConditionExpression=Key('id').eq(i))['Items']", "DYS331"),
    ("a write error that is swallowed", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        print(e)", "DYS351"),
    ("a code compared as text", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        if 'ConditionalCheckFailedException' in str(e):\n            return False\n        raise", "DYS352"),
    ("a scan's first page", "def f():\n    return table.scan()['Items']", "DYS331"),
    ("boto3 in an async def", "async def f(k):\n    table.delete_item(Key=k)", "DYS362"),
    ("get, then put", "def f(k):\n    item = table.get_item(Key=k).get('Item')\n    item['a'] = 1\n    table.put_item(Item=item)", "DYS340"),
    ("an increment under retries", "def f(k):\n    table.update_item(Key=k, UpdateExpression='ADD n :one', ExpressionAttributeValues={':one': 1})", "DYS341"),
    ("an expression that grows", "def f(k, a):\n    t = 'SET a = :a'\n    if a:\n        t += ', date = :a'\n    table.update_item(Key=k, UpdateExpression=t, ExpressionAttributeValues={':a': a})", "DYS215"),
    ("the item of an answer", "def f(k):\n    return table.get_item(Key=k)['Item']", "DYS330"),
    ("a limit with a filter", "def f(v):\n    return table.scan(Limit=1, FilterExpression=Attr('a').eq(v))['Items']", "DYS334"),
    ("an f-string in a condition", "def f(k, name):\n    table.delete_item(Key=k, ConditionExpression=f'attribute_exists({name})')", "DYS321"),
    ("a batch without its rest", "def f(r):\n    client.batch_write_item(RequestItems=r)", "DYS333"),
    ("a name before =", "def f(k, name, v):\n    table.update_item(Key=k, UpdateExpression='SET %s = :v' % name, ExpressionAttributeValues={':v': v})", "DYS321"),
    ("names that are filled in branches", "def f(k, a, t):\n    n = {}\n    if a:\n        n['#a'] = a\n    table.update_item(Key=k, UpdateExpression=t, ExpressionAttributeNames=n)", "DYS312"),
    ("a member or None", "def f(k, n):\n    table.update_item(Key=k, UpdateExpression='REMOVE a', ExpressionAttributeNames=n if n else None)", "DYS310"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "found"), SHAPES, ids=[each[0] for each in SHAPES])
def test_shapes(name: str, code: str, found: str) -> None:
    """Each shape that was counted in public code is found, by the rule that it is for."""
    assert found in codes(code, "risk", before=SYNC)
