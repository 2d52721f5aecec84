"""The settings of a guard, and the switch that its handlers check first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.events import Hook
from dynasafe.findings.quoting import quoted
from dynasafe.guard.places import Sightings
from dynasafe.validation.table_schema import table_schema

GuardMode = Literal["raise", "repair", "warn"]
GuardErrors = Literal["botocore", "dynasafe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The arguments of `dynasafe.guard`. The schema is read when the guard is made."""

    mode: GuardMode
    errors: GuardErrors
    safe_retries: bool
    schema: object
    hooks: tuple[Hook, ...]

    def __post_init__(self) -> None:
        _require_one_of("mode", self.mode, get_args(GuardMode))
        _require_one_of("errors", self.errors, get_args(GuardErrors))
        object.__setattr__(self, "schema", _read_once(self.schema))


def _read_once(schema: object) -> object:
    """The schema, parsed once and not for each request."""
    if schema == "describe" or isinstance(schema, type):
        return schema
    read = table_schema(schema, None)
    if read is None and isinstance(schema, Mapping):
        return {name: table_schema(each, name) for name, each in schema.items()}
    return read


def _require_one_of(argument: str, given: object, words: tuple[str, ...]) -> None:
    if given not in words:
        *first, last = map(repr, words)
        reason = f"{', '.join(first)} or {last}, not {quoted(given)}"
        raise ValueOutOfRangeError(argument, reason)


class Switch:
    """The settings of a guard (None while it is off), and its findings.

    All clients of a guard share it, so a change applies to all of them.
    """

    __slots__ = ("settings", "sightings")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings: Settings | None = settings
        self.sightings: Sightings = Sightings()
