"""The lowest versions that requirements allow, as constraints for pip.

`python -m tests.packaging.lowest` prints those of pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?\s*>=\s*(?P<version>[\w.]+)")


def constraints(requirements: Iterable[str]) -> str:
    """One line for each requirement that names its lowest version, without those that have none."""
    found = (REQUIREMENT.match(each) for each in requirements)
    return "".join(sorted({f"{each['name']}=={each['version']}\n" for each in found if each}))


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    sys.stdout.write(constraints([*project["dependencies"], *extras["testing"], *extras["boto3"]]))


if __name__ == "__main__":
    main()
