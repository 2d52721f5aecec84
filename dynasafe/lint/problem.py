"""What a rule reports: where, what the code does, what boto3 or DynamoDB answers, and a fix."""

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

    `level` is "error" where the code fails whenever it runs, "warning" where it does something
    else than it says, and "risk" where it is right until an answer is lost, a second writer comes
    or the table grows. `answer` is what boto3 or DynamoDB answers. `edits` are the fix; "safe"
    edits change only what fails, "unsafe" ones change what works.
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
    """A problem as a rule yields it: the rule's own code and level are added.

    Without `span`, the place is that of `node`.
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
    """One rule: its code, its usual level, and whether it looks at tests too."""

    code: str
    level: Level
    in_tests: bool
    check: Check


RULES: dict[str, Rule] = {}
"""All rules by code, in the order in which they run."""


def rule(code: str, *, level: Level, in_tests: bool = True) -> Callable[[Check], Check]:
    """Register a function that looks for one kind of problem in a module."""

    def register(check: Check) -> Check:
        RULES[code] = Rule(code, level, in_tests, check)
        return check

    return register
