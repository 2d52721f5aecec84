"""Rules about writes."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes, problems

WRITES: list[tuple[str, str, list[str]]] = [
    (
        "add set",
        "def f(k):\n    table.update_item(Key=k, UpdateExpression='ADD tags :t', ExpressionAttributeValues={':t': {'a'}})",
        [],
    ),
    (
        "add set call",
        "def f(k, t):\n    table.update_item(Key=k, UpdateExpression='ADD tags :t', ExpressionAttributeValues={':t': set(t)})",
        [],
    ),
    (
        "add client set",
        "def f(k, t):\n    client.update_item(TableName='people', Key=k, UpdateExpression='ADD tags :t', ExpressionAttributeValues={':t': {'SS': t}})",
        [],
    ),
    (
        "add number",
        "def f(k, t):\n    table.update_item(Key=k, UpdateExpression='ADD tags :t', ExpressionAttributeValues={':t': 1})",
        ["DYS341"],
    ),
    (
        "add with attempts",
        "from botocore.config import Config\nc = Config(retries={'total_max_attempts': 1})\ndef f(k, t):\n    table.update_item(Key=k, UpdateExpression='ADD tags :t', ExpressionAttributeValues={':t': 1})",
        [],
    ),
    (
        "read modify attr",
        "def f(k):\n    item = table.get_item(Key=k)['Item']\n    table.put_item(Item=item['x'])",
        ["DYS330", "DYS340"],
    ),
    (
        "ttl local",
        "import time\ndef f(k):\n    at = time.time() * 1000\n    table.put_item(Item={'id': 'a', 'ttl': int(at)})",
        [],
    ),
    (
        "ttl other factor",
        "import time\ndef f(k):\n    table.put_item(Item={'id': 'a', 'ttl': int(time.time() * 10)})",
        [],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), WRITES, ids=[name for name, *_ in WRITES])
def test_writes(name: str, code: str, found: list[str]) -> None:
    """Each kind of write has its finding, or none."""
    assert codes(code, "risk") == found


@pytest.mark.parametrize(
    ("expression", "fix"),
    [
        ("n = n + :x", "if_not_exists(n, :zero), as UpdateBuilder.increment writes it"),
        ("n = n - :x", "if_not_exists(n, :zero), as UpdateBuilder.increment writes it"),
        ("l = list_append(l, :x)", "if_not_exists(l, :empty), as UpdateBuilder.append writes it"),
        ("l = list_append(:x, l)", "if_not_exists(l, :empty), as UpdateBuilder.prepend writes it"),
    ],
)
def test_fix_of_a_missing_operand(expression: str, fix: str) -> None:
    """The fix of DYS343 names the method of UpdateBuilder that writes this expression."""
    value = "[1]" if "list" in expression else "1"
    (problem,) = problems(
        f"def f():\n    table.update_item(Key={{'id': 'a'}}, UpdateExpression='SET {expression}', ExpressionAttributeValues={{':x': {value}}})"
    )

    assert (problem.code, problem.fix) == ("DYS343", fix)
