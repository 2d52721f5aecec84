"""The baseline: known findings, which are not reported again.

A finding is identified by its code, the function around it and the shape of that code, so it stays
known when lines move or comments change. Equal findings in one function are counted, so that
another one is reported.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dynasafe.lint.engine import FileReport
from dynasafe.lint.problem import Problem
from dynasafe.lint.settings import SettingsError


def fingerprint(problem: Problem, name: str) -> str:
    """A hash of the code, the function's qualified name and the code without its positions."""
    shape = "" if isinstance(problem.node, ast.Module) else ast.dump(problem.node)
    text = "\0".join((problem.code, name, shape))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


Key = tuple[str, str, str]
"""Path, code and fingerprint."""


@dataclass(slots=True)
class Baseline:
    """How many times the baseline has each finding."""

    known: Counter[Key]

    def split(
        self, path: str, report: FileReport
    ) -> tuple[list[tuple[Problem, str]], list[Problem]]:
        """The new problems, each with its function's name, and the known ones."""
        new: list[tuple[Problem, str]] = []
        old: list[Problem] = []
        for problem, name in zip(report.problems, report.names, strict=True):
            key = (path, problem.code, fingerprint(problem, name))
            if self.known[key] > 0:
                self.known[key] -= 1
                old.append(problem)
            else:
                new.append((problem, name))
        return new, old

    @property
    def gone(self) -> int:
        """How many known findings did not occur. Call it after all files are split."""
        return sum(each for each in self.known.values() if each > 0)


def read_baseline(text: str) -> Baseline:
    """The baseline of a file's text.

    Raises:
        SettingsError: the text is not a baseline.
    """
    try:
        entries = json.loads(text)
        known = Counter(
            {(each["path"], each["code"], each["fingerprint"]): each["count"] for each in entries}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"the baseline cannot be read: {error}. Fix: write it again with --write-baseline"
        ) from error
    return Baseline(known)


def write_baseline(reports: Iterable[tuple[str, FileReport]]) -> str:
    """The text of a baseline with all problems of the reports."""
    known: Counter[Key] = Counter()
    for path, report in reports:
        for problem, name in zip(report.problems, report.names, strict=True):
            known[path, problem.code, fingerprint(problem, name)] += 1
    entries = [
        {"path": path, "code": code, "fingerprint": digest, "count": count}
        for (path, code, digest), count in sorted(known.items())
    ]
    return json.dumps(entries, indent=1) + "\n"
