"""The version of dynasafe."""

__version__ = "0.1.0"
