"""Every code has an explanation, a page in docs, and a place on the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import dynasafe
from dynasafe.cli import main
from dynasafe.findings.catalog import EXPLANATIONS, index, page

ROOT = Path(__file__).parent.parent.parent


def test_given_the_code_of_any_finding_then_it_is_explained() -> None:
    used: set[str] = set()
    for path in Path(dynasafe.__file__).parent.rglob("*.py"):
        if path.name != "explanations.py":
            used |= set(re.findall(r'"(DYS\d{3})"', path.read_text()))

    assert used == set(EXPLANATIONS)


def test_given_the_pages_then_they_are_what_the_command_writes(tmp_path: Path) -> None:
    assert main(["explain", "--write", str(tmp_path)]) == 0

    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "docs" / "findings").glob("*.md")}
    assert written == kept, "fix: python -m dynasafe explain --write docs/findings"


def test_given_the_index_then_it_has_each_code_once() -> None:
    assert re.findall(r"\[(DYS\d{3})\]\(\1\.md\)", index()) == sorted(EXPLANATIONS)


def test_given_a_code_when_explained_then_its_page_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "dys203"]) == 0
    assert capsys.readouterr().out == page("DYS203")
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(EXPLANATIONS)


def test_given_no_such_code_then_the_command_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "DYS999"]) == 2
    assert "There is no DYS999" in capsys.readouterr().err


def test_given_the_module_when_run_then_it_is_the_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dynasafe", "explain", "DYS215"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("# DYS215: A reserved word\n")
