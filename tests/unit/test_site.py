"""What finishes the built site, and what checks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.check import complaints
from tests.site.finish import finish, finish_page

PAGE = """<html><head><title>{title} - dynasafe</title>
<meta name="description" content="All pages."></head>
<body><article><h1 id="top">{title}<a href="#top">¶</a></h1>
<p>{words}</p>{more}</article></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write(tmp_path / "index.html", "Start", "Begin &amp; <em>go on</em>.", '<a href="a/#top">A</a>')
    write(tmp_path / "a" / "index.html", "A page", "It is long. " * 40)
    (tmp_path / "search.json").write_text('{"items": []}')
    (tmp_path / "sitemap.xml").write_text("empty")
    return tmp_path


def write(path: Path, title: str, words: str, more: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(PAGE.format(title=title, words=words, more=more))


def found(site: Path) -> list[str]:
    return [each for each in complaints(site) if not each.startswith("a search for")]


def test_descriptions(site: Path) -> None:
    """Each page is described by its heading and first paragraph, cut at a word."""
    finish(site, None)

    assert 'content="Start: Begin &amp; go on."' in (site / "index.html").read_text()
    long = (site / "a" / "index.html").read_text()
    (_, content) = long.split('content="', 1)
    assert len(content.partition('"')[0]) <= 160
    assert found(site) == []


def test_sitemap(site: Path) -> None:
    """With an address, the sitemap has each page; without one, there is none."""
    finish(site, "https://example.org/docs/")
    assert "<loc>https://example.org/docs/a/</loc>" in (site / "sitemap.xml").read_text()
    assert "<loc>https://example.org/docs/</loc>" in (site / "sitemap.xml").read_text()

    finish(site, None)
    assert not (site / "sitemap.xml").exists()


def test_not_found_page() -> None:
    """It says what to do."""
    finished = finish_page(Path("404.html"), "<h1>404 - Not found</h1>")
    assert "Search for a word" in finished


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('<a href="../a/#no">a</a>', "c/index.html: ../a/#no has no such place"),
        ('<a href="../d/">d</a>', "c/index.html: ../d/ leads nowhere"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "c/index.html: loads https://cdn.example/x.js from another host",
        ),
    ],
)
def test_what_is_wrong(site: Path, more: str, expected: str) -> None:
    """Dead links, dead anchors and foreign scripts are found."""
    write(site / "c" / "index.html", "C", "Words of its own.", more)
    finish(site, None)

    assert found(site) == [expected]


def test_searches(site: Path) -> None:
    """A search that does not find its page is a complaint."""
    assert any(each.startswith("a search for 'pagination'") for each in complaints(site))
