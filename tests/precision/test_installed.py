"""The packages of AWS that are installed have calls, and nothing to report."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.precision.findings import look


@pytest.mark.parametrize("name", ["moto", "botocore", "boto3", "aioboto3", "aiobotocore"])
def test_installed(name: str) -> None:
    """Nothing is found, nothing raises, and no file is left half-fixed."""
    folder = Path(import_module(name).__file__ or "").parent

    assert look(folder).found == {}
