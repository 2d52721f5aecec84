"""What a person reads in this project: prose of pages, docstrings, comments and messages."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)(`{3,}).*?^\1\2$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"(`+)[^`]+\1")


class Passage(NamedTuple):
    """Some text, and where it begins."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text.strip()}"


def passages() -> Iterator[Passage]:
    """All of them, line by line, without code."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    for page in sorted(pages):
        yield from of_markdown(page, page.read_text())
    for folder in ("dynasafe", "examples", "benchmarks", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from of_python(path, path.read_text())
    for name in ("Makefile", "pyproject.toml"):
        yield from of_comments(ROOT / name, (ROOT / name).read_text())
    for path in sorted((ROOT / "docs").rglob("*.svg")):
        yield from of_drawing(path, path.read_text())


def of_markdown(path: Path, text: str) -> Iterator[Passage]:
    without_code = FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(without_code.split("\n"), 1):
        yield Passage(path, number, CODE_SPAN.sub("`...`", line))


def of_python(path: Path, source: str) -> Iterator[Passage]:
    """Comments and the words in strings; a string without a space is a name, and no words."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (
            token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1))
            and " " in token.string
        ):
            for offset, line in enumerate(token.string.split("\n")):
                yield Passage(path, token.start[0] + offset, CODE_SPAN.sub("`...`", line))


def of_comments(path: Path, text: str) -> Iterator[Passage]:
    for number, line in enumerate(text.split("\n"), 1):
        if "#" in line:
            yield Passage(path, number, line.partition("#")[2])


def of_drawing(path: Path, text: str) -> Iterator[Passage]:
    for number, line in enumerate(text.split("\n"), 1):
        yield Passage(path, number, re.sub(r"<[^>]+>", " ", line))
