"""Signed heads of requests: Signature Version 4, for the one form of DynamoDB's requests.

Parts that stay the same within a second are computed once a second. They are in one object that is
replaced and not changed, so threads that share a signer never see half of a second.

Source: "Create a signed AWS API request", AWS IAM User Guide; botocore/auth.py, SigV4Auth.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dynasafe.http.credentials import Credentials

if TYPE_CHECKING:
    from hashlib import _Hash

TARGET_PREFIX: Final = "DynamoDB_20120810."
CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))


class _Mac:
    """HMAC-SHA256 under one key, as two hash states that are copied for each message."""

    __slots__ = ("inner", "outer")

    def __init__(self, key: bytes) -> None:
        padded = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self.inner = sha256(padded.translate(_INNER))
        self.outer = sha256(padded.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        inner = self.inner.copy()
        inner.update(message)
        outer = self.outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class _Day:
    """The signing key of one day in UTC."""

    __slots__ = ("date", "mac", "scope")

    def __init__(self, date: str, region: str, credentials: Credentials) -> None:
        key = f"AWS4{credentials.secret_key}".encode()
        for part in (date, region, "dynamodb", "aws4_request"):
            key = _Mac(key).digest(part.encode())
        self.date = date
        self.scope = f"{date}/{region}/dynamodb/aws4_request"
        self.mac = _Mac(key)


class _Second:
    """The parts that all heads of one second share."""

    __slots__ = ("canonical", "day", "head", "inner", "outer", "second")

    def __init__(self, second: int, signer: Signer, day: _Day | None) -> None:
        moment = datetime.fromtimestamp(second, UTC)
        date, stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
        if day is None or day.date != date:
            day = _Day(date, signer.region, signer.credentials)
        self.second = second
        self.day = day
        token = signer.credentials.token
        canonical = f"{signer.canonical_start}x-amz-date:{stamp}\n"
        head = f"X-Amz-Date: {stamp}\r\n"
        if token is not None:
            canonical += f"x-amz-security-token:{' '.join(token.split())}\n"
            head += f"X-Amz-Security-Token: {token}\r\n"
        self.canonical: _Hash = sha256(canonical.encode())
        inner = day.mac.inner.copy()
        inner.update(f"{_ALGORITHM}\n{stamp}\n{day.scope}\n".encode())
        self.inner: _Hash = inner
        self.outer: _Hash = day.mac.outer
        scope = f"{signer.credentials.access_key}/{day.scope}"
        self.head = (
            f"{head}Authorization: {_ALGORITHM} Credential={scope}, "
            f"SignedHeaders={signer.signed_headers}, Signature="
        )


class Signer:
    """Makes the heads of signed requests to one host, under one set of credentials.

    Args:
        host: the value of the header Host: in lower case, with the port if it is not the default.
        path: the path of the endpoint, usually "/"; it needs no quoting.
        target: the target in the request line, usually the path.
        user_agent: the header's value.

    Raises:
        ValueError: an argument has a character that a header must not have.
    """

    def __init__(
        self,
        *,
        host: str,
        region: str,
        credentials: Credentials,
        user_agent: str,
        path: str = "/",
        target: str | None = None,
        extra_headers: str = "",
    ) -> None:
        for text in (
            host,
            path,
            region,
            user_agent,
            credentials.access_key,
            credentials.token or "",
        ):
            if not text.isascii() or not text.isprintable():
                raise ValueError("a character that is not allowed in a header")
        self.region: Final = region
        self.credentials: Final = credentials
        token = "" if credentials.token is None else "x-amz-security-token;"
        self.signed_headers: Final = f"content-type;host;x-amz-date;{token}x-amz-target"
        self.canonical_start: Final = f"POST\n{path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\n"
        self._start: Final = (
            f"POST {path if target is None else target} HTTP/1.1\r\nHost: {host}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nAccept-Encoding: identity\r\n"
            f"User-Agent: {user_agent}\r\n{extra_headers}X-Amz-Target: {TARGET_PREFIX}"
        )
        self._tails: Final[dict[str, tuple[bytes, str]]] = {}
        self._second: _Second | None = None

    def head(self, operation: str, body: bytes, *, now_s: float, headers: str = "") -> bytes:
        """The head of a request, up to its empty line.

        Args:
            now_s: seconds since the epoch.
            headers: more headers, which are not signed: "Name: value\\r\\n".

        Raises:
            ValueError: the operation is unknown.
        """
        tail = self._tails.get(operation)
        if tail is None:
            tail = self._tail(operation)
        second = int(now_s)
        state = self._second
        if state is None or state.second != second:
            self._second = state = _Second(second, self, None if state is None else state.day)
        canonical = state.canonical.copy()
        canonical.update(tail[0] + sha256(body).hexdigest().encode())
        inner = state.inner.copy()
        inner.update(canonical.hexdigest().encode())
        outer = state.outer.copy()
        outer.update(inner.digest())
        return (
            f"{tail[1]}{state.head}{outer.hexdigest()}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    def _tail(self, operation: str) -> tuple[bytes, str]:
        if not operation.isascii() or not operation.isalnum():
            raise ValueError(f"unknown operation {operation!r}")
        canonical = f"x-amz-target:{TARGET_PREFIX}{operation}\n\n{self.signed_headers}\n"
        tail = canonical.encode(), f"{self._start}{operation}\r\n"
        if len(self._tails) < 256:
            self._tails[operation] = tail
        return tail
