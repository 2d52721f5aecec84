"""Many worlds in virtual time, and the two models of overload."""

from __future__ import annotations

import os

import pytest

from dynasafe.resilience.retry import RetryPolicy
from tests.simulation.world import failing, overload, simulate
from tests.support.faces import FACES

SEEDS = int(os.environ.get("DYNASAFE_SEEDS", "2000"))
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_invariants_hold_for_each_seed(part: int) -> None:
    """The invariants hold in the simulated world of each seed."""
    succeeded = unknown = 0
    for seed in range(part, SEEDS, PARTS):
        try:
            history = simulate(seed, FACES[part % 2])
        except AssertionError as error:
            raise AssertionError(f"replay with: python -m tests.simulation {seed}") from error
        succeeded += history.tally.succeeded
        unknown += history.tally.unknown

    # The worlds are neither all fine nor all broken.
    assert succeeded > 20 * SEEDS / PARTS
    assert unknown > SEEDS / PARTS


def test_seed_gives_the_same_history() -> None:
    """A seed gives the same history when it is simulated again."""
    assert simulate(7) == simulate(7)


def test_faces_have_the_same_history() -> None:
    """A seed gives the same history on both faces."""
    for seed in range(20):
        assert simulate(seed, "sync") == simulate(seed, "async")


@pytest.mark.parametrize(
    ("failure_rate", "most_attempts", "least_success"),
    [(0.1, 1.12, 0.9995), (0.2, 1.26, 0.998), (0.5, 1.20, 0.59), (1.0, 1.06, 0.0)],
)
def test_retries_help_a_failing_server(
    failure_rate: float, most_attempts: float, least_success: float
) -> None:
    """While a server fails, retries help, and the mean of attempts stays below its limit."""
    attempts_per_call, success_rate = failing(failure_rate)

    assert attempts_per_call <= most_attempts
    assert success_rate >= least_success


def test_breaker_makes_recovery_quick() -> None:
    """With a breaker the server recovers from an outage within 30 s."""
    for seed in range(3):
        guarded = overload(seed, policy=RetryPolicy(), with_breaker=True)
        assert guarded.recovered_after_s <= 30


def test_recovery_without_a_breaker_is_slow() -> None:
    """The same model without the breaker: it is the breaker that removes the backlog."""
    # A quarter of the calls, and of the server: without a breaker there are many more to follow.
    rates = {"offered_per_s": 70.0, "capacity_per_s": 75.0, "length_s": 160.0}
    unguarded = overload(0, policy=None, with_breaker=False, **rates)
    stormed = overload(0, policy=RetryPolicy(quota=None), with_breaker=False, **rates)

    assert unguarded.recovered_after_s > 60
    assert stormed.recovered_after_s > 100
    assert stormed.amplification > 2
