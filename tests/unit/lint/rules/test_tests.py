"""Rules about tests."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import codes

MOCKS: list[tuple[str, str, list[str]]] = [
    (
        "mock with spec",
        "from unittest.mock import Mock\nclass Foo: ...\ndef test_x():\n    t = Mock(spec=Foo)\n    t.put_item(Item={})",
        [],
    ),
    (
        "mock",
        "from unittest.mock import Mock\ndef test_x():\n    t = Mock()\n    t.put_item(Item={})",
        ["DYS371"],
    ),
    (
        "mock unused",
        "from unittest.mock import Mock\ndef test_x():\n    t = Mock()\n    t.other()",
        [],
    ),
    (
        "mock on self",
        "from unittest.mock import Mock\nclass T:\n    def test_x(self):\n        self.t = Mock()\n        self.t.put_item(Item={})",
        [],
    ),
    (
        "mock global",
        "from unittest.mock import AsyncMock, Mock\nasync def f(t):\n    await t.put_item(Item={})\nasync def test_x():\n    t = Mock()\n    await f(t)",
        [],
    ),
    (
        "mock kw",
        "from unittest.mock import AsyncMock, Mock\nasync def f(t):\n    await t.put_item(Item={})\nasync def test_x():\n    t = Mock()\n    await f(t=t)",
        [],
    ),
    (
        "mock to sync",
        "from unittest.mock import AsyncMock, Mock\ndef f(t):\n    t.put_item(Item={})\ndef test_x():\n    t = Mock()\n    f(t)",
        [],
    ),
]


@pytest.mark.parametrize(("name", "code", "found"), MOCKS, ids=[name for name, *_ in MOCKS])
def test_mocks(name: str, code: str, found: list[str]) -> None:
    """A mock is reported if it stands for a table and has no spec."""
    assert codes(code, "risk", path="tests/test_app.py") == found
