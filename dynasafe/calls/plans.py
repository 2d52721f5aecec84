"""Calls as plans: generators that decide everything, and do no I/O.

A plan yields commands, is sent their results, and returns the result of the call:

    Request -> Success     the request, with its retries; errors are thrown in
    Sleep   -> None        a wait
    Pause   -> None        a moment in which an event loop may run other tasks
    Aside   -> its result  work that takes long, and does not block an event loop meanwhile

A driver has a few lines and makes no decisions: `dynasafe.aio` has the async one. Time and random
numbers come from the driver, through the `CallState`, so a plan depends only on its input.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dynasafe.calls.options import BreakerFactory, Settings
from dynasafe.calls.requests import Request
from dynasafe.errors import (
    APPLIED,
    BatchIncompleteError,
    OutcomeUnknownError,
    UnsupportedTypeError,
)
from dynasafe.hooks import emit, is_logged, new_call_id, surrounded
from dynasafe.resilience.attempts import Call, Command, Deadline, Permits, Success, attempts
from dynasafe.resilience.circuit_breaker import Circuit, CircuitState
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from dynasafe.validation.check import require_fine
from dynasafe.validation.seen import likeness, was_fine
from dynasafe.values.wire import holds_many

if TYPE_CHECKING:
    from dynasafe.events import Event

T = TypeVar("T")


class Sleep:
    """Wait, before the plan goes on."""

    __slots__ = ("delay_s",)

    def __init__(self, delay_s: float) -> None:
        self.delay_s: float = delay_s


class Pause:
    """Let other tasks run, before the plan goes on."""

    __slots__ = ()


PAUSE = Pause()


class Aside:
    """Do work that takes long, before the plan goes on. It may run in another thread."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work: Callable[[], Any] = work


Plan = Generator[Request | Sleep | Pause | Aside, Any, T]


def aside_plan(work: Callable[[], T], *, if_long: bool) -> Plan[T]:
    """The result of work, done aside if it takes long."""
    if not if_long:
        return work()
    result: T = yield Aside(work)
    return result


class CallState:
    """A running call: its settings and limits, and the requests and time that it has used.

    `now_s` is the time of the last reply. `draw` gives random numbers in [0, 1), and `new_id`
    random ids. Both come from the driver.

    `is_applied` says that a write was applied, and that the caller does not have its result yet.
    Drivers set it when the answer to a write arrives. `describe` adds what the plan knows of its
    write to an error about an unknown outcome.
    """

    __slots__ = (
        "attempts",
        "began_s",
        "call_id",
        "deadline",
        "describe",
        "draw",
        "is_applied",
        "is_observed",
        "new_id",
        "now_s",
        "operation",
        "quota",
        "settings",
        "table_name",
    )

    def __init__(
        self,
        operation: str,
        table_name: str | None,
        settings: Settings,
        *,
        now_s: float,
        quota: RetryQuota | None,
        new_id: Callable[[], str],
        draw: Callable[[], float],
    ) -> None:
        self.operation: str = operation
        self.table_name: str | None = table_name
        self.settings: Settings = settings
        self.began_s: float = now_s
        self.now_s: float = now_s
        self.draw: Callable[[], float] = draw
        self.quota: RetryQuota | None = quota
        self.new_id: Callable[[], str] = new_id
        # Whether anybody uses its events.
        self.is_observed: bool = bool(settings.hooks) or is_logged()
        self.call_id: int = 0  # a unique id if somebody uses events
        self.attempts: int = 0  # requests of which bytes may have left
        self.is_applied: bool = False
        self.describe: Callable[[BaseException | None], None] | None = None
        timeout_s = settings.timeout_s
        self.deadline: Deadline | None = (
            None if timeout_s is None else Deadline(now_s + timeout_s, timeout_s)
        )

    def explain(self, interruption: BaseException) -> None:
        """Give a cancellation, or another exception that is not dynasafe's, a cause that says that
        the write was applied. The exception's own cause becomes the cause of that one."""
        cause = interruption.__cause__
        if not self.is_applied or isinstance(cause, OutcomeUnknownError | BatchIncompleteError):
            return
        unknown = OutcomeUnknownError(
            self.operation,
            table_name=self.table_name,
            attempts=self.attempts,
            reason=f"{APPLIED}the call ended before its answer was read",
        )
        if self.describe is not None:
            self.describe(unknown)
        unknown.__cause__ = cause
        interruption.__cause__ = unknown


def may_be_applied(cause: BaseException | None) -> bool:
    """Whether the cause of a cancellation says that a write, or a part of it, may be applied."""
    if isinstance(cause, BatchIncompleteError):
        is_write = cause.operation == "BatchWriteItem"
        return is_write and bool(cause.processed_count or cause.unknown)
    return isinstance(cause, OutcomeUnknownError)


class ClientState:
    """The state that all calls of one client share: circuit breakers and retry quotas."""

    def __init__(self, new_id: Callable[[], str], draw: Callable[[], float]) -> None:
        self.breakers: BreakerMap = BreakerMap()
        self._quotas: dict[int, RetryQuota] = {}
        self._new_id = new_id
        self._draw = draw

    def begin(
        self, operation: str, table_name: str | None, settings: Settings, *, now_s: float
    ) -> CallState:
        """A call that begins now."""
        return CallState(
            operation,
            table_name,
            settings,
            now_s=now_s,
            quota=self.quota(settings.retry),
            new_id=self._new_id,
            draw=self._draw,
        )

    def prepare(self, request: Request, state: CallState) -> Circuit | None:
        """Check the request, and return its circuit breaker.

        Raises:
            InvalidRequestError: DynamoDB would refuse the request.
        """
        long_check = self.check(request, state)
        if long_check is not None:
            long_check()
        return self.breaker(state.settings.breaker, request.call)

    def check(self, request: Request, state: CallState) -> Callable[[], None] | None:
        """Check the request. Returns the check of a large one, which takes long.

        Raises:
            InvalidRequestError: DynamoDB would refuse the request.
        """
        return None if not state.settings.validate or request.is_checked else check_of(request)

    def attempts(
        self, request: Request, state: CallState, *, now_s: float
    ) -> Generator[Command, Any, Success]:
        """The loop of attempts for one request of a call.

        Raises:
            InvalidRequestError: DynamoDB would refuse the request.
        """
        return self.loop(request, state, self.prepare(request, state), now_s=now_s)

    def loop(
        self, request: Request, state: CallState, permits: Permits | None, *, now_s: float
    ) -> Generator[Command, Any, Success]:
        """The loop of attempts for one prepared request."""
        settings = state.settings
        return attempts(
            request.call,
            now_s=now_s,
            policy=None if request.is_sent_once else settings.retry,
            quota=state.quota,
            permits=permits,
            deadline=state.deadline,
            attempt_timeout_s=settings.attempt_timeout_s,
            hooks=settings.hooks,
            progress=state,
        )

    def quota(self, policy: RetryPolicy | None) -> RetryQuota | None:
        """The quota that all calls share whose policies have a quota of the same size."""
        if policy is None or policy.quota is None:
            return None
        quota = self._quotas.get(policy.quota)
        if quota is None:
            quota = self._quotas[policy.quota] = RetryQuota(policy.quota)
        return quota

    def breaker(self, setting: Circuit | BreakerFactory | None, call: Call) -> Circuit | None:
        """The circuit breaker of a request, as the setting says."""
        if setting is None or isinstance(setting, Circuit):
            return setting
        kind = "write" if call.is_write else "read"
        return self.breakers.get(setting, f"{call.table_name or '*'}/{kind}")


def check_of(request: Request) -> Callable[[], None] | None:
    """Check a request, unless one that is alike was found fine. Returns the check of a large one,
    which takes long.

    Raises:
        InvalidRequestError: DynamoDB would refuse the request; the check raises it too.
    """
    operation, params, schema = request.call.operation, request.params, request.schema
    like = likeness(operation, params, schema)
    if like is not None and was_fine(like):
        return None
    if holds_many(params):
        return partial(require_fine, operation, params, schema, like)
    require_fine(operation, params, schema, like)
    return None


class BreakerMap:
    """At most `max_size` breakers, by factory and name. The least recently used is dropped first.

    One that is not closed is dropped only if none is closed, because it records an outage.
    """

    def __init__(self, max_size: int = 1024) -> None:
        self._max_size = max_size
        self._breakers: OrderedDict[tuple[object, str], Circuit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._breakers)

    def get(self, factory: BreakerFactory, name: str) -> Circuit:
        """The breaker of this name. The factory makes it at its first use."""
        # A lambda inside a call is a new function each time, but counts as the same factory.
        key = (getattr(factory, "__code__", factory), name)
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = factory(name)
            if not isinstance(breaker, Circuit):
                raise UnsupportedTypeError(
                    "breaker", f"the factory gives a CircuitBreaker, not {type(breaker).__name__}"
                )
            if len(self._breakers) >= self._max_size:
                self._evict()
            self._breakers[key] = breaker
        self._breakers.move_to_end(key)
        return breaker

    def _evict(self) -> None:
        oldest = next(iter(self._breakers))
        closed = (
            key for key, breaker in self._breakers.items() if breaker.state is CircuitState.CLOSED
        )
        del self._breakers[next(closed, oldest)]


def observed(plan: Plan[T], state: CallState) -> Plan[T]:
    """The plan, inside the hooks' context managers, with an event at its start and its end."""
    from dynasafe.events import CallStarted

    state.call_id = new_call_id()
    started = CallStarted(
        operation=state.operation, table_name=state.table_name, call_id=state.call_id
    )
    with surrounded(state.settings.hooks, started):
        _emit(state, started)
        return (yield from _reported(plan, state))


def _reported(plan: Plan[T], state: CallState) -> Plan[T]:
    """The plan, with an event at its end: succeeded, failed or cancelled."""
    from dynasafe.events import CallCancelled, CallFailed, CallSucceeded

    try:
        result = yield from plan
    except Exception as error:
        duration_s = state.now_s - state.began_s
        _emit_end(state, CallFailed, duration_s=duration_s, error=type(error).__name__)
        raise
    except BaseException as cancellation:
        state.explain(cancellation)
        _emit_end(state, CallCancelled, may_be_applied=may_be_applied(cancellation.__cause__))
        raise
    _emit_end(state, CallSucceeded, duration_s=state.now_s - state.began_s)
    return result


def _emit_end(state: CallState, event: Callable[..., Event], **facts: Any) -> None:
    _emit(
        state,
        event(
            operation=state.operation,
            table_name=state.table_name,
            call_id=state.call_id,
            attempts=state.attempts,
            **facts,
        ),
    )


def _emit(state: CallState, event: Event) -> None:
    emit(state.settings.hooks, event)
