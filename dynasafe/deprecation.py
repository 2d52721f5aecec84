"""Warnings about public names that a later version removes."""

from __future__ import annotations

import warnings


def warn_deprecated(name: str, *, use: str, removed_in: str, stacklevel: int = 2) -> None:
    """Warn the caller of a deprecated function that it will be removed.

    Args:
        name: what is deprecated, as users write it.
        use: what to write in its place.
        removed_in: the first version without it, as "1.2.0".
        stacklevel: 2 for the caller of the function that calls this one.
    """
    warnings.warn(
        f"{name} is deprecated, and dynasafe {removed_in} removes it. Fix: use {use}.",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )
