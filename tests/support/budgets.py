"""How much of a test whose examples are costly is run, by the profile of Hypothesis."""

from __future__ import annotations

from hypothesis import settings


def examples(usual: int) -> int:
    """As many as given, or as the profile says if that is more, which it is in nightly runs."""
    return max(usual, settings().max_examples)
