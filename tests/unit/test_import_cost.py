"""`import dynasafe` is cheap: what talks to AWS is loaded when a client is made."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"aioboto3", "aiobotocore", "aiohttp", "boto3", "botocore", "moto", "pydantic"}


@pytest.mark.parametrize("module", ["dynasafe", "dynasafe.testing.engines"])
def test_given_a_fresh_process_when_imported_then_nothing_heavy_is_loaded(module: str) -> None:
    script = f"import {module}, sys; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert set(output.split()) & HEAVY == set()
