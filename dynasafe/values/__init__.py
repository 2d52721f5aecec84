"""Python values and DynamoDB's wire form: conversion, sizes and codecs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynasafe.values.convert import (
        from_attribute_map,
        from_attribute_value,
        register_codec,
        to_attribute_map,
        to_attribute_value,
    )
    from dynasafe.values.wire import attribute_value_size_bytes, item_size_bytes

__all__ = [
    "attribute_value_size_bytes",
    "from_attribute_map",
    "from_attribute_value",
    "item_size_bytes",
    "register_codec",
    "to_attribute_map",
    "to_attribute_value",
]

if not TYPE_CHECKING:
    # Loaded at first use: the modules of this package need only parts of it.

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = "wire" if name.endswith("size_bytes") else "convert"
        found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return found
