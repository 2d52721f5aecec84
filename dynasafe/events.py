"""What happens during a call, as frozen records that go to hooks.

No record holds an attribute value. The module is loaded where somebody listens, or asks for it.
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
    """The same for all events of a call, and of no other call in this process; 0: of no call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(CallEvent):
    """A call begins. `CallSucceeded`, `CallFailed` or `CallCancelled` ends it."""


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
    """DynamoDB answered a request. `consumed_capacity` is in units, where the answer has it."""

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
class RequestRefused(CallEvent):
    """A guard found what DynamoDB would refuse in a hand-written request.

    Args:
        place: the file and line of the caller: "/app/orders.py:31".
        count: how often this was found in this place: the largest of the findings' counts.
        is_sent: a guard that only warns sent it all the same.
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
"""Called with each event. One with a method `around(started)` is a context manager as well:
what it returns is entered when a call begins, and left when it ends."""
