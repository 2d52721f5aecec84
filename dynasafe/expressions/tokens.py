"""The tokens of expression text, with their places."""

from __future__ import annotations

import re
from typing import Final

_PARTS = re.compile(
    r"""[ \t\r\n]+
      | [A-Za-z][A-Za-z0-9_]*
      | [#:][A-Za-z0-9_]+
      | <>|<=|>=
      | 0|[1-9][0-9]*
      | .
    """,
    re.VERBOSE | re.DOTALL,
)
"""The parts of a text: each begins where the previous one ends."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KINDS: dict[str, str] = {
    **dict.fromkeys(" \t\r\n", "space"),
    **dict.fromkeys(_LETTERS + _LETTERS.upper(), "name"),
    **dict.fromkeys("0123456789", "index"),
    **dict.fromkeys("()[],.+-", "mark"),
    **dict.fromkeys("=<>", "comparator"),
    "#": "alias",
    ":": "value",
}
"""By first character. Any other character is a stray."""
KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"},
)
_WORDS: dict[str, str] = {each: each for each in KEYWORDS}
_LONGEST_WORD: Final = max(map(len, KEYWORDS))


class Token:
    """One token; `kind` is that of its first character, "stray" or "end".

    `word` is its keyword in upper case; `mark` is its mark or comparator. Both are empty for other
    tokens.
    """

    __slots__ = ("end", "kind", "mark", "start", "text", "word")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind: str = kind
        self.text: str = text
        self.start: int = start
        self.end: int = end
        is_word = kind == "name" and len(text) <= _LONGEST_WORD
        self.word: str = _WORDS.get(text.upper(), "") if is_word else ""
        self.mark: str = text if kind == "mark" or kind == "comparator" else ""


def tokens_of(text: str) -> list[Token]:
    """Every token, in the order of the text."""
    tokens: list[Token] = []
    end = 0
    parts: list[str] = _PARTS.findall(text)
    for part in parts:
        start = end
        end += len(part)
        kind = _KINDS.get(part[0], "stray")
        if kind == "space":
            continue
        if len(part) == 1 and (kind == "alias" or kind == "value"):
            kind = "stray"  # no name follows it
        tokens.append(Token(kind, part, start, end))
    return tokens
