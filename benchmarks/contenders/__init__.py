"""One module per library: how it does the measured work."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def is_installed(package: str) -> bool:
    """Whether a library is here; some need a newer Python than dynasafe does."""
    return find_spec(package) is not None


def load(where: str) -> Any:
    """The function named "module:function", of a module here.

    A library is loaded with its module, so that a process loads those alone that it measures.
    """
    module, name = where.split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)
