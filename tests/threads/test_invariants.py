"""What threads share: slots, permits and the quota are right whatever the calls come to.

`make stress` runs the storm for a minute.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import FrameType
from typing import Any

import pytest

from dynasafe import (
    Attr,
    CircuitBreaker,
    DynamoDB,
    Item,
    RetryPolicy,
    Table,
    UpdateBuilder,
    attribute,
)
from dynasafe.errors import CircuitOpenError, DynasafeError
from dynasafe.resilience.boundary import Lost, NotSent
from dynasafe.resilience.circuit_breaker import CircuitState, CountWindow
from dynasafe.sync.slots import Slots
from dynasafe.testing import connection_refused, ok, server_error, throttled, timed_out
from dynasafe.testing.sync import ManualClock, ScriptedTransport, fake_table
from tests.threads.running import in_threads

STORM_CALLS = int(os.environ.get("DYNASAFE_STORM_CALLS", "3000"))
STORM_THREADS = 200


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)


VISIT = UpdateBuilder(Person).increment(Person.visits, 1)


class Storm:
    """A transport that answers at random, and counts how many requests are under way."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._lock = threading.Lock()
        self.under_way = 0
        self.most = 0

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        return False

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            drawn = self._random.random()
        try:
            if drawn < 0.02:
                raise KeyboardInterrupt  # as from a signal, or gevent.Timeout
            for share, failure in FAILURES:
                drawn -= share
                if drawn < 0:
                    raise failure()
            return {}
        finally:
            with self._lock:
                self.under_way -= 1


FAILURES: list[tuple[float, Callable[[], Exception]]] = [
    (0.1, timed_out),
    (0.1, throttled),
    (0.1, server_error),
    (0.1, connection_refused),
    (0.05, lambda: Lost("reset")),
    (0.05, lambda: NotSent("no slot")),
    (0.05, lambda: ValueError("from a signal handler")),
]


@pytest.mark.timeout(600)
def test_a_storm_leaves_everything_right() -> None:
    """200 threads, faults, interrupts and short deadlines: slots, permits and quota are whole."""
    transport = Storm(1)
    transitions: Counter[str] = Counter()
    breaker = CircuitBreaker(
        minimum_calls=20,
        window=CountWindow(20),
        half_open_permits=3,
        open_s=0.001,
        max_open_s=0.001,
        max_half_open_s=None,
        hooks=[lambda event: transitions.update([type(event).__name__])],
    )
    clock = ManualClock()
    db = DynamoDB.over(
        transport,
        clock=clock,
        max_connections=20,
        breaker=breaker,
        retry=RetryPolicy(max_attempts=3, quota=200),
    )
    people = db.table("people", Person)
    numbers = iter(range(STORM_CALLS))
    outcomes: Counter[str] = Counter()

    def work(index: int) -> None:
        random = Random(index)
        for _ in numbers:
            try:
                people.update_item({"id": "a"}, VISIT, timeout_s=random.choice([0.01, 1.0, 30.0]))
                outcome = "ok"
            except (DynasafeError, KeyboardInterrupt, ValueError) as error:
                outcome = type(error).__name__
                if isinstance(error, KeyboardInterrupt | ValueError):
                    outcome += f" with {type(error.__cause__).__name__}"
            outcomes[outcome] += 1

    in_threads(STORM_THREADS, work)

    executor = db._executor
    assert transport.under_way == 0
    assert 0 < transport.most <= 20
    assert executor.slots.in_flight == 0
    assert not executor.slots._waiters
    quota = executor.state.quota(RetryPolicy(quota=200))
    assert quota is not None
    assert 0 <= quota.available <= 200
    interrupts = {
        f"{name} with OutcomeUnknownError" for name in ("KeyboardInterrupt", "ValueError")
    }
    assert {"ok", "CircuitOpenError", "OutcomeUnknownError", *interrupts} <= set(outcomes)
    assert not [name for name in outcomes if name.endswith("with NoneType")]
    assert transitions["CircuitTransition"] > 0
    # All permits are back: the half-open circuit gives exactly as many as it has.
    breaker.open(clock.now_s())
    clock.advance(1)
    permits = [breaker.acquire(clock.now_s()) for _ in range(3)]
    with pytest.raises(CircuitOpenError):
        breaker.acquire(clock.now_s())
    assert len(permits) == 3


def test_half_open_circuit_admits_its_permits() -> None:
    """Of 100 threads at once, ten get through, and a late result changes nothing."""
    breaker = CircuitBreaker(half_open_permits=10, clock=ManualClock())
    late = breaker.acquire(0.0)
    breaker.open(0.0)
    admitted: list[object] = []
    refused: list[object] = []

    def work(index: int) -> None:
        try:
            admitted.append(breaker.acquire(100.0))
        except CircuitOpenError:
            refused.append(index)

    in_threads(100, work)
    assert (len(admitted), len(refused)) == (10, 90)
    breaker.record(late, "failure", 0.0, 100.0)
    assert breaker.state is CircuitState.HALF_OPEN


def test_hooks_run_outside_of_the_lock() -> None:
    """A hook may ask the breaker from another thread, and each transition comes once."""
    seen: list[str] = []

    def hook(event: Any) -> None:
        asked = threading.Thread(target=lambda: breaker.metrics(0.0))
        asked.start()
        asked.join(5)
        assert not asked.is_alive()
        seen.append(event.to_state)

    breaker = CircuitBreaker(minimum_calls=1, hooks=[hook], clock=ManualClock())
    breaker.record(breaker.acquire(0.0), "failure", 0.0, 0.0)
    breaker.reset()
    assert seen == ["open", "closed"]


def test_a_quota_is_shared() -> None:
    """50 threads that fail all the time make as many retries as one would."""
    transport = ScriptedTransport(otherwise=server_error())
    people = Table(
        "people",
        Person,
        transport=transport,
        clock=ManualClock(),
        breaker=None,
        retry=RetryPolicy(max_attempts=3, quota=140),
    )

    def work(index: int) -> None:
        with pytest.raises(DynasafeError):
            people.get_item({"id": "a"})

    in_threads(50, work)
    assert len(transport.calls) == 50 + 10  # a retry costs 14


def test_slots_are_handed_on_in_order() -> None:
    """Who waits longest is next; one that gives up is passed over."""
    slots = Slots(1)
    slots.take("holder", None)
    order: list[str] = []
    threads = []
    for name in ("first", "second", "third"):
        threads.append(threading.Thread(target=lambda name=name: wait(slots, name, order)))
        threads[-1].start()
        while len(slots._waiters) < len(threads):
            os.sched_yield()
    with pytest.raises(TimeoutError):
        slots.take("impatient", 0.0)
    slots.release("holder")
    for each in threads:
        each.join(5)
    assert order == ["first", "second", "third"]
    assert slots.in_flight == 0


def wait(slots: Slots, name: str, order: list[str]) -> None:
    slots.take(name, None)
    order.append(name)
    slots.release(name)


def test_a_slot_is_given_back_once() -> None:
    """Giving it back again does no harm."""
    slots = Slots(2)
    slots.take("a", None)
    slots.take("b", None)
    slots.release("a")
    slots.release("a")
    assert slots.in_flight == 1


# Interrupts at each line of the driver


class InterruptedError_(BaseException):
    """Raised by the test at a line, as a signal handler would."""


def interrupted_at(line: int, work: Callable[[], object]) -> bool:
    """Run it, and raise at the nth line that the driver comes to; whether it came so far."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if not frame.f_code.co_filename.endswith("sync/execute.py"):
            return None
        if event == "line":
            seen += 1
            if seen == line:
                raise InterruptedError_
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except InterruptedError_:
        return True
    except DynasafeError:
        pass
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("replies", [[ok()], [throttled(), ok()], [timed_out()]])
def test_interrupts_leave_slots_right(replies: list[Any]) -> None:
    """An exception at each line of the driver in turn: no slot stays taken."""
    line = 0
    while True:
        line += 1
        transport = ScriptedTransport(replies)
        people = Table("people", Person, transport=transport, clock=ManualClock(), breaker=None)
        was_interrupted = interrupted_at(line, partial(people.update_item, {"id": "a"}, VISIT))
        assert people._executor.slots.in_flight == 0, line
        if not was_interrupted:
            break
    assert line > 30


# Parallel scans


def test_segments_are_read_by_few_threads() -> None:
    """1,000 segments, 16 threads at most, and none of them left."""
    people = fake_table(Person, items=[Person(id=f"p{number}") for number in range(50)])
    most = 0
    found = []
    for person in people.scan(total_segments=1000):
        running = sum(each.name == "dynasafe-scan" for each in threading.enumerate())
        most = max(most, running)
        found.append(person.id)
    assert len(found) == 50
    assert most <= 16
    assert not any(each.name == "dynasafe-scan" for each in threading.enumerate())


def test_a_scan_that_is_left_stops() -> None:
    """After `break` no request goes on, and no thread."""
    people = fake_table(Person, items=[Person(id=f"p{number}") for number in range(50)])
    pages = people.scan(total_segments=8, limit=1)
    items = iter(pages)
    next(items)
    items.close()  # type: ignore[attr-defined]
    transport: Any = people._executor._transport
    sent = len(transport.calls)
    assert not any(each.name == "dynasafe-scan" for each in threading.enumerate())
    assert len(transport.calls) == sent


def test_an_error_of_a_segment_is_raised() -> None:
    """The error of a segment is raised, and the threads end."""
    transport = ScriptedTransport([ok({"Items": [], "Count": 0})], otherwise=server_error())
    people = Table("people", transport=transport, retry=None, breaker=None)
    with pytest.raises(DynasafeError):
        people.scan(total_segments=4).to_list()
    assert not any(each.name == "dynasafe-scan" for each in threading.enumerate())
