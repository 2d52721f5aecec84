"""What the sync shell asks of a transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Transport(Protocol):
    """Sends a request once, and says what became of it. Many threads use it at once.

    It raises `Refused`, `Lost` or `NotSent` of `dynasafe.resilience.boundary`, or a NotSentError
    of dynasafe's own, which is final. Any other exception came from outside, as that of a signal
    handler does; its cause is a NotSent where nothing had left.
    """

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """DynamoDB's answer to one request.

        Args:
            operation: as in the API Reference: "UpdateItem".
            params: in the client's form.
            timeout_s: None waits without a limit.
        """
        ...

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        """Fetch credentials again; False if they would be the same again.

        Raises:
            NotSent: they could not be fetched, or not in time.
        """
        ...
