"""Collects all findings, in the order in which DynamoDB checks."""

from __future__ import annotations

from typing import Final

from dynasafe.findings.finding import Finding, Span, Where
from dynasafe.validation.wire_value import WireValue
from dynasafe.validation.words import ONE_ERROR, Wording

INVALID_VALUES = "One or more parameter values were invalid: "
_OF_THE_PARSER = frozenset({"DYS102", "DYS110"})


class Context:
    """Facts about a whole request."""

    __slots__ = ("is_wire", "wording")

    def __init__(self, *, is_wire: bool | None = False, wording: Wording | None = None) -> None:
        self.is_wire: Final = is_wire
        """Whether it is what is sent, in which B is base64 text; None: bytes, or base64 text."""
        self.wording: Wording = Wording() if wording is None else wording


class Known:
    """Known facts about the values of a request, by identity. The values stay alive meanwhile."""

    __slots__ = ("maps_bytes", "values")

    def __init__(self) -> None:
        self.values: dict[int, tuple[object, WireValue]] = {}
        self.maps_bytes: dict[int, tuple[object, int]] = {}
        """The sizes of whole items and keys that are plain; -1 for others."""


class Report:
    """The findings of one request, or of one part of it, whose place `prefix` names."""

    __slots__ = ("context", "entry", "findings", "known", "overlooked", "prefix")

    def __init__(
        self,
        findings: list[Finding] | None = None,
        prefix: str = "",
        overlooked: list[Finding] | None = None,
        context: Context | None = None,
        entry: int | None = None,
        known: Known | None = None,
    ) -> None:
        self.findings: list[Finding] = [] if findings is None else findings
        self.prefix: str = prefix
        self.overlooked: list[Finding] = [] if overlooked is None else overlooked
        """Findings that the service ignores but boto3 refuses. They come last, and stop no other
        rule."""
        self.context: Context = Context() if context is None else context
        self.entry: int | None = entry
        """The index of a transaction's entry."""
        self.known: Known = Known() if known is None else known

    def add(
        self,
        code: str,
        message: str,
        parameter: str,
        fix: str,
        *,
        text: str | None = None,
        span: Span | None = None,
        exception: str | None = None,
        cancels: bool = False,
    ) -> None:
        """Add a finding.

        Args:
            exception: None for the service's own of this code.
            cancels: whether the finding cancels a running transaction.
        """
        is_reason = cancels and self.entry is not None
        if exception is None:
            exception = "TransactionCanceledException" if is_reason else self._exception(code)
        self.findings.append(
            Finding(
                code=code,
                message=message,
                where=Where(parameter=f"{self.prefix}{parameter}", text=text, span=span),
                fix=fix,
                exception=exception,
                reason_index=self.entry if is_reason else None,
            )
        )

    def _exception(self, code: str) -> str:
        if code in _OF_THE_PARSER:
            return "SerializationException" if self.context.is_wire else "ParamValidationError"
        return "ValidationException"

    def overlook(self, code: str, message: str, place: str, fix: str) -> None:
        """Add a finding that the service ignores or converts, but boto3 refuses."""
        if not self.context.is_wire:
            report = Report(self.overlooked, self.prefix)
            report.add(code, message, place, fix, exception="ParamValidationError")

    def overlook_type(self, code: str, place: str, expected: str, given: object) -> None:
        """Add a value of a type that only the service takes in this place."""
        kind = type(given).__name__
        self.overlook(code, f"{place} is of type {kind}", place, f"give {expected}, not a {kind}")

    def envelop(self, start: int) -> None:
        """Begin the messages from this one on with the number of errors, which is one."""
        for index in range(start, len(self.findings)):
            finding = self.findings[index]
            self.findings[index] = finding.replaced(message=f"{ONE_ERROR}{finding.message}")

    def has_about(self, place: str) -> bool:
        """Whether there is a finding about a place, or about what is in it."""
        start = f"{self.prefix}{place}"
        return any(
            f"{finding.where.parameter}.".startswith((f"{start}.", f"{start}["))
            for finding in self.findings
        )

    def inside(self, place: str, *, entry: int | None = None) -> Report:
        """A report for a part; its findings are these findings."""
        prefix = f"{self.prefix}{place}."
        entry = self.entry if entry is None else entry
        return Report(self.findings, prefix, self.overlooked, self.context, entry, self.known)

    def aside(self, *, prefix: str = "") -> Report:
        """A separate report with the same context."""
        return Report(
            prefix=prefix,
            context=self.context,
            entry=self.entry,
            known=self.known,
        )
