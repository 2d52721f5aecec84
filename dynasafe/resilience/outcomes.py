"""What a failed request means: whether it was applied, and whether it may be sent again.

Exceptions are told apart by their class names, so that this module needs neither botocore nor
aiohttp. What it does not know falls on the safe side: an unknown answer below HTTP 500 is final,
anything else may have been applied.

Sources: "Error handling with DynamoDB"; "TransactWriteItems", "CancellationReason" and "Common
errors", Amazon DynamoDB API Reference; the exceptions of botocore and aiobotocore.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

CircuitResult = Literal["success", "failure", "ignored"]


class ConnectionSlotTimeout(Exception):
    """No connection slot became free in time: nothing was sent."""


class AttemptTimeout(Exception):
    """The request was sent, and no answer came in time."""


class ErrorClass(Enum):
    """What a failure means for the request that met it."""

    THROTTLED = "throttled"
    """Refused for its rate, not applied. May be sent again, slowly."""
    CONFLICT = "conflict"
    """Refused since another request held the item, not applied. May be sent again."""
    AMBIGUOUS = "ambiguous"
    """Perhaps applied: no usable answer."""
    IN_PROGRESS = "in_progress"
    """The transaction with this token is still running: not known yet."""
    CREDENTIALS = "credentials"
    """The credentials have expired, not applied. Once more, with fresh ones."""
    CONDITION_FAILED = "condition_failed"
    """The condition was false, not applied."""
    FINAL = "final"
    """Refused for what it is, not applied. The same request would be refused again."""
    NOT_CONNECTED = "not_connected"
    """No connection was made, so nothing was sent. May be tried again."""
    LOCAL = "local"
    """Failed before anything was sent, for a reason on this side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One failed request, as far as it can be known.

    `code` is the service's error code, or the exception's class name. `item` and
    `cancellation_reasons` are in wire form.
    """

    error_class: ErrorClass
    code: str
    message: str
    is_known: bool = True
    is_answer: bool = False
    http_status: int | None = None
    request_id: str | None = None
    retry_after: str | None = None
    throttling_reasons: tuple[str, ...] = ()
    cancellation_reasons: tuple[Mapping[str, Any], ...] = ()
    item: Mapping[str, Any] | None = None

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
        """What it says about the service's health.

        A refusal proves that the service is up. A throttle says something about one key's or one
        caller's rate, and must not stop all calls to the table.
        """
        match self.error_class:
            case ErrorClass.AMBIGUOUS | ErrorClass.NOT_CONNECTED:
                return "failure"
            case ErrorClass.THROTTLED | ErrorClass.CREDENTIALS | ErrorClass.LOCAL:
                return "ignored"
            case _:
                return "success"


# Of the AWS SDKs' retry standard. TransactionInProgressException is one of them too, but has a
# class of its own, since its transaction may yet be applied.
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
        ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"),
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
            "RequestExpired",
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

_REPEATABLE_REASONS = {
    "TransactionConflict": ErrorClass.CONFLICT,
    "ThrottlingError": ErrorClass.THROTTLED,
    "ProvisionedThroughputExceeded": ErrorClass.THROTTLED,
}

# ClientConnectorError covers refusal, DNS, TLS and proxies; it is a ClientOSError too, which by
# itself is a connection that broke later. The others are urllib3's.
_NOT_CONNECTED_INSIDE = frozenset(
    {"ClientConnectorError", "ConnectTimeoutError", "NewConnectionError", "gaierror"}
)
_CLASS_BY_EXCEPTION: dict[str, ErrorClass] = {
    "ConnectionSlotTimeout": ErrorClass.LOCAL,
    "AttemptTimeout": ErrorClass.AMBIGUOUS,
    "ConnectTimeoutError": ErrorClass.NOT_CONNECTED,
    "ProxyConnectionError": ErrorClass.NOT_CONNECTED,
    "SSLError": ErrorClass.NOT_CONNECTED,
    "ClientConnectorError": ErrorClass.NOT_CONNECTED,
    "ConnectionTimeoutError": ErrorClass.NOT_CONNECTED,
    **dict.fromkeys(
        (
            "BaseEndpointResolverError",
            "CredentialRetrievalError",
            "EndpointProviderError",
            "InvalidProxiesConfigError",
            "NoAuthTokenError",
            "NoCredentialsError",
            "ParamValidationError",
            "PartialCredentialsError",
            "ProfileNotFound",
            "SSOError",
            "TokenRetrievalError",
            "UnknownSignatureVersionError",
            "UnsupportedSignatureVersionError",
        ),
        ErrorClass.LOCAL,
    ),
    **dict.fromkeys(
        (
            "ChecksumError",
            "ClientError",  # aiohttp's; botocore's has a response, and is not looked up here
            "EndpointConnectionError",
            "HTTPClientError",
            "IncompleteReadError",
            "OSError",
            "ReadTimeoutError",
            "ResponseParserError",
            "TimeoutError",
        ),
        ErrorClass.AMBIGUOUS,
    ),
}


def outcome_of(error: Exception) -> Outcome:
    """What the failure that a transport raised means."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _of_answer(response)
    names = [cls.__name__ for cls in type(error).__mro__]
    known = next((name for name in names if name in _CLASS_BY_EXCEPTION), None)
    error_class = ErrorClass.AMBIGUOUS if known is None else _CLASS_BY_EXCEPTION[known]
    if known == "EndpointConnectionError" and _is_not_connected(error):
        error_class = ErrorClass.NOT_CONNECTED
    return Outcome(
        error_class=error_class,
        code=names[0],
        message=_message(error, names),
        is_known=known is not None,
    )


def _is_not_connected(error: Exception) -> bool:
    inner = getattr(error, "kwargs", {}).get("error")
    return any(cls.__name__ in _NOT_CONNECTED_INSIDE for cls in type(inner).__mro__)


def _message(error: Exception, names: Sequence[str]) -> str:
    if "ParamValidationError" in names:
        # botocore's report quotes the values, which may be personal data.
        return re.sub(r",? ?value: .*?, (type|valid)", r", \1", str(error), flags=re.DOTALL)
    inner = getattr(error, "kwargs", {}).get("error")
    return f"{error} ({type(inner).__name__})" if inner is not None else str(error) or names[0]


def _of_answer(response: Mapping[str, Any]) -> Outcome:
    details: Mapping[str, Any] = response.get("Error") or {}
    metadata: Mapping[str, Any] = response.get("ResponseMetadata") or {}
    headers: Mapping[str, str] = metadata.get("HTTPHeaders") or {}
    http_status: int | None = metadata.get("HTTPStatusCode")
    code = str(details.get("Code", "")).rpartition("#")[2]
    message = str(details.get("Message") or details.get("message") or "")
    cancellation_reasons = _cancellation_reasons(response, code, message)
    if code == "TransactionCanceledException":
        known: ErrorClass | None = _class_of_cancellation(cancellation_reasons)
    else:
        known = _CLASS_BY_CODE.get(code) or _class_of_status(http_status)
    return Outcome(
        error_class=known or _class_of_unknown(http_status),
        code=code or f"HTTP {http_status}",
        message=message,
        is_known=known is not None,
        is_answer=True,
        http_status=http_status,
        request_id=metadata.get("RequestId"),
        retry_after=headers.get("x-amz-retry-after"),
        throttling_reasons=_throttling_reasons(response),
        cancellation_reasons=cancellation_reasons,
        item=response.get("Item"),
    )


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
    # Without the member, the codes stand in the message: "... [None, ConditionalCheckFailed]".
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
