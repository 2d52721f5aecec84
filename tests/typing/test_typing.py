"""What the type checkers say, of right lines and of wrong ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WRONG_LINES = {
    number
    for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), start=1)
    if line.endswith("# error")
}


def run(*command: str) -> str:
    # The checkers ask the first python on the PATH what is installed.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout


def mypy_errors(path: Path) -> set[int]:
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context", str(path))
    return {int(line) for line in re.findall(rf"{path.name}:(\d+): error", output)}


def pyright_errors(path: Path) -> set[int]:
    report = json.loads(run("pyright", "--outputjson", str(path)))
    return {
        each["range"]["start"]["line"] + 1
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    }


@pytest.mark.parametrize("errors_of", [mypy_errors, pyright_errors])
def test_given_right_lines_when_checked_then_none_is_refused(errors_of) -> None:  # type: ignore[no-untyped-def]
    assert errors_of(HERE / "right.py") == set()


@pytest.mark.parametrize("errors_of", [mypy_errors, pyright_errors])
def test_given_wrong_lines_when_checked_then_each_is_refused_and_no_other(errors_of) -> None:  # type: ignore[no-untyped-def]
    found = errors_of(HERE / "wrong.py")

    assert WRONG_LINES - found == set(), "accepted"
    assert found - WRONG_LINES == set(), "refused too much"


def test_given_the_package_when_its_types_are_verified_then_they_are_complete() -> None:
    verify = ["--outputjson", "--ignoreexternal", "--verifytypes", "dynasafe"]
    report = json.loads(run("pyright", *verify))

    assert [
        each["message"] for each in report["generalDiagnostics"] if each["severity"] == "error"
    ] == []
    assert report["typeCompleteness"]["completenessScore"] == 1
