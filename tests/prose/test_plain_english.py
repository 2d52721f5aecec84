"""The style guide's words: what a person reads here is plain English."""

from __future__ import annotations

from tests.prose.banned import PATTERNS
from tests.prose.readable import ROOT, Passage, passages

HERE = ROOT / "tests" / "prose"


def complaints(passage: Passage) -> list[str]:
    return [
        f"{passage}  ({found[0]!r}: {instead})"
        for pattern, instead in PATTERNS.items()
        if (found := pattern.search(passage.text))
    ]


def test_no_banned_words() -> None:
    """Neither pages, docstrings, comments nor messages have a word that the style bans."""
    read = [each for each in passages() if HERE not in each.path.parents]
    assert len(read) > 10_000
    assert [line for each in read for line in complaints(each)] == []
