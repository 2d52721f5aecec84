"""Finishes the site that zensical built: descriptions, titles, the page for 404, the sitemap.

    python -m tests.site.finish build/docs [https://where.it/will/be/]

Without an address there is no sitemap, since its entries are whole addresses.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
DESCRIPTION = re.compile(r'(<meta name="description" content=")[^"]*(")')
MAX_LENGTH = 160
# Links of docs/examples.md lead to the sources, which the site shows as pages.
SOURCES = (
    (re.compile(r'"(?:\.\./)+examples/recipes/([a-z_]+)\.py"'), r'"../sources/\1/"'),
    (re.compile(r'"(?:\.\./)+examples/(registry|accounts)/[a-z_.]*"'), r'"../sources/\1/"'),
    (re.compile(r'"(?:\.\./)+examples/demo\.py"'), r'"../sources/demo/"'),
)
NOT_FOUND = """<h1>There is no such page</h1>
<p>Search for a word, an error code such as DYS203, or the message of DynamoDB that you got.
Or begin at <a href="/">the first page</a>.</p>"""


def description_of(page: str) -> str | None:
    """The heading of a page and its first paragraph as plain text, cut at a word."""
    article = ARTICLE.search(page)
    heading = HEADING.search(article[0]) if article else None
    if article is None or heading is None:
        return None
    paragraph = PARAGRAPH.search(article[0])
    words = paragraph[1] if paragraph else "the source of this recipe, as a file to copy."
    text = f"{plain(heading[1]).rstrip('¶')}: {plain(words)}"
    if len(text) > MAX_LENGTH:
        text = text[: MAX_LENGTH - 1].rpartition(" ")[0].rstrip(",;:") + "…"
    return text


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def finish_page(path: Path, text: str) -> str:
    described = description_of(text)
    if described is not None:
        content = html.escape(described)
        text = DESCRIPTION.sub(lambda found: found[1] + content + found[2], text)
    title = "No such page" if path.name == "404.html" else "DynamoDB calls that are safe to repeat"
    text = text.replace("<title>dynasafe - dynasafe</title>", f"<title>dynasafe: {title}</title>")
    text = text.replace("<title>dynasafe</title>", f"<title>dynasafe: {title}</title>")
    if path.name == "404.html":
        text = text.replace("<h1>404 - Not found</h1>", NOT_FOUND)
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


def finish(folder: Path, address: str | None) -> None:
    for path in folder.rglob("*.html"):
        path.write_text(finish_page(path, path.read_text()))
    place = folder / "sitemap.xml"
    if address:
        place.write_text(sitemap(folder, address))
    else:
        place.unlink(missing_ok=True)


if __name__ == "__main__":
    finish(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
