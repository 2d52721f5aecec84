"""Names and paths in messages: quoted, escaped and cut.

Names often come from outside, as the fields of a JSON body do. In a message they may neither end a
line nor turn the text around, nor fill the log; and each message has UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_SHOWN: Final = 200
"""Characters of a path that a message shows."""
_MAX_NAME = 60
MAX_NAMES = 10


def printable(text: str, most: int = MAX_SHOWN) -> str:
    """The text with escapes for what is not printable, as `\\n` has it, and its end cut off."""
    shown = cut(text, most)
    if shown.isascii() and shown.isprintable():
        return shown
    # Python counts control characters, surrogates and bidirectional marks among the rest.
    escaped = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in shown
    )
    return cut(escaped, most)


def cut(text: str, most: int = MAX_SHOWN) -> str:
    """The first characters of the text, with `...` in place of what is left out."""
    return text if len(text) <= most else text[: most - 3] + "..."


def quoted(name: object, most: int = _MAX_NAME) -> str:
    """A name between quotes: `'first_name'`."""
    text = str.__str__(name) if isinstance(name, str) else type(name).__name__
    return f"'{printable(text, most)}'"


def listed(names: Iterable[object]) -> str:
    """The first names in their order, each quoted, and the number of the others."""
    shown: list[str] = []
    more = 0
    for name in names:
        if len(shown) < MAX_NAMES:
            shown.append(quoted(name))
        else:
            more += 1
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
