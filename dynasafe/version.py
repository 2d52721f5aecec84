"""The version of dynasafe, which comes from the git tag when a package is built."""

from importlib import import_module

try:
    __version__: str = import_module("dynasafe._version").__version__
except ModuleNotFoundError:  # a checkout that was never installed
    __version__ = "0+checkout"
