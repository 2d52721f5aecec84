"""Names and paths in messages: quoted, escaped and cut.

Names often come from outside, such as the fields of a JSON body. In a message they must not end a
line, change the direction of the text, or fill the log. Each message can be encoded in UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_SHOWN: Final = 200
"""Characters of a path that a message shows."""
_MAX_NAME = 60
MAX_NAMES = 10


def printable(text: str, most: int = MAX_SHOWN) -> str:
    """The text, with escapes such as `\\n` for characters that are not printable, cut to `most`."""
    shown = cut(text, most)
    if shown.isascii() and shown.isprintable():
        return shown
    # Control characters, surrogates and bidirectional marks are not printable.
    escaped = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in shown
    )
    return cut(escaped, most)


def cut(text: str, most: int = MAX_SHOWN) -> str:
    """The first characters of the text, with `...` in place of the rest."""
    return text if len(text) <= most else text[: most - 3] + "..."


def quoted(name: object, most: int = _MAX_NAME) -> str:
    """The name in quotes: `'first_name'`."""
    text = str.__str__(name) if isinstance(name, str) else type(name).__name__
    return f"'{printable(text, most)}'"


def listed(names: Iterable[object]) -> str:
    """The first names in order, each quoted, and how many more there are."""
    shown: list[str] = []
    more = 0
    for name in names:
        if len(shown) < MAX_NAMES:
            shown.append(quoted(name))
        else:
            more += 1
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
