"""The tokens of expression text, with their places."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<alias>\#[A-Za-z0-9_]+)
      | (?P<value>:[A-Za-z0-9_]+)
      | (?P<mark>[()\[\],.+-])
      | (?P<comparator><>|<=|>=|=|<|>)
      | (?P<index>0|[1-9][0-9]*)
      | (?P<stray>[^ \t\r\n])
    """,
    re.VERBOSE,
)
KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"},
)
_WORDS = {each: each for each in KEYWORDS}
_MARKS = {each: each for each in ("(", ")", "[", "]", ",", ".", "+", "-")}
_MARKS |= {each: each for each in ("=", "<", ">", "<>", "<=", ">=")}


class Token:
    """One token; `kind` is the name of its group in the pattern, or "end".

    `word` is the keyword that it is, in upper case; `mark` the mark or comparator. Of any other
    token they are empty.
    """

    __slots__ = ("end", "kind", "mark", "start", "text", "word")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind: str = kind
        self.text: str = text
        self.start: int = start
        self.end: int = end
        self.word: str = _WORDS.get(text.upper(), "")
        self.mark: str = _MARKS.get(text, "")


def tokens_of(text: str) -> list[Token]:
    """Every token, in the order of the text."""
    return [Token(str(each.lastgroup), each[0], *each.span()) for each in _TOKEN.finditer(text)]
