"""Checks of settings: types and ranges, with errors that name the setting."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError


def require_count(path: str, value: object, *, least: int = 1, most: int | None = None) -> None:
    """Require a whole number from `least` to `most`.

    Raises:
        InvalidValueError: with the setting's name as its path.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnsupportedTypeError(path, f"a whole number is expected, not {type(value).__name__}")
    if value < least:
        raise ValueOutOfRangeError(path, f"at least {least} is expected, not {_shown(value)}")
    if most is not None and value > most:
        raise ValueOutOfRangeError(path, f"at most {most} are expected, not {_shown(value)}")


def require_seconds(path: str, value: object, *, or_zero: bool = False) -> None:
    """Require a finite number of seconds above zero, or zero if that is allowed.

    Raises:
        InvalidValueError: with the setting's name as its path.
    """
    number = _number(path, value, "a number of seconds")
    if not math.isfinite(number) or number < 0 or (number == 0 and not or_zero):
        least = "0 seconds or more" if or_zero else "more than 0 seconds"
        raise ValueOutOfRangeError(path, f"{least} are expected, not {_shown(value)}")


def require_rate(path: str, value: object, *, or_zero: bool = False) -> None:
    """Require a rate above 0.0, or 0.0 if that is allowed, up to 1.0.

    Raises:
        InvalidValueError: with the setting's name as its path.
    """
    number = _number(path, value, "a rate")
    if not 0 <= number <= 1 or (number == 0 and not or_zero):
        least = "from 0 to 1" if or_zero else "above 0 and up to 1"
        raise ValueOutOfRangeError(path, f"a rate {least} is expected, not {_shown(value)}")


def require_growth(path: str, value: object) -> None:
    """Require a finite factor of at least 1.

    Raises:
        InvalidValueError: with the setting's name as its path.
    """
    number = _number(path, value, "a factor")
    if not (math.isfinite(number) and number >= 1):
        raise ValueOutOfRangeError(path, f"at least 1 is expected, not {_shown(value)}")


def _number(path: str, value: object, what: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedTypeError(path, f"{what} is expected, not {type(value).__name__}")
    try:
        float(value)
    except OverflowError:
        raise ValueOutOfRangeError(path, "the number is too large") from None
    return value


def require_hooks(path: str, value: object) -> None:
    """Require a sequence of plain functions.

    Raises:
        UnsupportedTypeError: with the setting's name as its path.
    """
    if not isinstance(value, Sequence) or not all(map(callable, value)):
        raise UnsupportedTypeError(path, "a sequence of callables is expected")
    if not value:
        return
    from inspect import iscoroutinefunction  # loaded only if needed: it is slow to load

    for hook in value:
        if iscoroutinefunction(hook) or iscoroutinefunction(type(hook).__call__):
            raise UnsupportedTypeError(
                path,
                "a hook must be a plain function: nothing would await an async one. Fix: use "
                "`def`, and asyncio.create_task() for async work",
            )


def _shown(number: object) -> str:
    """The number for a message. Python refuses to write more than 4,300 digits."""
    try:
        return str(number)
    except ValueError:
        return "a number of that many digits"
