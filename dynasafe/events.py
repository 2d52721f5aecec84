"""The events of a call, as frozen records for hooks.

No record has attribute values. The module is loaded only if somebody uses events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dynasafe.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """An event of one call."""

    operation: str
    table_name: str | None
    call_id: int = field(default=0, compare=False)
    """The same for all events of one call, and unique in this process; 0 if there is no call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(CallEvent):
    """A call began. `CallSucceeded`, `CallFailed` or `CallCancelled` ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(CallEvent):
    """A request is about to be sent. `AttemptSucceeded` or `AttemptFailed` ends it.

    Its parent is the call of `call_id`. The operation is the request's: a call may make requests
    of several operations. `waited_s` is how long it waited for a connection slot.
    """

    attempt: int
    waited_s: float = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSucceeded(CallEvent):
    """DynamoDB answered a request. `consumed_capacity` is in units, or None without them."""

    attempt: int
    duration_s: float = field(compare=False)
    consumed_capacity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(CallEvent):
    """One request failed. `delay_s` is the wait before the next one, or None if there is none.

    `duration_s` runs from its `AttemptStarted`, and is 0 for one that was not started.
    """

    attempt: int
    error_class: str
    code: str
    delay_s: float | None
    duration_s: float = field(default=0.0, compare=False)


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
    """The caller cancelled the call. `may_be_applied`: bytes may have been sent before that."""

    attempts: int
    may_be_applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownErrorCode(CallEvent):
    """DynamoDB answered with a code that this version does not know. Below HTTP 500 it counts as
    final, from 500 on as ambiguous."""

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
class RequestRefused(CallEvent):
    """A guard found errors in a hand-written request, which DynamoDB would refuse.

    Args:
        place: the file and line of the caller, such as "/app/orders.py:31".
        count: how often the most frequent of the findings occurred at this place.
        is_sent: whether the request was sent anyway, by a guard that only warns.
    """

    findings: tuple[Finding, ...]
    place: str
    count: int
    is_sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRepaired(CallEvent):
    """A guard repaired these members of a hand-written request, or left them out."""

    members: tuple[str, ...]


Event = CallEvent | CircuitTransition | CircuitRateExceeded
Hook = Callable[[Event], None]
"""A function that is called with each event. If it has a method `around(started)`, that returns a
context manager, which is entered when a call begins and left when it ends."""
