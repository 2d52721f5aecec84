"""Expressions that grow in branches and loops."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import left, migrated

LEFT: list[tuple[str, str, list[str]]] = [
    (
        "prefix of two clauses",
        "def f(a, k):\n    parts, values = [], {}\n    table.update_item(Key=k, UpdateExpression='REMOVE ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["UpdateExpression is not literal"],
    ),
    (
        "f-string of another clause",
        "def f(a, k):\n    parts, values = [], {}\n    table.update_item(Key=k, UpdateExpression=f\"ADD {', '.join(parts)}\", ExpressionAttributeValues=values)",
        ["UpdateExpression is not literal"],
    ),
    (
        "names of a function",
        "def f(a, k):\n    parts, values = [], {}\n    parts.append('a = :v')\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeNames=names(), ExpressionAttributeValues=values)",
        ["ExpressionAttributeNames is not literal"],
    ),
    (
        "created by a call",
        "def f(a, k):\n    parts, values = [], make()\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["what the expression is made of does not begin empty"],
    ),
    (
        "created unpacked",
        "def f(a, k):\n    parts, values = make()\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["what the expression is made of is bound twice"],
    ),
    (
        "created in a branch",
        "def f(a, k):\n    parts = []\n    if a:\n        values = {}\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["what the expression is made of is created in a branch"],
    ),
    (
        "begins with REMOVE",
        "def f(a, k):\n    text = 'REMOVE a'\n    if a:\n        text += ', b'\n    table.update_item(Key=k, UpdateExpression=text)",
        ["the expression does not begin with SET"],
    ),
    (
        "a value twice",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n        values[':v'] = k\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["a value is given twice"],
    ),
    (
        "a placeholder for two names",
        "def f(a, k):\n    parts, names, values = [], {}, {}\n    if a:\n        parts.append('#a = :v')\n        names['#a'] = 'a'\n        values[':v'] = a\n    else:\n        parts.append('#a = :w')\n        names['#a'] = 'b'\n        values[':w'] = k\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeNames=names, ExpressionAttributeValues=values)",
        ["a placeholder stands for two names"],
    ),
    (
        "a text that is computed",
        "def f(a, k):\n    parts, values = [], {}\n    parts.append(a)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["a part of the expression is not literal"],
    ),
    (
        "used in an inner function",
        "def f(a, k):\n    parts, values = [], {}\n    def g():\n        return parts\n    parts.append('a = :v')\n    values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression's parts are used elsewhere"],
    ),
    (
        "used elsewhere",
        "def f(a, k):\n    parts, values = [], {}\n    parts.append('a = :v')\n    values[':v'] = a\n    log(values)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression's parts are used elsewhere"],
    ),
    (
        "a while loop",
        "def f(a, k):\n    parts, values = [], {}\n    while a:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression grows in a loop"],
    ),
    (
        "loops in loops",
        "def f(a, k):\n    parts, values = [], {}\n    for x in a:\n        for y in x:\n            parts.append(f'{y} = :{y}')\n            values[f':{y}'] = y\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression grows in a loop"],
    ),
    (
        "a loop over names and another",
        "def f(a, k):\n    parts, values = [], {}\n    for x in ('b', 'c'):\n        parts.append(f'{x} = :{x}')\n        values[f':{x}'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression grows in a loop, with a placeholder that may stay the same"],
    ),
    (
        "a loop with a format",
        "def f(a, k):\n    parts, values = [], {}\n    for x in ('b', 'c'):\n        parts.append(f'{x:>3} = :{x}')\n        values[f':{x}'] = x\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["a part of the expression is not literal"],
    ),
    (
        "a loop with two holes",
        "def f(a, k):\n    parts, values = [], {}\n    for x, y in a.items():\n        parts.append(f'{x} = :{x}{y}')\n        values[f':{x}{y}'] = y\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression grows in a loop, with a placeholder that may stay the same"],
    ),
    (
        "a value without a part",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["names or values without a part beside them"],
    ),
    (
        "grows before all is created",
        "def f(a, k):\n    parts = []\n    parts.append('a = :v')\n    values = {}\n    values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression grows before all of it is created"],
    ),
    (
        "tested with more",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    if len(parts) == 0:\n        return\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression's parts are used elsewhere"],
    ),
    (
        "another statement on the line",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v'); log(a)\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        [
            "the expression is malformed: An expression attribute value used in expression is not defined; attribute value: :v"
        ],
    ),
    (
        "a comment inside",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = (  # why\n            a)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["a comment within what would be rewritten"],
    ),
    (
        "joined with another sign",
        "def f(a, k):\n    parts, values = [], {}\n    parts.append('a = :v')\n    table.update_item(Key=k, UpdateExpression='SET ' + ' AND '.join(parts), ExpressionAttributeValues=values)",
        ["UpdateExpression is not literal"],
    ),
    (
        "in a class",
        "class C:\n    parts = []\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + ', '.join(parts))",
        ["UpdateExpression is not literal"],
    ),
    (
        "a condition as text",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values, ConditionExpression='attribute_exists(id)')",
        ["a condition as text beside an expression that grows"],
    ),
    (
        "parts apart",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        log(a)\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        [
            "the expression is malformed: An expression attribute value used in expression is not defined; attribute value: :v"
        ],
    ),
    (
        "two calls",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        ["the expression's parts are used elsewhere", "the expression's parts are used elsewhere"],
    ),
]
MIGRATED: list[tuple[str, str, str]] = [
    (
        "names if names",
        "def f(a, k):\n    parts, names, values = [], {}, {}\n    if a:\n        parts.append('#a = :v')\n        names['#a'] = 'a'\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeNames=names if names else None, ExpressionAttributeValues=values or None)",
        'def f(a, k):\n    update = UpdateBuilder()\n    if a:\n        update.set("a", a)\n    table.update_item(**update.build(key=k))',
    ),
    (
        "created with list()",
        "def f(a, k):\n    parts = list()\n    values = dict()\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        'def f(a, k):\n    update = UpdateBuilder()\n    if a:\n        update.set("a", a)\n    table.update_item(**update.build(key=k))',
    ),
    (
        "a name that is code",
        "def f(a, k):\n    parts, names, values = [], {}, {}\n    if a:\n        parts.append('#a = :v')\n        names['#a'] = k\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeNames=names, ExpressionAttributeValues=values)",
        "def f(a, k):\n    update = UpdateBuilder()\n    if a:\n        update.set(attr(name=k), a)\n    table.update_item(**update.build(key=k))",
    ),
    (
        "a loop over names and get",
        "def f(a, k):\n    parts, values = [], {}\n    for x in ('b', 'c'):\n        parts.append(f'{x} = :{x}')\n        values[f':{x}'] = a.get(x)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        "def f(a, k):\n    update = UpdateBuilder()\n    for x in ('b', 'c'):\n        update.set(x, a.get(x))\n    table.update_item(**update.build(key=k))",
    ),
    (
        "a loop over names and entries",
        "def f(a, k):\n    parts, values = [], {}\n    for x in ('b', 'c'):\n        parts.append(f'{x} = :{x}')\n        values[f':{x}'] = a[x]\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        "def f(a, k):\n    update = UpdateBuilder()\n    for x in ('b', 'c'):\n        update.set(x, a[x])\n    table.update_item(**update.build(key=k))",
    ),
    (
        "a loop over names and itself",
        "def f(a, k):\n    parts, values = [], {}\n    for x in ('b', 'c'):\n        parts.append(f'{x} = :{x}')\n        values[f':{x}'] = x\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        "def f(a, k):\n    update = UpdateBuilder()\n    for x in ('b', 'c'):\n        update.set(x, x)\n    table.update_item(**update.build(key=k))",
    ),
    (
        "tested by not",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    if not parts:\n        return\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        'def f(a, k):\n    update = UpdateBuilder()\n    if a:\n        update.set("a", a)\n    if update.is_empty:\n        return\n    table.update_item(**update.build(key=k))',
    ),
    (
        "a condition of boto3",
        "def f(a, k):\n    parts, values = [], {}\n    if a:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values, ConditionExpression=Attr('id').exists())",
        "def f(a, k):\n    update = UpdateBuilder()\n    if a:\n        update.set(\"a\", a)\n    table.update_item(**update.condition(Attr('id').exists()).build(key=k))",
    ),
    (
        "given in finally",
        "def f(a, k):\n    parts, values = [], {}\n    try:\n        log(a)\n    finally:\n        parts.append('a = :v')\n        values[':v'] = a\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)",
        'def f(a, k):\n    update = UpdateBuilder()\n    try:\n        log(a)\n    finally:\n        update.set("a", a)\n    table.update_item(**update.build(key=k))',
    ),
]


@pytest.mark.parametrize(("name", "code", "reasons"), LEFT, ids=[name for name, *_ in LEFT])
def test_left(name: str, code: str, reasons: list[str]) -> None:
    """What is not proved to grow in the same way stays, with the reason."""
    assert left(code) == reasons


@pytest.mark.parametrize(("name", "before", "after"), MIGRATED, ids=[name for name, *_ in MIGRATED])
def test_migrated(name: str, before: str, after: str) -> None:
    """What grows in branches and loops becomes a builder that grows."""
    assert migrated(before) == after
