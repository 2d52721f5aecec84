"""Clients, a server, a circuit breaker and a quota in virtual time, without asyncio.

All that decides is the library's own; only time, chance and the server are made up. One seed gives
one history: `python -m tests.simulation SEED` tells it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from dynasafe.circuit_breaker import ThreadSafeCircuit
from dynasafe.errors import (
    CircuitOpenError,
    DynasafeError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
)
from dynasafe.resilience.attempts import (
    Answered,
    Call,
    Deadline,
    Raised,
    Send,
    Sleep,
    SlotTaken,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.boundary import Lost
from dynasafe.resilience.circuit_breaker import Circuit, CircuitState, CountWindow, TimeWindow
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from dynasafe.sync.state import ThreadSafeQuota
from tests.support.driving import service_error
from tests.support.faces import Face

LOST = Lost("no answer in time")
Event = tuple[float, int, Callable[[], None]]


class Timeline:
    """Things that happen, in the order of their times."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._events: list[Event] = []
        self._count = 0

    def at(self, when_s: float, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (max(when_s, self.now_s), self._count, happen))

    def run(self) -> None:
        while self._events:
            self.now_s, _, happen = heapq.heappop(self._events)
            happen()


@dataclass
class Tally:
    """What the callers got."""

    calls: int = 0
    sent: int = 0
    succeeded: int = 0
    not_sent: int = 0
    refused: int = 0
    unknown: int = 0
    cancelled_unknown: int = 0
    ends: list[tuple[float, bool]] = field(default_factory=list)


class Caller:
    """Drives one call through the library's loop."""

    def __init__(
        self,
        timeline: Timeline,
        tally: Tally,
        random: Random,
        submit: Callable[[Call, Callable[[object], None]], None],
        call: Call,
        **settings: Any,
    ) -> None:
        self.timeline = timeline
        self.tally = tally
        self.random = random
        self.submit = submit
        self.call = call
        self.turn = 0  # what comes for an earlier turn comes too late
        self.loop: Generator[Any, Any, Any] = attempts(call, now_s=timeline.now_s, **settings)
        tally.calls += 1
        self._go(None)

    def cancel(self) -> None:
        """As a task is cancelled, if it still runs."""
        if self.turn < 0:
            return
        self.turn = -1
        try:
            self.loop.throw(Cancelled())
        except Cancelled as cancelled:
            if cancelled.__cause__ is not None:
                self.tally.cancelled_unknown += 1

    def _go(self, reply: object) -> None:
        self.turn += 1
        turn = self.turn
        try:
            command = self.loop.send(reply)
        except StopIteration:
            self._end(None)
            return
        except DynasafeError as error:
            self._end(error)
            return
        now_s = self.timeline.now_s

        def come(make: Callable[[], object]) -> None:
            if self.turn == turn:
                self._go(make())

        match command:
            case TakeSlot():
                self._go(SlotTaken(now_s, was_awaited=False))
            case Sleep(delay_s=delay_s):
                self.timeline.at(now_s + delay_s, lambda: come(lambda: Woke(self.timeline.now_s)))
            case Send(timeout_s=timeout_s):
                self.tally.sent += 1
                if timeout_s is not None:
                    self.timeline.at(now_s + timeout_s, lambda: come(lambda: self._raised(LOST)))
                self.submit(self.call, lambda answer: come(lambda: self._reply(answer)))
            case _:
                raise AssertionError(command)

    def _reply(self, answer: object) -> object:
        if isinstance(answer, Exception):
            return self._raised(answer)
        return Answered({}, self.timeline.now_s)

    def _raised(self, error: Exception) -> Raised:
        return Raised(error, self.timeline.now_s, self.random.random())

    def _end(self, error: DynasafeError | None) -> None:
        self.turn = -1
        tally = self.tally
        tally.ends.append((self.timeline.now_s, error is None))
        if error is None:
            tally.succeeded += 1
        elif isinstance(error, OutcomeUnknownError):
            tally.unknown += 1
        elif isinstance(error, NotSentError):
            tally.not_sent += 1
        else:
            assert isinstance(error, ServiceError | NoAnswerError)
            tally.refused += 1


class Cancelled(BaseException):
    """Stands for asyncio.CancelledError."""


class Watched(Circuit):
    """A circuit that checks its own rules from outside."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.held = 0
        self.probes = 0
        self.seen_generation = -1

    def acquire(self, now_s: float, draw: float = 0.5) -> Any:
        try:
            permit = super().acquire(now_s, draw)
        except CircuitOpenError:
            assert self.state in (CircuitState.OPEN, CircuitState.HALF_OPEN)
            raise
        assert self.state in (CircuitState.CLOSED, CircuitState.HALF_OPEN)
        self.held += 1
        if self.state is CircuitState.HALF_OPEN:
            if self.seen_generation != permit.generation:
                self.seen_generation, self.probes = permit.generation, 0
            self.probes += 1
            assert self.probes <= self.half_open_permits
        return permit

    def record(self, permit: Any, result: Any, *args: Any, **kwargs: Any) -> None:
        if result != "ignored":
            self.held -= 1
        super().record(permit, result, *args, **kwargs)

    def release(self, permit: Any) -> None:
        self.held -= 1
        if permit.generation == self.seen_generation and not permit.is_used:
            self.probes -= 1
        super().release(permit)


class WatchedThreadSafe(Watched, ThreadSafeCircuit):
    """The same of the sync face, with its locks."""


SHARED: dict[Face, tuple[type[Watched], type[RetryQuota]]] = {
    "async": (Watched, RetryQuota),
    "sync": (WatchedThreadSafe, ThreadSafeQuota),
}
"""What the calls of one client share, by face."""


class FaultyServer:
    """Applies increments, and loses some of its answers."""

    def __init__(self, timeline: Timeline, random: Random) -> None:
        self.timeline = timeline
        self.random = random
        self.applied = 0
        self.tokens: set[str] = set()
        self.rates = [random.random() * 0.25 for _ in range(4)]
        start_s = random.random() * 20
        self.outage_s = (start_s, start_s + random.random() * 15)

    def submit(self, call: Call, answer: Callable[[object], None]) -> None:
        latency_s = self.random.expovariate(20)
        if self.random.random() < 0.02:
            latency_s += 3
        self.timeline.at(self.timeline.now_s + latency_s, lambda: self._serve(call, answer))

    def _serve(self, call: Call, answer: Callable[[object], None]) -> None:
        if self.outage_s[0] <= self.timeline.now_s < self.outage_s[1]:
            if self.random.random() < 0.5:
                answer(service_error("InternalServerError", 500))
            return
        throttled, before, after, lost = self.rates
        draw = self.random.random()
        if draw < throttled:
            answer(service_error("ThrottlingException"))
        elif draw < throttled + before:
            answer(service_error("InternalServerError", 500))
        else:
            self._apply(call)
            if draw < throttled + before + after:
                answer(service_error("", 503))
            elif draw >= throttled + before + after + lost:
                answer({})

    def _apply(self, call: Call) -> None:
        token = call.client_request_token
        if token is None or token not in self.tokens:
            self.applied += 1
        if token is not None:
            self.tokens.add(token)


@dataclass(frozen=True)
class History:
    """What came of one seed."""

    seed: int
    tally: Tally
    applied: int
    exactly_once: bool
    quota_left: int


def simulate(seed: int, face: Face = "async") -> History:
    """One random world, whose invariants are checked as it goes."""
    circuit_class, quota_class = SHARED[face]
    random = Random(seed)
    timeline = Timeline()
    tally = Tally()
    server = FaultyServer(timeline, random)
    exactly_once = random.random() < 0.5
    quota = quota_class(random.choice([0, 30, 100, 500]))
    policy = RetryPolicy(max_attempts=random.randint(1, 6), throttle_base_delay_s=0.5)
    circuit = circuit_class(
        window=_window(random),
        minimum_calls=random.randint(2, 20),
        open_s=random.choice([0.5, 2.0, 5.0]),
        half_open_permits=random.randint(1, 5),
        max_half_open_s=random.choice([None, 2.0]),
        slow_call_s=random.choice([1.0, 60.0]),
    )
    timeout_s = random.choice([None, 2.0, 10.0])
    callers: list[Caller] = []

    def start(number: int) -> None:
        call = Call(
            operation="TransactWriteItems" if exactly_once else "UpdateItem",
            table_name="t",
            is_write=True,
            is_repeatable=exactly_once,
            client_request_token=f"token-{number}" if exactly_once else None,
        )
        now_s = timeline.now_s
        caller = Caller(
            timeline,
            tally,
            random,
            server.submit,
            call,
            policy=policy,
            quota=quota,
            permits=circuit,
            deadline=None if timeout_s is None else Deadline(now_s + timeout_s, timeout_s),
            attempt_timeout_s=1.0,
        )
        callers.append(caller)
        assert 0 <= quota.available <= quota.capacity
        if random.random() < 0.05:
            timeline.at(now_s + random.random(), caller.cancel)

    for number in range(150):
        timeline.at(random.random() * 40, partial(start, number))
    timeline.run()

    assert circuit.held == 0
    assert tally.sent <= tally.calls * policy.max_attempts
    told = tally.succeeded + tally.unknown + tally.not_sent + tally.refused
    assert told <= tally.calls
    assert tally.succeeded <= server.applied
    assert server.applied <= tally.succeeded + tally.unknown + tally.cancelled_unknown
    return History(seed, tally, server.applied, exactly_once, quota.available)


def _window(random: Random) -> CountWindow | TimeWindow:
    return CountWindow(random.randint(2, 50)) if random.random() < 0.5 else TimeWindow(10)


@dataclass(frozen=True)
class Overload:
    """What came of an outage of ten seconds."""

    recovered_after_s: float
    amplification: float


def overload(
    seed: int,
    *,
    policy: RetryPolicy | None,
    with_breaker: bool,
    offered_per_s: float = 280.0,
    capacity_per_s: float = 300.0,
    outage_s: float = 10.0,
    timeout_s: float = 1.0,
    length_s: float = 120.0,
) -> Overload:
    """A server that serves in order, also those who have gone, and stands still for ten seconds."""
    random = Random(seed)
    timeline = Timeline()
    tally = Tally()
    began_s = 20.0
    free_s = 0.0

    def submit(call: Call, answer: Callable[[object], None]) -> None:
        nonlocal free_s
        start_s = max(free_s, timeline.now_s)
        if began_s <= start_s < began_s + outage_s:
            start_s = began_s + outage_s
        free_s = start_s + 1 / capacity_per_s
        timeline.at(free_s, lambda: answer({}))

    quota = RetryQuota(policy.quota) if policy is not None and policy.quota is not None else None
    circuit = Circuit() if with_breaker else None
    read = Call(operation="GetItem", table_name="t", is_write=False, is_repeatable=True)

    def arrive() -> None:
        Caller(
            timeline,
            tally,
            random,
            submit,
            read,
            policy=policy,
            quota=quota,
            permits=circuit,
            attempt_timeout_s=timeout_s,
        )
        if timeline.now_s < length_s:
            timeline.at(timeline.now_s + random.expovariate(offered_per_s), arrive)

    timeline.at(0, arrive)
    timeline.run()
    return Overload(
        recovered_after_s=_recovered_after_s(tally, began_s + outage_s, length_s),
        amplification=tally.sent / tally.calls,
    )


def _recovered_after_s(tally: Tally, back_s: float, length_s: float) -> float:
    """Until the first second from which on 99 % of the calls of each second succeed."""
    seconds: dict[int, list[bool]] = {}
    for ended_s, is_success in tally.ends:
        seconds.setdefault(int(ended_s), []).append(is_success)
    recovered = back_s
    for second in range(int(back_s), int(length_s)):
        ends = seconds.get(second, [])
        if not ends or sum(ends) / len(ends) < 0.99:
            recovered = second + 1
    return recovered - back_s


def failing(
    failure_rate: float, *, clients: int = 50, calls: int = 600, seed: int = 1
) -> tuple[float, float]:
    """Clients of a server that fails at a rate: attempts per call, and the rate of success."""
    random = Random(seed)
    timeline = Timeline()
    tally = Tally()
    read = Call(operation="GetItem", table_name="t", is_write=False, is_repeatable=True)

    def submit(call: Call, answer: Callable[[object], None]) -> None:
        is_failure = random.random() < failure_rate
        result: Any = service_error("InternalServerError", 500) if is_failure else {}
        timeline.at(timeline.now_s + 0.01, lambda: answer(result))

    def start(quota: RetryQuota) -> None:
        Caller(timeline, tally, random, submit, read, policy=RetryPolicy(), quota=quota)

    for _ in range(clients):
        quota = RetryQuota()
        for number in range(calls):
            timeline.at(number * 0.01, partial(start, quota))
    timeline.run()
    return tally.sent / tally.calls, tally.succeeded / tally.calls
