"""The measured work, with one module for each library."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def is_installed(package: str) -> bool:
    """Whether a library is installed; some need a newer Python than dynasafe."""
    return find_spec(package) is not None


def load(where: str) -> Any:
    """The function named "module:function", of a module here.

    A library is loaded with its module, so a process loads only the libraries that it measures.
    """
    module, name = where.split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)
