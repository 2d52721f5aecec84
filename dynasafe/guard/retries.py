"""Safe retries: the client no longer applies a write twice, and reports unknown outcomes.

botocore repeats every request whose answer was lost, so an increment may count twice. Handlers
before botocore's own one prevent that. They raise, because botocore 1.40 treats every return value
of a handler as "retry". Requests that the service certainly refused, such as throttled ones, are
left to botocore and its retry mode.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any
from weakref import ref
from zlib import crc32

from dynasafe.calls.handwritten import is_repeatable
from dynasafe.guard.settings import Switch
from dynasafe.operations import OPERATIONS, Access, is_read
from dynasafe.resilience.boundary import Refused
from dynasafe.resilience.outcomes import outcome_of

_LOST = "dynasafe_lost"
"""The key in a call's context of the error of a lost answer, after which the call was repeated."""
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
        if not self._is_on() or not _may_write(operation.name):
            return None
        if response is not None:
            http_response, parsed = response
            if http_response.status_code < 300:
                return _check_answer(operation.name, request_dict, http_response)
            if _is_lost(http_response, parsed):
                parsed.setdefault("ResponseMetadata", {})["RetryAttempts"] = attempts - 1
                _lose(operation.name, request_dict, self._error(operation.name, parsed))
        elif caught_exception is not None:
            from dynasafe.aio.aioboto import is_not_sent

            if not is_not_sent(caught_exception):
                _lose(operation.name, request_dict, caught_exception)
        return None

    def after_call(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        """Raise the error of a lost answer in place of the answer to a repeat."""
        lost = context.get(_LOST)
        if lost is not None and http_response.status_code >= 300 and self._is_on():
            raise _noted(lost)

    def after_call_error(
        self, exception: Exception, context: dict[str, Any], event_name: str, **_: Any
    ) -> None:
        """Add a note to the error of a lost answer, and raise it in place of a later one."""
        if not self._is_on():
            return
        lost = context.get(_LOST, exception)
        if lost is not exception:
            raise _noted(lost)
        # botocore raises it at once: it does not retry after an answer that it cannot read.
        row = OPERATIONS.get(event_name.rpartition(".")[2])
        is_write = row is not None and row.access is Access.WRITE
        if is_write and type(exception).__name__ == "ResponseParserError":
            _noted(exception)

    def _is_on(self) -> bool:
        settings = self._switch.settings
        return settings is not None and settings.safe_retries

    def _error(self, operation: str, parsed: dict[str, Any]) -> Exception:
        """The error that botocore raises for the answer."""
        exceptions = self._client().exceptions  # type: ignore[union-attr]
        code = parsed.get("Error", {}).get("Code")
        error: Exception = exceptions.from_code(code)(parsed, operation)
        return error


def _may_write(operation: str) -> bool:
    row = OPERATIONS.get(operation)
    return row is not None and row.access is not Access.READ


def _is_lost(http_response: Any, parsed: dict[str, Any]) -> bool:
    refused = Refused(
        parsed.get("Error", {}).get("Code", ""),
        http_status=http_response.status_code,
        members=parsed,
    )
    return outcome_of(refused).may_be_applied


def _lose(operation: str, request_dict: dict[str, Any], error: Exception) -> None:
    """Raise the error of a lost answer, or remember it if the request may be repeated."""
    params = json.loads(request_dict["body"])
    row = OPERATIONS[operation]
    if is_read(row, params):
        return
    if not is_repeatable(row, params):
        raise _noted(error)
    request_dict["context"].setdefault(_LOST, error)


def _check_answer(
    operation: str, request_dict: dict[str, Any], http_response: Any
) -> Awaitable[None] | None:
    """A success that DynamoDB cannot have sent is a lost answer."""
    content = http_response.content
    if isinstance(content, bytes):
        _check_content(operation, request_dict, http_response, content)
        return None
    return _check_content_later(operation, request_dict, http_response, content)


async def _check_content_later(
    operation: str, request_dict: dict[str, Any], http_response: Any, content: Awaitable[bytes]
) -> None:
    _check_content(operation, request_dict, http_response, await content)


def _check_content(
    operation: str, request_dict: dict[str, Any], http_response: Any, content: bytes
) -> None:
    expected = http_response.headers.get("x-amz-crc32")
    if expected is not None and crc32(content) != int(expected):
        from botocore.exceptions import ChecksumError

        error = ChecksumError(
            checksum_type="crc32", expected_checksum=expected, actual_checksum=crc32(content)
        )
        _lose(operation, request_dict, error)
    elif content and not (content.startswith(b"{") and content.endswith(b"}")):
        from botocore.parsers import ResponseParserError

        # botocore treats it as a success without members, and so does not repeat the request.
        raise _noted(ResponseParserError("The answer is not a complete JSON object."))


def _noted(error: Exception) -> Exception:
    if _NOTE not in getattr(error, "__notes__", ()):
        error.add_note(_NOTE)
    return error
