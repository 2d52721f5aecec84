"""The interface of transports for the sync shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Transport(Protocol):
    """Sends a request once, and reports its outcome. Many threads use it at once.

    It raises `Refused`, `Lost` or `NotSent` of `dynasafe.resilience.boundary`, or a final
    NotSentError of dynasafe. Any other exception comes from outside, for example from a signal
    handler. Its cause is a NotSent if nothing was sent.
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
        """Fetch credentials again. Returns False if they would be the same.

        Raises:
            NotSent: they could not be fetched, or not in time.
        """
        ...
