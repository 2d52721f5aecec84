"""Findings as they are collected: all of them, in the order in which DynamoDB looks."""

from __future__ import annotations

from dataclasses import dataclass, field

from dynasafe.findings.finding import Finding, Span, Where

INVALID_VALUES = "One or more parameter values were invalid: "


@dataclass
class Report:
    """The findings of one request, or of one part of it, whose place `prefix` names."""

    findings: list[Finding] = field(default_factory=list)
    prefix: str = ""
    overlooked: list[Finding] = field(default_factory=list)
    """What the service converts, and boto3 refuses: told last, and in the way of no other rule."""

    def add(
        self,
        code: str,
        message: str,
        parameter: str,
        fix: str,
        *,
        text: str | None = None,
        span: Span | None = None,
    ) -> None:
        where = Where(parameter=f"{self.prefix}{parameter}", text=text, span=span)
        self.findings.append(Finding(code=code, message=message, where=where, fix=fix))

    def overlook(self, code: str, place: str, expected: str, given: object) -> None:
        """A value of a type that only the service takes in this place."""
        kind = type(given).__name__
        inner = Report(self.overlooked, self.prefix)
        inner.add(code, f"{place} is of type {kind}", place, f"give {expected}, not a {kind}")

    def has_about(self, place: str) -> bool:
        """Whether there is a finding about a place, or about what is in it."""
        start = f"{self.prefix}{place}"
        return any(
            f"{finding.where.parameter}.".startswith((f"{start}.", f"{start}["))
            for finding in self.findings
        )

    def inside(self, place: str) -> Report:
        """A report for a part; its findings are these findings."""
        return Report(self.findings, f"{self.prefix}{place}.", self.overlooked)
