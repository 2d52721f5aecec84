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
    finish(site)

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

    finish(site)
    assert not (site / "sitemap.xml").exists()


def test_a_picture_is_no_description(site: Path) -> None:
    """A page that begins with a picture is described by the words after it."""
    write(site / "c" / "index.html", "C", '<img alt="bars" src="x.svg">', "<p>Words of C.</p>")
    finish(site)
    assert 'content="C: Words of C."' in (site / "c" / "index.html").read_text()


@pytest.mark.parametrize(
    ("address", "root"),
    [(None, "/"), ("https://example.org", "/"), ("https://example.org/docs", "/docs/")],
)
def test_not_found_page(address: str | None, root: str) -> None:
    """It says what to do, and leads to the first page of the site."""
    text = '<script src="/a.js"></script><h1>404 - Not found</h1>'
    finished = finish_page(Path("404.html"), text, address=address)
    assert "Search for a word" in finished
    assert f'<a href="{root}">' in finished
    assert f'src="{root}a.js"' in finished


@pytest.mark.parametrize(
    ("page", "source"),
    [
        ("index.html", "index.md"),
        ("guides/updates/index.html", "guides/updates.md"),
        ("findings/index.html", "findings/index.md"),
        ("findings/DYS203/index.html", "findings/DYS203.md"),
    ],
)
def test_links_to_the_source(page: str, source: str) -> None:
    """With a repository, each page has a link that edits its source; without one, it has none."""
    repository = "https://example.org/owner/name"
    text = "<article><h1>T</h1></article>"
    assert "Edit" not in finish_page(Path(page), text)
    finished = finish_page(Path(page), text, repository=repository)
    assert f'href="{repository}/edit/main/docs/{source}">Edit this page</a>' in finished
    assert (Path(__file__).parents[2] / "docs" / source).exists()


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
    finish(site)

    assert found(site) == [expected]


def test_searches(site: Path) -> None:
    """A search that does not find its page is a complaint."""
    assert any(each.startswith("a search for 'pagination'") for each in complaints(site))
