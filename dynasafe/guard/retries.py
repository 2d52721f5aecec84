"""Safe retries: the client no longer applies a write twice, and reports unknown outcomes.

botocore repeats every request whose answer was lost, so an increment may count twice. Handlers
before botocore's own one prevent that. They raise, because botocore 1.40 treats every return value
of a handler as "retry". Requests that the service certainly refused, such as throttled ones, are
left to botocore and its retry mode.

An answer that DynamoDB cannot have sent is lost too. botocore reads many of these as a success
without members, and its parser fails on others. So they are replaced before it reads them, and get
the status 500, after which each retry mode repeats a request.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from typing import Any
from weakref import ref
from zlib import crc32

from dynasafe.calls.handwritten import is_repeatable
from dynasafe.guard.settings import Switch
from dynasafe.http.answers import NO_OBJECT, fault_of_object, fault_of_status, is_damaged
from dynasafe.operations import OPERATIONS, Access, is_read
from dynasafe.resilience.boundary import Refused
from dynasafe.resilience.outcomes import outcome_of

_LOST = "dynasafe_lost"
"""The key in a call's context of the error of a lost answer, after which the call was repeated."""
_DAMAGED = "dynasafe_damaged"
"""The key of the last answer's error, if DynamoDB cannot have sent that answer. From `before_parse`
to `needs_retry` it is in the parsed answer, then in the call's context."""
_JSON_SPACE = b" \t\r\n"
_PARSERS = ("botocore.parsers", "aiobotocore.parsers")
_NOTE = (
    "dynasafe: the answer to this write was lost, so it may or may not have been applied. "
    "Fix: read the item before you write again."
)


class SafeRetries:
    """The handlers of one client.

    An idempotent write is repeated after a lost answer. If the repeat fails, the first attempt may
    still have been applied: it may be why a condition fails, for example. So the caller gets the
    error of the lost answer.
    """

    def __init__(self, client: Any, switch: Switch) -> None:
        self._client = ref(client)
        self._switch = switch

    def before_parse(
        self,
        operation_model: Any,
        response_dict: dict[str, Any],
        customized_response_dict: dict[str, Any],
        **_: Any,
    ) -> None:
        """Replace the body of an answer that DynamoDB cannot have sent."""
        if not self._is_on():
            return
        status, body = response_dict["status_code"], response_dict["body"]
        if not isinstance(body, bytes):  # a stream, which no operation has so far
            return
        error = _checksum_error(response_dict["headers"], body)
        if error is None and status < 300:
            error = _foreign(_fault(operation_model, status, body))
        if error is not None:
            response_dict["body"] = b""
            customized_response_dict[_DAMAGED] = error
        elif status >= 300:
            response_dict["body"] = _readable_error(body)

    def needs_retry(
        self,
        operation: Any,
        request_dict: dict[str, Any],
        attempts: int,
        response: tuple[Any, dict[str, Any]] | None,
        caught_exception: Exception | None,
        **_: Any,
    ) -> Awaitable[None] | None:
        """Raise the error of a lost answer if a repeat could apply the write again."""
        if not self._is_on():
            return None
        request_dict["context"].pop(_DAMAGED, None)
        if response is None:
            if caught_exception is not None:
                from dynasafe.aio.aioboto import is_not_sent

                if not is_not_sent(caught_exception):
                    _lose(operation.name, request_dict, caught_exception)
            return None
        http_response, parsed = response
        error = parsed.pop(_DAMAGED, None)
        if error is not None:
            _lose_damaged(operation.name, request_dict, http_response, error)
        elif http_response.status_code < 300:
            if len(parsed) < 2:  # botocore found no member, as it does in what is not JSON
                return _check_content(operation, request_dict, http_response)
        elif _is_lost(http_response, parsed):
            parsed.setdefault("ResponseMetadata", {})["RetryAttempts"] = attempts - 1
            _lose(operation.name, request_dict, self._error(operation.name, parsed))
        return None

    def after_call(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        """Raise the error of a lost answer in place of the answer to a repeat."""
        if http_response.status_code < 300 or not self._is_on():
            return
        lost = context.get(_LOST)
        if lost is not None:
            raise _noted(lost)
        damaged: Exception | None = context.get(_DAMAGED)
        if damaged is not None:  # the answer to a read
            raise damaged

    def after_call_error(
        self, exception: Exception, context: dict[str, Any], event_name: str, **_: Any
    ) -> None:
        """Add a note to the error of a lost answer, and raise it in place of a later one."""
        if not self._is_on():
            return
        lost = context.get(_LOST)
        if lost is not None:
            _noted(lost)
            if lost is not exception:
                raise lost
            return
        if not _is_of_parser(exception):
            return
        # botocore raises it at once: it does not retry after an answer that it cannot read.
        from botocore.parsers import ResponseParserError

        if isinstance(exception, ResponseParserError):
            error: Exception = exception
        else:
            error = ResponseParserError("The answer has another form than DynamoDB's.")
        row = OPERATIONS.get(event_name.rpartition(".")[2])
        if row is not None and row.access is not Access.READ:
            _noted(error)
        if error is not exception:
            raise error from exception

    def _is_on(self) -> bool:
        settings = self._switch.settings
        return settings is not None and settings.safe_retries

    def _error(self, operation: str, parsed: dict[str, Any]) -> Exception:
        """The error that botocore raises for the answer."""
        exceptions = self._client().exceptions  # type: ignore[union-attr]
        code = parsed.get("Error", {}).get("Code")
        error: Exception = exceptions.from_code(code)(parsed, operation)
        return error


def _checksum_error(headers: Mapping[str, str], body: bytes) -> Exception | None:
    given = headers.get("x-amz-crc32")
    if given is None or not is_damaged(str(given).encode("latin-1", "replace"), body):
        return None
    from botocore.exceptions import ChecksumError

    return ChecksumError(  # type: ignore[no-any-return]
        checksum_type="crc32", expected_checksum=str(given)[:20], actual_checksum=crc32(body)
    )


def _foreign(fault: str | None) -> Exception | None:
    if fault is None:
        return None
    from botocore.parsers import ResponseParserError

    error: Exception = ResponseParserError(f"This is not an answer of DynamoDB: {fault}.")
    return error


def _fault(operation: Any, status: int, body: bytes, *, is_thorough: bool = False) -> str | None:
    """What is wrong with the answer of a success, in words; None if DynamoDB can have sent it.

    Args:
        is_thorough: whether to parse the body in any case, and not only if it may be an error.
    """
    fault = fault_of_status(status)
    if fault is not None or body == b"{}":
        return fault
    if not body and operation.output_shape is None:
        return None
    no_object = f"HTTP {status} with {NO_OBJECT}"
    stripped = body.strip(_JSON_SPACE)
    if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
        return no_object
    try:
        text = body.decode()
        if not is_thorough and b'"__type"' not in body:
            return None
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return no_object
    return fault_of_object(status, answer)


def _check_content(
    operation: Any, request_dict: dict[str, Any], http_response: Any
) -> Awaitable[None] | None:
    content = http_response.content
    if isinstance(content, bytes):
        _require_object(operation, request_dict, http_response, content)
        return None
    return _check_content_later(operation, request_dict, http_response, content)


async def _check_content_later(
    operation: Any, request_dict: dict[str, Any], http_response: Any, content: Awaitable[bytes]
) -> None:
    _require_object(operation, request_dict, http_response, await content)


def _require_object(
    operation: Any, request_dict: dict[str, Any], http_response: Any, content: bytes
) -> None:
    error = _foreign(_fault(operation, http_response.status_code, content, is_thorough=True))
    if error is not None:
        _lose_damaged(operation.name, request_dict, http_response, error)


def _readable_error(body: bytes) -> bytes:
    """The body of an error, as botocore's parser can read it."""
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:  # botocore takes the text as the error's message
        return text.encode()
    except RecursionError:
        return b""
    is_readable = isinstance(answer, dict) and isinstance(answer.get("__type", ""), str)
    return body if is_readable else b""


def _is_lost(http_response: Any, parsed: dict[str, Any]) -> bool:
    status = http_response.status_code
    code = parsed.get("Error", {}).get("Code", "")
    if code in ("", str(status)):  # botocore's code for an error without one, such as a page
        return True
    return outcome_of(Refused(code, http_status=status, members=parsed)).may_be_applied


def _lose(operation: str, request_dict: dict[str, Any], error: Exception) -> None:
    """Raise the error of a lost answer, or remember it if the request may be repeated."""
    row = OPERATIONS.get(operation)
    if row is None or row.access is Access.READ:
        return
    params = json.loads(request_dict["body"])
    if is_read(row, params):
        return
    if not is_repeatable(row, params):
        raise _noted(error)
    request_dict["context"].setdefault(_LOST, error)


def _lose_damaged(
    operation: str, request_dict: dict[str, Any], http_response: Any, error: Exception
) -> None:
    """As `_lose`, of an answer after which botocore would not repeat the request, or not raise."""
    _lose(operation, request_dict, error)
    request_dict["context"][_DAMAGED] = error
    http_response.status_code = 500
    # botocore's own check raises ValueError if it is no number.
    http_response.headers.pop("x-amz-crc32", None)


def _is_of_parser(error: Exception) -> bool:
    """Whether botocore raised it while it read an answer."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in _PARSERS:
            return True
        trace = trace.tb_next
    return False


def _noted(error: Exception) -> Exception:
    if _NOTE not in getattr(error, "__notes__", ()):
        error.add_note(_NOTE)
    return error
