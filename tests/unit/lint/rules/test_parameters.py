"""Rules about parameters."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

PARAMETERS: list[tuple[str, str, list[str]]] = [
    ("default none", "def f(n=None):\n    table.scan(IndexName=n)", ["DYS310"]),
    ("default none tested", "def f(n=None):\n    if n:\n        table.scan(IndexName=n)", []),
    (
        "default none kw",
        "def f(k, *, n=None):\n    return table.get_item(Key=k, ProjectionExpression=n)",
        ["DYS310"],
    ),
    ("local of local", "def f(n=None):\n    m = n\n    table.scan(IndexName=m)", []),
    (
        "match tested",
        "def f(n):\n    m = n if n else None\n    match m:\n        case str():\n            table.scan(IndexName=m)",
        [],
    ),
    (
        "comprehension tested",
        "def f(n):\n    m = n if n else None\n    return [table.scan(IndexName=m) for x in n if m]",
        [],
    ),
    (
        "items of constant",
        "def f(d, t):\n    v = {}\n    for k, w in {'a': 1}.items():\n        v[':' + k] = d[k]\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "enumerated data",
        "def f(d, t):\n    v = {}\n    for k, w in enumerate(d):\n        v[':' + k] = w\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)",
        ["DYS312"],
    ),
    (
        "nested function fills",
        "def f(d, t):\n    v = {}\n    def g():\n        v[':a'] = 1\n    g()\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "typed bool",
        "def f():\n    table.put_item(Item={'id': {'BOOL': True}, 'n': {'NULL': True}})",
        ["DYS315"],
    ),
    (
        "typed list",
        "def f():\n    table.put_item(Item={'id': {'S': 'a'}, 'n': {'L': []}, 'm': {'M': {}}, 'o': {'SS': ['a']}})",
        ["DYS315"],
    ),
    ("typed map odd", "def f():\n    table.put_item(Item={'id': {'S': 'a'}, 'm': {'M': 1}})", []),
    ("json loads", "import json\ndef f(t):\n    table.put_item(Item=json.loads(t))", ["DYS316"]),
    (
        "json loads decimal",
        "import json\nfrom decimal import Decimal\ndef f(t):\n    table.put_item(Item=json.loads(t, parse_float=Decimal))",
        [],
    ),
    ("other table name", "def f(k):\n    table.get_item(TableName='other', Key=k)", ["DYS318"]),
    (
        "batch table name",
        "def f(k):\n    with table.batch_writer() as b:\n        b.put_item(TableName='people', Item=k)",
        ["DYS313"],
    ),
    (
        "table parameter name",
        "def f(t: 'mypy_boto3_dynamodb.service_resource.Table', k):\n    t.get_item(TableName='people', Key=k)",
        [],
    ),
]


@pytest.mark.parametrize(
    ("name", "code", "found"), PARAMETERS, ids=[name for name, *_ in PARAMETERS]
)
def test_parameters(name: str, code: str, found: list[str]) -> None:
    """Each way to give a parameter has its finding, or none."""
    assert codes(code, "risk") == found
