"""What the registry tells its callers, beside dynasafe's own errors."""

# Made from examples/registry/errors.py by `make twins`: change that one.

from __future__ import annotations


class RegistryError(Exception):
    """A resource is not there, there already, or in use."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(kind, id)
        self.kind = kind
        self.id = id


class NotFoundError(RegistryError):
    def __str__(self) -> str:
        return f"There is no {self.kind} {self.id!r}."


class AlreadyExistsError(RegistryError):
    def __str__(self) -> str:
        return f"There is a {self.kind} {self.id!r} already."


class InUseError(RegistryError):
    def __str__(self) -> str:
        return f"The {self.kind} {self.id!r} has projects or subscriptions. Fix: delete them first."


class BadCursorError(ValueError):
    """A cursor that no page of this list has given."""
