"""Arguments of public functions: each that is wrong is refused by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.findings.quoting import quoted

_WHOLE = (str, bytes, bytearray, memoryview, Mapping)


def require_choice(path: str, value: object, choices: Iterable[str]) -> None:
    """Refuse what is not one of the words.

    Raises:
        ValueOutOfRangeError: with the argument's name as its path.
    """
    # Not `in`: the == of a value may give something that has no truth, as an attribute's does.
    if not isinstance(value, str) or str.__str__(value) not in set(choices):
        expected = " or ".join(repr(each) for each in choices)
        raise ValueOutOfRangeError(path, f"{expected} is expected, not {quoted(value)}")


def names_of(path: str, values: Any) -> frozenset[str]:
    """The names that a collection holds, as plain str.

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
    """What can be iterated over; a single text, binary or mapping does not count.

    Raises:
        UnsupportedTypeError: with the argument's name as its path.
    """
    if not isinstance(values, _WHOLE):
        try:
            iterator: Iterable[Any] = iter(values)
            return iterator
        except Exception:  # whatever an __iter__ may raise
            pass
    reason = f"{expected} is expected, not {type(values).__name__}"
    raise UnsupportedTypeError(path, f"{reason}. Fix: {fix}" if fix else reason)
