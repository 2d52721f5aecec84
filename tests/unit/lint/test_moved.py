"""Dicts that are made for one call."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import left, migrated

LEFT: list[tuple[str, str, list[str]]] = [
    (
        "a call",
        "def f(v, o):\n    values = {':v': v()}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "an attribute, other code between",
        "def f(v, o):\n    values = {':v': o.v}\n    o.change()\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "an attribute, a call between",
        "def f(v, o):\n    values = {':v': o.v}\n    x = o()\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "an attribute, in another block",
        "def f(v, o):\n    values = {':v': o.v}\n    if v:\n        table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "a name that is bound again",
        "def f(v, o):\n    values = {':v': v}\n    v = 2\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "used twice",
        "def f(v, o):\n    values = {':v': v}\n    log(values)\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "of two targets",
        "def f(v, o):\n    values = other = {':v': v}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "annotated",
        "def f(v, o):\n    values: dict = {':v': v}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        ["ExpressionAttributeValues is not literal"],
    ),
    (
        "of an attribute",
        "class C:\n    def f(self, v):\n        self.values = {':v': v}\n        table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=self.values)",
        ["ExpressionAttributeValues is not literal"],
    ),
]
MIGRATED: list[tuple[str, str, str]] = [
    (
        "plain",
        "def f(v, o):\n    values = {':v': v}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        "def f(v, o):\n    table.update_item(\n        **UpdateBuilder()\n        .set(\"a\", v)\n        .build(key={'id': 'a'})\n    )",
    ),
    (
        "an attribute",
        "def f(v, o):\n    values = {':v': o.v}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        "def f(v, o):\n    table.update_item(\n        **UpdateBuilder()\n        .set(\"a\", o.v)\n        .build(key={'id': 'a'})\n    )",
    ),
    (
        "an attribute, plain code between",
        "def f(v, o):\n    values = {':v': o.v}\n    x = 1\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        "def f(v, o):\n    x = 1\n    table.update_item(\n        **UpdateBuilder()\n        .set(\"a\", o.v)\n        .build(key={'id': 'a'})\n    )",
    ),
    (
        "of the module",
        "values = {':v': 1}\ndef f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        "values = {':v': 1}\ndef f():\n    table.update_item(\n        **UpdateBuilder()\n        .set(\"a\", 1)\n        .build(key={'id': 'a'})\n    )",
    ),
    (
        "within an arm",
        "def f(v, o):\n    if v:\n        pass\n    else:\n        values = {':v': o.v}\n        table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        "def f(v, o):\n    if v:\n        pass\n    else:\n        table.update_item(\n            **UpdateBuilder()\n            .set(\"a\", o.v)\n            .build(key={'id': 'a'})\n        )",
    ),
]


@pytest.mark.parametrize(("name", "code", "reasons"), LEFT, ids=[name for name, *_ in LEFT])
def test_left(name: str, code: str, reasons: list[str]) -> None:
    """A dict whose entries could change before the call stays."""
    assert left(code) == reasons


@pytest.mark.parametrize(("name", "before", "after"), MIGRATED, ids=[name for name, *_ in MIGRATED])
def test_migrated(name: str, before: str, after: str) -> None:
    """A dict that is made for the call is written in it."""
    assert migrated(before) == after
