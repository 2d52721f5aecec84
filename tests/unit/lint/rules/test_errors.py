"""Rules about errors."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

HANDLERS: list[tuple[str, str, list[str]]] = [
    (
        "code get",
        "from botocore.exceptions import ClientError\ndef f(k):\n    try:\n        table.put_item(Item=k)\n    except ClientError as e:\n        if e.response.get('Error').get('Code') == 'ConditionalCheckFailed':\n            return None\n        raise",
        ["DYS350"],
    ),
    (
        "code get default",
        "from botocore.exceptions import ClientError\ndef f(k):\n    try:\n        table.put_item(Item=k)\n    except ClientError as e:\n        if e.response.get('Error', {}).get('Code') == 'ThrottlingExceptionX':\n            return None\n        raise",
        ["DYS350"],
    ),
    (
        "swallowed docs",
        "def f(k):\n    try:\n        table.put_item(Item=k)\n    except Exception:\n        'never mind'",
        ["DYS351"],
    ),
    (
        "swallowed true",
        "def f(k):\n    try:\n        table.put_item(Item=k)\n    except Exception:\n        return True",
        ["DYS351"],
    ),
    (
        "swallowed none",
        "def f(k):\n    try:\n        table.put_item(Item=k)\n    except Exception:\n        return None",
        ["DYS351"],
    ),
    (
        "word in str of other",
        "def f(k, e):\n    if 'ConditionalCheckFailedException' in str(e):\n        return None",
        ["DYS352"],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), HANDLERS, ids=[name for name, *_ in HANDLERS])
def test_handlers(name: str, code: str, found: list[str]) -> None:
    """Each way to handle an error has its finding, or none."""
    assert codes(code) == found
