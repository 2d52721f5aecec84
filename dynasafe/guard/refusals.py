"""Errors that existing code understands: they are botocore's and ours at once.

Packages have handlers for errors of boto3. These handlers catch the guard's errors too, which also
say that nothing was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.validate import ParamValidator

from dynasafe.errors import InvalidRequestError
from dynasafe.findings.finding import Finding
from dynasafe.findings.quoting import printable

if TYPE_CHECKING:
    # botocore has no type annotations: without these lines, our errors would have no types.
    class _ClientError(Exception):
        response: Any
        operation_name: str

    class _ParamValidationError(Exception):
        kwargs: dict[str, str]

else:
    from botocore.exceptions import ClientError as _ClientError
    from botocore.exceptions import ParamValidationError as _ParamValidationError


class RefusedRequestError(InvalidRequestError, _ClientError):
    """A request that was not sent, because DynamoDB would answer with a ValidationException.

    `response` is the same as in botocore's error, but without a request id.
    """

    def __init__(self, operation: str, findings: Sequence[Finding]) -> None:
        _init(self, operation, findings)
        self.operation_name: str = operation
        self.response: Any = {
            "Error": {"Code": "ValidationException", "Message": _words(self.findings[0])},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0},
        }

    def __str__(self) -> str:
        # The first line is botocore's, because existing code searches for the code in the text.
        return (
            f"An error occurred (ValidationException) when calling the {self.operation} "
            f"operation: {_words(self.findings[0])}\n{InvalidRequestError.__str__(self)}"
        )


class RefusedParametersError(InvalidRequestError, _ParamValidationError):
    """Parameters that botocore would refuse, so nothing was sent."""

    def __init__(self, operation: str, findings: Sequence[Finding]) -> None:
        _init(self, operation, findings)
        report = "\n".join(map(_words, self.findings[:_MOST_FINDINGS]))
        self.kwargs: dict[str, str] = {"report": report}

    def __str__(self) -> str:
        return f"Parameter validation failed:\n{InvalidRequestError.__str__(self)}"


_MOST_FINDINGS = 20
"""The most findings in one message."""


def _words(finding: Finding) -> str:
    return printable(finding.message, 1000)


def _init(error: InvalidRequestError, operation: str, findings: Sequence[Finding]) -> None:
    # The constructors of botocore's classes take other arguments.
    Exception.__init__(error, operation, tuple(findings))
    error.operation = operation
    error.findings = tuple(findings)


def refusal(
    operation: str, findings: Sequence[Finding], params: Mapping[str, Any], input_shape: Any
) -> InvalidRequestError:
    """The error, of the class that botocore or the service would raise."""
    is_refused_by_botocore = ParamValidator().validate(params, input_shape).has_errors()
    cls = RefusedParametersError if is_refused_by_botocore else RefusedRequestError
    return cls(operation, findings)
