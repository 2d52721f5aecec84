"""The circuit breaker with the system's clock, for calls to DynamoDB or to any other service.

breaker = CircuitBreaker(name="payments", minimum_calls=20)

with breaker:  # in async code: `async with breaker:`
    charge(card)

@breaker
def charge(card): ...  # or `async def`
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from dynasafe.environment.clock import SystemTime
from dynasafe.environment.forks import renewed_after_fork
from dynasafe.errors import NotSentError, UnsupportedTypeError
from dynasafe.hooks import emit
from dynasafe.resilience.circuit_breaker import (
    Circuit,
    CircuitMetrics,
    CountWindow,
    Permit,
    TimeWindow,
)
from dynasafe.resilience.outcomes import CircuitResult

if TYPE_CHECKING:
    from dynasafe.events import Event, Hook

P = ParamSpec("P")
R = TypeVar("R")


class TimeSource(Protocol):
    """Gives the time and random numbers."""

    def now_s(self) -> float: ...

    def draw(self) -> float: ...


_Entered = tuple[Circuit, Permit, float]
# The breakers that the current task or thread has entered, innermost last. Many tasks may enter a
# breaker at once, and one task may enter it again.
_entered: ContextVar[tuple[_Entered, ...]] = ContextVar("dynasafe_entered_circuits", default=())


def _is_failure(error: Exception) -> bool:
    return True


class ThreadSafeCircuit(Circuit):
    """A circuit that threads may share: a lock guards each decision.

    Hooks are called after the decision and without the lock, so they may be slow.
    """

    def __init__(self, **settings: Any) -> None:
        self._events: deque[Event] = deque()
        self.renew_locks()
        super().__init__(**settings)
        renewed_after_fork(self)

    def renew_locks(self) -> None:
        self._lock = threading.RLock()  # a decision may need another one

    def acquire(self, now_s: float, draw: float = 0.5) -> Permit:
        try:
            with self._lock:
                return super().acquire(now_s, draw)
        finally:
            if self._events:
                self._emit_all()

    def record(
        self,
        permit: Permit,
        result: CircuitResult,
        duration_s: float,
        now_s: float,
        draw: float = 0.5,
    ) -> None:
        with self._lock:
            super().record(permit, result, duration_s, now_s, draw)
        if self._events:
            self._emit_all()

    def release(self, permit: Permit) -> None:
        with self._lock:
            super().release(permit)

    def metrics(self, now_s: float) -> CircuitMetrics:
        with self._lock:
            return super().metrics(now_s)

    def force_open(self) -> None:
        with self._lock:
            super().force_open()
        self._emit_all()

    def disable(self) -> None:
        with self._lock:
            super().disable()
        self._emit_all()

    def metrics_only(self) -> None:
        with self._lock:
            super().metrics_only()
        self._emit_all()

    def open(self, now_s: float, draw: float = 0.5) -> None:
        with self._lock:
            super().open(now_s, draw)
        self._emit_all()

    def half_open(self, now_s: float) -> None:
        with self._lock:
            super().half_open(now_s)
        self._emit_all()

    def reset(self) -> None:
        with self._lock:
            super().reset()
        self._emit_all()

    def _emit(self, event: Event) -> None:
        self._events.append(event)

    def _emit_all(self) -> None:
        while True:
            try:
                event = self._events.popleft()
            except IndexError:  # another thread calls the remaining hooks
                return
            emit(self.hooks, event)


class CircuitBreaker(ThreadSafeCircuit):
    """Stops calls to a failing service, and later lets a few through to test it.

    As a setting of a database or a table it guards their calls. On its own it is a context
    manager and a decorator: `with` and `def`, `async with` and `async def`. A cancelled call
    counts as neither success nor failure.

    Args:
        ignore: exceptions that count as neither; by default those of calls that were not sent.
        is_failure: whether an exception counts as a failure. If not, it counts as a success,
            because a refusal shows that the service works.
        clock: gives the time.

    The other arguments are those of Circuit.
    """

    def __init__(
        self,
        *,
        name: str = "circuit",
        failure_rate: float = 0.5,
        slow_rate: float = 1.0,
        slow_call_s: float = 60.0,
        window: CountWindow | TimeWindow = CountWindow(100),  # noqa: B008  (frozen)
        minimum_calls: int = 100,
        open_s: float = 5.0,
        open_growth: float = 2.0,
        max_open_s: float | None = None,
        open_jitter: float = 0.1,
        half_open_permits: int = 10,
        max_half_open_s: float | None = 60.0,
        hooks: Sequence[Hook] = (),
        ignore: tuple[type[Exception], ...] = (NotSentError,),
        is_failure: Callable[[Exception], bool] = _is_failure,
        clock: TimeSource | None = None,
    ) -> None:
        super().__init__(
            name=name,
            failure_rate=failure_rate,
            slow_rate=slow_rate,
            slow_call_s=slow_call_s,
            window=window,
            minimum_calls=minimum_calls,
            open_s=open_s,
            open_growth=open_growth,
            max_open_s=max_open_s,
            open_jitter=open_jitter,
            half_open_permits=half_open_permits,
            max_half_open_s=max_half_open_s,
            hooks=hooks,
        )
        self._ignore = ignore
        self._is_failure = is_failure
        self._clock: TimeSource = SystemTime() if clock is None else clock

    def __enter__(self) -> None:
        """Take a permit.

        Raises:
            CircuitOpenError: the call is refused.
        """
        now_s = self._clock.now_s()
        permit = self.acquire(now_s, self._clock.draw())
        _entered.set((*_entered.get(), (self, permit, now_s)))

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered = _entered.get()
        at = next((i for i in reversed(range(len(entered))) if entered[i][0] is self), None)
        if at is None:
            raise RuntimeError(
                f"the circuit {self.name!r} was entered in another task or thread. Fix: enter and "
                "leave it in the same one"
            )
        _entered.set((*entered[:at], *entered[at + 1 :]))
        _, permit, since_s = entered[at]
        now_s = self._clock.now_s()
        result = self._result(error)
        self.record(permit, result, now_s - since_s, now_s, self._clock.draw())

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(error_type, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The guarded function, async or not.

        Raises:
            UnsupportedTypeError: the function returns a generator or a coroutine, so it would
                return before its work is done.
        """
        import inspect  # only where it is needed: it takes long to load

        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UnsupportedTypeError(
                getattr(function, "__qualname__", ""),
                "a circuit breaker cannot guard a function that yields. Fix: use `with` around "
                "each call in it",
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with self:
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", guarded_async)

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                result = function(*args, **kwargs)
                if inspect.iscoroutine(result):
                    result.close()
                    raise UnsupportedTypeError(
                        getattr(function, "__qualname__", ""),
                        "the function returns a coroutine, whose work comes later. Fix: make it "
                        "`async def`",
                    )
                return result

        return guarded

    def _result(self, error: BaseException | None) -> CircuitResult:
        if error is None:
            return "success"
        if not isinstance(error, Exception) or isinstance(error, self._ignore):
            return "ignored"
        return "failure" if self._is_failure(error) else "success"
