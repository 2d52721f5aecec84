"""The circuit breaker and the retry quota against plain models."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dynasafe.errors import CircuitOpenError
from dynasafe.resilience.circuit_breaker import (
    Circuit,
    CircuitState,
    CountWindow,
    Permit,
    TimeWindow,
)
from dynasafe.resilience.retry import RetryQuota

SECONDS = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])


class CircuitMachine(RuleBasedStateMachine):
    """The model keeps every result of the present state in a list, and counts it again."""

    @initialize(
        window=st.one_of(st.integers(1, 6).map(CountWindow), st.integers(1, 6).map(TimeWindow)),
        minimum=st.integers(1, 5),
        permits=st.integers(1, 4),
        growth=st.sampled_from([1.0, 2.0]),
        longest=st.sampled_from([None, 3.0]),
    )
    def start(
        self, window: Any, minimum: int, permits: int, growth: float, longest: float | None
    ) -> None:
        self.circuit = Circuit(
            failure_rate=0.5,
            slow_rate=0.75,
            slow_call_s=1.0,
            window=window,
            minimum_calls=minimum,
            open_s=4.0,
            open_growth=growth,
            max_open_s=16.0,
            open_jitter=0.0,
            half_open_permits=permits,
            max_half_open_s=longest,
        )
        self.window = window
        self.minimum = min(minimum, window.calls) if isinstance(window, CountWindow) else minimum
        self.permits = permits
        self.growth = growth
        self.longest = longest
        self.now_s = 1000.0
        self.state = "closed"
        self.openings = 0
        self.open_until_s = 0.0
        self.half_open_since_s = 0.0
        self.in_use = 0
        self.generation = 0
        self.results: list[tuple[float, bool, bool]] = []
        self.held: list[tuple[Permit, int]] = []

    def enter(self, state: str) -> None:
        self.state = state
        self.generation += 1
        if state != "open":
            self.results = []
        self.in_use = 0

    def open(self, at_s: float) -> None:
        self.openings += 1
        length_s = min(16.0, 4.0 * self.growth ** (self.openings - 1))
        self.open_until_s = at_s + length_s
        self.enter("open")

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def acquire(self) -> None:
        if self.state == "half_open" and self.longest is not None:
            ended_s = self.half_open_since_s + self.longest
            if self.now_s >= ended_s:
                self.open(ended_s)
        if self.state == "open" and self.now_s >= self.open_until_s:
            self.enter("half_open")
            self.half_open_since_s = self.now_s
        refused = self.state == "open" or (
            self.state == "half_open" and self.in_use >= self.permits
        )
        try:
            permit = self.circuit.acquire(self.now_s)
        except CircuitOpenError:
            assert refused
        else:
            assert not refused
            self.in_use += 1
            self.held.append((permit, self.generation))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), result=st.sampled_from(["success", "failure", "ignored"]), took=SECONDS)
    def finish(self, data: st.DataObject, result: Any, took: float) -> None:
        at = data.draw(st.integers(0, len(self.held) - 1))
        permit, generation = self.held.pop(at)
        self.circuit.record(permit, result, took, self.now_s)
        if generation != self.generation:
            return
        if result == "ignored":
            self.in_use -= 1
            return
        self.results.append((self.now_s, result == "failure", took > 1.0))
        counted = self.counted()
        needed = self.permits if self.state == "half_open" else self.minimum
        if len(counted) < needed:
            return
        failures = sum(failed for _, failed, _ in counted) / len(counted)
        slow = sum(each for _, _, each in counted) / len(counted)
        if failures >= 0.5 or slow >= 0.75:
            self.open(self.now_s)
        elif self.state == "half_open":
            self.openings = 0
            self.enter("closed")

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.held) - 1))
        permit, generation = self.held.pop(at)
        self.circuit.release(permit)
        if generation == self.generation:
            self.in_use -= 1

    def counted(self) -> list[tuple[float, bool, bool]]:
        if self.state == "half_open":
            return self.results[-self.permits :]
        if isinstance(self.window, CountWindow):
            return self.results[-self.window.calls :]
        oldest = int(self.now_s) - self.window.seconds
        return [each for each in self.results if int(each[0]) > oldest]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "circuit"):
            return
        assert self.circuit.state is CircuitState(self.state)
        if self.state != "open":
            metrics = self.circuit.metrics(self.now_s)
            counted = self.counted()
            assert metrics.buffered_calls == len(counted)
            assert metrics.failed_calls == sum(failed for _, failed, _ in counted)
            assert metrics.slow_calls == sum(slow for _, _, slow in counted)


class QuotaMachine(RuleBasedStateMachine):
    """Tokens are never below zero, never above the capacity, and never made from nothing."""

    @initialize(capacity=st.integers(0, 60))
    def start(self, capacity: int) -> None:
        self.quota = RetryQuota(capacity)
        self.capacity = capacity
        self.model = capacity

    @rule(cost=st.sampled_from([5, 14]))
    def take(self, cost: int) -> None:
        assert self.quota.take(cost) is (cost <= self.model)
        if cost <= self.model:
            self.model -= cost

    @rule(cost=st.sampled_from([None, 0, 5, 14]))
    def give_back(self, cost: int | None) -> None:
        self.quota.give_back(cost)
        self.model = min(self.capacity, self.model + (1 if cost is None else cost))

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "quota"):
            assert 0 <= self.quota.available == self.model <= self.capacity


TestCircuit = CircuitMachine.TestCase
TestQuota = QuotaMachine.TestCase
