"""What is measured of code that is not async reaches the stub server, on one thread and on many."""

from __future__ import annotations

from benchmarks.sync_calls import BOTO3, measure


def test_both_are_measured() -> None:
    """A figure for 1 thread and one for 16, with a round of each contender."""
    one, many = measure(1, is_fast=True)
    assert [one.title, many.title] == ["update, 1 thread", "update, 16 threads"]
    for figure in (one, many):
        assert set(figure.rounds) == {"dynasafe", BOTO3}
        assert all(each > 0 for taken in figure.rounds.values() for each in taken)
