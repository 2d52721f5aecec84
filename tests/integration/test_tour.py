"""The tour, as a stranger takes it: in an empty folder, with the page's files and commands alone.

DYNASAFE_TOUR=install makes the environment as the page says, from a clone; otherwise the commands
run in the environment of the tests.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_docs import FILE, OUTPUT, ROOT, TOUR, blocks_of, clean_environment

INSTALLS = os.environ.get("DYNASAFE_TOUR") == "install"
EXPECTED = {"first.py", "plain.py", "legacy.py", "guarded.py"}


def prepare(folder: Path) -> None:
    """What the tour starts from: a clone beside nothing else."""
    if INSTALLS:
        subprocess.run(["git", "clone", "-q", ROOT, folder / "dynasafe-source"], check=True)
        return
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in {"python": "", "dynasafe": " -m dynasafe"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{arguments} "$@"\n')
        program.chmod(0o755)


def run(command: str, folder: Path) -> str:
    environment = dict(clean_environment())
    if INSTALLS:
        environment.pop("PYTHONPATH", None)
    else:
        environment["PYTHONPATH"] = str(ROOT)
        if "pip install" in command or " -m venv " in command:
            return ""
    ran = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.stderr == "" or INSTALLS, ran.stderr
    return ran.stdout


@pytest.mark.timeout(900)
def test_the_tour(tmp_path: Path) -> None:
    """Each command prints what the page says, from the first file to the guarded module."""
    prepare(tmp_path)
    written = set()
    printed = ""
    for block in blocks_of(TOUR):
        name = FILE.fullmatch(block.info)
        if name is not None:
            (tmp_path / name["name"]).write_text(block.text)
            written.add(name["name"])
        elif block.language == "console":
            for command in block.text.splitlines():
                printed = run(command, tmp_path)
        elif block.info == OUTPUT:
            assert printed == block.text, f"line {block.line}"

    assert written == EXPECTED
    assert "names if names else None" not in (tmp_path / "legacy.py").read_text()
