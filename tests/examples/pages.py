"""The page of each example: its threat model and its contract come first, from its docstring.

    python -m tests.examples.pages

writes them to `docs/sources/`; a test fails where one of them is out of date. The titles, and what
a page of a package says below, are kept as they are.
"""

from __future__ import annotations

import ast
import re

from tests.examples.templates import MODULES, PACKAGES, ROOT

PAGES = ROOT / "docs" / "sources"
PARTS = (
    ("Threat model: ", "## Threat model"),
    ("What it guarantees:\n", "## What it guarantees"),
    ("What it leaves to you: ", "## What it leaves to you"),
)
CODE = "\n## The code\n"
SYNC = ROOT / "examples" / "recipes_sync"


def page_of(example: str) -> str:
    """The page: the title that it has, the contract, then the code."""
    title, _, rest = (PAGES / f"{example}.md").read_text().partition("\n")
    if example in PACKAGES:
        source = f"examples/{example}/__init__.py"
        _, _, code = rest.partition(CODE)
    else:
        source = f"examples/recipes/{example}.py"
        code = _code(example)
    return f"{title}\n\n{_contract(source)}\n{_permissions(example)}{CODE}{code}"


def _contract(source: str) -> str:
    docstring = ast.get_docstring(ast.parse((ROOT / source).read_text())) or ""
    parts = docstring.split("\n\n")
    (does,) = (part for part in parts if part.startswith("What it does: "))
    text = [_paragraph(does.removeprefix("What it does: "))]
    for words, heading in PARTS:
        (part,) = (part for part in parts if part.startswith(words))
        body = part.removeprefix(words)
        text += [heading, body if words.endswith("\n") else _paragraph(body)]
    return "\n\n".join(text) + "\n"


def _paragraph(text: str) -> str:
    """With a capital at its start, which follows a colon in the docstring."""
    return re.sub(r"^[a-z]", lambda found: found[0].upper(), text)


def _shown(path: str, language: str) -> str:
    return f'```{language} title="{path}"\n--8<-- "{path}"\n```\n'


def _permissions(example: str) -> str:
    return (
        "## Permissions\n\nAn IAM policy of what the code calls, and nothing else. Put in your "
        "account and region.\n\n" + _shown(f"examples/policies/{example}.json", "json")
    )


def _code(example: str) -> str:
    text = "\n" + _shown(f"examples/recipes/{example}.py", "python")
    if (SYNC / f"{example}.py").exists():
        text += "\n## For code that is not async\n\n"
        text += _shown(f"examples/recipes_sync/{example}.py", "python")
    text += "\n## The tables in CloudFormation\n\n"
    return text + _shown(f"examples/templates/{example}.yaml", "yaml")


def main() -> None:
    for example in MODULES:
        (PAGES / f"{example}.md").write_text(page_of(example))


if __name__ == "__main__":
    main()
