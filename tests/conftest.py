"""Hypothesis profiles: "dev" is quick, "ci" has a fixed budget and seed, "nightly" is long.

"quick" is for runs that must not take long: `make unit`, and the tests of installed packages.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.order import pytest_collection_modifyitems, pytest_configure, pytest_report_header

__all__ = ["pytest_collection_modifyitems", "pytest_configure", "pytest_report_header"]

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "quick",
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "nightly", max_examples=20_000, deadline=None, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
