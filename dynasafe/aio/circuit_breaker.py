"""The circuit breaker on the monotonic clock, for calls of DynamoDB and of anything else.

breaker = CircuitBreaker(name="payments", minimum_calls=20)

async with breaker:
    await charge(card)

@breaker
async def charge(card): ...
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import ParamSpec, TypeVar

from dynasafe.aio.clock import Clock, SystemClock
from dynasafe.errors import NotSentError, UnsupportedTypeError
from dynasafe.events import Hook
from dynasafe.resilience.circuit_breaker import (
    Circuit,
    CountWindow,
    Permit,
    TimeWindow,
)
from dynasafe.resilience.outcomes import CircuitResult

P = ParamSpec("P")
R = TypeVar("R")

_Entered = tuple[Circuit, Permit, float]
# What the current task has entered, innermost last. Each task has its own, and a breaker may be
# entered by many tasks at once, and by one task again.
_entered: ContextVar[tuple[_Entered, ...]] = ContextVar("dynasafe_entered_circuits", default=())


def _is_failure(error: Exception) -> bool:
    return True


class CircuitBreaker(Circuit):
    """Stops calls to what is down, and finds out carefully whether it is up again.

    As a setting of AsyncDynamoDB or AsyncTable it guards their calls. On its own it is an async
    context manager, and a decorator of async functions. A call that is cancelled counts as
    neither success nor failure.

    Args:
        ignore: exceptions that count as neither; by default those that sent nothing.
        is_failure: whether an exception counts as a failure; otherwise it is a success, as an
            answer that refuses shows a service in good health.
        clock: where the time comes from.

    The others are Circuit's.
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
        clock: Clock | None = None,
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
        self._clock: Clock = SystemClock() if clock is None else clock

    async def __aenter__(self) -> None:
        """Take a permit.

        Raises:
            CircuitOpenError: the call is refused.
        """
        now_s = self._clock.now_s()
        permit = self.acquire(now_s, self._clock.draw())
        _entered.set((*_entered.get(), (self, permit, now_s)))

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered = _entered.get()
        at = next((i for i in reversed(range(len(entered))) if entered[i][0] is self), None)
        if at is None:
            raise RuntimeError(
                f"the circuit {self.name!r} was entered in another task. Fix: enter and leave "
                "it in the same one"
            )
        _entered.set((*entered[:at], *entered[at + 1 :]))
        _, permit, since_s = entered[at]
        now_s = self._clock.now_s()
        result = self._result(error)
        self.record(permit, result, now_s - since_s, now_s, self._clock.draw())

    def __call__(self, function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        """The async function, guarded.

        Raises:
            UnsupportedTypeError: the function is not async, so that it would block the event loop
                and end before its work does.
        """
        if not inspect.iscoroutinefunction(function):
            raise UnsupportedTypeError(
                getattr(function, "__qualname__", ""),
                "a circuit breaker guards `async def` functions only. Fix: make it async",
            )

        @functools.wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            async with self:
                return await function(*args, **kwargs)

        return guarded

    def _result(self, error: BaseException | None) -> CircuitResult:
        if error is None:
            return "success"
        if not isinstance(error, Exception) or isinstance(error, self._ignore):
            return "ignored"
        return "failure" if self._is_failure(error) else "success"
