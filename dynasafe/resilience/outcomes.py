"""The meaning of a failed request: whether it was applied, and whether to send it again.

A transport raises `Refused`, `Lost` or `NotSent`. This module has the error codes of DynamoDB.
Unknown cases are treated safely: an unknown code below HTTP 500 is final, and after anything else
the request may have been applied.

Sources: "Error handling with DynamoDB"; "TransactWriteItems", "CancellationReason" and "Common
errors", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal

from dynasafe.errors import ClientClosedError, NotSentError
from dynasafe.resilience.boundary import Lost, NotSent, Refused

CircuitResult = Literal["success", "failure", "ignored"]


class ErrorClass(Enum):
    """The meaning of a failure for its request."""

    THROTTLED = "throttled"
    """Refused because of the request rate, not applied. May be sent again, slowly."""
    CONFLICT = "conflict"
    """Refused because another request was using the item, not applied. May be sent again."""
    AMBIGUOUS = "ambiguous"
    """Perhaps applied: no usable answer."""
    IN_PROGRESS = "in_progress"
    """The transaction with this token is still running, so the outcome is not known yet."""
    CREDENTIALS = "credentials"
    """The credentials have expired, or the signature's time is wrong; not applied. May be sent once
    more, if the transport has fresh credentials or has corrected its clock."""
    CONDITION_FAILED = "condition_failed"
    """The condition was false, not applied."""
    FINAL = "final"
    """The request is wrong, so it was not applied. It would be refused again."""
    NOT_CONNECTED = "not_connected"
    """Nothing was sent, because no connection could be made. May be tried again."""
    LOCAL = "local"
    """Nothing was sent, because of a local reason that the same request would meet again."""


class Outcome:
    """One failed request, with all that is known about it.

    `code` is the service's error code; without an answer, "Lost", "NotSent", or the name of an
    exception that no transport should raise. `item` and `cancellation_reasons` are in wire form.
    `not_sent` has the facts for the error of a request that was not sent.
    """

    __slots__ = (
        "cancellation_reasons",
        "code",
        "error_class",
        "http_status",
        "is_answer",
        "is_known",
        "item",
        "message",
        "not_sent",
        "request_id",
        "retry_after",
        "throttling_reasons",
    )

    def __init__(
        self,
        *,
        error_class: ErrorClass,
        code: str,
        message: str,
        is_known: bool = True,
        is_answer: bool = False,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after: str | None = None,
        throttling_reasons: tuple[str, ...] = (),
        cancellation_reasons: tuple[Mapping[str, Any], ...] = (),
        item: Mapping[str, Any] | None = None,
        not_sent: NotSent | NotSentError | None = None,
    ) -> None:
        self.error_class: Final = error_class
        self.code: Final = code
        self.message: Final = message
        self.is_known: Final = is_known
        self.is_answer: Final = is_answer
        self.http_status: Final = http_status
        self.request_id: Final = request_id
        self.retry_after: Final = retry_after
        self.throttling_reasons: Final = throttling_reasons
        self.cancellation_reasons: Final = cancellation_reasons
        self.item: Final = item
        self.not_sent: Final = not_sent

    @property
    def reason(self) -> str:
        """What happened, in words."""
        return f"{self.code}: {self.message}" if self.is_answer else self.message

    @property
    def may_be_applied(self) -> bool:
        return self.error_class in (ErrorClass.AMBIGUOUS, ErrorClass.IN_PROGRESS)

    @property
    def reached_service(self) -> bool:
        return self.error_class not in (ErrorClass.NOT_CONNECTED, ErrorClass.LOCAL)

    @property
    def is_throttle(self) -> bool:
        """Whether the retry standard counts it as throttling, with its longer delays."""
        return self.error_class in (ErrorClass.THROTTLED, ErrorClass.IN_PROGRESS)

    @property
    def circuit_result(self) -> CircuitResult:
        """The result for the circuit breaker: what it means for the service's health.

        A refusal proves that the service is up. A throttle is about the rate of one key or one
        caller, and must not stop all calls to the table.
        """
        match self.error_class:
            case ErrorClass.AMBIGUOUS | ErrorClass.NOT_CONNECTED:
                return "failure"
            case ErrorClass.THROTTLED | ErrorClass.CREDENTIALS | ErrorClass.LOCAL:
                return "ignored"
            case _:
                return "success"


# From the AWS SDKs' retry standard. TransactionInProgressException is one of them too, but has its
# own class, because its transaction may still be applied.
THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CLASS_BY_CODE: dict[str, ErrorClass] = {
    **dict.fromkeys(THROTTLING_CODES, ErrorClass.THROTTLED),
    **dict.fromkeys(
        ("TransactionConflictException", "ReplicatedWriteConflictException"), ErrorClass.CONFLICT
    ),
    **dict.fromkeys(
        (
            "InternalFailure",
            "InternalServerError",
            "InternalServerErrorException",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ),
        ErrorClass.AMBIGUOUS,
    ),
    "TransactionInProgressException": ErrorClass.IN_PROGRESS,
    "ConditionalCheckFailedException": ErrorClass.CONDITION_FAILED,
    **dict.fromkeys(
        (
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "UnrecognizedClientException",
        ),
        ErrorClass.CREDENTIALS,
    ),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "DuplicateItemException",
            "IdempotentParameterMismatchException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "IndexNotFoundException",
            "InvalidAction",
            "InvalidClientTokenId",
            "InvalidEndpointException",
            "InvalidSignatureException",
            "ItemCollectionSizeLimitExceededException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "NotAuthorized",
            "OptInRequired",
            "ResourceInUseException",
            "ResourceNotFoundException",
            "SerializationException",
            "SignatureDoesNotMatch",
            "TableAlreadyExistsException",
            "TableInUseException",
            "TableNotFoundException",
            "UnknownOperationException",
            "ValidationError",
            "ValidationException",
        ),
        ErrorClass.FINAL,
    ),
}

_OFF_TIME = ("Signature expired", "Signature not yet current")

_REPEATABLE_REASONS = {
    "TransactionConflict": ErrorClass.CONFLICT,
    "ThrottlingError": ErrorClass.THROTTLED,
    "ProvisionedThroughputExceeded": ErrorClass.THROTTLED,
}


def outcome_of(error: Exception) -> Outcome:
    """The outcome for a failure that a transport raised."""
    match error:
        case Refused():
            return _of_refusal(error)
        case Lost():
            return Outcome(error_class=ErrorClass.AMBIGUOUS, code="Lost", message=error.reason)
        case NotSent(is_closed=True):
            return outcome_of(ClientClosedError())
        case NotSent():
            return Outcome(
                error_class=ErrorClass.NOT_CONNECTED if error.is_retryable else ErrorClass.LOCAL,
                code="NotSent",
                message=error.reason,
                not_sent=error,
            )
        case NotSentError():
            return Outcome(
                error_class=ErrorClass.LOCAL,
                code=type(error).__name__,
                message=str(error),
                not_sent=error,
            )
        case _:
            name = type(error).__name__
            return Outcome(
                error_class=ErrorClass.AMBIGUOUS, code=name, message=name, is_known=False
            )


def _of_refusal(refused: Refused) -> Outcome:
    code = refused.code.rpartition("#")[2]
    cancellation_reasons = _cancellation_reasons(refused.members, code, refused.message)
    if code == "TransactionCanceledException":
        known: ErrorClass | None = _class_of_cancellation(cancellation_reasons)
    else:
        known = _CLASS_BY_CODE.get(code) or _class_of_status(refused.http_status)
        if _is_off_time(code, refused.message):
            known = ErrorClass.CREDENTIALS
    return Outcome(
        error_class=known or _class_of_unknown(refused.http_status),
        code=code or f"HTTP {refused.http_status}",
        message=refused.message,
        is_known=known is not None,
        is_answer=True,
        http_status=refused.http_status,
        request_id=refused.request_id,
        retry_after=refused.headers.get("x-amz-retry-after"),
        throttling_reasons=_throttling_reasons(refused.members),
        cancellation_reasons=cancellation_reasons,
        item=refused.members.get("Item"),
    )


def is_about_credentials(refused: Refused) -> bool:
    """Whether a request was refused because of its credentials, or the time of its signature."""
    code = refused.code.rpartition("#")[2]
    is_listed = _CLASS_BY_CODE.get(code) is ErrorClass.CREDENTIALS
    return is_listed or _is_off_time(code, refused.message)


def _is_off_time(code: str, message: str) -> bool:
    return code == "InvalidSignatureException" and message.startswith(_OFF_TIME)


def _class_of_status(http_status: int | None) -> ErrorClass | None:
    if http_status in (500, 502, 503, 504, 408):
        return ErrorClass.AMBIGUOUS
    return ErrorClass.THROTTLED if http_status == 429 else None


def _class_of_unknown(http_status: int | None) -> ErrorClass:
    is_refusal = http_status is not None and 400 <= http_status < 500
    return ErrorClass.FINAL if is_refusal else ErrorClass.AMBIGUOUS


def _cancellation_reasons(
    response: Mapping[str, Any], code: str, message: str
) -> tuple[Mapping[str, Any], ...]:
    if code != "TransactionCanceledException":
        return ()
    reasons = response.get("CancellationReasons")
    if reasons:
        return tuple(reasons)
    # Without the member, the codes are in the message: "... [None, ConditionalCheckFailed]".
    listed = re.search(r"\[([A-Za-z, ]+)\]", message)
    return tuple({"Code": each.strip()} for each in listed[1].split(",")) if listed else ()


def _class_of_cancellation(reasons: Sequence[Mapping[str, Any]]) -> ErrorClass:
    codes = {str(reason.get("Code", "None")) for reason in reasons} - {"None"}
    if not codes or not codes <= _REPEATABLE_REASONS.keys():
        return ErrorClass.FINAL
    classes = {_REPEATABLE_REASONS[code] for code in codes}
    return ErrorClass.THROTTLED if ErrorClass.THROTTLED in classes else ErrorClass.CONFLICT


def _throttling_reasons(response: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = response.get("ThrottlingReasons") or response.get("throttlingReasons") or ()
    found = (each.get("reason") or each.get("Reason") for each in reasons)
    return tuple(str(each) for each in found if each)
