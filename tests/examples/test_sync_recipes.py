"""The recipes for code that is not async: made from the async ones, and run by threads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dynasafe import DynamoDB, RetryPolicy
from dynasafe.errors import DynasafeError
from dynasafe.testing.sync import ManualClock, MemoryTransport
from tests.exactness import workload
from tests.examples.conftest import SEED, strip_optional
from tests.examples.faults import Faults
from tests.examples.policies import policy_of
from tests.examples.stories_sync import STORIES, Story
from tests.examples.test_every_recipe import JUMPS, NOW, READERS, SKEW, unexpected
from tests.twins.generate import MADE, ROOT

SOURCES = {Path(path).stem: ROOT / path for path in MADE if path.startswith("examples/recipes")}
PACKAGES = ("accounts", "registry")
EVERY = pytest.mark.parametrize("example", STORIES)


class Rough(Faults, MemoryTransport):
    """Tables in memory, whose writes meet what they meet in production."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        Faults.__init__(self)
        MemoryTransport.__init__(self, tables)

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        applied, error = self.meet(operation, params)
        answer: Mapping[str, Any] = {}
        for _ in range(applied):
            answer = super().send(operation, params, timeout_s=timeout_s)
        if error is not None:
            raise error
        return answer


def begun(example: str) -> tuple[Story, Rough, DynamoDB]:
    story = STORIES[example]
    transport = Rough(story.tables())
    policy = RetryPolicy(max_attempts=6, quota=None)
    db = DynamoDB.over(transport, clock=ManualClock(), retry=policy, breaker=None)
    story.begin(db)
    transport.policy = policy_of(example)
    return story, transport, db


def outcomes(calls: Iterable[Callable[[], object]], *, at_once: int) -> list[Any]:
    """What each call returned or raised, on so many threads."""

    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(run, calls))


def test_each_has_a_story() -> None:
    """Each async recipe that is no entry point has its twin, and a story."""
    assert STORIES.keys() == SOURCES.keys() | set(PACKAGES)


@EVERY
def test_conflicts(example: str) -> None:
    """Six conflicts with other transactions, and the call succeeds."""
    story, transport, db = begun(example)
    transport.conflicts = 6

    story.act(db, NOW, 0)
    assert transport.conflicts < 6 or example in READERS
    assert transport.denied == []


@EVERY
def test_old_items(example: str) -> None:
    """The items at first lack every optional attribute, and the call succeeds."""
    story, transport, db = begun(example)
    if story.items:
        strip_optional(transport, story.module.TABLES)

    story.act(db, NOW, 0)


@EVERY
def test_races_and_faults(example: str) -> None:
    """Of 50 threads through the mix of faults each succeeds, is refused, or ends as unknown."""
    story, transport, db = begun(example)
    transport.plan = workload.plan(SEED)

    found = outcomes((partial(story.act, db, NOW, n) for n in range(50)), at_once=50)

    assert unexpected(found, (*story.refusals, DynasafeError)) == []
    assert transport.lost > 0 or example in READERS
    assert transport.denied == []


@EVERY
def test_clocks(example: str) -> None:
    """Clocks that jump, and differ by 40 s, raise nothing but refusals."""
    story, _, db = begun(example)
    clocks = [*JUMPS, NOW - SKEW, NOW + SKEW] * 2
    Random(SEED).shuffle(clocks)

    found = outcomes(
        (partial(story.act, db, now, number) for number, now in enumerate(clocks)), at_once=3
    )

    assert unexpected(found, story.refusals) == []


def test_alone(tmp_path: Path) -> None:
    """Each runs where nothing else of this repository is, says what it did, and needs no loop."""
    for name, path in SOURCES.items():
        (tmp_path / f"{name}.py").write_text(path.read_text())
    mains = [*SOURCES, *(f"{package}.__main__" for package in PACKAGES)]
    for package in PACKAGES:
        shutil.copytree(ROOT / "examples" / f"{package}_sync", tmp_path / package)
    (tmp_path / "run.py").write_text(
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print('==', name)\n"
        "    importlib.import_module(name).main()\n"
    )

    ran = subprocess.run(
        [sys.executable, "run.py", *mains],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    printed = ran.stdout.split("== ")[1:]
    assert [each.partition("\n")[0] for each in printed if each.count("\n") > 1] == mains
    made = [ROOT / path for path in MADE if path.startswith("examples/")]
    assert not any("asyncio" in path.read_text() for path in made)
