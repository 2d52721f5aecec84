"""What has the methods of a table or a client."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

RECEIVERS: list[tuple[str, str, list[str]]] = [
    ("walrus table", "def f(k):\n    (t := dynamodb.Table('x')).put_item(item=k)", ["DYS313"]),
    (
        "service name",
        "def f(k):\n    boto3.client(service_name='dynamodb').put_item(item=k)",
        ["DYS313"],
    ),
    ("bad annotation", "def f(t: 'not ('):\n    t.put_item(item=1)", []),
    (
        "tables of resource",
        "def f():\n    for t in dynamodb.tables.all():\n        t.put_item(item=1)",
        [],
    ),
    (
        "exceptions",
        "def f(k):\n    try:\n        client.put_item(TableName='people', Item=k)\n    except client.exceptions.ConditionalCheckFailedException:\n        return None",
        [],
    ),
    (
        "exit stack",
        "import contextlib\ndef f(k):\n    with contextlib.ExitStack() as stack:\n        batch = stack.enter_context(table.batch_writer())\n        batch.put_item(item=k)",
        ["DYS313"],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), RECEIVERS, ids=[name for name, *_ in RECEIVERS])
def test_receivers(name: str, code: str, found: list[str]) -> None:
    """Tables, clients and writers are known by how they are made."""
    assert codes(code) == found
