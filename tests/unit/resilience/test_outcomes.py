"""The tables of what each failure means."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe.errors import ClientClosedError
from dynasafe.resilience.boundary import Lost, NotSent, client_closed
from dynasafe.resilience.outcomes import (
    THROTTLING_CODES,
    ErrorClass,
    Outcome,
    outcome_of,
)
from tests.support.driving import service_error

THROTTLED, AMBIGUOUS = ErrorClass.THROTTLED, ErrorClass.AMBIGUOUS
FINAL, CONFLICT = ErrorClass.FINAL, ErrorClass.CONFLICT
LOCAL, NOT_CONNECTED = ErrorClass.LOCAL, ErrorClass.NOT_CONNECTED

# code, status, class, is it known
ANSWERS: list[tuple[str, int, ErrorClass, bool]] = [
    *((code, 400, THROTTLED, True) for code in sorted(THROTTLING_CODES)),
    ("SlowDown", 503, THROTTLED, True),
    ("", 429, THROTTLED, True),
    ("NewThrottle", 429, THROTTLED, True),
    ("ValidationException", 429, FINAL, True),
    ("InternalServerError", 500, AMBIGUOUS, True),
    ("InternalServerError", 400, AMBIGUOUS, True),
    ("InternalFailure", 500, AMBIGUOUS, True),
    ("ServiceUnavailable", 503, AMBIGUOUS, True),
    ("RequestTimeout", 400, AMBIGUOUS, True),
    ("", 500, AMBIGUOUS, True),
    ("", 502, AMBIGUOUS, True),
    ("", 503, AMBIGUOUS, True),
    ("", 504, AMBIGUOUS, True),
    ("", 408, AMBIGUOUS, True),
    ("", 501, AMBIGUOUS, False),
    ("BrandNew", 599, AMBIGUOUS, False),
    ("BrandNew", 400, FINAL, False),
    ("BrandNew", 499, FINAL, False),
    ("", 413, FINAL, False),
    ("", 301, AMBIGUOUS, False),
    ("ConditionalCheckFailedException", 400, ErrorClass.CONDITION_FAILED, True),
    ("TransactionConflictException", 400, CONFLICT, True),
    ("ReplicatedWriteConflictException", 400, CONFLICT, True),
    ("TransactionInProgressException", 400, ErrorClass.IN_PROGRESS, True),
    ("IdempotentParameterMismatchException", 400, FINAL, True),
    ("ItemCollectionSizeLimitExceededException", 400, FINAL, True),
    ("ResourceNotFoundException", 400, FINAL, True),
    ("AccessDeniedException", 400, FINAL, True),
    ("ValidationException", 400, FINAL, True),
    ("ExpiredTokenException", 400, ErrorClass.CREDENTIALS, True),
    ("ExpiredToken", 403, ErrorClass.CREDENTIALS, True),
    ("UnrecognizedClientException", 400, ErrorClass.CREDENTIALS, True),
    ("com.amazonaws.dynamodb.v20120810#ThrottlingException", 400, THROTTLED, True),
]


@pytest.mark.parametrize(("code", "status", "error_class", "is_known"), ANSWERS)
def test_code_or_status_decides(
    code: str, status: int, error_class: ErrorClass, is_known: bool
) -> None:
    """An answer's code decides its class, or its status if the code is unknown."""
    outcome = outcome_of(service_error(code, status, message="why"))

    assert (outcome.error_class, outcome.is_known) == (error_class, is_known)
    assert outcome.is_answer
    assert outcome.code == (code.rpartition("#")[2] or f"HTTP {status}")
    assert (outcome.message, outcome.http_status, outcome.request_id) == ("why", status, "R1")


@pytest.mark.parametrize(
    ("codes", "error_class"),
    [
        (["None", "ConditionalCheckFailed"], FINAL),
        (["TransactionConflict", "ConditionalCheckFailed"], FINAL),
        (["ValidationError"], FINAL),
        (["ItemCollectionSizeLimitExceeded", "ThrottlingError"], FINAL),
        (["None", "TransactionConflict"], CONFLICT),
        (["ThrottlingError", "TransactionConflict"], THROTTLED),
        (["ProvisionedThroughputExceeded", "None"], THROTTLED),
        (["DuplicateItem"], FINAL),
        (["None"], FINAL),
        ([], FINAL),
    ],
)
def test_all_reasons_decide(codes: list[str], error_class: ErrorClass) -> None:
    """All reasons of a cancelled transaction together decide its class."""
    reasons = [{"Code": code} for code in codes]
    error = service_error("TransactionCanceledException", CancellationReasons=reasons)

    outcome = outcome_of(error)

    assert (outcome.error_class, outcome.is_known) == (error_class, True)
    assert [reason["Code"] for reason in outcome.cancellation_reasons] == codes


def test_reasons_in_the_message() -> None:
    """Reasons that only the message has are read from there."""
    message = "Transaction cancelled, please refer [None, TransactionConflict]"
    outcome = outcome_of(service_error("TransactionCanceledException", message=message))

    assert outcome.cancellation_reasons == ({"Code": "None"}, {"Code": "TransactionConflict"})
    assert outcome.error_class is CONFLICT


@pytest.mark.parametrize(
    ("error", "error_class", "code", "is_known"),
    [
        (Lost("reset"), AMBIGUOUS, "Lost", True),
        (NotSent("refused"), NOT_CONNECTED, "NotSent", True),
        (NotSent("refused", is_retryable=False), LOCAL, "NotSent", True),
        (NotSent("none", is_retryable=False, provider="env"), LOCAL, "NotSent", True),
        (ClientClosedError(), LOCAL, "ClientClosedError", True),
        (client_closed(), LOCAL, "ClientClosedError", True),
        (RuntimeError("a value"), AMBIGUOUS, "RuntimeError", False),
    ],
)
def test_what_a_transport_raises(
    error: Exception, error_class: ErrorClass, code: str, is_known: bool
) -> None:
    """Lost is ambiguous, NotSent is not sent; whatever else comes is taken for lost."""
    outcome = outcome_of(error)

    assert (outcome.error_class, outcome.code, outcome.is_known) == (error_class, code, is_known)
    assert not outcome.is_answer
    assert "a value" not in outcome.message


@pytest.mark.parametrize("member", ["ThrottlingReasons", "throttlingReasons"])
@pytest.mark.parametrize("name", ["reason", "Reason"])
def test_throttling_reasons_in_any_spelling(member: str, name: str) -> None:
    """Throttling reasons are read in either spelling."""
    reasons: Any = [{name: "TableWriteKeyRangeThroughputExceeded"}, {"resource": "arn"}]
    outcome = outcome_of(service_error("ThrottlingException", **dict[str, Any]({member: reasons})))

    assert outcome.throttling_reasons == ("TableWriteKeyRangeThroughputExceeded",)


def test_header_and_item_are_kept() -> None:
    """The outcome keeps the retry header and the stored item."""
    headers = {"x-amz-retry-after": "30"}
    item = {"id": {"S": "a"}}
    outcome = outcome_of(
        service_error("ConditionalCheckFailedException", headers=headers, Item=item)
    )

    assert (outcome.retry_after, outcome.item) == ("30", item)


# class: may it be applied, is it a throttle, did it reach DynamoDB, what the breaker counts
MEANINGS: dict[ErrorClass, tuple[bool, bool, bool, str]] = {
    ErrorClass.THROTTLED: (False, True, True, "ignored"),
    ErrorClass.CONFLICT: (False, False, True, "success"),
    ErrorClass.AMBIGUOUS: (True, False, True, "failure"),
    ErrorClass.IN_PROGRESS: (True, True, True, "success"),
    ErrorClass.CREDENTIALS: (False, False, True, "ignored"),
    ErrorClass.CONDITION_FAILED: (False, False, True, "success"),
    ErrorClass.FINAL: (False, False, True, "success"),
    ErrorClass.NOT_CONNECTED: (False, False, False, "failure"),
    ErrorClass.LOCAL: (False, False, False, "ignored"),
}


@pytest.mark.parametrize("error_class", ErrorClass)
def test_meaning_of_each_class(error_class: ErrorClass) -> None:
    """What each class means for writes, retries and the circuit breaker."""
    outcome = Outcome(error_class=error_class, code="", message="")

    assert (
        outcome.may_be_applied,
        outcome.is_throttle,
        outcome.reached_service,
        outcome.circuit_result,
    ) == MEANINGS[error_class]
