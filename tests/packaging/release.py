"""What is missing before a tag can be published.

`python -m tests.packaging.release v1.2.3` prints it, and ends with status 1 if there is anything.
Without a tag, it prints what each release needs, and there is none yet that this could stop.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TAG = re.compile(r"v(?P<version>\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)")


def missing(tag: str | None, changelog: str, project: Mapping[str, Any]) -> list[str]:
    """Sentences that say what is missing, each with what to do."""
    found = []
    if "urls" not in project:
        found.append(
            "pyproject.toml has no [project.urls]. "
            "Add the addresses of the repository, the documentation and the issues."
        )
    if tag is None:
        return found
    matched = TAG.fullmatch(tag)
    if matched is None:
        return [*found, f"{tag} is no version. Name the tag as v1.2.3 or v1.2.3rc1."]
    version = matched["version"]
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.M):
        found.append(f"CHANGELOG.md has no section [{version}] with a date.")
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.M | re.S)
    if unreleased and re.search(r"^- ", unreleased[1], re.MULTILINE):
        found.append(f"CHANGELOG.md has lines under Unreleased. Move them to [{version}].")
    return found


def main(arguments: list[str], project: Mapping[str, Any] | None = None) -> int:
    if project is None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tag = arguments[0] if arguments else None
    found = missing(tag, (ROOT / "CHANGELOG.md").read_text(), project)
    sys.stderr.writelines(f"Before a release: {each}\n" for each in found)
    return 1 if found and tag is not None else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
