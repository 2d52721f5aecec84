"""Runs all rules on one file: the problems, the suppressed ones, and what was not checked."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dynasafe.findings.catalog import EXPLANATIONS
from dynasafe.lint.module import Module, RuleSettings
from dynasafe.lint.problem import RULES, Draft, Level, Problem
from dynasafe.lint.rules import answers, asyncs, errors, expressions, parameters, tests, writes
from dynasafe.lint.settings import Selection
from dynasafe.lint.source import Source

__all__ = ["RULES", "FileReport", "check_source", "may_have_calls"]

_RULE_MODULES = (parameters, expressions, answers, writes, errors, asyncs, tests)

_ABOUT = (b"dynamodb", b"KeyConditionExpression", b"FilterExpression")
_CALLS = (b"_item(", b"_items(")
_OTHERS = (
    *(b".query(", b".scan(", b".Table(", b"batch_writer(", b".paginate(", b".exceptions."),
    *(b"Attr(", b"Key(", b".client(", b".resource(", b"CheckFailed"),
)
_NOQA = re.compile(r"(?i)#\s*noqa(?P<codes>:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?")
_FILE_NOQA = re.compile(
    r"(?im)^\s*#\s*dynasafe:\s*noqa(?P<codes>:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?\s*$"
)
_CODE = re.compile(r"(?i)[A-Z]+[0-9]+")


def may_have_calls(content: bytes) -> bool:
    """Whether a file may use DynamoDB. Most files do not, and are not parsed."""
    if any(each in content for each in _CALLS):
        return True
    if not any(each in content for each in _OTHERS):
        return False
    return any(each in content for each in _ABOUT) or b"DynamoDB" in content


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What was found in one file."""

    source: Source
    problems: tuple[Problem, ...] = ()
    suppressed: tuple[Problem, ...] = ()
    call_count: int = 0
    partly_count: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    """Why calls were checked only in part."""
    names: tuple[str, ...] = ()
    """The function around each problem, as in `Class.method`."""


def check_source(
    source: Source,
    *,
    selection: Selection | None = None,
    settings: RuleSettings | None = None,
) -> FileReport:
    """All problems of a file, in the order of the text."""
    selection = selection or Selection()
    module = Module(source, settings)
    found = [
        each
        for each in _problems(module)
        if selection.is_on(each.code, each.level) and not module.is_in_raises(each.node)
    ]
    found.sort(key=lambda each: (each.span, each.code))
    suppressions = _Suppressions(module)
    kept = [each for each in _without_doubles(found) if not suppressions.covers(each)]
    kept += [
        each for each in suppressions.unused(selection) if selection.is_on(each.code, each.level)
    ]
    by_name = [each for each in module.calls if each.how == "name"]
    unseen = Counter(module.unseen)
    unseen.update({"receiver known by its name alone": len(by_name)} if by_name else {})
    return FileReport(
        source=source,
        problems=tuple(kept),
        suppressed=tuple(suppressions.suppressed),
        call_count=len(module.calls),
        partly_count=len(module.partly | set(by_name)),
        unseen=unseen,
        names=tuple(module.names.qualified_name(each.node) for each in kept),
    )


def _problems(module: Module) -> Iterator[Problem]:
    if module.calls:
        for draft in expressions.request_findings(module):
            yield _finished(draft, draft.code or "", "error", module)
    for rule in RULES.values():
        if module.is_test and not rule.in_tests:
            continue
        for draft in rule.check(module):
            yield _finished(draft, rule.code, rule.level, module)


def _finished(draft: Draft, code: str, level: Level, module: Module) -> Problem:
    source = module.source
    # A fix that would remove a comment is left to a human.
    edits = draft.edits
    if any(each.start < each.end and source.has_comment((each.start, each.end)) for each in edits):
        edits = ()
    return Problem(
        code=code,
        level=draft.level or level,
        message=draft.message,
        answer=draft.answer,
        fix=draft.fix,
        span=draft.span or source.span(draft.node),
        node=draft.node,
        edits=edits,
        safety=draft.safety if edits else None,
    )


# The same fault under two codes: keep the rule that names the place better.
_STRONGER = {
    "DYS103": ("DYS310", "DYS311"),
    "DYS107": ("DYS311", "DYS103"),
    "DYS130": ("DYS315",),
    "DYS201": ("DYS322",),
}


def _without_doubles(problems: list[Problem]) -> Iterator[Problem]:
    at: dict[tuple[int, int], set[str]] = {}
    for each in problems:
        at.setdefault(each.span, set()).add(each.code)
    seen: set[tuple[str, tuple[int, int], str]] = set()
    for each in problems:
        key = (each.code, each.span, each.message)
        stronger = at[each.span] & set(_STRONGER.get(each.code, ()))
        if key not in seen and not stronger:
            seen.add(key)
            yield each


class _Suppressions:
    """The `# noqa` comments of a file, and what they suppress."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._source = module.source
        self.suppressed: list[Problem] = []
        self._lines: dict[int, frozenset[str] | None] = {}
        self._used: set[tuple[int, str]] = set()
        self._of_file: frozenset[str] | None = frozenset()
        text = self._source.text
        for match in _NOQA.finditer(text):
            line = self._source.place(match.start()).line
            self._lines.setdefault(line, _codes(match["codes"]))
        for match in _FILE_NOQA.finditer(text):
            codes = _codes(match["codes"])
            if codes is None or self._of_file is None:
                self._of_file = None
            else:
                self._of_file |= codes

    def covers(self, problem: Problem) -> bool:
        """Whether a comment suppresses the problem: on its line, or at an end of its statement."""
        is_covered = self._of_file is None or problem.code in self._of_file
        for line in self._lines_of(problem):
            if line in self._lines:
                codes = self._lines[line]
                if codes is None or problem.code in codes:
                    self._used.add((line, problem.code))
                    is_covered = True
        if is_covered:
            self.suppressed.append(problem)
        return is_covered

    def _lines_of(self, problem: Problem) -> set[int]:
        lines = {self._source.place(problem.span[0]).line}
        node = problem.node
        if isinstance(node, ast.ExceptHandler):
            return lines
        statement = self._module.names.statement(node)
        lines.add(statement.lineno)
        if not hasattr(statement, "body") and statement.end_lineno is not None:
            lines.add(statement.end_lineno)
        return lines

    def _is_comment(self, line: int) -> bool:
        """Whether a line ends with a comment, and not with a string that looks like one."""
        start = self._source.starts[line - 1]
        end = start + len(self._source.line(line))
        return any(start <= each < end for each in self._source.comments)

    def unused(self, selection: Selection) -> Iterator[Problem]:
        """Codes in comments that suppress nothing although their rules are on."""
        for line, codes in self._lines.items():
            if not self._is_comment(line):
                continue
            for code in sorted(codes or ()):
                rule = RULES.get(code)
                level: Level = rule.level if rule is not None else "error"
                is_ours = code in EXPLANATIONS and selection.is_on(code, level)
                if is_ours and (line, code) not in self._used:
                    text = self._source.line(line)
                    match = _NOQA.search(text)
                    assert match is not None
                    start = self._source.starts[line - 1] + match.start()
                    yield Problem(
                        code="DYS399",
                        level="risk",
                        message=f"# noqa: {code} suppresses nothing",
                        answer="no error: the comment would hide a later fault",
                        fix="remove the code from the comment",
                        span=(start, start + len(match[0])),
                        node=self._source.tree,
                    )


def _codes(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(each.upper() for each in _CODE.findall(text))
