"""A source file: its text, its tree, and the places of nodes in characters.

`ast` counts columns in UTF-8 bytes. Everything here counts characters, as editors do.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

Span = tuple[int, int]
"""Start and end offsets in characters, as in `text[start:end]`."""

_STRING = re.compile(r"(?i)([rbuf]*)('''|\"\"\"|'|\")(.*)\2\Z", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:\r\n|N\{[^}]*\}|U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


class Source:
    """The text of a file, its tree, and the places of its nodes.

    Args:
        text: the text, decoded.
        path: the file's name in messages.

    Raises:
        SyntaxError: this Python cannot parse the text.
        ValueError: the text has a null byte.
    """

    def __init__(self, text: str, path: str = "<unknown>") -> None:
        self.text = text
        self.path = path
        self.tree: ast.Module = ast.parse(text)
        # ast ends a line at \n, \r\n and \r, and at no other character.
        self.starts: list[int] = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
        self._is_ascii = text.isascii()

    def offset(self, line: int, column: int) -> int:
        """The offset in characters of ast's line (from 1) and column (in bytes)."""
        start = self.starts[line - 1]
        if self._is_ascii:
            return start + column
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode(errors="replace"))

    def span(self, node: ast.AST) -> Span:
        """The span of an expression, a statement, a keyword or a handler."""
        lines: ast.expr = node  # type: ignore[assignment]  # all of them have these fields
        end_line, end_column = lines.end_lineno, lines.end_col_offset
        assert end_line is not None
        assert end_column is not None
        return (
            self.offset(lines.lineno, lines.col_offset),
            self.offset(end_line, end_column),
        )

    def segment(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def place(self, offset: int) -> Place:
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """A line without its end; lines count from 1."""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")

    def has_comment(self, span: Span) -> bool:
        """Whether the span contains a comment."""
        if "#" not in self.text[span[0] : span[1]]:
            return False
        return any(span[0] <= offset < span[1] for offset in self.comments)

    @cached_property
    def comments(self) -> dict[int, str]:
        """Each comment by its offset."""
        found = {}
        for token in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                found[self.starts[line - 1] + column] = token.string
        return found

    def characters(self, node: ast.expr, text: str) -> list[Span] | None:
        """The position in the file of each character of a constant's text; None if it is unclear.

        The constant may have escapes, a prefix, and several adjacent parts.
        """
        start, _ = self.span(node)
        places: list[Span] = []
        segment = self.segment(node)
        starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", segment))]
        try:
            # Brackets, so that parts may be on separate lines.
            read = list(tokenize.generate_tokens(io.StringIO(f"({segment})", newline="").readline))
        except (tokenize.TokenError, SyntaxError):
            return None
        for token in read:
            if token.type != tokenize.STRING:
                continue
            line, column = token.start
            at = starts[line - 1] + column - (1 if line == 1 else 0)
            found = _STRING.match(token.string)
            if found is None or "f" in found[1].lower():
                return None
            body = start + at + found.start(3)
            if "r" in found[1].lower():
                places += [(body + index, body + index + 1) for index in range(len(found[3]))]
                continue
            for piece in _ESCAPE.finditer(found[3]):
                if piece[0] not in ("\\\n", "\\\r\n", "\\\r"):
                    places.append((body + piece.start(), body + piece.end()))
        return places if len(places) == len(text) else None
