"""Run the scenarios of all packages, guarded in each way, and write what came of it.

    python -m tests.third_party PYTHON [PACKAGE ...]

PYTHON has the packages, as requirements.txt names them. The rows of those that run are written into
tests/data/guard_third_party.md. It fails where the guard refuses what DynamoDB Local accepts, or
where a guarded scenario ends otherwise than an unguarded one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dynasafe.testing.engines import start_engine

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "tests" / "data" / "guard_third_party.md"
PINS = [Path(__file__).parent / name for name in ("requirements.txt", "without_dependencies.txt")]
GUARDINGS = ("unguarded", "warned", "warned, described", "guarded", "repaired")
HEAD = """# The guard in front of packages of others

Written by `make guard-third-party`: scenarios of each package on DynamoDB Local, unguarded, and
with `guard_process` in each mode. "Refused" counts requests that the engine refuses for the
request's own sake, or botocore before it. Of these the guard finds so many before they are sent,
without a schema and with `schema="describe"`. A false alarm is a request that it would refuse and
the engine accepts. An outcome is what a scenario returns or raises: it changes in no mode with
`errors="botocore"`, but where "repair" makes a call work.
"""
COLUMNS = [
    *("package", "scenarios", "accepted", "refused", "found", "found, described", "false alarms"),
    *("changed outcomes", "repaired outcomes"),
]


def packages() -> dict[str, str]:
    """The pinned packages that have scenarios, with their versions."""
    lines = sorted(line for path in PINS for line in path.read_text().splitlines())
    pins = dict(line.split("==") for line in lines if "==" in line and line[0] != "#")
    folder = Path(__file__).parent / "scenarios"
    return {name: pins[name] for name in pins if (folder / f"{name.replace('-', '_')}.py").exists()}


def run(python: str, package: str, guarding: str, url: str) -> dict[str, Any]:
    result = subprocess.run(
        [python, "-m", "tests.third_party.run", package, guarding, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if result.returncode:
        raise SystemExit(f"{package}, {guarding}:\n{result.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


HEADINGS = [row(COLUMNS), row(["---"] * len(COLUMNS))]


class Summary:
    """What came of one package."""

    def __init__(self, package: str, version: str, runs: dict[str, dict[str, Any]]) -> None:
        self.package = package
        self.version = version
        self._runs = runs
        self.outcomes: dict[str, str] = runs["unguarded"]["outcomes"]
        self.problems = [
            f"{package}, {guarding}: false alarm: {alarm}"
            for guarding in GUARDINGS
            for alarm in runs[guarding]["records"]["false_alarms"]
        ]
        self.problems += [
            f"{package}, {guarding}: {name} changed: {before} -> {after}"
            for guarding in GUARDINGS[:4]
            for name, before, after in self._changes(guarding)
        ]

    def _changes(self, guarding: str) -> list[tuple[str, str, str]]:
        after = self._runs[guarding]["outcomes"]
        return [
            (name, before, after[name])
            for name, before in self.outcomes.items()
            if after[name] != before
        ]

    def _count(self, guarding: str, kind: str) -> int:
        return len(self._runs[guarding]["records"][kind])

    def row(self) -> str:
        cells = [
            f"{self.package} {self.version}",
            len(self.outcomes),
            self._runs["unguarded"]["records"]["accepted"],
            self._count("unguarded", "missed"),
            self._count("warned", "found"),
            self._count("warned, described", "found"),
            self._count("warned", "false_alarms")
            + self._count("warned, described", "false_alarms"),
            len(self._changes("guarded")),
            len(self._changes("repaired")),
        ]
        return row(cells)

    def listed(self) -> list[str]:
        """What was found, and what was not, each once."""
        described = self._runs["warned, described"]["records"]
        found = dict.fromkeys(f"- {self.package}: {each}" for each in described["found"])
        missed = dict.fromkeys(
            f"- {self.package}, missed: {each.partition(': {')[0]}" for each in described["missed"]
        )
        repaired = [
            f"- {self.package}, repaired: {name}: {before}, then {after}"
            for name, before, after in self._changes("repaired")
        ]
        return [*found, *missed, *repaired]


def kept() -> tuple[dict[str, str], dict[str, list[str]]]:
    """The rows of the table as it is, and what is listed below it, by package."""
    rows: dict[str, str] = {}
    listed: dict[str, list[str]] = {}
    for line in TABLE.read_text().splitlines() if TABLE.exists() else ():
        if line.startswith("| ") and line not in HEADINGS:
            rows[line.split()[1]] = line
        elif line.startswith("- "):
            listed.setdefault(line.split()[1].rstrip(":,"), []).append(line)
    return rows, listed


def main() -> None:
    python, *only = sys.argv[1:]
    known = packages()
    rows, listed = kept()
    problems = []
    with start_engine("dynamodb-local") as engine:
        for package in only or known:
            runs = {each: run(python, package, each, engine.endpoint_url) for each in GUARDINGS}
            summary = Summary(package, known[package], runs)
            rows[package], listed[package] = summary.row(), summary.listed()
            problems += summary.problems
            print(summary.row(), flush=True)
            write(known, rows, listed)
    if problems:
        raise SystemExit("\n".join(problems))


def write(packages: Iterable[str], rows: dict[str, str], listed: dict[str, list[str]]) -> None:
    lines = [HEAD, *HEADINGS, *(rows[name] for name in packages if name in rows)]
    lines += ["", '## What it found, with `schema="describe"`', ""]
    lines += [line for name in packages for line in listed.get(name, ())]
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
