"""Prefixes of codes, as options and settings name them: DYS310, or DYS33 for all that begin so."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def unmatched(prefixes: Iterable[str], codes: Collection[str]) -> list[str]:
    """The prefixes that no code starts with: misspelt ones, which would select nothing."""
    return [each for each in prefixes if not any(code.startswith(each) for code in codes)]
