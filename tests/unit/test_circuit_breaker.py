"""A circuit breaker of a program's own, and circuits that threads share."""

from __future__ import annotations

import pytest

from dynasafe import CircuitBreaker
from dynasafe.circuit_breaker import ThreadSafeCircuit
from dynasafe.errors import UnsupportedTypeError
from dynasafe.events import CircuitTransition, Event
from dynasafe.resilience.circuit_breaker import CircuitState


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("force_open", CircuitState.FORCED_OPEN),
        ("disable", CircuitState.DISABLED),
        ("metrics_only", CircuitState.METRICS_ONLY),
        ("open", CircuitState.OPEN),
        ("half_open", CircuitState.HALF_OPEN),
    ],
)
def test_states(change: str, state: CircuitState) -> None:
    """A circuit can be put into each state, which is reported to its hooks, and be reset."""
    events: list[Event] = []
    circuit = ThreadSafeCircuit(hooks=[events.append])
    if change == "half_open":
        circuit.open(1.0)
    getattr(circuit, change)(*([5.0] if change in ("open", "half_open") else []))
    circuit.reset()

    changed = [each for each in events if isinstance(each, CircuitTransition)]
    assert [each.to_state for each in changed][-2:] == [state.value, "closed"]


def test_functions() -> None:
    """A guarded function returns what it returned; one whose work comes later is refused."""
    breaker = CircuitBreaker()

    @breaker
    def double(number: int) -> int:
        return 2 * number

    async def later() -> None: ...

    @breaker
    def makes() -> object:
        return later()

    def yields() -> object:
        yield 1

    assert double(4) == 8
    with pytest.raises(UnsupportedTypeError, match="Fix: make it `async def`"):
        makes()
    with pytest.raises(UnsupportedTypeError, match="a function that yields"):
        breaker(yields)
