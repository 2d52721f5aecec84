"""The same decisions, quota and delays as botocore's own standard mode."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BOTOCORE = ROOT / "build" / "botocore-1.44.5"
SEQUENCES = 100_000


@pytest.mark.parametrize("half", [0, 1])
def test_sequences_agree_with_botocore(half: int) -> None:
    """Random sequences give the same results with botocore's newest version."""
    if not BOTOCORE.is_dir():
        missing = f"{BOTOCORE.name} is not installed. Fix: run `make {BOTOCORE.name}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    module = "tests.differential.compare"
    result = subprocess.run(
        [sys.executable, "-m", module, str(BOTOCORE), str(SEQUENCES // 2), str(half)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr[-2000:]
    version, sequences, compared = result.stdout.split()
    assert version == "1.44.5"
    assert int(sequences) == SEQUENCES // 2
    assert int(compared) > SEQUENCES
