"""Rules about answers."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

ANSWERS: list[tuple[str, str, list[str]]] = [
    ("items tested", "def f():\n    if table.scan()['Items']:\n        return 1", []),
    (
        "item in answer elsewhere",
        "def f(k):\n    a = table.get_item(Key=k)\n    b = table.get_item(Key=k)\n    if 'Item' in b:\n        return a['Item']",
        [],
    ),
    (
        "loop ends on empty page",
        "def f():\n    p = {}\n    while True:\n        page = table.scan(**p)\n        if not page.get('Items'):\n            break\n        p['ExclusiveStartKey'] = page['LastEvaluatedKey']",
        ["DYS332"],
    ),
    (
        "loop that ends otherwise",
        "def f(page):\n    while True:\n        if not page['Items']:\n            break\n        page = more(ExclusiveStartKey=1)",
        [],
    ),
    (
        "limit and more",
        "def f(**m):\n    page = table.scan(FilterExpression=Attr('a').eq(1), Limit=5, **m)\n    return go(page)",
        [],
    ),
    (
        "stored answer awaited",
        "import json\ndef f(k):\n    item = table.get_item(Key=k)['Item']\n    return json.dumps(item)",
        ["DYS330", "DYS335"],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), ANSWERS, ids=[name for name, *_ in ANSWERS])
def test_answers(name: str, code: str, found: list[str]) -> None:
    """Each way to read an answer has its finding, or none."""
    assert codes(code) == found
