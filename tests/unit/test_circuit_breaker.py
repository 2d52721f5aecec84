"""Resilience4j's semantics (E), and what no library has (X)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dynasafe import CircuitBreaker
from dynasafe.calls.plans import BreakerMap
from dynasafe.errors import CircuitOpenError, InvalidValueError, NotSentError
from dynasafe.events import CircuitRateExceeded, CircuitTransition, Event
from dynasafe.resilience.circuit_breaker import (
    HALF_OPEN_RETRY_S,
    Circuit,
    CircuitState,
    CountWindow,
    Permit,
    TimeWindow,
)
from dynasafe.testing import ManualClock

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class Driven:
    """A circuit, and its time."""

    def __init__(self, **settings: Any) -> None:
        self.events: list[Event] = []
        defaults: dict[str, Any] = {
            "name": "c",
            "failure_rate": 0.5,
            "slow_rate": 0.5,
            "slow_call_s": 4.0,
            "window": TimeWindow(20),
            "minimum_calls": 5,
            "open_s": 5.0,
            "open_growth": 1.0,
            "open_jitter": 0.0,
            "half_open_permits": 4,
            "max_half_open_s": 1.0,
            "hooks": [self.events.append],
        }
        self.circuit = Circuit(**{**defaults, **settings})
        self.now_s = 100.0

    def call(self, result: str, duration_s: float = 0.1) -> None:
        permit = self.circuit.acquire(self.now_s)
        outcome: Any = {"S": "success", "F": "failure", "I": "ignored"}[result]
        self.circuit.record(permit, outcome, duration_s, self.now_s)

    def calls(self, results: str, duration_s: float = 0.1) -> None:
        for result in results:
            self.call(result, duration_s)

    def is_permitted(self) -> bool:
        try:
            self.circuit.release(self.circuit.acquire(self.now_s))
        except CircuitOpenError:
            return False
        return True

    def opened(self, **settings: Any) -> Driven:
        self.calls("FFFFF")
        assert self.circuit.state is OPEN
        return self

    def half_opened(self) -> Driven:
        self.opened()
        self.now_s += 6
        assert self.is_permitted()
        assert self.circuit.state is HALF_OPEN
        return self


def test_e1_given_fewer_calls_than_the_minimum_then_there_is_no_rate() -> None:
    driven = Driven()
    driven.calls("FFFS")
    assert driven.circuit.metrics(driven.now_s).failure_rate == -1
    assert driven.circuit.state is CLOSED

    driven.call("S")

    metrics = driven.circuit.metrics(driven.now_s)
    assert driven.circuit.state is OPEN
    assert (metrics.failure_rate, metrics.buffered_calls, metrics.failed_calls) == (0.6, 5, 3)
    assert not driven.is_permitted()


def test_e2_given_exactly_the_rate_then_it_opens() -> None:
    driven = Driven()
    for result in "SSSFF":
        driven.call(result)
        driven.now_s += 1
    assert driven.circuit.metrics(driven.now_s).failure_rate == pytest.approx(0.4)
    assert driven.circuit.state is CLOSED

    driven.call("F")

    assert driven.circuit.state is OPEN
    assert driven.circuit.metrics(driven.now_s).failed_calls == 3


def test_e3_given_slow_calls_then_their_rate_opens_it() -> None:
    driven = Driven()
    for result, duration_s in (("F", 5), ("S", 5), ("F", 0.1), ("S", 0.1), ("S", 5)):
        driven.call(result, duration_s)

    assert driven.circuit.state is OPEN
    assert driven.circuit.metrics(driven.now_s).slow_rate == pytest.approx(0.6)


def test_e3_given_a_call_of_exactly_the_limit_then_it_is_not_slow() -> None:
    driven = Driven()
    driven.calls("SSSSS", 4.0)
    assert driven.circuit.metrics(driven.now_s).slow_calls == 0


def test_e4_given_an_open_circuit_when_its_time_is_over_then_probes_pass() -> None:
    driven = Driven().opened()
    driven.now_s += 3
    with pytest.raises(CircuitOpenError) as caught:
        driven.circuit.acquire(driven.now_s)
    assert caught.value.retry_after_s == pytest.approx(2)
    assert str(caught.value) == (
        "Call not sent: the circuit 'c' is open. Fix: retry in 2.0 s, or serve a fallback."
    )
    driven.now_s += 1.999
    assert not driven.is_permitted()
    driven.now_s += 0.001

    assert driven.is_permitted()
    assert driven.circuit.state is HALF_OPEN
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0


def test_e6_given_openings_in_a_row_then_each_is_longer() -> None:
    driven = Driven(open_growth=1.5).half_opened()
    driven.calls("FFFF")
    assert driven.circuit.state is OPEN
    driven.now_s += 6
    assert not driven.is_permitted()
    driven.now_s += 5
    assert driven.is_permitted()


def test_e6_given_a_recovery_then_the_next_opening_is_short_again() -> None:
    driven = Driven(open_growth=10.0).half_opened()
    driven.calls("SSSS")
    assert driven.circuit.state is CLOSED
    driven.opened()
    driven.now_s += 5
    assert driven.is_permitted()


def test_e6_given_many_openings_then_none_is_longer_than_the_longest() -> None:
    driven = Driven(open_growth=10.0, max_open_s=60.0, max_half_open_s=None).opened()
    for _ in range(400):
        driven.now_s += 60
        driven.calls("FFFF")
        assert driven.circuit.state is OPEN
        assert not driven.is_permitted()


@pytest.mark.parametrize(
    ("results", "state"), [("FFSF", OPEN), ("FSSS", CLOSED), ("SSSS", CLOSED), ("SFFS", OPEN)]
)
def test_e7_e9_given_the_probes_then_their_rate_decides(results: str, state: CircuitState) -> None:
    driven = Driven().half_opened()

    driven.calls(results)

    assert driven.circuit.state is state
    if results == "FFSF":
        assert driven.circuit.metrics(driven.now_s).failure_rate == 0.75
    if state is CLOSED:
        assert driven.circuit.metrics(driven.now_s).buffered_calls == 0


def test_e8_given_slow_probes_then_it_opens_again() -> None:
    driven = Driven().half_opened()
    driven.calls("SSS", 5.0)
    driven.call("S")

    metrics = driven.circuit.metrics(driven.now_s)
    assert driven.circuit.state is OPEN
    assert (metrics.slow_rate, metrics.failure_rate) == (0.75, 0.0)


def test_e10_given_half_open_then_exactly_so_many_permits_are_given() -> None:
    driven = Driven().half_opened()
    permits = [driven.circuit.acquire(driven.now_s) for _ in range(4)]
    with pytest.raises(CircuitOpenError) as caught:
        driven.circuit.acquire(driven.now_s)
    assert caught.value.retry_after_s == HALF_OPEN_RETRY_S
    driven.circuit.release(permits[0])
    assert driven.is_permitted()
    driven.circuit.release(permits[0])  # a second time is nothing
    permits[0] = driven.circuit.acquire(driven.now_s)
    assert not driven.is_permitted()

    for permit in permits:
        driven.circuit.record(permit, "failure", 0.1, driven.now_s)
    driven.now_s += 6
    assert [driven.circuit.acquire(driven.now_s) for _ in range(4)]
    assert not driven.is_permitted()


def test_e11_given_an_ignored_call_then_it_does_not_count() -> None:
    driven = Driven()
    driven.calls("SSSIF")
    assert driven.circuit.state is CLOSED
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 4


def test_e12_given_ignored_probes_then_their_permits_come_back() -> None:
    driven = Driven().half_opened()
    driven.calls("IIIISSSS")
    assert driven.circuit.state is CLOSED


def test_e13_given_it_is_forced_open_then_it_never_recovers() -> None:
    driven = Driven()
    driven.circuit.force_open()
    driven.now_s += 1e9
    with pytest.raises(CircuitOpenError, match="was opened by hand"):
        driven.circuit.acquire(driven.now_s)
    assert driven.circuit.state is CircuitState.FORCED_OPEN


def test_e14_given_it_is_disabled_then_nothing_is_recorded() -> None:
    driven = Driven()
    driven.circuit.disable()
    driven.calls("F" * 50)
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    assert driven.circuit.state is CircuitState.DISABLED


def test_e15_given_it_only_measures_then_it_reports_once() -> None:
    driven = Driven()
    driven.circuit.metrics_only()
    driven.calls("F" * 50)
    reports = [event for event in driven.events if isinstance(event, CircuitRateExceeded)]
    assert reports == [CircuitRateExceeded(name="c", failure_rate=1.0, slow_rate=0.0)]
    assert driven.circuit.state is CircuitState.METRICS_ONLY
    assert driven.circuit.metrics(driven.now_s).failed_calls == 50


def test_e16_given_a_closed_circuit_then_it_cannot_be_half_opened() -> None:
    driven = Driven()
    with pytest.raises(InvalidValueError, match="a closed circuit cannot become half-open"):
        driven.circuit.half_open(driven.now_s)
    driven.circuit.open(driven.now_s)
    driven.circuit.half_open(driven.now_s)
    assert driven.circuit.state is HALF_OPEN


def test_e17_given_the_state_it_has_then_no_event_is_sent() -> None:
    driven = Driven()
    driven.circuit.reset()
    driven.circuit.force_open()
    driven.circuit.force_open()
    assert [type(event) for event in driven.events] == [CircuitTransition]


def test_e18_given_probes_that_never_end_then_it_opens_again() -> None:
    driven = Driven().half_opened()
    driven.now_s += 0.999
    assert driven.is_permitted()
    driven.now_s += 0.001
    assert not driven.is_permitted()
    assert driven.circuit.state is OPEN
    driven.now_s += 5
    assert driven.is_permitted()


def test_e18_given_no_longest_half_open_then_it_waits_for_ever() -> None:
    driven = Driven(max_half_open_s=None).half_opened()
    driven.now_s += 1e9
    assert driven.is_permitted()
    assert driven.circuit.state is HALF_OPEN


def test_e19_given_a_reset_then_everything_is_forgotten() -> None:
    driven = Driven().opened()
    driven.circuit.reset()
    assert driven.circuit.state is CLOSED
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    driven.calls("FFFF")
    driven.circuit.reset()
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0


def test_given_a_transition_then_its_event_has_the_rates() -> None:
    driven = Driven().opened()
    assert driven.events == [
        CircuitTransition(
            name="c", from_state="closed", to_state="open", failure_rate=1.0, slow_rate=0.0
        )
    ]


# Windows


def test_given_a_count_window_then_the_oldest_call_leaves() -> None:
    driven = Driven(window=CountWindow(5), slow_rate=1.0)
    driven.calls("FFSSS")
    metrics = driven.circuit.metrics(driven.now_s)
    assert (metrics.buffered_calls, metrics.failed_calls) == (5, 2)
    driven.calls("SS")
    assert driven.circuit.metrics(driven.now_s).failed_calls == 0
    driven.call("S", 9.0)
    driven.calls("SSSSS")
    assert driven.circuit.metrics(driven.now_s).slow_calls == 0


def test_given_a_count_window_below_the_minimum_then_a_full_window_is_enough() -> None:
    driven = Driven(window=CountWindow(3), minimum_calls=100)
    driven.calls("FF")
    assert driven.circuit.state is CLOSED
    driven.call("F")
    assert driven.circuit.state is OPEN


def test_given_a_time_window_then_old_seconds_leave() -> None:
    driven = Driven(failure_rate=1.0)
    driven.calls("FFFF")
    driven.now_s += 19.9
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 4
    driven.now_s += 0.1
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    driven.calls("FFFF")
    assert driven.circuit.state is CLOSED


def test_given_jitter_then_only_that_part_is_left_to_chance() -> None:
    for draw, open_s in ((0.0, 4.0), (0.5, 4.5), (0.999999, 5.0)):
        driven = Driven(open_jitter=0.2)
        driven.circuit.open(driven.now_s, draw)
        with pytest.raises(CircuitOpenError) as caught:
            driven.circuit.acquire(driven.now_s)
        assert caught.value.retry_after_s == pytest.approx(open_s, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"failure_rate": 0}, "failure_rate: a rate above 0 and up to 1 is expected, not 0"),
        ({"failure_rate": 50}, "failure_rate: a rate above 0 and up to 1 is expected, not 50"),
        ({"slow_rate": "1"}, "slow_rate: a rate is expected, not str"),
        ({"open_jitter": -1}, "open_jitter: a rate from 0 to 1 is expected, not -1"),
        ({"minimum_calls": 0}, "minimum_calls: at least 1 is expected, not 0"),
        ({"window": 100}, "window: a CountWindow or a TimeWindow is expected, not int"),
        ({"window": CountWindow(0)}, "window.calls: at least 1 is expected, not 0"),
        (
            {"window": TimeWindow(1.5)},  # type: ignore[arg-type]
            "window.seconds: a whole number is expected, not float",
        ),
        ({"open_s": 0}, "open_s: more than 0 seconds are expected, not 0"),
        ({"open_growth": 0.9}, "open_growth: at least 1 is expected, not 0.9"),
        ({"max_open_s": 4}, "max_open_s: at least open_s (5) is expected, not 4"),
        ({"half_open_permits": True}, "half_open_permits: a whole number is expected, not bool"),
        ({"max_half_open_s": -1}, "max_half_open_s: more than 0 seconds are expected, not -1"),
        ({"slow_call_s": -1}, "slow_call_s: 0 seconds or more are expected, not -1"),
    ],
)
def test_given_a_wrong_setting_then_the_error_names_it(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Circuit(**settings)

    assert str(caught.value) == message


# What no library has


async def test_x1_given_ten_thousand_at_half_open_then_exactly_the_permits_get_through() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(minimum_calls=1, window=CountWindow(1), open_jitter=0, clock=clock)
    with pytest.raises(OSError, match="down"):
        async with breaker:
            raise OSError("down")
    clock.advance(5)
    entered = 0
    gate = asyncio.Event()

    async def call() -> None:
        nonlocal entered
        async with breaker:
            entered += 1
            await gate.wait()

    tasks = [asyncio.create_task(call()) for _ in range(10_000)]
    await asyncio.wait(tasks[10:])
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert entered == 10
    assert sum(isinstance(result, CircuitOpenError) for result in results) == 9_990
    assert breaker.state is CLOSED


async def test_x2_given_a_cancelled_call_then_it_is_neutral_and_its_permit_comes_back() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(
        minimum_calls=1, window=CountWindow(1), half_open_permits=1, clock=clock, open_jitter=0
    )
    breaker.open(clock.now_s())
    clock.advance(5)

    async def call() -> None:
        async with breaker:
            await asyncio.Event().wait()

    for _ in range(3):
        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert breaker.state is HALF_OPEN
    async with breaker:
        pass
    assert breaker.state is CLOSED


@pytest.mark.parametrize("late", ["success", "failure", "ignored", "released"])
def test_x3_given_a_late_result_then_it_changes_nothing(late: Any) -> None:
    driven = Driven()
    early = driven.circuit.acquire(driven.now_s)
    driven.half_opened()
    before = driven.circuit.metrics(driven.now_s)

    if late == "released":
        driven.circuit.release(early)
    else:
        driven.circuit.record(early, late, 9.0, driven.now_s)

    assert driven.circuit.metrics(driven.now_s) == before
    assert driven.circuit.state is HALF_OPEN
    for _ in range(4):
        driven.circuit.acquire(driven.now_s)
    with pytest.raises(CircuitOpenError):
        driven.circuit.acquire(driven.now_s)


def test_x4_given_mostly_failures_with_a_success_between_then_it_opens() -> None:
    driven = Driven()
    driven.calls("FFFFS")
    assert driven.circuit.state is OPEN


async def test_x5_given_the_wall_clock_jumps_then_nothing_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time

    breaker = CircuitBreaker(minimum_calls=1, window=TimeWindow(60))
    with pytest.raises(OSError, match="down"):
        async with breaker:
            raise OSError("down")
    wall_s = time.time()
    monkeypatch.setattr(time, "time", lambda: wall_s + 3600)

    with pytest.raises(CircuitOpenError):
        async with breaker:
            pass


def test_x7_given_one_permit_then_it_has_one_result() -> None:
    driven = Driven()
    permit = driven.circuit.acquire(driven.now_s)
    for _ in range(9):
        driven.circuit.record(permit, "failure", 0.1, driven.now_s)
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 1


def test_x8_given_a_hook_that_raises_then_the_transition_stands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def hook(event: Event) -> None:
        raise RuntimeError("a hook's own fault")

    driven = Driven(hooks=[hook]).opened()

    assert driven.circuit.state is OPEN
    assert "A dynasafe hook raised on CircuitTransition" in caplog.text


def test_x8_given_a_hook_that_changes_the_circuit_then_its_change_stands() -> None:
    def hook(event: Event) -> None:
        if isinstance(event, CircuitTransition) and event.to_state == "open":
            driven.circuit.force_open()

    driven = Driven(hooks=[hook])
    driven.calls("FFFFF")

    assert driven.circuit.state is CircuitState.FORCED_OPEN


def test_x9_given_many_tables_then_the_map_is_bounded_and_keeps_what_is_open() -> None:
    def factory(name: str) -> CircuitBreaker:
        return CircuitBreaker(name=name)

    breakers = BreakerMap(max_size=3)
    first = breakers.get(factory, "first")
    first.open(0.0)
    for number in range(100):
        breakers.get(factory, f"table-{number}")
    assert len(breakers) == 3
    assert breakers.get(factory, "first") is first
    for number in range(3):
        breakers.get(factory, f"open-{number}").open(0.0)
    assert len(breakers) == 3
    assert breakers.get(factory, "first") is not first


# On its own


async def test_given_a_decorated_function_when_it_fails_then_calls_stop() -> None:
    breaker = CircuitBreaker(minimum_calls=2, window=CountWindow(2))
    calls = 0

    @breaker
    async def charge(card: str, *, cents: int = 1) -> str:
        """Charge a card."""
        nonlocal calls
        calls += 1
        raise ConnectionError(card * cents)

    for _ in range(2):
        with pytest.raises(ConnectionError, match="xx"):
            await charge("x", cents=2)
    with pytest.raises(CircuitOpenError):
        await charge("x")

    assert calls == 2
    assert charge.__doc__ == "Charge a card."


def test_given_a_plain_function_when_decorated_then_it_is_guarded() -> None:
    calls = 0
    breaker = CircuitBreaker(minimum_calls=2)

    @breaker
    def charge(card: str) -> None:
        nonlocal calls
        calls += 1
        raise ConnectionError(card)

    for _ in range(2):
        with pytest.raises(ConnectionError, match="x"):
            charge("x")
    with pytest.raises(CircuitOpenError):
        charge("x")
    assert calls == 2


def test_given_what_ends_before_its_work_when_decorated_then_it_is_refused() -> None:
    """A generator, and a plain function that hands on a coroutine."""

    async def work() -> None: ...

    def work_later() -> Any:
        return work()

    def work_in_steps() -> Any:
        yield

    with pytest.raises(InvalidValueError, match="cannot guard a function that yields"):
        CircuitBreaker()(work_in_steps)
    with pytest.raises(InvalidValueError, match="returns a coroutine"):
        CircuitBreaker()(work_later)()


@pytest.mark.parametrize(
    ("error", "failed", "buffered"),
    [(OSError(), 1, 1), (KeyError(), 0, 1), (CircuitOpenError("x", 1), 0, 0)],
)
async def test_given_an_exception_then_its_kind_says_what_it_counts_as(
    error: Exception, failed: int, buffered: int
) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(
        is_failure=lambda each: isinstance(each, OSError), ignore=(NotSentError,), clock=clock
    )
    with pytest.raises(type(error)):
        async with breaker:
            raise error

    metrics = breaker.metrics(clock.now_s())
    assert (metrics.failed_calls, metrics.buffered_calls) == (failed, buffered)


async def test_given_a_breaker_within_itself_and_another_then_each_gets_its_own_result() -> None:
    clock = ManualClock()
    inner, outer = CircuitBreaker(clock=clock), CircuitBreaker(clock=clock)
    async with outer, inner, outer:
        clock.advance(1)

    assert inner.metrics(0).buffered_calls == 1
    assert outer.metrics(0).buffered_calls == 2


async def test_given_another_task_leaves_then_the_error_says_so() -> None:
    breaker = CircuitBreaker()

    async def enter() -> None:
        await breaker.__aenter__()

    await asyncio.create_task(enter())
    with pytest.raises(RuntimeError, match="was entered in another task or thread"):
        await breaker.__aexit__(None, None, None)


def test_given_permits_then_they_are_as_small_as_they_can_be() -> None:
    assert Permit.__slots__ == ("generation", "is_used")


CALLS: list[Callable[[Circuit], None]] = [Circuit.disable, Circuit.metrics_only]


@pytest.mark.parametrize("mode", CALLS)
def test_given_a_mode_by_hand_then_a_reset_ends_it(mode: Callable[[Circuit], None]) -> None:
    driven = Driven()
    mode(driven.circuit)
    driven.circuit.reset()
    driven.calls("FFFFF")
    assert driven.circuit.state is OPEN


def test_reset_forgets_calls_under_way() -> None:
    """A permit from before a reset changes nothing after it, also if the circuit was closed."""
    circuit = Circuit(window=CountWindow(1), minimum_calls=1)
    permit = circuit.acquire(0.0)
    circuit.reset()

    circuit.record(permit, "failure", 0.1, 0.0)

    assert circuit.state is CircuitState.CLOSED
    assert circuit.metrics(0.0).buffered_calls == 0
