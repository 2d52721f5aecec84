"""Finishes the site that zensical built: descriptions, titles, the page for 404, the sitemap.

    python -m tests.site.finish build/docs --address https://example.org/dynasafe/ \
        --repository https://github.com/owner/name

Both addresses are known to whoever publishes the site, and to nobody before. Without `--address`
there is no sitemap, since its entries are whole addresses; without `--repository`, no page links to
its source.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path
from urllib.parse import urlsplit

ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
DESCRIPTION = re.compile(r'(<meta name="description" content=")[^"]*(")')
MAX_LENGTH = 160
# Links of docs/examples.md lead to the sources, which the site shows as pages.
SOURCES = (
    (re.compile(r'"(?:\.\./)+examples/recipes/([a-z_]+)\.py"'), r'"../sources/\1/"'),
    (
        re.compile(r'"(?:\.\./)+examples/(registry|accounts|sync|log_watch)/[a-z_.]*"'),
        r'"../sources/\1/"',
    ),
    (re.compile(r'"(?:\.\./)+examples/demo\.py"'), r'"../sources/demo/"'),
)
NOT_FOUND = """<h1>There is no such page</h1>
<p>Search for a word, an error code such as DYS203, or the message of DynamoDB that you got.
Or begin at <a href="{root}">the first page</a>.</p>"""
LINKS = (
    '<p><a href="{repository}/edit/main/docs/{source}">Edit this page</a> or see the '
    '<a href="{repository}">repository</a>.</p></article>'
)


def description_of(page: str) -> str | None:
    """The heading of a page and its first paragraph as plain text, cut at a word."""
    article = ARTICLE.search(page)
    heading = HEADING.search(article[0]) if article else None
    if article is None or heading is None:
        return None
    # A page may begin with a picture, which is a paragraph without words.
    paragraphs = filter(None, map(plain, PARAGRAPH.findall(article[0])))
    words = next(paragraphs, "the source of this recipe, as a file to copy.")
    text = f"{plain(heading[1]).rstrip('¶')}: {words}"
    if len(text) > MAX_LENGTH:
        text = text[: MAX_LENGTH - 1].rpartition(" ")[0].rstrip(",;:") + "…"
    return text


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def source_of(path: Path) -> str:
    """The page's Markdown file, below docs/: "guides/updates.md" of guides/updates/index.html."""
    folder = path.parent
    if folder == Path() or folder.name in ("findings",):
        return (folder / "index.md").as_posix()
    return f"{folder.as_posix()}.md"


def finish_page(
    path: Path, text: str, *, address: str | None = None, repository: str | None = None
) -> str:
    """The finished page.

    Args:
        path: of the page, below the site's folder.
    """
    described = description_of(text)
    if described is not None:
        content = html.escape(described)
        text = DESCRIPTION.sub(lambda found: found[1] + content + found[2], text)
    title = "No such page" if path.name == "404.html" else "DynamoDB calls that are safe to repeat"
    text = text.replace("<title>dynasafe - dynasafe</title>", f"<title>dynasafe: {title}</title>")
    text = text.replace("<title>dynasafe</title>", f"<title>dynasafe: {title}</title>")
    if path.name == "404.html":
        root = (urlsplit(address).path if address else "") or "/"
        text = text.replace("<h1>404 - Not found</h1>", NOT_FOUND.format(root="/"))
        # The page may be shown at any depth, so its links begin at the root of the host.
        root = html.escape(f"{root.rstrip('/')}/")
        text = re.sub(r'\b(href|src)="/(?!/)', lambda found: f'{found[1]}="{root}', text)
    elif repository:
        links = LINKS.format(repository=repository.rstrip("/"), source=source_of(path))
        text = text.replace("</article>", links)
    if path.parent.name == "examples":
        for pattern, replacement in SOURCES:
            text = pattern.sub(replacement, text)
    return text


def sitemap(folder: Path, address: str) -> str:
    pages = sorted(folder.rglob("index.html"))
    places = (page.parent.relative_to(folder).as_posix() for page in pages)
    entries = (
        f"  <url><loc>{address.rstrip('/')}/{'' if each == '.' else each + '/'}</loc></url>\n"
        for each in places
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{''.join(entries)}</urlset>\n"
    )


def finish(folder: Path, address: str | None = None, repository: str | None = None) -> None:
    for path in folder.rglob("*.html"):
        finished = finish_page(
            path.relative_to(folder), path.read_text(), address=address, repository=repository
        )
        path.write_text(finished)
    place = folder / "sitemap.xml"
    if address:
        place.write_text(sitemap(folder, address))
    else:
        place.unlink(missing_ok=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default=None)
    parser.add_argument("--repository", default=None)
    given = parser.parse_args()
    finish(given.folder, given.address or None, given.repository or None)
