"""The order of unit tests: random, by a seed that the header of a run shows.

The tests of one file stay together, so that what they share is made once. DYNASAFE_ORDER=17 repeats
the order of seed 17; DYNASAFE_ORDER=files takes that of the files. Other tests share engines and
processes, and keep the order of their files.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from pathlib import Path

import pytest

VARIABLE = "DYNASAFE_ORDER"
UNIT = Path(__file__).parent / "unit"


def pytest_configure() -> None:
    """The processes of pytest-xdist inherit the seed: all must have one order."""
    os.environ.setdefault(VARIABLE, str(random.randrange(1_000_000)))


def pytest_report_header() -> str:
    return f"order of tests: {VARIABLE}={os.environ[VARIABLE]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seed = os.environ[VARIABLE]
    if seed != "files":
        units = [item for item in items if item.path.is_relative_to(UNIT)]
        others = [item for item in items if not item.path.is_relative_to(UNIT)]
        items[:] = [*shuffled(units, seed), *others]


def shuffled(items: list[pytest.Item], seed: str) -> list[pytest.Item]:
    """The items, file by file, both in an order that the seed decides alone."""
    files: defaultdict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    draws = random.Random(seed)
    folders = list(files)
    draws.shuffle(folders)
    order = []
    for path in folders:
        draws.shuffle(files[path])
        order += files[path]
    return order
