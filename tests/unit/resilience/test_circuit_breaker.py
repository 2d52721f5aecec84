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


def test_e1_no_rate_below_the_minimum() -> None:
    """Below the minimum number of calls there is no failure rate; with it the circuit opens."""
    driven = Driven()
    driven.calls("FFFS")
    assert driven.circuit.metrics(driven.now_s).failure_rate == -1
    assert driven.circuit.state is CLOSED

    driven.call("S")

    metrics = driven.circuit.metrics(driven.now_s)
    assert driven.circuit.state is OPEN
    assert (metrics.failure_rate, metrics.buffered_calls, metrics.failed_calls) == (0.6, 5, 3)
    assert not driven.is_permitted()


def test_e2_failure_rate_itself_opens() -> None:
    """A circuit opens when the failure rate reaches its limit."""
    driven = Driven()
    for result in "SSSFF":
        driven.call(result)
        driven.now_s += 1
    assert driven.circuit.metrics(driven.now_s).failure_rate == pytest.approx(0.4)
    assert driven.circuit.state is CLOSED

    driven.call("F")

    assert driven.circuit.state is OPEN
    assert driven.circuit.metrics(driven.now_s).failed_calls == 3


def test_e3_slow_calls_open() -> None:
    """Slow calls open the circuit when their rate reaches its limit."""
    driven = Driven()
    for result, duration_s in (("F", 5), ("S", 5), ("F", 0.1), ("S", 0.1), ("S", 5)):
        driven.call(result, duration_s)

    assert driven.circuit.state is OPEN
    assert driven.circuit.metrics(driven.now_s).slow_rate == pytest.approx(0.6)


def test_e3_call_at_the_limit_is_not_slow() -> None:
    """A call that takes as long as the limit is not slow."""
    driven = Driven()
    driven.calls("SSSSS", 4.0)
    assert driven.circuit.metrics(driven.now_s).slow_calls == 0


def test_e4_probes_pass_after_open_s() -> None:
    """An open circuit refuses calls until its time is over, then it is half-open."""
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


def test_e6_openings_grow() -> None:
    """Each opening in a row is longer than the one before."""
    driven = Driven(open_growth=1.5).half_opened()
    driven.calls("FFFF")
    assert driven.circuit.state is OPEN
    driven.now_s += 6
    assert not driven.is_permitted()
    driven.now_s += 5
    assert driven.is_permitted()


def test_e6_recovery_ends_the_growth() -> None:
    """After a recovery the next opening is as short as the first one."""
    driven = Driven(open_growth=10.0).half_opened()
    driven.calls("SSSS")
    assert driven.circuit.state is CLOSED
    driven.opened()
    driven.now_s += 5
    assert driven.is_permitted()


def test_e6_longest_opening() -> None:
    """No opening is longer than the longest that is set, also after many."""
    driven = Driven(open_growth=10.0, max_open_s=60.0, max_half_open_s=None).opened()
    for _ in range(400):
        driven.now_s += 60
        driven.calls("FFFF")
        assert driven.circuit.state is OPEN
        assert not driven.is_permitted()


@pytest.mark.parametrize(
    ("results", "state"), [("FFSF", OPEN), ("FSSS", CLOSED), ("SSSS", CLOSED), ("SFFS", OPEN)]
)
def test_e7_e9_rate_of_probes_decides(results: str, state: CircuitState) -> None:
    """The failure rate of the probes opens or closes a half-open circuit."""
    driven = Driven().half_opened()

    driven.calls(results)

    assert driven.circuit.state is state
    if results == "FFSF":
        assert driven.circuit.metrics(driven.now_s).failure_rate == 0.75
    if state is CLOSED:
        assert driven.circuit.metrics(driven.now_s).buffered_calls == 0


def test_e8_slow_probes_open() -> None:
    """Slow probes open the circuit again."""
    driven = Driven().half_opened()
    driven.calls("SSS", 5.0)
    driven.call("S")

    metrics = driven.circuit.metrics(driven.now_s)
    assert driven.circuit.state is OPEN
    assert (metrics.slow_rate, metrics.failure_rate) == (0.75, 0.0)


def test_e10_half_open_permits() -> None:
    """A half-open circuit gives so many permits, and one more for each that comes back."""
    driven = Driven().half_opened()
    permits = [driven.circuit.acquire(driven.now_s) for _ in range(4)]
    with pytest.raises(CircuitOpenError) as caught:
        driven.circuit.acquire(driven.now_s)
    assert caught.value.retry_after_s == HALF_OPEN_RETRY_S
    driven.circuit.release(permits[0])
    assert driven.is_permitted()
    driven.circuit.release(permits[0])  # releasing it again changes nothing
    permits[0] = driven.circuit.acquire(driven.now_s)
    assert not driven.is_permitted()

    for permit in permits:
        driven.circuit.record(permit, "failure", 0.1, driven.now_s)
    driven.now_s += 6
    assert [driven.circuit.acquire(driven.now_s) for _ in range(4)]
    assert not driven.is_permitted()


def test_e11_ignored_call_does_not_count() -> None:
    """An ignored call is not counted."""
    driven = Driven()
    driven.calls("SSSIF")
    assert driven.circuit.state is CLOSED
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 4


def test_e12_ignored_probes_give_permits_back() -> None:
    """Ignored probes give their permits back."""
    driven = Driven().half_opened()
    driven.calls("IIIISSSS")
    assert driven.circuit.state is CLOSED


def test_e13_forced_open_stays() -> None:
    """A circuit that was opened by hand stays open at any later time."""
    driven = Driven()
    driven.circuit.force_open()
    driven.now_s += 1e9
    with pytest.raises(CircuitOpenError, match="was opened by hand"):
        driven.circuit.acquire(driven.now_s)
    assert driven.circuit.state is CircuitState.FORCED_OPEN


def test_e14_disabled_records_nothing() -> None:
    """A disabled circuit lets all calls pass and counts none."""
    driven = Driven()
    driven.circuit.disable()
    driven.calls("F" * 50)
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    assert driven.circuit.state is CircuitState.DISABLED


def test_e15_metrics_only_reports_once() -> None:
    """A circuit that only measures reports an exceeded rate once and stays closed."""
    driven = Driven()
    driven.circuit.metrics_only()
    driven.calls("F" * 50)
    reports = [event for event in driven.events if isinstance(event, CircuitRateExceeded)]
    assert reports == [CircuitRateExceeded(name="c", failure_rate=1.0, slow_rate=0.0)]
    assert driven.circuit.state is CircuitState.METRICS_ONLY
    assert driven.circuit.metrics(driven.now_s).failed_calls == 50


def test_e16_closed_cannot_be_half_opened() -> None:
    """Only an open circuit can become half-open."""
    driven = Driven()
    with pytest.raises(InvalidValueError, match="a closed circuit cannot become half-open"):
        driven.circuit.half_open(driven.now_s)
    driven.circuit.open(driven.now_s)
    driven.circuit.half_open(driven.now_s)
    assert driven.circuit.state is HALF_OPEN


def test_e17_same_state_sends_no_event() -> None:
    """Setting the state that a circuit has already sends no event."""
    driven = Driven()
    driven.circuit.reset()
    driven.circuit.force_open()
    driven.circuit.force_open()
    assert [type(event) for event in driven.events] == [CircuitTransition]


def test_e18_probes_that_do_not_end_open() -> None:
    """Probes that do not end in time open the circuit again."""
    driven = Driven().half_opened()
    driven.now_s += 0.999
    assert driven.is_permitted()
    driven.now_s += 0.001
    assert not driven.is_permitted()
    assert driven.circuit.state is OPEN
    driven.now_s += 5
    assert driven.is_permitted()


def test_e18_half_open_without_a_limit() -> None:
    """Without a limit, a half-open circuit waits for its probes at any later time."""
    driven = Driven(max_half_open_s=None).half_opened()
    driven.now_s += 1e9
    assert driven.is_permitted()
    assert driven.circuit.state is HALF_OPEN


def test_e19_reset_forgets_everything() -> None:
    """A reset closes the circuit and forgets all calls."""
    driven = Driven().opened()
    driven.circuit.reset()
    assert driven.circuit.state is CLOSED
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    driven.calls("FFFF")
    driven.circuit.reset()
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0


def test_transition_has_the_rates() -> None:
    """The event of a transition has both states and both rates."""
    driven = Driven().opened()
    assert driven.events == [
        CircuitTransition(
            name="c", from_state="closed", to_state="open", failure_rate=1.0, slow_rate=0.0
        )
    ]


# Windows


def test_count_window_drops_the_oldest() -> None:
    """In a full count window, each call replaces the oldest one."""
    driven = Driven(window=CountWindow(5), slow_rate=1.0)
    driven.calls("FFSSS")
    metrics = driven.circuit.metrics(driven.now_s)
    assert (metrics.buffered_calls, metrics.failed_calls) == (5, 2)
    driven.calls("SS")
    assert driven.circuit.metrics(driven.now_s).failed_calls == 0
    driven.call("S", 9.0)
    driven.calls("SSSSS")
    assert driven.circuit.metrics(driven.now_s).slow_calls == 0


def test_count_window_below_the_minimum() -> None:
    """A full count window is enough, also if it is smaller than the minimum."""
    driven = Driven(window=CountWindow(3), minimum_calls=100)
    driven.calls("FF")
    assert driven.circuit.state is CLOSED
    driven.call("F")
    assert driven.circuit.state is OPEN


def test_time_window_drops_old_seconds() -> None:
    """Calls leave a time window once they are as old as the window."""
    driven = Driven(failure_rate=1.0)
    driven.calls("FFFF")
    driven.now_s += 19.9
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 4
    driven.now_s += 0.1
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 0
    driven.calls("FFFF")
    assert driven.circuit.state is CLOSED


def test_jitter_shortens_the_opening() -> None:
    """Jitter shortens the opening by at most its share."""
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
def test_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    """The error for a wrong setting names it and says what is expected."""
    with pytest.raises(InvalidValueError) as caught:
        Circuit(**settings)

    assert str(caught.value) == message


# What no library has


async def test_x1_ten_thousand_calls_at_half_open() -> None:
    """Of 10,000 calls at half-open, as many get through as there are permits."""
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


async def test_x2_cancelled_call_is_neutral() -> None:
    """A cancelled call counts as nothing, and its permit comes back."""
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
def test_x3_late_result_changes_nothing(late: Any) -> None:
    """A result for a permit of an earlier state changes nothing."""
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


def test_x4_success_does_not_hide_failures() -> None:
    """A success after four failures opens the circuit: it completes the minimum."""
    driven = Driven()
    driven.calls("FFFFS")
    assert driven.circuit.state is OPEN


async def test_x5_wall_clock_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """A jump of the wall clock does not end an opening."""
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


def test_x7_permit_has_one_result() -> None:
    """Only the first result of a permit counts."""
    driven = Driven()
    permit = driven.circuit.acquire(driven.now_s)
    for _ in range(9):
        driven.circuit.record(permit, "failure", 0.1, driven.now_s)
    assert driven.circuit.metrics(driven.now_s).buffered_calls == 1


def test_x8_raising_hook(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that raises is logged, and the transition happens."""

    def hook(event: Event) -> None:
        raise RuntimeError("a hook's own fault")

    driven = Driven(hooks=[hook]).opened()

    assert driven.circuit.state is OPEN
    assert "A dynasafe hook raised on CircuitTransition" in caplog.text


def test_x8_hook_that_changes_the_circuit() -> None:
    """A hook may change the state of the circuit that sends the event."""

    def hook(event: Event) -> None:
        if isinstance(event, CircuitTransition) and event.to_state == "open":
            driven.circuit.force_open()

    driven = Driven(hooks=[hook])
    driven.calls("FFFFF")

    assert driven.circuit.state is CircuitState.FORCED_OPEN


def test_x9_many_tables() -> None:
    """A full map of breakers drops closed ones first, and open ones if there are no others."""

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


async def test_decorated_coroutine_is_guarded() -> None:
    """A decorated async function is not called while the circuit is open."""
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


def test_decorated_function_is_guarded() -> None:
    """A decorated plain function is not called while the circuit is open."""
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


def test_generators_are_refused() -> None:
    """A generator, and a plain function that returns a coroutine."""

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
async def test_exceptions_count_by_their_kind(error: Exception, failed: int, buffered: int) -> None:
    """An exception counts as failed, as successful or not at all."""
    clock = ManualClock()
    breaker = CircuitBreaker(
        is_failure=lambda each: isinstance(each, OSError), ignore=(NotSentError,), clock=clock
    )
    with pytest.raises(type(error)):
        async with breaker:
            raise error

    metrics = breaker.metrics(clock.now_s())
    assert (metrics.failed_calls, metrics.buffered_calls) == (failed, buffered)


async def test_nested_breakers() -> None:
    """A breaker inside another one, and inside itself, gives each entry its own result."""
    clock = ManualClock()
    inner, outer = CircuitBreaker(clock=clock), CircuitBreaker(clock=clock)
    async with outer, inner, outer:
        clock.advance(1)

    assert inner.metrics(0).buffered_calls == 1
    assert outer.metrics(0).buffered_calls == 2


async def test_leaving_in_another_task() -> None:
    """Leaving a breaker in another task than the one that entered it raises."""
    breaker = CircuitBreaker()

    async def enter() -> None:
        await breaker.__aenter__()

    await asyncio.create_task(enter())
    with pytest.raises(RuntimeError, match="was entered in another task or thread"):
        await breaker.__aexit__(None, None, None)


def test_permits_are_small() -> None:
    """A permit has two fields."""
    assert Permit.__slots__ == ("generation", "is_used")


CALLS: list[Callable[[Circuit], None]] = [Circuit.disable, Circuit.metrics_only]


@pytest.mark.parametrize("mode", CALLS)
def test_reset_ends_each_mode(mode: Callable[[Circuit], None]) -> None:
    """After a reset, a circuit in any mode opens by its rate again."""
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
