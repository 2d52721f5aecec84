"""The first minutes of a new user, with the wheel in an environment of its own."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.test_lint_hooks import GUIDE, Repository
from tests.packaging.test_distributions import ROOT, make_environment, only
from tests.unit.lint.test_command import FIXED


def test_lint(tmp_path: Path) -> None:
    """A project with the incident's code: one command finds it, the hook refuses the push until
    it is fixed, and then nothing is found.
    """
    (commands,) = re.findall(r"^```console\n(pip install .*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert commands.splitlines() == ["pip install dynasafe", "dynasafe lint"]
    environment = make_environment(
        tmp_path / "env", str(only("*.whl")), constraints=ROOT / "constraints.txt"
    )
    project = Repository(tmp_path, environment.python.parent)
    project.install_plain_hook()

    found = project.run("dynasafe", "lint")

    assert found.returncode == 1
    assert "app.py:10:34: DYS310" in found.stdout
    assert "Answer: AttributeError: 'NoneType' object has no attribute 'update'" in found.stdout
    project.require_refusal()
    assert project.app.read_text() == FIXED
    assert project.run("dynasafe", "lint").returncode == 0
