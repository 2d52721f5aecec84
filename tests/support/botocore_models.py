"""DynamoDB's service model, as a botocore beside the one in use describes it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
NEWEST_KNOWN = "botocore-1.44.8"
"""The newest whose operations and members the library knows; `make test` installs it."""


def require_botocore(name: str) -> Path:
    """The folder of a botocore that `make` has installed."""
    folder = ROOT / "build" / name
    if not folder.is_dir():
        missing = f"{name} is not installed. Fix: run `make {name}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    return folder


def newest_model() -> dict[str, Any]:
    """The model of NEWEST_KNOWN, or of the folder in build/ that DYNASAFE_BOTOCORE names."""
    folder = require_botocore(os.environ.get("DYNASAFE_BOTOCORE", NEWEST_KNOWN))
    path = folder / "botocore" / "data" / "dynamodb" / "2012-08-10" / "service-2.json.gz"
    model: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return model
