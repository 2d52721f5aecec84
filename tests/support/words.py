"""What check_request finds, in the words that the emulators use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.findings.finding import Finding
from dynasafe.validation import Form
from dynasafe.validation.check import check_from_scratch
from dynasafe.validation.words import HISTORY


def check_as_before(
    operation: str,
    params: Mapping[str, Any],
    *,
    schema: object = None,
    form: Form | None = None,
) -> tuple[Finding, ...]:
    """The findings in the words from before 2026, which are the only ones of the emulators."""
    return check_from_scratch(operation, params, schema=schema, form=form, words=HISTORY[0])
