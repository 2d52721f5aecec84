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
def test_given_any_seed_when_simulated_then_the_invariants_hold(part: int) -> None:
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


def test_given_a_seed_when_simulated_twice_then_the_history_is_the_same() -> None:
    assert simulate(7) == simulate(7)


def test_given_a_seed_when_simulated_on_both_faces_then_the_history_is_the_same() -> None:
    for seed in range(20):
        assert simulate(seed, "sync") == simulate(seed, "async")


@pytest.mark.parametrize(
    ("failure_rate", "most_attempts", "least_success"),
    [(0.1, 1.12, 0.9995), (0.2, 1.26, 0.998), (0.5, 1.20, 0.59), (1.0, 1.06, 0.0)],
)
def test_given_a_failing_server_when_called_then_retries_help_and_stay_bounded(
    failure_rate: float, most_attempts: float, least_success: float
) -> None:
    attempts_per_call, success_rate = failing(failure_rate)

    assert attempts_per_call <= most_attempts
    assert success_rate >= least_success


def test_given_an_outage_when_the_breaker_guards_then_recovery_is_quick() -> None:
    for seed in range(3):
        guarded = overload(seed, policy=RetryPolicy(), with_breaker=True)
        assert guarded.recovered_after_s <= 30


def test_given_an_outage_when_nothing_guards_then_recovery_takes_minutes() -> None:
    """The same model without the breaker: it is the breaker that removes the backlog."""
    unguarded = overload(0, policy=None, with_breaker=False, length_s=160.0)
    stormed = overload(0, policy=RetryPolicy(quota=None), with_breaker=False, length_s=160.0)

    assert unguarded.recovered_after_s > 60
    assert stormed.recovered_after_s > 100
    assert stormed.amplification > 2
