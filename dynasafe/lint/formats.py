"""Reports as text, single lines, JSON, SARIF 2.1.0 or GitHub annotations.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS; "Workflow
commands for GitHub Actions".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dynasafe.findings.catalog import EXPLANATIONS, page
from dynasafe.lint.baseline import fingerprint
from dynasafe.lint.problem import Problem
from dynasafe.lint.source import Place, Source

_MAX_ANNOTATIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A problem, in its file and function; `suppressed_by` is "inSource", "external" or None."""

    path: str
    source: Source
    problem: Problem
    name: str
    suppressed_by: str | None = None

    @property
    def start(self) -> Place:
        return self.source.place(self.problem.span[0])

    @property
    def end(self) -> Place:
        return self.source.place(self.problem.span[1])


@dataclass(slots=True, kw_only=True)
class Totals:
    """The totals of all files."""

    file_count: int = 0
    call_count: int = 0
    partly_count: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    fixed_count: int = 0
    known_count: int = 0
    gone_count: int = 0
    failures: list[str] = field(default_factory=list)
    pages: str | None = None
    """The address of the folder that has a page for each code."""


Format = Callable[[list[Located], Totals, bool], str]
"""From problems, totals, and whether to use colour."""


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def as_text(problems: list[Located], totals: Totals, colour: bool) -> str:
    """The message, place, answer and fix of each problem, and a summary."""
    red, dim, bold, end = (
        ("\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m") if colour else ("", "", "", "")
    )
    lines = []
    for each in problems:
        problem, start = each.problem, each.start
        level = "" if problem.level == "error" else f" ({problem.level})"
        lines.append(
            f"{bold}{each.path}:{start.line}:{start.column}:{end} "
            f"{red}{problem.code}{end} {problem.message}{level}"
        )
        code = each.source.line(start.line)
        marker_end = each.end.column if each.end.line == start.line else len(code) + 1
        gutter = f"{start.line:>5} | "
        shown, first, last = _window(code, start.column - 1, marker_end - 1)
        lines.append(f"{dim}{gutter}{end}{shown}")
        carets = " " * first + "^" * max(1, last - first)
        lines.append(f"{dim}{' ' * (len(gutter) - 2)}| {end}{red}{carets}{end}")
        if problem.answer.startswith("no error: "):
            lines.append(f"   Happens: {problem.answer.removeprefix('no error: ')}")
        else:
            lines.append(f"   Answer: {problem.answer}")
        flag = {"safe": " (--fix)", "unsafe": " (--unsafe-fixes)", None: ""}[problem.safety]
        lines += [f"   Fix{flag}: {problem.fix}", ""]
    lines.append(_summary(problems, totals))
    return "\n".join(lines) + "\n"


def _window(code: str, start: int, end: int) -> tuple[str, int, int]:
    """At most 100 characters of a line around a span, without tabs, and the new span."""
    first = max(0, min(start - 20, len(code) - 100)) if len(code) > 100 else 0
    shown = code[first : first + 100].replace("\t", " ")
    return shown, start - first, min(end - first, len(shown))


def _summary(problems: list[Located], totals: Totals) -> str:
    files = len({each.path for each in problems})
    safe = sum(each.problem.safety == "safe" for each in problems)
    text = (
        f"Found {len(problems)} in {files} of {_plural(totals.file_count, 'file')}"
        if problems
        else f"Found nothing in {_plural(totals.file_count, 'file')}"
    )
    text += f" ({safe} can be fixed with --fix)." if safe else "."
    if totals.fixed_count:
        text = f"Fixed {totals.fixed_count}. {text}"
    text += f" {_plural(totals.call_count, 'call')} checked"
    text += f", {totals.partly_count} of them only in part." if totals.partly_count else "."
    if totals.known_count:
        text += f" {totals.known_count} known from the baseline."
    if totals.gone_count:
        text += (
            f" {totals.gone_count} of the baseline no longer occur; --write-baseline drops them."
        )
    return text


def as_concise(problems: list[Located], totals: Totals, colour: bool) -> str:
    """One line for each problem."""
    del totals, colour
    return "".join(
        f"{each.path}:{each.start.line}:{each.start.column}: {each.problem.code} "
        f"{each.problem.message}\n"
        for each in problems
    )


def as_json(problems: list[Located], totals: Totals, colour: bool) -> str:
    """Everything, for programs."""
    del colour
    findings = [
        {
            "code": each.problem.code,
            "level": each.problem.level,
            "message": each.problem.message,
            "answer": each.problem.answer,
            "path": each.path,
            "line": each.start.line,
            "column": each.start.column,
            "end_line": each.end.line,
            "end_column": each.end.column,
            "fix": {
                "text": each.problem.fix,
                "applicability": each.problem.safety,
                "edits": [
                    {"start": edit.start, "end": edit.end, "text": edit.text}
                    for edit in each.problem.edits
                ],
            },
            "page": f"dynasafe explain {each.problem.code}",
        }
        for each in problems
    ]
    looked_at = {
        "files": totals.file_count,
        "calls": totals.call_count,
        "calls_in_part": totals.partly_count,
        "not_seen": dict(sorted(totals.unseen.items())),
    }
    whole = {
        "version": 1,
        "findings": findings,
        "looked_at": looked_at,
        "fixed": totals.fixed_count,
        "failures": totals.failures,
    }
    return json.dumps(whole, indent=1) + "\n"


_GITHUB_LEVELS = {"error": "error", "warning": "warning", "risk": "notice"}


def as_github(problems: list[Located], totals: Totals, colour: bool) -> str:
    """Workflow commands. GitHub shows ten of each level, so the last one counts the rest."""
    del totals, colour
    lines: list[str] = []
    for level, command in _GITHUB_LEVELS.items():
        mine = [each for each in problems if each.problem.level == level]
        shown = mine if len(mine) <= _MAX_ANNOTATIONS else mine[: _MAX_ANNOTATIONS - 1]
        for each in shown:
            place = f"file={_property(each.path)},line={each.start.line}"
            if each.start.line == each.end.line:
                place += f",endLine={each.end.line},col={each.start.column}"
                place += f",endColumn={each.end.column}"
            text = f"{each.problem.message}\n{each.problem.answer}\nFix: {each.problem.fix}"
            title = f"dynasafe ({each.problem.code})"
            lines.append(f"::{command} title={title},{place}::{_data(text)}")
        if len(mine) > len(shown):
            rest = len(mine) - len(shown)
            lines.append(f"::{command} title=dynasafe::and {rest} more; see the log")
            lines += [
                f"{each.path}:{each.start.line}: {each.problem.code} {each.problem.message}"
                for each in mine[len(shown) :]
            ]
    return "".join(f"{each}\n" for each in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_SARIF_LEVELS = {"error": "error", "warning": "warning", "risk": "note"}


def as_sarif(problems: list[Located], totals: Totals, colour: bool) -> str:
    """SARIF 2.1.0, with the page of each rule, the fixes and the suppressed problems."""
    del colour
    used = sorted({each.problem.code for each in problems})
    run = {
        "tool": {
            "driver": {
                "name": "dynasafe",
                "rules": [_sarif_rule(code, problems, totals.pages) for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(each, used) for each in problems],
    }
    whole = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(whole, indent=1) + "\n"


def _sarif_rule(code: str, problems: list[Located], pages: str | None) -> dict[str, Any]:
    level = next(each.problem.level for each in problems if each.problem.code == code)
    title = EXPLANATIONS[code].title
    link = {} if pages is None else {"helpUri": f"{pages.rstrip('/')}/{code}/"}
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in title.split() if word.isalnum()),
        "shortDescription": {"text": title},
        "help": {"text": EXPLANATIONS[code].why, "markdown": page(code)},
        **link,
        "defaultConfiguration": {"level": _SARIF_LEVELS[level]},
        "properties": {
            "precision": "very-high" if level == "error" else "high",
            "problem.severity": "recommendation" if level == "risk" else level,
            "tags": ["dynamodb"],
        },
    }


def _sarif_result(each: Located, used: list[str]) -> dict[str, Any]:
    problem = each.problem
    artifact = {"uri": each.path}
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": used.index(problem.code),
        "level": _SARIF_LEVELS[problem.level],
        "message": {"text": f"{problem.message}\n{problem.answer}\nFix: {problem.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": artifact,
                    "region": _region(each.source, problem.span),
                }
            }
        ],
        "partialFingerprints": {"dynasafe/v1": fingerprint(problem, each.name)},
    }
    if problem.edits:
        replacements = [
            {
                "deletedRegion": _region(each.source, (edit.start, edit.end)),
                "insertedContent": {"text": edit.text},
            }
            for edit in problem.edits
        ]
        result["fixes"] = [
            {
                "description": {"text": problem.fix},
                "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
            }
        ]
    if each.suppressed_by is not None:
        result["suppressions"] = [{"kind": each.suppressed_by}]
    return result


def _region(source: Source, span: tuple[int, int]) -> dict[str, int]:
    start, end = source.place(span[0]), source.place(span[1])
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def statistics(problems: list[Located], totals: Totals) -> str:
    """The number of problems by code, and why calls were checked only in part."""
    counts = Counter(each.problem.code for each in problems)
    return "".join(_rows(counts, totals))


def _rows(counts: Counter[str], totals: Totals) -> Iterator[str]:
    for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        yield f"{count:>6}  {code}  {EXPLANATIONS[code].title}\n"
    for reason, count in sorted(totals.unseen.items(), key=lambda each: (-each[1], each[0])):
        yield f"{count:>6}  not seen: {reason}\n"


FORMATS: dict[str, Format] = {
    "text": as_text,
    "concise": as_concise,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
