"""What the type checkers say, of right lines and of wrong ones."""

from __future__ import annotations

import json

import pytest

from tests.typing.checkers import CHECKERS, marked, run


@pytest.mark.parametrize("name", ["mypy", "pyright"])
def test_lines(name: str) -> None:
    """Each line that is marked as wrong is refused, and no other."""
    refused = CHECKERS[name]()

    assert marked(name) - refused == set(), "accepted"
    assert refused - marked(name) == set(), "refused too much"


def test_completeness() -> None:
    """Every public name has a type."""
    verify = ["--outputjson", "--ignoreexternal", "--verifytypes", "dynasafe"]
    report = json.loads(run("pyright", *verify))

    assert [
        each["message"] for each in report["generalDiagnostics"] if each["severity"] == "error"
    ] == []
    assert report["typeCompleteness"]["completenessScore"] == 1
