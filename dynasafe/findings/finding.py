"""Findings: what is wrong with a request, where, and how to fix it.

Codes are stable: DYS1xx concern requests, DYS2xx expressions, DYS3xx source code, DYS4xx logs.
"""

from __future__ import annotations

from dynasafe.findings.quoting import printable
from dynasafe.records import Record, assign

Span = tuple[int, int]
"""Start and end offsets in characters, as in `text[start:end]`."""


class Where(Record):
    """The place of a finding: a request parameter, and the faulty part of its text."""

    __slots__ = __match_args__ = ("parameter", "text", "span")
    parameter: str
    text: str | None
    span: Span | None

    def __init__(
        self, *, parameter: str, text: str | None = None, span: Span | None = None
    ) -> None:
        assign(self, "parameter", parameter)
        assign(self, "text", text)
        assign(self, "span", span)

    def __str__(self) -> str:
        if self.text is None or self.span is None:
            return printable(self.parameter, 1000)
        return f"{printable(self.parameter, 1000)}\n{underline(self.text, self.span)}"


class Finding(Record):
    """One fault for which DynamoDB would refuse the request, in DynamoDB's words if it has any.

    Rely on `code` and `exception`. `message` has the words of the service at the time of this
    version, and follows them when they change. It shows `...` in place of attribute values.
    """

    __slots__ = __match_args__ = ("code", "message", "where", "fix", "exception", "reason_index")
    code: str
    message: str
    where: Where
    fix: str
    exception: str
    """The exception that the request would cause. The service answers "ValidationException",
    "SerializationException" or "TransactionCanceledException". Before it sends anything, boto3
    raises "ParamValidationError", and its serializer "TypeError"."""
    reason_index: int | None
    """For a TransactionCanceledException, the index of the reason whose code is ValidationError."""

    def __init__(
        self,
        *,
        code: str,
        message: str,
        where: Where,
        fix: str,
        exception: str = "ValidationException",
        reason_index: int | None = None,
    ) -> None:
        assign(self, "code", code)
        assign(self, "message", message)
        assign(self, "where", where)
        assign(self, "fix", fix)
        assign(self, "exception", exception)
        assign(self, "reason_index", reason_index)

    def __str__(self) -> str:
        message, fix = printable(self.message, 1000), printable(self.fix, 1000)
        return f"{message} [{self.code}]\n  in {self.where}\n  Fix: {fix}"


def underline(text: str, span: Span) -> str:
    """The text, indented, with carets below `text[start:end]`.

    Shows only the line with the span, and at most 60 characters on each side.
    """
    start, end = span
    end = min(end, start + 120)
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line_end = len(text) if line_end == -1 else line_end
    first = max(line_start, start - 60)
    last = min(line_end, max(end, start + 1) + 60)
    prefix = "..." if first > line_start else ""
    suffix = "..." if last < line_end else ""
    caret_at = len(prefix) + start - first
    caret_count = max(1, min(end, line_end) - start)
    shown = "".join(each if each.isprintable() else "?" for each in text[first:last])
    return f"    {prefix}{shown}{suffix}\n    {' ' * caret_at}{'^' * caret_count}"
