"""What happens during a call, as frozen records that go to hooks.

No record holds an attribute value. A hook that raises is logged and otherwise ignored, so that
observing a call cannot break it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

logger: logging.Logger = logging.getLogger("dynasafe")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """An event of one call."""

    operation: str
    table_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(CallEvent):
    """One request failed. `delay_s` is the wait before the next one, or None if there is none."""

    attempt: int
    error_class: str
    code: str
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSucceeded(CallEvent):
    """The call returned after this many requests."""

    attempts: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(CallEvent):
    """The call raised the named error after this many requests (0: nothing was sent)."""

    attempts: int
    duration_s: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCancelled(CallEvent):
    """The caller cancelled the call. If `may_be_applied`, bytes may have left before that."""

    attempts: int
    may_be_applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownErrorCode(CallEvent):
    """DynamoDB answered with a code that this version does not know; it was taken as final
    below HTTP 500 and as ambiguous from there."""

    code: str
    http_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitTransition:
    """A circuit breaker changed its state."""

    name: str
    from_state: str
    to_state: str
    failure_rate: float
    slow_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitRateExceeded:
    """A circuit breaker that only measures would have opened. Reported once."""

    name: str
    failure_rate: float
    slow_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRepaired(CallEvent):
    """Empty or None members were dropped from a hand-written request."""

    members: tuple[str, ...]


Event = CallEvent | CircuitTransition | CircuitRateExceeded
Hook = Callable[[Event], None]


def emit(hooks: Iterable[Hook], event: Event) -> None:
    """Log the event at DEBUG, and give it to every hook."""
    logger.debug("%s", event)
    for hook in hooks:
        try:
            hook(event)
        except Exception:
            logger.exception("A dynasafe hook raised on %s", type(event).__name__)
