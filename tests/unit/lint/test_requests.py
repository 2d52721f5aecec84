"""Requests as far as the source shows them: values, entries and what is hidden."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

VALUES: list[tuple[str, str, list[str]]] = [
    (
        "null value",
        "def f():\n    table.update_item(Key={'id': None}, UpdateExpression='REMOVE a')",
        ["DYS130"],
    ),
    (
        "bool add",
        "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': True})",
        ["DYS223"],
    ),
    (
        "bytes add",
        "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': b'x'})",
        ["DYS223"],
    ),
    (
        "negative",
        "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': -5})",
        [],
    ),
    (
        "none add",
        "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': None})",
        ["DYS223"],
    ),
    (
        "dict add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'x': x}})",
        ["DYS223"],
    ),
    (
        "dict spread add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {**x}})",
        ["DYS223"],
    ),
    (
        "list spread add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': [*x]})",
        ["DYS223"],
    ),
    (
        "list add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': [x, 1]})",
        ["DYS223"],
    ),
    (
        "set of text add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'x', 'y'}})",
        [],
    ),
    (
        "set of numbers delete",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='DELETE a :b', ExpressionAttributeValues={':b': {1, 2}})",
        [],
    ),
    (
        "set of numbers in list_append",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = list_append(a, :b)', ExpressionAttributeValues={':b': {1, 2}})",
        ["DYS223", "DYS343"],
    ),
    (
        "set of variables",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {x}})",
        [],
    ),
    (
        "f string add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': f'{x}'})",
        ["DYS223"],
    ),
    (
        "list comp add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': [i for i in x]})",
        ["DYS223"],
    ),
    (
        "dict comp add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {i: 1 for i in x}})",
        ["DYS223"],
    ),
    (
        "not add",
        "def f(x):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': not x})",
        ["DYS223"],
    ),
    (
        "local add",
        "def f():\n    b = 'x'\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': b})",
        ["DYS223"],
    ),
    (
        "client map add",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'M': {'x': {'S': x}}}})",
        ["DYS223"],
    ),
    (
        "client map spread",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'M': {**x}}})",
        ["DYS223"],
    ),
    (
        "client list add",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'L': [{'S': x}, x]}})",
        ["DYS223"],
    ),
    (
        "client list spread",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'L': [*x]}})",
        ["DYS223"],
    ),
    (
        "client two types",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'S': x, 'N': '1'}})",
        [],
    ),
    (
        "client odd type",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'Q': x}})",
        [],
    ),
    (
        "client local",
        "def f(x):\n    b = {'S': x}\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': b})",
        ["DYS223"],
    ),
    (
        "client parameter",
        "def f(x):\n    client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': x})",
        [],
    ),
    (
        "meta map",
        "def f(x):\n    table.meta.client.update_item(TableName='people', Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': {'x': x}})",
        [],
    ),
]

PARTS: list[tuple[str, str, list[str]]] = [
    (
        "batch starred",
        "def f(x, k):\n    client.batch_get_item(RequestItems={'people': {'Keys': [*x, {'id': {'S': 'a'}}, {'id': {'S': 'a'}}]}})",
        ["DYS333", "DYS172"],
    ),
    (
        "batch key unknown",
        "def f(x, k):\n    client.batch_get_item(RequestItems={'people': {'Keys': [x, {'id': {'S': 'a'}}]}})",
        ["DYS333"],
    ),
    (
        "batch computed table",
        "def f(t):\n    client.batch_get_item(RequestItems={t(): {'Keys': [{'id': {'S': 'a'}}, {'id': {'S': 'a'}}]}})",
        ["DYS333", "DYS172"],
    ),
    (
        "batch spread tables",
        "def f(t):\n    client.batch_get_item(RequestItems={**t, 'people': {'Keys': [{'id': {'S': 'a'}}, {'id': {'S': 'a'}}]}})",
        ["DYS333", "DYS172"],
    ),
    (
        "batch entry with more",
        "def f(t):\n    client.batch_get_item(RequestItems={'people': {**t, 'Keys': [{'id': {'S': 'a'}}, {'id': {'S': 'a'}}]}})",
        ["DYS333", "DYS172"],
    ),
    (
        "batch entry computed",
        "def f(t):\n    client.batch_get_item(RequestItems={'people': t()})",
        ["DYS333"],
    ),
    (
        "batch projection hidden",
        "def f(t):\n    client.batch_get_item(RequestItems={'people': {'Keys': [{'id': {'S': 'a'}}], 'ProjectionExpression': t, 'ExpressionAttributeNames': {'#a': 'a'}}})",
        ["DYS333"],
    ),
    (
        "batch wrong projection",
        "def f(t):\n    client.batch_get_item(RequestItems={'people': {'Keys': [{'id': {'S': 'a'}}], 'ProjectionExpression': 'a,'}})",
        ["DYS333", "DYS201"],
    ),
    (
        "name key of constant",
        "N = '#n'\ndef f(t):\n    table.scan(FilterExpression='attribute_exists(#m)', ExpressionAttributeNames={N: 'x'})",
        ["DYS222"],
    ),
    (
        "name value unknown",
        "def f(t):\n    table.scan(FilterExpression='attribute_exists(#m)', ExpressionAttributeNames={'#n': t})",
        ["DYS220", "DYS222"],
    ),
    ("limit", "def f(t):\n    table.scan(Limit=0)", ["DYS105"]),
    ("limit float", "def f(t):\n    table.scan(Limit=1.5)", []),
    ("limit hidden", "def f(t):\n    table.scan(Limit=t)", []),
    (
        "hidden key",
        "def f(t):\n    table.update_item(Key=t, UpdateExpression='SET status = :v')",
        ["DYS215", "DYS221"],
    ),
    ("hidden requests", "def f(t):\n    client.transact_get_items(TransactItems=t)", []),
]


@pytest.mark.parametrize(("name", "code", "found"), VALUES, ids=[name for name, *_ in VALUES])
def test_values(name: str, code: str, found: list[str]) -> None:
    """The type of a value is known where its form shows it."""
    assert codes(code) == found


@pytest.mark.parametrize(("name", "code", "found"), PARTS, ids=[name for name, *_ in PARTS])
def test_parts(name: str, code: str, found: list[str]) -> None:
    """Parts that are not in the source prove nothing; the others are checked."""
    assert codes(code) == found
