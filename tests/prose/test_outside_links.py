"""Links to other sites: each is in a list, since the tests have no internet to try them.

Whoever adds a link opens it in a browser, and adds it to tests/data/outside_links.txt.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from tests.prose.readable import ROOT

LIST = ROOT / "tests" / "data" / "outside_links.txt"


def outside_links() -> set[str]:
    """Each link of a page that leads to another site."""
    found = set()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for token in MarkdownIt().parse(page.read_text()):
            for part in token.children or ():
                target = str(part.attrs.get("href", ""))
                if re.match(r"[a-z]+:", target):
                    found.add(target)
    return found


def test_links_are_listed() -> None:
    """The pages have the links of the list, and no others; none is without encryption."""
    listed = LIST.read_text().splitlines()
    assert listed == sorted(listed)
    assert outside_links() == set(listed)
    assert [each for each in listed if not each.startswith("https://")] == []
