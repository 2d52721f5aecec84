"""Records: immutable values, compared and shown by their fields.

Their classes are written by hand. Each dataclass adds almost a millisecond to the import, and
`dataclasses` itself more, because it loads `inspect`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, Self


class Record:
    """A value: equal to another one of its class with the same fields.

    A class declares its slots, the order of its fields in a repr as `__match_args__`, and an
    `__init__` that takes all fields by name and sets each with `assign`.
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
        return made, (type(self), {name: getattr(self, name) for name in self._names()})

    def replaced(self, **changes: Any) -> Self:
        """A copy with other values for some fields."""
        return type(self)(**{**{name: getattr(self, name) for name in self._names()}, **changes})

    __replace__ = replaced  # copy.replace calls this, from Python 3.13

    def _names(self) -> tuple[str, ...]:
        # If __match_args__ were declared here, type checkers would not see those of each class.
        names: tuple[str, ...] = getattr(self, "__match_args__", ())
        return names

    def _shown(self) -> tuple[str, ...]:
        return self._names()

    def _compared(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._names())


assign: Final[Callable[[object, str, Any], None]] = object.__setattr__
"""Sets a field of a record under construction."""


def made(cls: type[Any], parts: dict[str, Any]) -> Any:
    """What a record is copied and unpickled by."""
    return cls(**parts)
