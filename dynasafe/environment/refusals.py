"""Refusals because of the credentials or the time of a request: what to change before a repeat.

Several calls may be refused for one reason, and each of them is repeated. So each is compared with
the present state: a call whose credentials or time were replaced meanwhile needs nothing else.
"""

from __future__ import annotations

from typing import Final

from dynasafe.environment.heads import SigningClock
from dynasafe.http.credentials import Credentials, CredentialState
from dynasafe.resilience.boundary import Refused
from dynasafe.resilience.outcomes import is_about_credentials


class Signed:
    """What a refused request was signed with.

    Args:
        is_clock_set: whether its time was wrong, and the clock is right now.
    """

    __slots__ = ("credentials", "is_clock_set")

    def __init__(self, credentials: Credentials, is_clock_set: bool) -> None:
        self.credentials: Final = credentials
        self.is_clock_set: Final = is_clock_set


def note_refusal(
    refused: Refused,
    clock: SigningClock,
    offset_s: float,
    source: CredentialState | None,
    credentials: Credentials,
) -> Signed:
    """Set the clock if the request's time was refused, or mark its credentials if these were.

    Args:
        offset_s: the clock's, when the request was signed.
        source: None if the client was closed meanwhile.
    """
    is_clock_set = clock.note(refused, offset_s)
    if not is_clock_set and source is not None and is_about_credentials(refused):
        source.refuse(credentials)
    return Signed(credentials, is_clock_set)
