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
    """What the service overlooks, and boto3 refuses: it comes last, and stops no other rule."""
    is_wire: bool = False
    """Whether the request is what is sent, in which B is base64 text."""

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

    def overlook(self, code: str, message: str, place: str, fix: str) -> None:
        """Add what the service overlooks or converts, and boto3 refuses."""
        if not self.is_wire:
            Report(self.overlooked, self.prefix).add(code, message, place, fix)

    def overlook_type(self, code: str, place: str, expected: str, given: object) -> None:
        """Add a value of a type that only the service takes in this place."""
        kind = type(given).__name__
        self.overlook(code, f"{place} is of type {kind}", place, f"give {expected}, not a {kind}")

    def has_about(self, place: str) -> bool:
        """Whether there is a finding about a place, or about what is in it."""
        start = f"{self.prefix}{place}"
        return any(
            f"{finding.where.parameter}.".startswith((f"{start}.", f"{start}["))
            for finding in self.findings
        )

    def inside(self, place: str) -> Report:
        """A report for a part; its findings are these findings."""
        return Report(self.findings, f"{self.prefix}{place}.", self.overlooked, self.is_wire)
