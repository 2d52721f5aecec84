"""The gate: where in a log a needle may stand, without a look at each line.

Each needle has a fragment with one of a few words, so that a block of a log is searched for the
words alone. Where a word stands, the fragment is looked for around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dynasafe.logs.signatures import SIGNATURES, Needle

WORDS: tuple[str, ...] = (
    ") when calling the",
    "es_input].update(generated_",
    " timeout on endpoint URL",
    "Executing <",
    "ception was never retrieved",
    "__ method, got PageIterator",
    "<class 'decimal.Inexact'>",
    "Syntax error; token:",
    "y accepts keyword arguments",
    " non-primary key attributes",
    "full, discarding connection",
    "Checksum crc32 failed",
    "routine was expected, got {",
    "await",
    "vent loop",
    " document path",
    " credentials",
    " must",
    " invalid",
    " object",
    " typ",
    "Error",
    "not",
    "ed ",
)
"""Every needle has one of these words. The first are the rarest in ordinary logs."""

_LONG = 6
"""So many characters after a word are rare enough."""

Gate = Mapping[bytes, re.Pattern[bytes]]
"""Words, each with a pattern: the word within a fragment."""


def word_of(needle: Needle) -> tuple[str, str]:
    """A word that a needle has, and the fragment that has it: the longest that has one."""
    fragments = sorted(needle, key=len, reverse=True)
    return next((word, part) for part in fragments for word in WORDS if word in part)


def _gate(needles: Iterable[Needle]) -> Gate:
    fragments: dict[str, set[str]] = {}
    for needle in needles:
        word, fragment = word_of(needle)
        fragments.setdefault(word, set()).add(fragment)
    return {word.encode(): _pattern(word, sorted(parts)) for word, parts in fragments.items()}


def _pattern(word: str, fragments: Iterable[str]) -> re.Pattern[bytes]:
    """The word, with what stands after it in any fragment, and before it where that is short.

    The word comes first, since Python searches for a pattern that starts with text as fast as for
    the text.
    """
    around = set()
    for fragment in fragments:
        before, _, after = fragment.partition(word)
        is_short = len(after) < _LONG
        head = f"(?<={re.escape(before + word)})" if is_short else ""
        around.add(head + re.escape(after))
    return re.compile(f"{re.escape(word)}(?:{'|'.join(sorted(around))})".encode())


_GATE = _gate(needle for each in SIGNATURES for needle in each.needles)


def gate(*more: str) -> Gate:
    """The gate that lets through what may be a needle, and some words more."""
    return {**_GATE, **{word.encode(): re.compile(re.escape(word).encode()) for word in more}}


def may_match(text: str) -> bool:
    """Whether a text can have a signature: a quick test that is never wrong about No."""
    return any(word in text for word in WORDS)


class Places:
    """Where the fragments of a gate stand in some lines."""

    def __init__(self, data: bytes, gate: Gate) -> None:
        self._data = data
        self._gate = gate
        self._next: dict[bytes, int] = {}
        for word in gate:
            if word in data:
                self._find(word, 0)

    def first(self, start: int) -> int | None:
        """The first place of any fragment from `start` on, which never goes back."""
        for word in [word for word, place in self._next.items() if place < start]:
            self._find(word, start)
        return min(self._next.values(), default=None)

    def _find(self, word: bytes, start: int) -> None:
        """Note where the word stands next within one of its fragments."""
        found = self._gate[word].search(self._data, start)
        if found is None:
            self._next.pop(word, None)
        else:
            self._next[word] = found.start()
