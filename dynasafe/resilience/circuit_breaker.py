"""The circuit breaker as a pure state machine: time and random draws are arguments.

    CLOSED     calls pass, and their results are counted
    OPEN       calls are refused, for a time that grows with each opening
    HALF_OPEN  a few calls pass; their results decide between the two

Too many failures, or too many slow calls, open it. A permit belongs to the state in which it was
given: a result that comes later than that state changes nothing.

Source: "CircuitBreaker", Resilience4j's user guide, whose semantics these are; permits with
generations, growing and jittered open times are additions.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from dynasafe.errors import CircuitOpenError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.hooks import emit
from dynasafe.records import Record, assign
from dynasafe.resilience.outcomes import CircuitResult
from dynasafe.resilience.settings_rules import (
    require_count,
    require_growth,
    require_hooks,
    require_rate,
    require_seconds,
)

if TYPE_CHECKING:
    from dynasafe.events import Event, Hook

HALF_OPEN_RETRY_S = 1.0
"""The `retry_after_s` while the probes of a half-open circuit are still running."""
_DEFAULT_GROWTH_LIMIT = 12


class CircuitState(Enum):
    """The states of a circuit breaker; the last three are set by hand."""

    CLOSED = "closed"
    """Calls pass, and their results are counted."""
    OPEN = "open"
    """Calls are refused until the open time is over."""
    HALF_OPEN = "half_open"
    """A few calls pass, and decide."""
    FORCED_OPEN = "forced_open"
    """Refuses all calls until an override or a reset changes it."""
    DISABLED = "disabled"
    """Lets all calls pass, and counts nothing."""
    METRICS_ONLY = "metrics_only"
    """Lets all calls pass, counts them, and reports once that it would have opened."""


class CountWindow(Record):
    """The last `calls` results decide."""

    __slots__ = __match_args__ = ("calls",)
    calls: int

    def __init__(self, calls: int = 100) -> None:
        assign(self, "calls", calls)


class TimeWindow(Record):
    """The results of the last `seconds` decide. It is a whole number, because results are kept by
    second."""

    __slots__ = __match_args__ = ("seconds",)
    seconds: int

    def __init__(self, seconds: int) -> None:
        assign(self, "seconds", seconds)


class CircuitMetrics(Record):
    """The counts in the window. Rates run from 0.0 to 1.0, and are -1.0 below the minimum of
    calls."""

    __slots__ = __match_args__ = (
        "buffered_calls",
        "failed_calls",
        "slow_calls",
        "failure_rate",
        "slow_rate",
    )
    buffered_calls: int
    failed_calls: int
    slow_calls: int
    failure_rate: float
    slow_rate: float

    def __init__(
        self,
        *,
        buffered_calls: int,
        failed_calls: int,
        slow_calls: int,
        failure_rate: float,
        slow_rate: float,
    ) -> None:
        assign(self, "buffered_calls", buffered_calls)
        assign(self, "failed_calls", failed_calls)
        assign(self, "slow_calls", slow_calls)
        assign(self, "failure_rate", failure_rate)
        assign(self, "slow_rate", slow_rate)


class Permit:
    """Permission for one call. `record` or `release` uses it up."""

    __slots__ = ("generation", "is_used")

    def __init__(self, generation: int) -> None:
        self.generation: int = generation
        self.is_used: bool = False


class _Window(Protocol):
    calls: int
    failed: int
    slow: int

    def add(self, is_failed: bool, is_slow: bool, now_s: float) -> None: ...

    def forget(self, now_s: float) -> None: ...


_FINE: Final = (False, False)


class _CountedCalls:
    __slots__ = ("_results", "_size", "calls", "failed", "slow")

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: deque[tuple[bool, bool]] = deque()
        self.calls = self.failed = self.slow = 0

    def add(self, is_failed: bool, is_slow: bool, now_s: float) -> None:
        results = self._results
        if self.calls == self._size:
            oldest = results.popleft()
            if oldest is not _FINE:
                self.failed -= oldest[0]
                self.slow -= oldest[1]
        else:
            self.calls += 1
        if is_failed or is_slow:
            results.append((is_failed, is_slow))
            self.failed += is_failed
            self.slow += is_slow
        else:
            results.append(_FINE)

    def forget(self, now_s: float) -> None:
        pass


class _TimedCalls:
    __slots__ = ("_seconds", "_size_s", "calls", "failed", "slow")

    def __init__(self, size_s: int) -> None:
        self._size_s = size_s
        self._seconds: deque[list[int]] = deque()  # [second, calls, failed, slow]
        self.calls = self.failed = self.slow = 0

    def add(self, is_failed: bool, is_slow: bool, now_s: float) -> None:
        self.forget(now_s)
        second = math.floor(now_s)
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0, 0, 0])
        counts = self._seconds[-1]
        counts[1] += 1
        counts[2] += is_failed
        counts[3] += is_slow
        self.calls += 1
        self.failed += is_failed
        self.slow += is_slow

    def forget(self, now_s: float) -> None:
        oldest = math.floor(now_s) - self._size_s
        while self._seconds and self._seconds[0][0] <= oldest:
            _, calls, failed, slow = self._seconds.popleft()
            self.calls -= calls
            self.failed -= failed
            self.slow -= slow


class Circuit:
    """A circuit breaker without a clock: callers pass the time.

    Args:
        name: appears in events and errors.
        failure_rate: the circuit opens at this rate of failures, in (0, 1].
        slow_rate: the circuit opens at this rate of slow calls, in (0, 1].
        slow_call_s: a call that takes longer is slow.
        window: the results that count: CountWindow or TimeWindow.
        minimum_calls: with fewer results in the window, it does not open.
        open_s: how long it stays open at first.
        open_growth: each consecutive opening is longer by this factor, 1 or more.
        max_open_s: the longest open time; None: 12 times open_s.
        open_jitter: the random part of the open time, in [0, 1].
        half_open_permits: how many calls decide in HALF_OPEN.
        max_half_open_s: after this long in HALF_OPEN it opens again; None: no limit.
        hooks: called after each CircuitTransition.

    Raises:
        InvalidValueError: a setting is of a wrong type, or outside its range.
    """

    def __init__(
        self,
        *,
        name: str = "circuit",
        failure_rate: float = 0.5,
        slow_rate: float = 1.0,
        slow_call_s: float = 60.0,
        window: CountWindow | TimeWindow = CountWindow(100),  # noqa: B008  (it never changes)
        minimum_calls: int = 100,
        open_s: float = 5.0,
        open_growth: float = 2.0,
        max_open_s: float | None = None,
        open_jitter: float = 0.1,
        half_open_permits: int = 10,
        max_half_open_s: float | None = 60.0,
        hooks: Sequence[Hook] = (),
    ) -> None:
        require_rate("failure_rate", failure_rate)
        require_rate("slow_rate", slow_rate)
        require_seconds("slow_call_s", slow_call_s, or_zero=True)
        _require_window(window)
        require_count("minimum_calls", minimum_calls)
        require_seconds("open_s", open_s)
        require_growth("open_growth", open_growth)
        if max_open_s is not None:
            require_seconds("max_open_s", max_open_s)
            if max_open_s < open_s:
                raise ValueOutOfRangeError(
                    "max_open_s", f"at least open_s ({open_s:g}) is expected, not {max_open_s:g}"
                )
        require_rate("open_jitter", open_jitter, or_zero=True)
        require_count("half_open_permits", half_open_permits)
        if max_half_open_s is not None:
            require_seconds("max_half_open_s", max_half_open_s)
        self.name = name
        self.failure_rate = failure_rate
        self.slow_rate = slow_rate
        self.slow_call_s = slow_call_s
        self.window = window
        # A window of 50 calls has at most 50 results.
        size = window.calls if isinstance(window, CountWindow) else minimum_calls
        self.minimum_calls: int = min(minimum_calls, size)
        self.open_s = open_s
        self.open_growth = open_growth
        self.max_open_s: float = (
            open_s * _DEFAULT_GROWTH_LIMIT if max_open_s is None else max_open_s
        )
        self.open_jitter = open_jitter
        self.half_open_permits = half_open_permits
        self.max_half_open_s = max_half_open_s
        require_hooks("hooks", hooks)
        self.hooks: tuple[Hook, ...] = tuple(hooks)
        self._state = CircuitState.CLOSED
        self._generation = 0
        self._openings = 0
        self._open_until_s = 0.0
        self._half_open_since_s = 0.0
        self._free_permits = 0
        self._has_reported = False
        self._needed_calls = self.minimum_calls
        self._calls: _Window = self._new_window()

    @property
    def state(self) -> CircuitState:
        """The state after the last call. An OPEN circuit becomes HALF_OPEN with the first call
        after its open time."""
        return self._state

    def metrics(self, now_s: float) -> CircuitMetrics:
        """The counts in the window now."""
        self._calls.forget(now_s)
        failure_rate, slow_rate = self._rates()
        return CircuitMetrics(
            buffered_calls=self._calls.calls,
            failed_calls=self._calls.failed,
            slow_calls=self._calls.slow,
            failure_rate=failure_rate,
            slow_rate=slow_rate,
        )

    def acquire(self, now_s: float, draw: float = 0.5) -> Permit:
        """Get permission for one call.

        Args:
            draw: uniform in [0, 1), for an opening's jitter.

        Raises:
            CircuitOpenError: the call is refused, with the seconds to wait.
        """
        state = self._state
        if state is CircuitState.CLOSED:
            return Permit(self._generation)
        if state is CircuitState.HALF_OPEN:
            self._end_idle_half_open(now_s, draw)
            state = self._state
        if state is CircuitState.OPEN and now_s >= self._open_until_s:
            self._half_open(now_s)
            state = self._state
        if state is CircuitState.OPEN:
            raise CircuitOpenError(self.name, self._open_until_s - now_s)
        if state is CircuitState.FORCED_OPEN:
            raise CircuitOpenError(self.name, math.inf)
        if state is CircuitState.HALF_OPEN:
            if self._free_permits == 0:
                raise CircuitOpenError(self.name, HALF_OPEN_RETRY_S)
            self._free_permits -= 1
        return Permit(self._generation)

    def record(
        self,
        permit: Permit,
        result: CircuitResult,
        duration_s: float,
        now_s: float,
        draw: float = 0.5,
    ) -> None:
        """Record the result of a call. A second result for the same permit does not count.

        Args:
            result: "ignored" counts as neither success nor failure, and gives the permit back.
            draw: uniform in [0, 1), for an opening's jitter.
        """
        if result == "ignored":
            self.release(permit)
            return
        if not self._is_current(permit):
            return
        state = self._state
        if state is CircuitState.DISABLED:
            return
        calls = self._calls
        calls.add(result == "failure", duration_s > self.slow_call_s, now_s)
        if calls.failed == 0 and calls.slow == 0 and state is CircuitState.CLOSED:
            return  # no rate is over its limit, which is above zero
        failure_rate, slow_rate = self._rates()
        is_over = failure_rate >= self.failure_rate or slow_rate >= self.slow_rate
        if state is CircuitState.HALF_OPEN:
            if is_over:
                self._open(now_s, draw)
            elif failure_rate >= 0:
                self._close()
        elif is_over and state is CircuitState.CLOSED:
            self._open(now_s, draw)
        elif is_over and not self._has_reported:
            self._has_reported = True
            from dynasafe.events import CircuitRateExceeded

            self._emit(
                CircuitRateExceeded(name=self.name, failure_rate=failure_rate, slow_rate=slow_rate)
            )

    def release(self, permit: Permit) -> None:
        """Give a permit back without a result, for example for a cancelled call."""
        if self._is_current(permit) and self._state is CircuitState.HALF_OPEN:
            self._free_permits += 1

    # By hand

    def force_open(self) -> None:
        """Refuse all calls until an override or a reset changes it."""
        self._enter(CircuitState.FORCED_OPEN)

    def disable(self) -> None:
        """Let all calls pass, and count nothing."""
        self._enter(CircuitState.DISABLED)

    def metrics_only(self) -> None:
        """Let all calls pass, count them, and report once that it would have opened."""
        self._enter(CircuitState.METRICS_ONLY)

    def open(self, now_s: float, draw: float = 0.5) -> None:
        """Open now, for as long as if it had opened by itself."""
        self._open(now_s, draw)

    def half_open(self, now_s: float) -> None:
        """Become half-open now, and let the probes pass.

        Raises:
            ValueOutOfRangeError: the circuit is closed, so there is nothing to probe.
        """
        if self._state is CircuitState.CLOSED:
            raise ValueOutOfRangeError(
                self.name, "a closed circuit cannot become half-open. Fix: open() it first"
            )
        self._half_open(now_s)

    def reset(self) -> None:
        """Close the circuit, and forget everything, including future results of running calls."""
        self._close()
        self._generation += 1  # permits from before no longer count
        self._openings = 0
        self._calls = self._new_window()

    # Within

    def _is_current(self, permit: Permit) -> bool:
        if permit.is_used:
            return False
        permit.is_used = True
        return permit.generation == self._generation

    def _rates(self) -> tuple[float, float]:
        calls = self._calls.calls
        if calls < self._needed_calls:
            return -1.0, -1.0
        return self._calls.failed / calls, self._calls.slow / calls

    def _new_window(self) -> _Window:
        if self._state is CircuitState.HALF_OPEN:
            return _CountedCalls(self.half_open_permits)
        if isinstance(self.window, CountWindow):
            return _CountedCalls(self.window.calls)
        return _TimedCalls(self.window.seconds)

    def _open(self, now_s: float, draw: float) -> None:
        self._openings += 1
        # After 64 doublings every open time is at its limit. A float would overflow later.
        try:
            growth = self.open_growth ** min(self._openings - 1, 64)
        except OverflowError:
            growth = math.inf
        open_s = min(self.max_open_s, self.open_s * growth)
        self._open_until_s = now_s + open_s * (1 + self.open_jitter * (draw - 1))
        self._enter(CircuitState.OPEN)

    def _half_open(self, now_s: float) -> None:
        self._free_permits = self.half_open_permits
        self._half_open_since_s = now_s
        self._enter(CircuitState.HALF_OPEN)

    def _close(self) -> None:
        self._openings = 0
        self._enter(CircuitState.CLOSED)

    def _end_idle_half_open(self, now_s: float, draw: float) -> None:
        if self.max_half_open_s is None:
            return
        ended_s = self._half_open_since_s + self.max_half_open_s
        if now_s >= ended_s:
            self._open(ended_s, draw)

    def _enter(self, state: CircuitState) -> None:
        if state is self._state:
            return
        from dynasafe.events import CircuitTransition

        failure_rate, slow_rate = self._rates()
        transition = CircuitTransition(
            name=self.name,
            from_state=self._state.value,
            to_state=state.value,
            failure_rate=failure_rate,
            slow_rate=slow_rate,
        )
        self._state = state
        self._generation += 1
        self._has_reported = False
        if state is not CircuitState.OPEN:
            # An open circuit keeps the metrics that opened it, so that users can see them.
            self._calls = self._new_window()
            is_half_open = state is CircuitState.HALF_OPEN
            self._needed_calls = self.half_open_permits if is_half_open else self.minimum_calls
        self._emit(transition)

    def _emit(self, event: Event) -> None:
        emit(self.hooks, event)


def _require_window(window: object) -> None:
    match window:
        case CountWindow(calls=calls):
            require_count("window.calls", calls)
        case TimeWindow(seconds=seconds):
            require_count("window.seconds", seconds)
        case _:
            raise UnsupportedTypeError(
                "window",
                f"a CountWindow or a TimeWindow is expected, not {type(window).__name__}",
            )
