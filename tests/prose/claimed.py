"""Sentences that promise something: those with words such as never, always, exactly and cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.prose.readable import CODE_SPAN, FENCE, ROOT

WORDS = re.compile(r"\b(never|always|exactly|cannot|bounded|guarantee[sd]?)\b", re.IGNORECASE)

TITLES = re.compile(r"\[[^\]]*\]\([^)]*\)|^#.*$|\bexactly once\b", re.IGNORECASE | re.MULTILINE)
"""Names of pages and headings, and the name of a feature: these promise nothing by themselves."""

BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s)|\n(?=\s*\w+(?:, \w+)*: )")
FIGURES = re.compile(r"<!-- figures: begin -->.*<!-- figures: end -->", re.DOTALL)
RAISES = re.compile(r"^ *Raises:\n(?: *\S.*\n?)+", re.MULTILINE)
"""When an error is raised: a condition, such as "the file cannot be read"."""


class Claim(NamedTuple):
    """A sentence, and the page or module that has it."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


def claims() -> Iterator[Claim]:
    """All sentences of pages and docstrings that have one of the words."""
    pages = [ROOT / "README.md", ROOT / "SECURITY.md"]
    for folder in ("docs", "docs/guides", "docs/reference"):
        pages += sorted((ROOT / folder).glob("*.md"))
    for page in pages:
        yield from _of(
            page, CODE_SPAN.sub("`...`", FENCE.sub("", FIGURES.sub("", page.read_text())))
        )
    for module in sorted((ROOT / "dynasafe").rglob("*.py")):
        for docstring in docstrings(module.read_text()):
            yield from _of(module, RAISES.sub("", docstring))


def docstrings(source: str) -> Iterator[str]:
    """Those of the module, its classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str):
                yield CODE_SPAN.sub("`...`", text)


def _of(path: Path, text: str) -> Iterator[Claim]:
    for sentence in sentences(TITLES.sub("", text)):
        if WORDS.search(sentence):
            yield Claim(path.relative_to(ROOT).as_posix(), sentence)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, each on one line; a row or an entry of a list stands alone."""
    for block in BLOCK.split(text):
        yield from re.split(r"(?<=[.?!:])\s+(?=[A-Z`*])", " ".join(block.split()))
