"""The error boundary of transports: the outcome of one request.

A transport sends one request once. It returns DynamoDB's own answer, or raises one of the three
exceptions of this module. Only the transport knows whether a byte was handed to the network, so it
states that as a fact. Higher layers do not look at exceptions of other libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TransportError(Exception):
    """The base of the three. Users meet the errors of `dynasafe.errors` instead."""


class Refused(TransportError):
    """DynamoDB answered with an error.

    Args:
        code: the name of the error without its namespace: "ValidationException".
        message: the service's words.
        http_status: 4xx or 5xx.
        headers: the answer's headers, with lower-case names.
        members: other members of the error's body, in the client's form: `Item`,
            `CancellationReasons`, `ThrottlingReasons`.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        http_status: int = 400,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.request_id = request_id
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.members: Mapping[str, Any] = {} if members is None else members


class Lost(TransportError):
    """Bytes of the request were handed to the network, and no usable answer came back.

    The request may have been applied. `reason` names what happened, without any value of an item.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(TransportError):
    """No byte of the request was handed to the network.

    Args:
        reason: what happened, without any value of an item.
        is_retryable: whether the same request may succeed a moment later.
        provider: the source of the credentials, if these failed.
        limit: the setting whose time ran out, if any: "connect_timeout_s", "attempt_timeout_s" or
            "timeout_s".
        is_closed: whether the reason is that the client was closed.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_retryable: bool = True,
        provider: str | None = None,
        limit: str | None = None,
        is_closed: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_retryable = is_retryable
        self.provider = provider
        self.limit = limit
        self.is_closed = is_closed


def client_closed() -> NotSent:
    """The fact that the client was closed before the request was sent."""
    return NotSent("the client was closed", is_retryable=False, is_closed=True)
