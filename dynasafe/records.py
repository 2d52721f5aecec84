"""Records: immutable values, compared and shown by their fields.

Their classes are written out. A dataclass takes most of a millisecond to make, with every import,
and `dataclasses` itself some more, since it loads `inspect`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, Self


class Record:
    """A value: equal to another of its class that holds the same.

    A class declares its slots, the order in which its fields are shown as `__match_args__`, and an
    `__init__` that takes all of them by name, and sets each by `assign`.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash((type(self), self._compared()))

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown())
        return f"{type(self).__name__}({parts})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: it never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted: it never changes")

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), {name: getattr(self, name) for name in self._names()})

    def replaced(self, **changes: Any) -> Self:
        """The same with other parts."""
        return type(self)(**{**{name: getattr(self, name) for name in self._names()}, **changes})

    __replace__ = replaced  # what copy.replace calls, from Python 3.13

    def _names(self) -> tuple[str, ...]:
        # Declared here, __match_args__ would hide the names of each class from type checkers.
        names: tuple[str, ...] = getattr(self, "__match_args__", ())
        return names

    def _shown(self) -> tuple[str, ...]:
        return self._names()

    def _compared(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._names())


assign: Final[Callable[[object, str, Any], None]] = object.__setattr__
"""Sets a field of a record that is being made."""


def _made(cls: type[Record], parts: dict[str, Any]) -> Record:
    return cls(**parts)
