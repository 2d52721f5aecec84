"""The order of tests that need no engine: random, by a seed that the header of a run shows.

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
ROOT = Path(__file__).parents[1]
WITHOUT_ENGINES = ("tests/unit", "tests/hostile", "tests/public_api", "tests/sockets")


def pytest_configure() -> None:
    """The processes of pytest-xdist inherit the seed: all must have one order."""
    os.environ.setdefault(VARIABLE, str(random.randrange(1_000_000)))


def pytest_report_header() -> str:
    return f"order of tests: {VARIABLE}={os.environ[VARIABLE]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seed = os.environ[VARIABLE]
    if seed != "files":
        alone = [item for item in items if needs_no_engine(item.path)]
        others = [item for item in items if not needs_no_engine(item.path)]
        items[:] = [*shuffled(alone, seed), *others]


def needs_no_engine(path: Path) -> bool:
    return any(path.is_relative_to(ROOT / folder) for folder in WITHOUT_ENGINES)


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
