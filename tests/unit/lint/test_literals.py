"""Texts that the source shows, in any form."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

TEXTS: list[tuple[str, str, list[str]]] = [
    (
        "join texts",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=' '.join(['SET', 'status = :v']), ExpressionAttributeValues={':v': v})",
        ["DYS215"],
    ),
    (
        "join of a name",
        "def f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=' '.join(p), ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "if expression text",
        "def f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v' if p else 'SET name = :v', ExpressionAttributeValues={':v': v})",
        ["DYS215", "DYS215"],
    ),
    (
        "format text",
        "def f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET {} = :v'.format('status'), ExpressionAttributeValues={':v': v})",
        ["DYS215"],
    ),
    (
        "format braces",
        "def f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET {x} = :v'.format(x='status'), ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "f constant",
        "S = 'status'\ndef f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {S} = :v', ExpressionAttributeValues={':v': v})",
        ["DYS215"],
    ),
    (
        "f format spec",
        "S = 'status'\ndef f(v, p):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {S:>9} = :v', ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "class text",
        "class C:\n    T = 'SET status = :v'\ndef f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=C.T, ExpressionAttributeValues={':v': v})",
        ["DYS215"],
    ),
    (
        "self text",
        "class C:\n    def __init__(self):\n        self.t = 'SET status = :v'\n    def f(self, v):\n        table.update_item(Key={'id': 'a'}, UpdateExpression=self.t, ExpressionAttributeValues={':v': v})",
        ["DYS215"],
    ),
    (
        "grown in a loop",
        "def f(v, p):\n    t = 'SET a = :v'\n    for x in p:\n        t += ', status = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "call in loop before grown",
        "def f(v, p):\n    t = 'SET a = :v'\n    for x in p:\n        table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})\n        t += ', status = :v'",
        [],
    ),
    (
        "times",
        "def f(v, p):\n    t = 'SET a = :v'\n    t *= 2\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "long chain",
        "def f(v):\n    a = 'SET status = :v'\n    b = a\n    c = b\n    d = c\n    e = d\n    g = e\n    h = g\n    i = h\n    j = i\n    k = j\n    table.update_item(Key={'id': 'a'}, UpdateExpression=k, ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "many branches",
        "def f(v, a):\n    t = 'SET a = :v'\n    if a[0]:\n        t += ', b0 = :v'\n    if a[1]:\n        t += ', b1 = :v'\n    if a[2]:\n        t += ', b2 = :v'\n    if a[3]:\n        t += ', b3 = :v'\n    if a[4]:\n        t += ', b4 = :v'\n    if a[5]:\n        t += ', b5 = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})",
        [],
    ),
    (
        "try except text",
        "def f(v, a):\n    try:\n        t = 'SET status = :v'\n    except ValueError:\n        t = 'SET name = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})",
        ["DYS215", "DYS215"],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), TEXTS, ids=[name for name, *_ in TEXTS])
def test_texts(name: str, code: str, found: list[str]) -> None:
    """A text is known if each of its parts is."""
    assert codes(code) == found
