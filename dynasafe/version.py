"""The version of dynasafe. A build takes it from the git tag."""

from importlib import import_module

try:
    __version__: str = import_module("dynasafe._version").__version__
except ModuleNotFoundError:  # a checkout that is not installed
    __version__ = "0+checkout"
