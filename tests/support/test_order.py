"""The order of tests: decided by the seed alone, with the tests of a file side by side."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.order import shuffled

Items = list[Any]


def items(sizes: list[int]) -> Items:
    """So many tests in each of some files."""
    return [
        SimpleNamespace(path=Path(f"test_{file}.py"), name=f"test_{number}")
        for file, size in enumerate(sizes)
        for number in range(size)
    ]


@given(sizes=st.lists(st.integers(1, 5), max_size=6), seed=st.text())
def test_files_stay_together(sizes: list[int], seed: str) -> None:
    """Each test comes once, and no file is left and come back to."""
    given_items = items(sizes)
    order: Items = shuffled(given_items, seed)
    assert sorted(map(id, order)) == sorted(map(id, given_items))
    assert len([path for path, _ in groupby(order, key=lambda item: item.path)]) == len(sizes)
    assert shuffled(given_items, seed) == order


def test_seeds_differ() -> None:
    """Among ten seeds there are several orders."""
    given_items = items([3, 3, 3])
    orders = {tuple(map(id, shuffled(given_items, str(seed)))) for seed in range(10)}
    assert len(orders) > 5
