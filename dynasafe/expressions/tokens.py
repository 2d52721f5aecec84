"""The tokens of expression text, with their places."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<alias>\#[A-Za-z0-9_]+)
      | (?P<value>:[A-Za-z0-9_]+)
      | (?P<index>0|[1-9][0-9]*)
      | (?P<comparator><>|<=|>=|=|<|>)
      | (?P<mark>[()\[\],.+-])
      | (?P<stray>[^ \t\r\n])
      | \Z  # takes the space at the end at once, instead of once from each of its characters
    )""",
    re.VERBOSE,
)
KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"},
)


class Token(NamedTuple):
    """One token; `kind` is the name of its group in the pattern, or "end"."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword that it is, in upper case, or nothing."""
        upper = self.text.upper() if self.kind == "name" else ""
        return upper if upper in KEYWORDS else ""


def tokens_of(text: str) -> list[Token]:
    """Every token, in the order of the text."""
    return [
        Token(str(match.lastgroup), match[str(match.lastgroup)], *match.span(match.lastgroup))
        for match in _TOKEN.finditer(text)
        if match.lastgroup
    ]
