"""Parts of request heads: user agent, trace, proxy and time.

Sources: botocore/handlers.py, for the trace header in Lambda; the AWS SDKs for JavaScript, Java, Go
and Rust, which also correct their clock by the Date of an answer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from dynasafe.environment.proxies import Proxy
from dynasafe.http.credentials import Credentials
from dynasafe.http.endpoint import Endpoint
from dynasafe.http.signing import Signer
from dynasafe.resilience.boundary import Refused
from dynasafe.version import __version__

_MAX_SKEW_S: Final = 240.0
"""DynamoDB refuses signatures that are more than five minutes off."""
_SKEW_CODES: Final = frozenset(
    {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"}
)
_TRACE_SAFE: Final = "-=;:+&[]{}\"',"


class SigningClock:
    """Seconds since the epoch by DynamoDB's clock."""

    __slots__ = ("offset_s",)

    def __init__(self) -> None:
        self.offset_s: float = 0.0  # between the machine's clock and DynamoDB's

    def now_s(self) -> float:
        return time.time() + self.offset_s

    def read(self) -> tuple[float, float]:
        """The time, and the offset that is in it."""
        offset_s = self.offset_s
        return time.time() + offset_s, offset_s

    def note(self, refused: Refused, offset_s: float) -> bool:
        """Take the time from the answer, if DynamoDB refused the time of a request.

        Args:
            offset_s: the one that the request was signed with.

        Returns:
            Whether that was wrong, so that a repeat is signed with another time.
        """
        date = refused.headers.get("date")
        if refused.code not in _SKEW_CODES or date is None:
            return False
        from email.utils import parsedate_to_datetime

        try:
            right_s = parsedate_to_datetime(date).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError, OSError):
            return False
        if abs(right_s - offset_s) <= _MAX_SKEW_S:
            return False
        # Another call may have set the clock already.
        if abs(right_s - self.offset_s) > _MAX_SKEW_S:
            self.offset_s = right_s
        return True


def signer_of(
    endpoint: Endpoint, credentials: Credentials, proxy: Proxy | None, user_agent: str
) -> Signer:
    """The signer of requests to an endpoint. Without TLS, the proxy reads their heads."""
    target, extra = None, ""
    if proxy is not None and not endpoint.is_tls:
        target = f"http://{endpoint.host_header}{endpoint.path}"
        if proxy.authorization is not None:
            extra = f"Proxy-Authorization: {proxy.authorization}\r\n"
    return Signer(
        host=endpoint.host_header,
        path=endpoint.path,
        region=endpoint.region,
        credentials=credentials,
        user_agent=user_agent,
        target=target,
        extra_headers=extra,
    )


def trace_header(environ: Mapping[str, str]) -> str:
    """The header that links a Lambda function's calls in AWS X-Ray, or an empty text."""
    trace_id = environ.get("_X_AMZN_TRACE_ID")
    if not trace_id:
        return ""
    from urllib.parse import quote

    return f"X-Amzn-Trace-Id: {quote(trace_id, safe=_TRACE_SAFE)}\r\n"


def user_agent(environ: Mapping[str, str], config: Any) -> str:
    """The header User-Agent."""
    own = f"dynasafe/{__version__} lang/python#{sys.version.split()[0]}"
    words = [getattr(config, "user_agent", None) or own]
    for label, value in (
        ("exec-env/", environ.get("AWS_EXECUTION_ENV")),
        ("app/", getattr(config, "user_agent_appid", None) or environ.get("AWS_SDK_UA_APP_ID")),
    ):
        if value and value.isascii() and value.isprintable():
            words.append(label + value.replace(" ", "-"))
    extra = getattr(config, "user_agent_extra", None)
    return " ".join([*words, extra] if extra else words)
