"""Checks of arguments of public functions. The errors name the argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.findings.quoting import quoted

_WHOLE = (str, bytes, bytearray, memoryview, Mapping)


def require_choice(path: str, value: object, choices: Iterable[str]) -> None:
    """Require one of the words.

    Raises:
        ValueOutOfRangeError: with the argument's name as its path.
    """
    # Not `in`: the == of a value may return something without a truth value, as an attribute's
    # does.
    if not isinstance(value, str) or str.__str__(value) not in set(choices):
        expected = " or ".join(repr(each) for each in choices)
        raise ValueOutOfRangeError(path, f"{expected} is expected, not {quoted(value)}")


def names_of(path: str, values: Any) -> frozenset[str]:
    """The names in a collection, as plain str.

    Raises:
        UnsupportedTypeError: with the argument's name as its path.
    """
    names = elements_of(path, values, "a collection of names")
    return frozenset(_name(path, each) for each in names)


def _name(path: str, value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise UnsupportedTypeError(path, f"names are str, not {type(value).__name__}")


def elements_of(path: str, values: Any, expected: str, fix: str = "") -> Iterable[Any]:
    """The elements of an iterable. A text, binary value or mapping is refused.

    Raises:
        UnsupportedTypeError: with the argument's name as its path.
    """
    if not isinstance(values, _WHOLE):
        try:
            iterator: Iterable[Any] = iter(values)
            return iterator
        except Exception:  # an __iter__ may raise any error
            pass
    reason = f"{expected} is expected, not {type(values).__name__}"
    raise UnsupportedTypeError(path, f"{reason}. Fix: {fix}" if fix else reason)
