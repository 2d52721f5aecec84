"""Opens and closes connections of our own, for `connect()`."""

from __future__ import annotations

from typing import Any, Final

from dynasafe.aio.http_transport import HttpTransport
from dynasafe.environment.arguments import http_settings, opening_error
from dynasafe.resilience.boundary import NotSent


class HttpConnection:
    """Opens a transport over connections of our own, and closes it, also several times.

    Raises:
        ClientRetriesError: the config would have requests repeated.
        InvalidValueError: an argument is of a wrong type, or contradicts another.
    """

    def __init__(self, **given: Any) -> None:
        self.transport: Final = HttpTransport(**http_settings(other="aioboto3", **given))
        self.slot_count: int = self.transport.max_connections

    async def open(self) -> HttpTransport:
        """The transport, opened on the running event loop.

        Raises:
            CredentialsError: the configured source of credentials cannot be used.
            InvalidValueError: there is no region, or another setting is wrong.
        """
        try:
            await self.transport.open()
        except NotSent as fact:
            raise opening_error(fact) from fact
        return self.transport

    async def close(self) -> None:
        await self.transport.close()
