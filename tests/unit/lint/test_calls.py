"""Members of calls, and what becomes of answers."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

MEMBERS: list[tuple[str, str, list[str]]] = [
    (
        "params with computed key",
        "def f(x):\n    p = {x: 1, 'Key': {'id': 'a'}}\n    table.get_item(**p)",
        [],
    ),
    (
        "params of decorated",
        "import functools\n@functools.cache\ndef params(n):\n    return {'Key': {'id': ''}}\ndef f(n):\n    table.get_item(**params(n))",
        [],
    ),
    (
        "params copied",
        "def f(x):\n    p = {'Key': {'id': ''}}\n    q = p\n    table.get_item(**p)",
        [],
    ),
    (
        "params get",
        "def f(x):\n    p = {'Key': {'id': ''}}\n    p.get('Key')\n    table.get_item(**p)",
        ["DYS132"],
    ),
    (
        "params pop",
        "def f(x):\n    p = {'Key': {'id': ''}}\n    p.pop('Key')\n    table.get_item(**p)",
        [],
    ),
]

ANSWERS: list[tuple[str, str, list[str]]] = [
    (
        "walrus answer",
        "def f(k):\n    if (answer := table.get_item(Key=k)):\n        return answer['Item']",
        ["DYS330"],
    ),
    (
        "annotated answer",
        "def f(k):\n    answer: dict = table.get_item(Key=k)\n    return answer['Item']",
        ["DYS330"],
    ),
    (
        "tuple answer",
        "def f(k):\n    answer, other = table.get_item(Key=k), 1\n    return answer['Item']",
        [],
    ),
    ("attribute answer", "def f(self, k):\n    self.answer = table.scan()\n", []),
    (
        "answer printed",
        "def f(k):\n    answer = table.scan()\n    print(answer)\n    return answer['Items']",
        ["DYS331"],
    ),
    (
        "answer logged",
        "def f(k, log):\n    answer = table.scan()\n    log.info(answer)\n    return answer['Items']",
        ["DYS331"],
    ),
    (
        "answer alone",
        "def f(k):\n    answer = table.scan()\n    answer\n    return answer['Items']",
        ["DYS331"],
    ),
    (
        "answer tested",
        "def f(k):\n    answer = table.scan()\n    if answer:\n        return answer['Items']",
        ["DYS331"],
    ),
    (
        "answer changed",
        "def f(k):\n    answer = table.scan()\n    answer['Items'] = []\n    return answer['Items']",
        ["DYS331"],
    ),
    ("answer get computed", "def f(k):\n    answer = table.scan()\n    return answer.get(k)", []),
    (
        "answer in f string",
        "def f(k):\n    answer = table.get_item(Key=k)\n    return f'{answer}' + answer['Item']['a']",
        ["DYS330"],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), MEMBERS, ids=[name for name, *_ in MEMBERS])
def test_members(name: str, code: str, found: list[str]) -> None:
    """A dict that is spread has the members that the source shows, unless code changes it."""
    assert codes(code) == found


@pytest.mark.parametrize(("name", "code", "found"), ANSWERS, ids=[name for name, *_ in ANSWERS])
def test_answers(name: str, code: str, found: list[str]) -> None:
    """An answer that is given on is no longer followed."""
    assert codes(code) == found
