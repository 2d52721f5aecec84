"""Ordinary logs have no finding. `make logs-long` reads 100 MB of them, and a 10 GB stream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.ordinary_logs import ordinary_log
from dynasafe.logs.grouping import Tally
from dynasafe.logs.scanning import scan_blocks
from dynasafe.logs.signatures import BY_CODE

ORDINARY_MB = float(os.environ.get("DYNASAFE_ORDINARY_MB", "2"))
STREAM_GB = float(os.environ.get("DYNASAFE_STREAM_GB", "0.03"))
ROOT = Path(__file__).parent.parent.parent


def test_no_finding() -> None:
    """An ordinary log has no finding, not even a possible one."""
    tally = Tally(frozenset(BY_CODE))
    scan_blocks(ordinary_log(int(ORDINARY_MB * 1e6)), tally)

    assert tally.groups == {}
    assert tally.cut_off == 0


@pytest.mark.skipif(not Path("/var/log").exists(), reason="no logs of a system here")
def test_no_finding_in_system_logs() -> None:
    """The logs of this machine, and those that packages ship, have no finding."""
    logs = [*Path("/var/log").rglob("*.log"), *Path(sys.prefix).rglob("*.log")]
    tally = Tally(frozenset(BY_CODE))
    for path in logs:
        if os.access(path, os.R_OK) and path.is_file():
            scan_blocks([path.read_bytes()], tally)
    assert tally.groups == {}


PRODUCER = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.ordinary_logs import ordinary_log
part = b"".join(ordinary_log(1_000_000, is_calm=True))
for _ in range({times}):
    sys.stdout.buffer.write(part)
"""


def _peak_kb(times: int) -> int:
    """The peak memory of a scan of a stream of so many MB."""
    code = (
        "import resource, sys; from dynasafe.cli import main; status = main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); "
        "sys.exit(status)"
    )
    producer = subprocess.Popen(
        [sys.executable, "-c", PRODUCER.format(root=str(ROOT), times=times)],
        stdout=subprocess.PIPE,
    )
    with producer:
        scanned = subprocess.run(
            [sys.executable, "-c", code, "logs", "scan", "-"],
            stdin=producer.stdout,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    return int(scanned.stderr.split()[-1])


def test_constant_memory() -> None:
    """A long stream needs no more memory than a short one."""
    short_kb = _peak_kb(4)
    long_kb = _peak_kb(int(STREAM_GB * 1000))
    assert long_kb - short_kb < 4_000
