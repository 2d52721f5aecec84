"""The paths in one expression, which must not overlap.

Source: "Update expressions in DynamoDB", and the service's own messages.
"""

from __future__ import annotations

from typing import Final

from dynasafe.expressions.document_path import PathElement
from dynasafe.findings.quoting import cut, printable

Elements = tuple[PathElement, ...]


class Clash:
    """Two paths that conflict in one expression."""

    __slots__ = ("code", "first", "fix", "how", "second")

    def __init__(self, code: str, how: str, first: Elements, second: Elements, fix: str) -> None:
        self.code: Final = code
        self.how: Final = how
        self.first: Final = first
        self.second: Final = second
        self.fix: Final = fix

    @property
    def message(self) -> str:
        return (
            f"Two document paths {self.how} with each other; must remove or rewrite one of these "
            f"paths; path one: {listed(self.first)}, path two: {listed(self.second)}"
        )

    def turned(self) -> Clash:
        """The same of paths that were added last first."""
        return Clash(self.code, self.how, self.second, self.first, self.fix)


class PathSet:
    """A prefix tree as flat dicts, so that a thousand paths take a thousand steps."""

    __slots__ = ("_kinds", "_prefixes", "_taken")

    def __init__(self) -> None:
        self._taken: dict[Elements, None] = {}
        self._prefixes: dict[Elements, Elements] = {}
        self._kinds: dict[Elements, tuple[type, Elements]] = {}

    def add(self, elements: Elements) -> Clash | None:
        """Add the path, or tell what it clashes with."""
        other = elements if elements in self._taken else self._prefixes.get(elements)
        if other is None and len(elements) == 1:
            self._taken[elements] = None
            return None
        prefixes = [elements[:length] for length in range(1, len(elements))]
        if other is None:
            other = next((prefix for prefix in prefixes if prefix in self._taken), None)
        if other is not None:
            return Clash(
                "DYS203",
                "overlap",
                other,
                elements,
                "name the whole attribute once, or each part of it on its own",
            )
        for prefix in prefixes:
            kind, first = self._kinds.get(prefix, (None, elements))
            if kind is not None and kind is not type(elements[len(prefix)]):
                return Clash(
                    "DYS204",
                    "conflict",
                    first,
                    elements,
                    "an attribute is a map or a list, not both",
                )
        self._taken[elements] = None
        for prefix in prefixes:
            self._prefixes.setdefault(prefix, elements)
            self._kinds.setdefault(prefix, (type(elements[len(prefix)]), elements))
        return None


def listed(elements: Elements) -> str:
    """The path as the service writes it in its messages: `[a, [1], b]`."""
    parts = [f"[{part}]" if isinstance(part, int) else printable(part) for part in elements]
    return cut(f"[{', '.join(parts)}]")
