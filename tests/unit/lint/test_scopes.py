"""Names and what they are bound to."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

BINDINGS: list[tuple[str, str, list[str]]] = [
    (
        "global",
        "T = 'REMOVE a'\ndef g():\n    global T\n    T = 'REMOVE status'\ndef f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression=T)",
        ["DYS215"],
    ),
    (
        "global read",
        "T = 'REMOVE status'\ndef f():\n    global T\n    table.update_item(Key={'id': 'a'}, UpdateExpression=T)",
        ["DYS215"],
    ),
    (
        "nonlocal",
        "def f():\n    t = 'REMOVE a'\n    def g():\n        nonlocal t\n        t = 'REMOVE status'\n    g()\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t)",
        ["DYS215"],
    ),
    (
        "nonlocal read",
        "def f():\n    t = 'REMOVE status'\n    def g():\n        nonlocal t\n        table.update_item(Key={'id': 'a'}, UpdateExpression=t)\n    g()",
        ["DYS215"],
    ),
    (
        "match as",
        "def f(x):\n    match x:\n        case {'t': t, **rest}:\n            table.update_item(Key={'id': 'a'}, UpdateExpression=t)\n        case [*t]:\n            table.put_item(Item=t)\n        case str() as t:\n            table.update_item(Key=rest, UpdateExpression=t)",
        [],
    ),
    (
        "starred target",
        "def f(x):\n    first, *t = x\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t)",
        [],
    ),
    (
        "annotation only",
        "def f(x):\n    t: str\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t)",
        [],
    ),
    (
        "annotated",
        "def f(x):\n    t: str = 'REMOVE status'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t)",
        ["DYS215"],
    ),
    (
        "del",
        "def f(x):\n    t = 'REMOVE status'\n    del t\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t)",
        [],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), BINDINGS, ids=[name for name, *_ in BINDINGS])
def test_bindings(name: str, code: str, found: list[str]) -> None:
    """A name has the values of all its bindings, or none that are known."""
    assert codes(code) == found
