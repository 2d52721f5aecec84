"""The configuration: `[tool.dynasafe.lint]` in pyproject.toml, and command line options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from dynasafe.findings.catalog import EXPLANATIONS
from dynasafe.findings.prefixes import unmatched
from dynasafe.findings.quoting import listed
from dynasafe.findings.source_code import SOURCE_CODE
from dynasafe.lint.module import RuleSettings
from dynasafe.lint.problem import Level
from dynasafe.lint.receivers import Declared

RISK = "risk"
CODES = frozenset(
    {*SOURCE_CODE, *(code for code in EXPLANATIONS if code.startswith(("DYS1", "DYS2")))}
)
"""All codes that the linter reports: those of its rules, and those of `check_request`."""


class SettingsError(ValueError):
    """The configuration or the command line has an invalid setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which problems are reported: prefixes of codes, and "risk" for that level."""

    select: tuple[str, ...] = ("DYS",)
    ignore: tuple[str, ...] = ()

    def is_on(self, code: str, level: Level) -> bool:
        if code.startswith(self.ignore):
            return False
        if level == "risk":
            # A prefix of a group or a rule selects it, whatever its level.
            named = tuple(each for each in self.select if len(each) > len("DYS"))
            return RISK in self.select or code.startswith(named)
        return code.startswith(self.select)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintSettings:
    """All settings that decide which problems are reported."""

    selection: Selection = field(default_factory=Selection)
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: RuleSettings = field(default_factory=RuleSettings)
    schemas: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None
    pages: str | None = None
    """The address of the pages of the codes, if they are published."""

    def selection_for(self, path: str) -> Selection:
        """The selection for a file. The path is relative to the configuration."""
        ignored = [
            code
            for pattern, codes in self.per_file_ignores.items()
            if matches(path, pattern)
            for code in codes
        ]
        ignore = (*self.selection.ignore, *ignored)
        return replace(self.selection, ignore=ignore)

    def is_excluded(self, path: str) -> bool:
        return any(matches(path, pattern) for pattern in self.exclude)


def matches(path: str, pattern: str) -> bool:
    """Whether a path with slashes matches the pattern, or is in a folder that matches."""
    stem = pattern.rstrip("/")
    return fnmatchcase(path, stem) or fnmatchcase(path, f"{stem}/*")


_KEYS = {
    "select": "list of str",
    "extend-select": "list of str",
    "ignore": "list of str",
    "exclude": "list of str",
    "per-file-ignores": "table of lists of str",
    "tables": "list of str",
    "async-tables": "list of str",
    "clients": "list of str",
    "async-clients": "list of str",
    "schemas": "table of str",
    "baseline": "str",
    "pages": "str",
    "rules": "table",
}
_RULE_KEYS = {"ttl-attributes": "list of str", "blocking-ok": "list of str"}


def read_settings(table: Mapping[str, Any]) -> LintSettings:
    """The settings of a `[tool.dynasafe.lint]` table.

    Raises:
        SettingsError: a key is unknown, a value is of another type, or a code does not exist.
    """
    _check(table, _KEYS, "")
    rules = table.get("rules", {})
    _check(rules, _RULE_KEYS, "rules.")
    select = codes(table.get("select", ["DYS"])) + codes(table.get("extend-select", []))
    return LintSettings(
        selection=Selection(select=select, ignore=codes(table.get("ignore", []))),
        exclude=tuple(table.get("exclude", ())),
        per_file_ignores={
            pattern: codes(given) for pattern, given in table.get("per-file-ignores", {}).items()
        },
        rules=RuleSettings(
            declared=Declared(
                tables=tuple(table.get("tables", ())),
                async_tables=tuple(table.get("async-tables", ())),
                clients=tuple(table.get("clients", ())),
                async_clients=tuple(table.get("async-clients", ())),
            ),
            ttl_attributes=tuple(rules.get("ttl-attributes", ())),
            blocking_ok=tuple(rules.get("blocking-ok", ())),
        ),
        schemas=dict(table.get("schemas", {})),
        baseline=table.get("baseline"),
        pages=_address(table.get("pages")),
    )


def _address(given: str | None) -> str | None:
    if given is not None and not given.startswith(("https://", "http://")):
        raise SettingsError(
            f"[tool.dynasafe.lint] pages is not an address: {given!r}. "
            'Fix: give the folder of the pages, as in "https://docs.example.org/findings"'
        )
    return given


def _check(table: Mapping[str, Any], known: Mapping[str, str], prefix: str) -> None:
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, known, 1) or known
            fix = ", ".join(f"{prefix}{each}" for each in near)
            raise SettingsError(f"[tool.dynasafe.lint] has no key {prefix}{key}. Fix: {fix}")
        if not _is_a(value, known[key]):
            raise SettingsError(
                f"[tool.dynasafe.lint] {prefix}{key} is of type {type(value).__name__}. "
                f"Fix: give a {known[key]}"
            )


def _is_a(value: object, expected: str) -> bool:
    if expected == "str":
        return isinstance(value, str)
    if expected == "list of str":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not isinstance(value, Mapping):
        return False
    inner = expected.removeprefix("table").removeprefix(" of ").replace("lists", "list")
    return not inner or all(_is_a(each, inner) for each in value.values())


def codes(given: Sequence[str]) -> tuple[str, ...]:
    """Prefixes of codes, and "risk".

    Raises:
        SettingsError: one of them is not a code, or no code begins with it.
    """
    read = []
    for each in given:
        code = each if each == RISK else each.upper()
        is_code = code.startswith("DYS") and (code == "DYS" or code[3:].isdigit())
        if code != RISK and not is_code:
            raise SettingsError(f"{each!r} is not a code. Fix: use a prefix such as DYS33, or risk")
        read.append(code)
    without_rule = unmatched([each for each in read if each != RISK], CODES)
    if without_rule:
        verb = "matches" if len(without_rule) == 1 else "match"
        raise SettingsError(
            f"{listed(without_rule)} {verb} no code. Fix: dynasafe lint --list-rules"
        )
    return tuple(read)
