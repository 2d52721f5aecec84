"""The gate: the places in a log where a needle may be, found without reading each line.

Each needle has a fragment that contains one of a few words. So a block of a log is searched for
these words only, and then for the fragment around them. Compiled code searches for all fragments at
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dynasafe.logs import windows
from dynasafe.logs.operation_names import ONLY_DYNAMODB, SHARED
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
    "KeyError",
    "DynamoDB",
    "not",
    "ed ",
)
"""Every needle has one of these words. The first are the rarest in ordinary logs."""

_Words = Mapping[bytes, re.Pattern[bytes]]
_LONG = 6
"""With this many characters after it, a word is rare enough."""


def word_of(needle: Needle) -> tuple[str, str]:
    """A word of the needle, and the longest fragment that contains one of the words."""
    fragments = sorted(needle, key=len, reverse=True)
    return next((word, part) for part in fragments for word in WORDS if word in part)


def fragment_of(needle: Needle) -> str:
    """The longest fragment of a needle, which is the most specific."""
    return max(needle, key=len)


CALLING = "when calling the"
_KNOWN = "|".join(sorted(ONLY_DYNAMODB | SHARED))
_OURS = rf"(?! (?!(?:{_KNOWN})\b)[A-Za-z0-9]+ operation)"
"""After `CALLING`: not an operation of another service, because that is not a match. If a record
also names a DynamoDB operation, the place of that one counts.
"""


def _patterns(needles: Iterable[Needle]) -> _Words:
    fragments: dict[str, set[str]] = {}
    for needle in needles:
        word, fragment = word_of(needle)
        fragments.setdefault(word, set()).add(fragment)
    return _compiled(
        {
            word: pattern_of(word, sorted(parts)) + (_OURS if word.endswith(CALLING) else "")
            for word, parts in fragments.items()
        }
    )


def _compiled(patterns: Mapping[str, str]) -> _Words:
    return {word.encode(): re.compile(pattern.encode()) for word, pattern in patterns.items()}


_END_OF_TEXT = r"[\"\\]"
"""The end of a string in JSON, or in JSON within JSON."""


def _is_joined(word: str, fragment: str) -> bool:
    """Whether a fragment is a class and its message, which are separate in JSON."""
    return fragment.startswith(f"{word}: ")


def pattern_of(word: str, fragments: Iterable[str]) -> str:
    """The word, with the text after it in any fragment, and the text before it if that is short.

    The word comes first, because Python finds a pattern that starts with text as fast as the text.
    """
    around = set()
    for fragment in fragments:
        if _is_joined(word, fragment):
            around.add(_END_OF_TEXT)
        before, _, after = fragment.partition(word)
        is_short = len(after) < _LONG
        head = f"(?<={re.escape(before + word)})" if is_short else ""
        around.add(head + re.escape(after))
    return f"{re.escape(word)}(?:{'|'.join(sorted(around))})"


_NEEDLES = tuple(needle for each in SIGNATURES for needle in each.needles)
_PATTERNS = _patterns(_NEEDLES)
_CLASSES = _compiled(
    {
        word: word + _END_OF_TEXT
        for word, fragment in map(word_of, _NEEDLES)
        if _is_joined(word, fragment)
    }
)
_MEMBERS: tuple[bytes, ...] = (b'"errorMessage', b'"exception_name')
"""JSON members beside an error's class, in records that have the message separately."""
_TRACEBACK: bytes = b"Traceback (most recent call last)"
_BY_WINDOW: dict[bytes, list[bytes]] = {}
for _each in sorted({*(fragment_of(each).encode() for each in _NEEDLES), *_MEMBERS, _TRACEBACK}):
    _BY_WINDOW.setdefault(_each[-windows.SIZE :], []).append(_each)
_WINDOWS = frozenset(_BY_WINDOW)
_SKIPS = windows.skips(_WINDOWS)
_BY_WINDOWS = b""
"""The key of all fragments, if they are found by their windows."""
_IS_OURS = re.compile(_OURS.encode())
_CALLING = CALLING.encode()
IS_COMPILED = not windows.__file__.endswith(".py")


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules for a place: words, each with a pattern, or fragments by their windows.

    `beside` has fragments that count only in a block that also has one of these words.
    """

    patterns: _Words
    beside: Mapping[bytes, _Words]
    has_windows: bool


def gate(
    more: Mapping[str, str] = {},
    *,
    in_tracebacks: Mapping[str, str] = {},
    by_windows: bool = IS_COMPILED,
) -> Gate:
    """The gate for all needles, and for some more words.

    Args:
        more: words, each with a regular expression that begins with it.
        in_tracebacks: the same, for words that count only in a record with a traceback.
        by_windows: whether fragments are found by their windows.
    """
    if not by_windows:
        return Gate({**_PATTERNS, **_compiled({**more, **in_tracebacks})}, {}, has_windows=False)
    beside: dict[bytes, _Words] = dict.fromkeys(_MEMBERS, _CLASSES)
    beside[_TRACEBACK] = _compiled(in_tracebacks)
    return Gate(_compiled(more), beside, has_windows=True)


def may_match(text: str) -> bool:
    """Whether a text may have a signature: a quick test whose No is never wrong."""
    return any(word in text for word in WORDS)


def _has(data: bytes, word: bytes, pattern: re.Pattern[bytes]) -> bool:
    """Whether a pattern that begins with a word is in the data; `find` is faster than `search`."""
    place = data.find(word)
    while place >= 0:
        if pattern.match(data, place) is not None:
            return True
        place = data.find(word, place + 1)
    return False


class Places:
    """The places of a gate's fragments in some lines."""

    def __init__(self, data: bytes, gate: Gate) -> None:
        self._data = data
        self._gate = gate
        self._next: dict[bytes, int] = {}
        self._is_beside: dict[bytes, bool] = {}
        for word in gate.patterns:
            if word in data:
                self._find(word, 0)
        if gate.has_windows:
            self._find(_BY_WINDOWS, 0)

    def first(self, start: int) -> int | None:
        """The first place of any fragment from `start` on. `start` must not decrease."""
        for word in [word for word, place in self._next.items() if place < start]:
            self._find(word, start)
        return min(self._next.values(), default=None)

    def _find(self, word: bytes, start: int) -> None:
        """Find the next place of the word within one of its fragments."""
        if word == _BY_WINDOWS:
            place = self._fragment(start)
        else:
            found = self._gate.patterns[word].search(self._data, start)
            place = -1 if found is None else found.start()
        if place < 0:
            self._next.pop(word, None)
        else:
            self._next[word] = place

    def _fragment(self, start: int) -> int:
        """The place of the next fragment's window, or -1."""
        data = self._data
        while (start := windows.next_window(data, start, _SKIPS, _WINDOWS)) >= 0:
            end = start + windows.SIZE
            for fragment in _BY_WINDOW[data[start:end]]:
                if data.endswith(fragment, 0, end) and self._counts(fragment, end):
                    return start
            start += 1
        return -1

    def _counts(self, fragment: bytes, end: int) -> bool:
        """Whether a fragment that ends there may belong to a needle."""
        if fragment.endswith(_CALLING):
            return _IS_OURS.match(self._data, end) is not None
        words = self._gate.beside.get(fragment)
        if words is None:
            return True
        if fragment not in self._is_beside:
            self._is_beside[fragment] = any(
                _has(self._data, word, pattern) for word, pattern in words.items()
            )
        return self._is_beside[fragment]
