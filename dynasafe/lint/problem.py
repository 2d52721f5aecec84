"""The report of a rule: place, fault, answer of boto3 or DynamoDB, and fix."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dynasafe.lint.source import Span

if TYPE_CHECKING:
    from dynasafe.lint.module import Module

Level = Literal["error", "warning", "risk"]
Safety = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `text[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding in source code.

    `level` is "error" if the code fails each time it runs, "warning" if it does not do what it
    seems to do, and "risk" if it works until an answer is lost, a second writer comes or the table
    grows. `answer` is the answer of boto3 or DynamoDB. `edits` make the fix: "safe" ones change
    only code that fails, "unsafe" ones change working code.
    """

    code: str
    level: Level
    message: str
    answer: str
    fix: str
    span: Span
    node: ast.AST
    edits: tuple[Edit, ...] = ()
    safety: Safety | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A problem as a rule yields it. The engine adds the rule's code and level.

    Without `span`, `node` gives the place.
    """

    node: ast.AST
    message: str
    answer: str
    fix: str
    span: Span | None = None
    code: str | None = None
    level: Level | None = None
    edits: tuple[Edit, ...] = ()
    safety: Safety = "safe"


Check = Callable[["Module"], Iterator[Draft]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, its default level, and whether it checks tests too."""

    code: str
    level: Level
    in_tests: bool
    check: Check


RULES: dict[str, Rule] = {}
"""All rules by code, in the order in which they run."""


def rule(code: str, *, level: Level, in_tests: bool = True) -> Callable[[Check], Check]:
    """Register a function that finds one kind of problem in a module."""

    def register(check: Check) -> Check:
        RULES[code] = Rule(code, level, in_tests, check)
        return check

    return register
