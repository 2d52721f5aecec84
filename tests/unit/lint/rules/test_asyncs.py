"""Rules about async code."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

BEFORE = """\
import asyncio
import aioboto3
session = aioboto3.Session()
"""

ASYNC: list[tuple[str, str, list[str]]] = [
    (
        "attribute of coroutine",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        return t.scan().get('Items')",
        ["DYS331", "DYS360"],
    ),
    (
        "for over coroutine",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        for i in t.scan():\n            print(i)",
        ["DYS360"],
    ),
    (
        "bound twice",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        a = t.scan()\n        a = await a\n        return a",
        [],
    ),
    (
        "never used",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        a = t.scan()\n",
        ["DYS360"],
    ),
    (
        "subscripted later",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        a = t.scan()\n        return a['Items']",
        ["DYS331", "DYS360"],
    ),
    (
        "never used client",
        "async def f(k):\n    async with session.client('dynamodb') as c:\n        a = c.scan(TableName='people')\n",
        ["DYS360"],
    ),
    (
        "sync function",
        "def f(d: 'types_aiobotocore_dynamodb.client.DynamoDBClient'):\n    d.scan(TableName='people')\n",
        [],
    ),
    (
        "annotated table",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t: object = d.Table('x')\n        await t.scan()",
        ["DYS361"],
    ),
    (
        "table awaited later",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = d.Table('x')\n        t = await t\n        await t.scan()",
        [],
    ),
    (
        "table awaited in use",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = d.Table('x')\n        return await (await t).scan()",
        [],
    ),
    (
        "table on self",
        "class C:\n    async def f(self, d: 'types_aiobotocore_dynamodb.service_resource.DynamoDBServiceResource'):\n        self.t = d.Table('x')\n    async def g(self):\n        return await self.t.scan()",
        [],
    ),
    (
        "client without with",
        "async def f():\n    c = session.client('dynamodb')\n    await c.scan(TableName='people')",
        ["DYS366"],
    ),
    ("client given on", "async def f():\n    c = session.client('dynamodb')\n    return g(c)", []),
    ("client alone", "async def f():\n    c = session.client('dynamodb')\n    c\n", []),
    (
        "with of two",
        "async def f():\n    with session.client('dynamodb') as c, open('x') as o:\n        await c.scan(TableName='people')",
        ["DYS365"],
    ),
    (
        "plain with",
        "async def f():\n    with session.client('dynamodb') as c:\n        await c.scan(TableName='people')",
        ["DYS365"],
    ),
    (
        "pages",
        "async def f():\n    async with session.client('dynamodb') as c:\n        for page in c.get_paginator('scan').paginate(TableName='people'):\n            print(page)",
        ["DYS364"],
    ),
    (
        "pages in comprehension",
        "async def f():\n    async with session.client('dynamodb') as c:\n        return [page for page in c.get_paginator('scan').paginate(TableName='people')]",
        ["DYS364"],
    ),
    (
        "sync pages async for",
        "async def f():\n    import boto3\n    c = boto3.client('dynamodb')\n    async for page in c.get_paginator('scan').paginate(TableName='people'):\n        print(page)",
        ["DYS364"],
    ),
    (
        "batch with",
        "async def f(k):\n    async with session.resource('dynamodb') as d:\n        t = await d.Table('x')\n        with t.batch_writer() as b:\n            await b.put_item(Item=k)",
        ["DYS365"],
    ),
    (
        "per request",
        "import aioboto3\nfrom fastapi import Request\nasync def handler(request: Request):\n    async with aioboto3.Session().client('dynamodb') as c:\n        return await c.scan(TableName='people')",
        [],
    ),
    ("lambda", "f = lambda event: session.client('dynamodb')", []),
]


@pytest.mark.parametrize(("name", "code", "found"), ASYNC, ids=[name for name, *_ in ASYNC])
def test_async(name: str, code: str, found: list[str]) -> None:
    """Each use of an async client has its finding, or none."""
    assert codes(code, "risk", before=BEFORE) == found
