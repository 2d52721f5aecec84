"""`dynasafe lint` where it stops a fault: flake8, pre-commit, a plain git hook, GitHub Actions.

Each is run for real, in a repository of its own with a remote.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.lint.test_command import FIXED, INCIDENT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs here are scripts")

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs" / "guides" / "lint.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
CONFIG, WORKFLOW = (yaml.safe_load(each) for each in BLOCKS)


class Repository:
    """A repository with the incident's code, a bare remote beside it, and programs to run."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self._environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        self.app = self.folder / "app.py"
        self.app.write_text(INCIDENT)
        self.run("git", "init", "-q", "--bare", str(folder / "remote"))
        self.run("git", "init", "-q")
        self.run("git", "remote", "add", "origin", str(folder / "remote"))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def push(self) -> subprocess.CompletedProcess[str]:
        """Commit everything, and push it."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "a change")
        return self.run("git", "push", "-q", "origin", "HEAD:main")

    def require_refusal(self) -> None:
        """The push of the incident is refused; after the fix it is not."""
        refused = self.push()
        assert refused.returncode != 0
        assert "DYS310" in refused.stdout + refused.stderr
        assert self.run("git", "ls-remote", "origin").stdout == ""
        assert self.run("dynasafe", "lint", "--fix").returncode == 0
        assert self.app.read_text() == FIXED
        pushed = self.push()
        assert pushed.returncode == 0, pushed.stdout + pushed.stderr
        assert "refs/heads/main" in self.run("git", "ls-remote", "origin").stdout

    def install_plain_hook(self) -> None:
        """The guide's .githooks/pre-push."""
        (script,) = re.findall(r"^```text\n(#!/bin/sh\n.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
        hook = self.folder / ".githooks" / "pre-push"
        hook.parent.mkdir()
        hook.write_text(script)
        hook.chmod(0o755)
        self.run("git", "config", "core.hooksPath", ".githooks")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository whose program `dynasafe` is the one of this environment."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "dynasafe"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dynasafe "$@"\n')
    program.chmod(0o755)
    return Repository(tmp_path, programs)


def test_plain_hook(repository: Repository) -> None:
    """The guide's .githooks/pre-push refuses the push."""
    repository.install_plain_hook()

    repository.require_refusal()


def test_pre_commit(repository: Repository) -> None:
    """The guide's local hook refuses the push, installed by pre-commit.

    The program is the one of this environment; everything else is the guide's.
    """
    (hook,) = CONFIG["repos"][-1]["hooks"]
    del hook["additional_dependencies"]
    config = {
        "default_install_hook_types": CONFIG["default_install_hook_types"],
        "repos": [{"repo": "local", "hooks": [hook | {"language": "unsupported"}]}],
    }
    (repository.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    installed = repository.run(sys.executable, "-m", "pre_commit", "install")
    assert installed.returncode == 0, installed.stdout + installed.stderr

    repository.require_refusal()


def test_pre_commit_files(repository: Repository) -> None:
    """pre-commit takes the guide's configuration and our manifest; both have the same hook."""
    config = repository.folder / "config.yaml"
    config.write_text(BLOCKS[0])
    manifest = ROOT / ".pre-commit-hooks.yaml"

    for command, file in (("validate-config", config), ("validate-manifest", manifest)):
        checked = repository.run(sys.executable, "-m", "pre_commit", command, str(file))
        assert checked.returncode == 0, checked.stdout + checked.stderr

    hooks = {each["id"]: each for each in yaml.safe_load(manifest.read_text())}
    (local,) = CONFIG["repos"][-1]["hooks"]
    ours = hooks[local["id"]]
    assert {name: local[name] for name in ours if name != "description"} == {
        name: value for name, value in ours.items() if name != "description"
    }


@pytest.mark.parametrize("name", ["dynasafe-lint", "dynasafe-lint-fix"])
def test_hooks_on_files(repository: Repository, name: str) -> None:
    """The hooks of the manifest fail on the incident, and pass when it is fixed."""
    (hook,) = [
        each
        for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        if each["id"] == name
    ]

    assert repository.run(*hook["entry"].split(), "app.py").returncode == 1
    repository.app.write_text(FIXED)
    assert repository.run(*hook["entry"].split(), "app.py").returncode == 0


def test_github_actions(repository: Repository) -> None:
    """The steps of the guide's workflow: a SARIF file, then annotations and a failure."""
    runs = [each["run"] for each in WORKFLOW["jobs"]["lint"]["steps"] if "run" in each]
    install, sarif, annotate = runs
    assert install == "pip install dynasafe"

    assert repository.run("sh", "-c", sarif).returncode == 0
    report = json.loads((repository.folder / "dynasafe.sarif").read_text())
    assert [each["ruleId"] for each in report["runs"][0]["results"]] == ["DYS310"]
    annotated = repository.run("sh", "-c", annotate)
    assert annotated.returncode == 1
    assert annotated.stdout.startswith("::error title=dynasafe (DYS310),file=app.py,line=10,")


def flake8(repository: Repository, *options: str) -> list[str]:
    """What flake8 finds with the plugin, which the installed distribution names."""
    (repository.folder / ".flake8").write_text("[flake8]\n")
    done = repository.run(sys.executable, "-m", "flake8", *options, "app.py")
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_flake8(repository: Repository) -> None:
    """flake8 reports the finding at its place; risks only where they are asked for."""
    found = flake8(repository)
    assert [each.split()[:2] for each in found if "DYS" in each] == [["app.py:10:34:", "DYS310"]]
    with_risk = flake8(repository, "--extend-select", "DYS342")
    assert [each.split()[1] for each in with_risk if "DYS" in each] == ["DYS342", "DYS310"]
    assert flake8(repository, "--extend-ignore", "DYS3,E501") == []
    repository.app.write_text(INCIDENT.replace("# the incident's line", "# noqa: DYS310"))
    assert not [each for each in flake8(repository) if "DYS" in each]


def test_flake8_entry_point() -> None:
    """The distribution names the plugin, so that flake8 finds it by itself."""
    import tomllib

    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["flake8.extension"] == {
        "DYS": "dynasafe.lint.flake8_plugin:Plugin"
    }
