"""What a guard was asked to do, and the switch that its handlers ask first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.events import Hook
from dynasafe.guard.places import Sightings

GuardMode = Literal["raise", "repair", "warn"]
GuardErrors = Literal["botocore", "dynasafe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """See `dynasafe.guard`."""

    mode: GuardMode
    errors: GuardErrors
    safe_retries: bool
    schema: object
    hooks: tuple[Hook, ...]

    def __post_init__(self) -> None:
        _require_one_of("mode", self.mode, get_args(GuardMode))
        _require_one_of("errors", self.errors, get_args(GuardErrors))


def _require_one_of(argument: str, given: object, words: tuple[str, ...]) -> None:
    if given not in words:
        *first, last = map(repr, words)
        raise ValueOutOfRangeError(argument, f"{', '.join(first)} or {last}, not {given!r}")


class Switch:
    """The settings of a guard, None while it is off, and what it has found.

    The clients that it guards share it, so that a change reaches all of them.
    """

    __slots__ = ("settings", "sightings")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings: Settings | None = settings
        self.sightings: Sightings = Sightings()
