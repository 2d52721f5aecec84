"""Rules about expressions: their fixes, and names that come from outside."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes, fixed

HOLES: list[tuple[str, str, list[str]]] = [
    (
        "percent tuple",
        "def f(v, k, w):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET %s = %s' % (k, w), ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "percent wrong count",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET %s = %s' % k, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "percent variable",
        "def f(v, k, t):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t % k, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "format",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET {0} = :v'.format(k), ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "format named",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET {k} = :v'.format(k=k), ExpressionAttributeValues=v)",
        [],
    ),
    (
        "join list",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + ', '.join([f'{k} = :v', 'b = :v']), ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "strip",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} = :v,'.rstrip(','), ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "ifexp",
        "def f(v, k, w):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} = :v' if v else f'SET {w} = :v', ExpressionAttributeValues=v)",
        ["DYS321", "DYS321"],
    ),
    (
        "self",
        "def f(self, v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {self} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "module level name",
        "K = input()\ndef f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {K} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "attr",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {v.k} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "value position",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET a = {k}', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "before word",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} x', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "placeholder part",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET #a{k} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "bound twice",
        "def f(v, k):\n    k = k or 'a'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "enumerate number",
        "def f(v):\n    t = 'SET '\n    for i, k in enumerate(v):\n        t += f'{i} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "enumerate name",
        "def f(v):\n    t = 'SET '\n    for i, k in enumerate(v):\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "items",
        "def f(v):\n    t = 'SET '\n    for k, w in v.items():\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "sorted",
        "def f(v):\n    t = 'SET '\n    for k in sorted(v):\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "range",
        "def f(v):\n    t = 'SET '\n    for k in range(5):\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "local constants",
        "def f(v):\n    names = ('a', 'b')\n    t = 'SET '\n    for k in names:\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "dict constants",
        "def f(v):\n    names = {'a': 1, 'b': 2}\n    t = 'SET '\n    for k, w in names.items():\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "attribute",
        "def f(self, v):\n    t = 'SET '\n    for k in self.names:\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        [],
    ),
    (
        "set",
        "def f(v, n):\n    t = 'SET '\n    for k in {n, 'b'}:\n        t += f'{k} = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)",
        ["DYS321"],
    ),
    (
        "with as",
        "def f(v):\n    with v as k:\n        pass\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "unpacked",
        "def f(v):\n    k, w = v\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {k} = :v', ExpressionAttributeValues=v)",
        [],
    ),
    (
        "outer list",
        "parts = []\ndef f(v, k):\n    parts.append(f'{k} = :v')\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=v)",
        [],
    ),
    (
        "deep",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + (('a' + ('b' + ('c' + ('d' + ('e' + ('f' + k))))))), ExpressionAttributeValues=v)",
        [],
    ),
    (
        "quoted",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f\"SET a = '{k}'\", ExpressionAttributeValues=v)",
        ["DYS322"],
    ),
    (
        "key placeholder",
        "def f(v, k):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET #{k} = :{k}', ExpressionAttributeValues=v)",
        [],
    ),
    ("in operator", "def f(a):\n    return Attr('x') in a", []),
    ("lt", "def f(a):\n    return table.scan(FilterExpression=Attr('x') < a)", ["DYS323"]),
    ("ne", "def f(a):\n    return table.scan(FilterExpression=Attr('x') != a)", ["DYS323"]),
    (
        "awaited table",
        "async def f(d):\n    t = await d.Table('x')\n    await t.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v')",
        ["DYS215", "DYS221"],
    ),
]

FIXES: list[tuple[str, str, str | None]] = [
    (
        "no names",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v', ExpressionAttributeValues={':v': v})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET #status = :v', ExpressionAttributeNames={\"#status\": \"status\"}, ExpressionAttributeValues={':v': v})",
    ),
    (
        "one argument a line",
        "def f(v):\n    table.update_item(\n        Key={'id': 'a'},\n        UpdateExpression='SET status = :v',\n        ExpressionAttributeValues={':v': v},\n    )",
        "def f(v):\n    table.update_item(\n        Key={'id': 'a'},\n        UpdateExpression='SET #status = :v',\n        ExpressionAttributeNames={\"#status\": \"status\"},\n        ExpressionAttributeValues={':v': v},\n    )",
    ),
    (
        "names",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v, #b = :v', ExpressionAttributeNames={'#b': 'b'}, ExpressionAttributeValues={':v': v})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET #status = :v, #b = :v', ExpressionAttributeNames={'#b': 'b', \"#status\": \"status\"}, ExpressionAttributeValues={':v': v})",
    ),
    (
        "defined already",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v, #status.a = :v', ExpressionAttributeNames={'#status': 'status'}, ExpressionAttributeValues={':v': v})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET #status = :v, #status.a = :v', ExpressionAttributeNames={'#status': 'status'}, ExpressionAttributeValues={':v': v})",
    ),
    (
        "defined as another",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v, #status = :v', ExpressionAttributeNames={'#status': 'x'}, ExpressionAttributeValues={':v': v})",
        None,
    ),
    (
        "names nobody sees",
        "def f(v, n):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v', ExpressionAttributeNames=n, ExpressionAttributeValues={':v': v})",
        None,
    ),
    (
        "members nobody sees",
        "def f(v, **m):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v', ExpressionAttributeValues={':v': v}, **m)",
        None,
    ),
    (
        "empty names",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET status = :v', ExpressionAttributeNames={}, ExpressionAttributeValues={':v': v})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET #status = :v', ExpressionAttributeNames={\"#status\": \"status\"}, ExpressionAttributeValues={':v': v})",
    ),
    (
        "elsewhere",
        "T = 'SET status = :v'\ndef f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=T, ExpressionAttributeValues={':v': v})",
        None,
    ),
    (
        "brackets",
        "def f():\n    return table.scan(FilterExpression='((attribute_exists(a)))')",
        "def f():\n    return table.scan(FilterExpression='(attribute_exists(a))')",
    ),
    (
        "brackets in",
        "def f():\n    return table.scan(FilterExpression='attribute_exists(b) AND ((attribute_exists(a)))')",
        "def f():\n    return table.scan(FilterExpression='attribute_exists(b) AND (attribute_exists(a))')",
    ),
    (
        "names alone",
        "def f():\n    return table.scan(ExpressionAttributeNames={'#a': 'a'})",
        "def f():\n    return table.scan()",
    ),
    (
        "one unused",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': v, ':w': 5})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': v})",
    ),
    (
        "all unused",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='REMOVE a', ExpressionAttributeValues={':w': v})",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='REMOVE a')",
    ),
    (
        "unused call",
        "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': v, ':w': v()})",
        None,
    ),
    (
        "unused spread",
        "def f(v, m):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': v, ':w': 5, **m})",
        None,
    ),
    (
        "unused local",
        "def f(v):\n    values = {':v': v, ':w': 5}\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues=values)",
        None,
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), HOLES, ids=[name for name, *_ in HOLES])
def test_holes(name: str, code: str, found: list[str]) -> None:
    """A name that comes from outside is found in each form of a text."""
    assert codes(code) == found


@pytest.mark.parametrize(("name", "before", "after"), FIXES, ids=[name for name, *_ in FIXES])
def test_fixes(name: str, before: str, after: str | None) -> None:
    """A fix is made where the source shows that it is right; after it, there is none to make."""
    expected = before if after is None else after

    assert fixed(before) == expected
    assert fixed(expected) == expected
