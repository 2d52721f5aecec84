"""Mocks that a test run watches, for calls that are not awaited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import ref


@dataclass
class Watched:
    """A mock, and how many unawaited calls of each method were reported."""

    mock: ref[Any]
    told: dict[str, int] = field(default_factory=dict)


watched: list[Watched] = []
"""All mocks that still exist: those of a fixture may live longer than a test."""
# Keeps the mocks of the running test alive.
_kept: list[list[Any]] = []


def watch(mock: Any) -> None:
    """Watch a new mock, if a test is running."""
    if _kept:
        watched.append(Watched(ref(mock)))
        _kept[-1].append(mock)


@contextmanager
def keeping_mocks() -> Iterator[None]:
    """Watch the mocks that are made from now on; those of the block are kept to its end."""
    kept: list[Any] = []
    _kept.append(kept)
    try:
        yield
    finally:
        _kept[:] = [each for each in _kept if each is not kept]  # equal lists are of other blocks
