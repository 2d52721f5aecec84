"""Document paths: where an attribute is in an item.

A path is an attribute name followed by map keys and list indexes: `address.lines[2]`.
Source: "Referring to item attributes when using expressions in DynamoDB".
"""

from __future__ import annotations

import re
from typing import Any

from dynasafe.findings.quoting import quoted
from dynasafe.limits import MAX_PATH_LEVELS

PathElement = str | int

_INDEX = re.compile(r"[0-9]{1,10}")
_TOO_DEEP = f"a document path has at most {MAX_PATH_LEVELS} names and indexes"


class DocumentPath:
    """An attribute name, then map keys (str) and list indexes (int)."""

    __slots__ = ("_elements",)

    def __init__(self, elements: tuple[PathElement, ...]) -> None:
        self._elements = _checked(elements)

    @property
    def elements(self) -> tuple[PathElement, ...]:
        return self._elements

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DocumentPath):
            return NotImplemented
        return self._elements == other._elements

    def __hash__(self) -> int:
        return hash(self._elements)

    def __repr__(self) -> str:
        return f"DocumentPath(elements={self._elements!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return DocumentPath, (self._elements,)

    @classmethod
    def parse(cls, text: str) -> DocumentPath:
        """The path that the text names: dots part names, `[n]` is a list index.

        Raises:
            ValueError: the text is not a path. For one attribute whose name holds a dot or a
                bracket, use `DocumentPath((name,))`.
        """
        elements: list[PathElement] = []
        if text.count(".") + text.count("[") >= MAX_PATH_LEVELS:
            raise ValueError(_TOO_DEEP)
        for part in text.split("."):
            name, bracket, rest = part.partition("[")
            if not name:
                raise ValueError(f"{quoted(text)} is not a document path: a name is missing")
            elements.append(name)
            if not bracket:
                continue
            for index in (bracket + rest).split("[")[1:]:
                digits = index.removesuffix("]")
                if index == digits or not _INDEX.fullmatch(digits):
                    raise ValueError(f"{quoted(text)} is not a document path: bad list index")
                elements.append(int(digits))
        return cls(tuple(elements))

    @property
    def attribute_name(self) -> str:
        """The top-level attribute's name."""
        return str(self.elements[0])

    def __str__(self) -> str:
        first = self._elements[0]
        if len(self._elements) == 1 and isinstance(first, str):
            return first
        text = ""
        for element in self._elements:
            if isinstance(element, int):
                text += f"[{element}]"
            else:
                text += f".{element}" if text else element
        return text

    def child(self, element: PathElement) -> DocumentPath:
        """The path of a map key or a list index below this one."""
        return DocumentPath((*self.elements, element))

    def contains(self, other: DocumentPath) -> bool:
        """Whether the other path is this one, or lies below it."""
        return other.elements[: len(self.elements)] == self.elements

    def overlaps(self, other: DocumentPath) -> bool:
        """Whether one of the two paths is, or lies below, the other."""
        return self.contains(other) or other.contains(self)


def _has_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked(elements: tuple[Any, ...]) -> tuple[PathElement, ...]:
    """The elements, which may be anything yet.

    Raises:
        ValueError: they are not those of a path.
    """
    if len(elements) == 1:
        first = elements[0]
        if type(first) is str and first and first.isascii():
            return elements  # the commonest
    if not elements or not isinstance(elements[0], str):
        raise ValueError("a document path begins with an attribute name")
    if len(elements) > MAX_PATH_LEVELS:
        raise ValueError(_TOO_DEEP)
    for element in elements:
        if isinstance(element, bool) or not isinstance(element, str | int):
            raise ValueError("a document path has names (str) and list indexes (int)")
        if element == "":
            raise ValueError("an attribute name in a document path must not be empty")
        if isinstance(element, str) and not _has_utf8(element):
            raise ValueError("a name in a document path has a lone surrogate, which has no UTF-8")
        if isinstance(element, int) and element < 0:
            raise ValueError("a list index in a document path must not be negative")
    # A subclass of str may write itself otherwise, as a member of a str Enum does.
    if any(type(element) is not str and isinstance(element, str) for element in elements):
        return tuple(str.__str__(e) if isinstance(e, str) else e for e in elements)
    return elements
