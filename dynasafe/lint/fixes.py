"""Applies fixes to a text until there is nothing left to fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dynasafe.lint.engine import FileReport, check_source
from dynasafe.lint.module import RuleSettings
from dynasafe.lint.problem import Edit, Problem
from dynasafe.lint.settings import Selection
from dynasafe.lint.source import Source

_MAX_ROUNDS = 100


class FixError(Exception):
    """A fix would break the file, or fixes would not end: a bug. The file stays unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A text after its fixes, and the problems that are left."""

    text: str
    count: int
    report: FileReport


def fix_source(
    source: Source,
    *,
    unsafe: bool = False,
    selection: Selection | None = None,
    settings: RuleSettings | None = None,
) -> Fixed:
    """Apply the safe fixes, or all. Fixing the result again changes nothing.

    Raises:
        FixError: a fixed file does not parse, or fixes do not end.
    """
    count = 0
    seen = {source.text}
    report = check_source(source, selection=selection, settings=settings)
    for _ in range(_MAX_ROUNDS):
        chosen = [
            each for each in report.problems if each.safety == "safe" or (unsafe and each.edits)
        ]
        text, applied = apply(source.text, chosen)
        if applied == 0:
            return Fixed(text=source.text, count=count, report=report)
        count += applied
        if text in seen:
            raise FixError(f"{source.path}: fixes do not end")
        seen.add(text)
        try:
            source = Source(text, source.path)
        except SyntaxError as error:
            raise FixError(f"{source.path}: a fix does not parse: {error}") from error
        report = check_source(source, selection=selection, settings=settings)
    raise FixError(f"{source.path}: fixes do not end")


def apply(text: str, problems: Iterable[Problem]) -> tuple[str, int]:
    """The text with the problems' edits. If edits overlap, those of the first problem win."""
    edits: set[Edit] = set()
    applied = 0
    for problem in problems:
        mine = [each for each in problem.edits if each not in edits]
        if problem.edits and not any(_overlap(one, other) for one in mine for other in edits):
            edits.update(mine)
            applied += 1
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]]), applied


def _overlap(one: Edit, other: Edit) -> bool:
    if one.start == other.start:
        return True
    first, second = (one, other) if one.start < other.start else (other, one)
    return second.start < first.end
