"""`transport="aioboto3"` beside an aiobotocore that is newer than any aioboto3 takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynasafe.testing.engines import start_engine

ROOT = Path(__file__).parents[2]
FOLDER = "aiobotocore-3.10.0"


def test_calls_and_faults() -> None:
    """All operations work, and a lost answer is reported as with the pinned client."""
    path = ROOT / "build" / FOLDER
    if not path.is_dir():
        missing = f"{FOLDER} is not installed. Fix: run `make {FOLDER}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    with start_engine("moto") as engine:
        result = subprocess.run(
            [sys.executable, "-m", "tests.support.newest_aiobotocore", engine.endpoint_url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr[-2000:]
    assert json.loads(result.stdout) == {
        "version": "3.10.0",
        "calls": [1, 2, 1],
        "faults": {
            "RESET_BEFORE": "unknown",
            "CLOSE_AFTER": "unknown",
            "THROTTLE": "applied",
            "CUT_BODY": "unknown",
        },
    }
