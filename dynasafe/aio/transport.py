"""What the async shell asks of a transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Transport(Protocol):
    """Sends a request once, and says what became of it.

    It raises `Refused`, `Lost` or `NotSent` of `dynasafe.resilience.boundary`, or a NotSentError
    of dynasafe's own, which is final.
    """

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """DynamoDB's answer to one request.

        Args:
            operation: as in the API Reference: "UpdateItem".
            params: in the client's form.
            timeout_s: None waits without a limit.
        """
        ...

    async def refresh_credentials(self) -> bool:
        """Fetch credentials again; False if they would be the same again.

        Raises:
            NotSent: they could not be fetched.
        """
        ...
