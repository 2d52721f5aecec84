"""What happens during a call, as frozen records that go to hooks.

No record holds an attribute value. A hook that raises is logged and otherwise ignored, so that
observing a call cannot break it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count

from dynasafe.findings.finding import Finding

logger: logging.Logger = logging.getLogger("dynasafe")


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

_PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What a hook may raise to end the process."""
_ids = count(1)


def new_call_id() -> int:
    """An id that no other call of this process has."""
    return next(_ids)


def emit(hooks: Iterable[Hook], event: Event) -> None:
    """Log the event at DEBUG, and give it to every hook."""
    logger.debug("%s", event)
    for hook in hooks:
        try:
            answer: object = hook(event)
            if isinstance(answer, Coroutine):
                answer.close()
                logger.error(
                    "A dynasafe hook is async, and did not run: a hook is a plain function"
                )
        except _PASSED_ON:
            raise
        except BaseException:  # one that raises CancelledError cancels nothing
            logger.exception("A dynasafe hook raised on %s", type(event).__name__)


@contextmanager
def surrounded(hooks: Iterable[Hook], started: CallStarted) -> Iterator[None]:
    """Within the context managers of the hooks that have one; the last one is left first.

    As with events, a hook that raises is logged and otherwise ignored. It cannot replace or
    swallow the error of the call.
    """
    entered: list[AbstractContextManager[object]] = []
    for hook in hooks:
        around = getattr(hook, "around", None)
        if around is not None:
            try:
                manager: AbstractContextManager[object] = around(started)
                manager.__enter__()
                entered.append(manager)
            except _PASSED_ON:
                raise
            except BaseException:
                logger.exception("A dynasafe hook raised on %s", type(started).__name__)
    try:
        yield
    except BaseException as error:
        _leave(entered, error)
        raise
    _leave(entered, None)


def _leave(entered: list[AbstractContextManager[object]], error: BaseException | None) -> None:
    for manager in reversed(entered):
        try:
            if error is None:
                manager.__exit__(None, None, None)
            else:
                manager.__exit__(type(error), error, error.__traceback__)
        except BaseException as raised:
            if raised is error:
                continue  # a generator's context manager passes it on
            if isinstance(raised, _PASSED_ON):
                raise
            logger.exception("A dynasafe hook raised at the end of a call")
