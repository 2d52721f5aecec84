"""Values of a request as the rules read them: each is walked once, whichever rules ask."""

from __future__ import annotations

from typing import Any, NamedTuple


class Problem(NamedTuple):
    """What is wrong with the contents of a value."""

    code: str
    message: str
    place: str
    """Within the value: "" for the value itself, `[0]` or `.*` for a part."""
    fix: str


class WireValue:
    """A value in wire form, with what is known of it.

    Args:
        type_name: its only type; None unless it has one alone that is well-formed.
        content: what it has under its type.
        size_bytes: 0 for a value that is malformed.
        problems: in the order in which the service looks.
        is_plain: whether it is as `to_attribute_value` makes it, so that nothing is converted when
            it is sent.
    """

    __slots__ = ("content", "is_plain", "problems", "size_bytes", "type_name")

    def __init__(
        self,
        type_name: str | None,
        content: Any,
        size_bytes: int,
        problems: tuple[Problem, ...] = (),
        *,
        is_plain: bool,
    ) -> None:
        self.type_name: str | None = type_name
        self.content: Any = content
        self.size_bytes: int = size_bytes
        self.problems: tuple[Problem, ...] = problems
        self.is_plain: bool = is_plain

    @property
    def literal(self) -> tuple[str, Any] | None:
        """The type and the content, if it has one type alone."""
        return None if self.type_name is None else (self.type_name, self.content)
