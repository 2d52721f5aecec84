"""What must hold for the finished site.

`python -m tests.site.check build/docs` prints what does not.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.site.finish import DESCRIPTION

# What readers search for, and the page that must be among the first five.
SEARCHES = {
    "pagination": "guides/queries/",
    "single table": "guides/tables/",
    "reserved keyword": "findings/DYS215/",
    "Two document paths overlap with each other": "findings/DYS203/",
    "ExpressionAttributeNames must not be empty": "findings/DYS103/",
    "NoneType object has no attribute update": "findings/DYS310/",
    "ProvisionedThroughputExceededException": "findings/DYS440/",
    "ConditionalCheckFailedException The conditional request failed": "findings/DYS430/",
    "Requested resource not found": "findings/DYS434/",
    "An expression attribute value used in expression is not defined": "findings/DYS221/",
    "The provided key element does not match the schema": "findings/DYS417/",
    "Item size has exceeded the maximum allowed size": "findings/DYS422/",
    "Unable to locate credentials": "findings/DYS436/",
    "was never awaited": "findings/DYS450/",
    "exactly once": "guides/exactly-once/",
    "DynamoDB Local": "guides/tests-and-faults/",
}
TITLE = re.compile(r"<title>(.*?)</title>")


class Page(HTMLParser):
    """The links and anchors of one page, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in ("script", "img") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") != "canonical":
            self.loaded.append(given.get("href", ""))


def complaints(folder: Path) -> Iterator[str]:
    texts = {path: path.read_text() for path in sorted(folder.rglob("*.html"))}
    pages = {path: Page(text) for path, text in texts.items()}
    for path, page in pages.items():
        name = path.relative_to(folder)
        if name.parts[0] == "reference" and "Unpack" in re.sub(r"<[^>]+>", "", texts[path]):
            yield f"{name}: has **options in place of keywords"
        for link in page.links:
            if path.name != "404.html":
                yield from (f"{name}: {each}" for each in broken(link, path, folder, pages))
        for each in page.loaded:
            if urlsplit(each).netloc:
                yield f"{name}: loads {each} from another host"
    for kind, pattern in (("title", TITLE), ("description", DESCRIPTION)):
        found = Counter(
            found[0] for text in texts.values() for found in [pattern.search(text)] if found
        )
        yield from (
            f"{count} pages have the {kind} {text}" for text, count in found.items() if count > 1
        )
        yield from (
            f"{path.relative_to(folder)}: no {kind}"
            for path, text in texts.items()
            if not pattern.search(text)
        )
    yield from missing_searches(json.loads((folder / "search.json").read_text())["items"])


def broken(link: str, path: Path, folder: Path, pages: dict[Path, Page]) -> Iterator[str]:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return
    target = path
    if parts.path:
        target = (path.parent / unquote(parts.path)).resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"{link} leads nowhere"
            return
    page = pages.get(target)
    if parts.fragment and page and unquote(parts.fragment) not in page.anchors:
        yield f"{link} has no such place"


def missing_searches(items: list[dict[str, str]]) -> Iterator[str]:
    """Searches whose page is not among those that have all words, titles first.

    This is simpler than the search of the site: a page that it finds, the site finds too.
    """
    for words, expected in SEARCHES.items():
        needed = words.lower().split()
        ranked = [
            item["location"].partition("#")[0]
            for in_title in (True, False)
            for item in items
            if all(each in (item["title"] if in_title else item["text"]).lower() for each in needed)
        ]
        if expected not in list(dict.fromkeys(ranked))[:8]:
            yield f"a search for {words!r} finds {ranked[:8]}, not {expected}"


def main() -> int:
    found = [*complaints(Path(sys.argv[1]).resolve())]
    sys.stderr.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
