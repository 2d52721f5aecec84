"""Opens and closes connections of our own, for `connect()`."""

from __future__ import annotations

from typing import Any, Final

from dynasafe.environment.arguments import http_settings, opening_error
from dynasafe.resilience.boundary import NotSent
from dynasafe.sync.http_transport import HttpTransport


class HttpConnection:
    """Opens a transport over connections of our own, and closes it, also several times.

    Raises:
        ClientRetriesError: the config would have requests repeated.
        InvalidValueError: an argument is of a wrong type, or contradicts another.
    """

    def __init__(self, **given: Any) -> None:
        self.transport: Final = HttpTransport(**http_settings(other="boto3", **given))
        self.slot_count: int = self.transport.max_connections

    def open(self) -> HttpTransport:
        """The transport, opened.

        Raises:
            CredentialsError: the configured source of credentials cannot be used.
            InvalidValueError: there is no region, or another setting is wrong.
        """
        try:
            self.transport.open()
        except NotSent as fact:
            raise opening_error(fact) from fact
        return self.transport

    def close(self) -> None:
        self.transport.close()
