"""Scripts of tests, run with the newest clients, which are installed beside the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.order import ROOT

CLIENTS = [("botocore-1.44.8", "sync", "1.44.8"), ("aiobotocore-3.10.0", "async", "1.43.117")]
"""The folder in build/, the kind of client, and the version of botocore."""


def printed_with(folder: str, module: str, *arguments: str) -> Any:
    """The JSON that a module prints, run with the client of this folder."""
    path = ROOT / "build" / folder
    if not path.is_dir():
        missing = f"{folder} is not installed. Fix: run `make {folder}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)
