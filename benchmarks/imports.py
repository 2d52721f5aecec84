"""The cost of an import beyond the interpreter's own start, from `python -X importtime`.

The sum of what all modules took that were loaded after `site`, with which the interpreter's own
start ends; in a new process each time, and with bytecode that is there already. It is the time that
passes, which others on the machine lengthen, so a round takes the shortest of three.
"""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks.figures import OURS, Figure, Target

ALL_NAMES = "dynasafe, all its names"
"""Names are loaded at first use, so the import alone is not the whole cost."""

STATEMENTS = {
    OURS: "import dynasafe",
    ALL_NAMES: "from dynasafe import *",
    "aiodynamo": "import aiodynamo.client",
    "pydynox (Rust)": "import pydynox",
    "PynamoDB": "import pynamodb.models",
    "boto3": "import boto3",
    "aioboto3": "import aioboto3",
}

_LINE = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)


def import_ms(report: str) -> float:
    """Milliseconds, from what `-X importtime` writes."""
    lines = _LINE.findall(report)
    names = [name for _, name in lines]
    own = lines[names.index("site") + 1 :]
    return sum(int(self_us) for self_us, _ in own) / 1000


def _report(statement: str) -> str:
    command = [sys.executable, "-X", "importtime", "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def measure(rounds: int) -> Figure:
    print("imports", flush=True)
    for statement in STATEMENTS.values():
        _report(statement)  # writes bytecode, and brings files into the cache
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            taken[name].append(min(import_ms(_report(statement)) for _ in range(3)))
    return Figure(
        group="Import",
        title="import",
        unit="ms",
        rounds=taken,
        targets=tuple(
            Target(kind="at most", bound=60, contender=name) for name in (OURS, ALL_NAMES)
        ),
    )
