"""Expressions that are made of one mapping."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import left

LEFT: list[tuple[str, str, list[str]]] = [
    (
        "a client",
        "def f(d, k):\n    client.update_item(TableName='people', Key=k, UpdateExpression='SET ' + ', '.join(f'{n} = :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "a method of each",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n.strip()} = :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "two mappings",
        "def f(d, e, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n} = :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in e.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "another variable",
        "def f(d, e, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n}{e} = :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "no valid text",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n} :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "an entry that is not there",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n} = :{n}' for n in d), ExpressionAttributeValues={f':{n}': d[v] for n, v in d.items()})",
        ["UpdateExpression is not literal"],
    ),
    (
        "joined of no comprehension",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "no values",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n} = {n}' for n in d))",
        ["UpdateExpression is not literal"],
    ),
    (
        "another tree",
        "def f(d, k):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(f'{n}.x = :{n}' for n in d), ExpressionAttributeValues={f':{n}': v for n, v in d.items()})",
        ["the builder's tree is another one"],
    ),
]


@pytest.mark.parametrize(("name", "code", "reasons"), LEFT, ids=[name for name, *_ in LEFT])
def test_left(name: str, code: str, reasons: list[str]) -> None:
    """What is not made of all entries of one mapping stays."""
    assert left(code) == reasons
