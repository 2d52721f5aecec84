"""Whether pip finds versions for dynasafe beside packages that want a botocore of their own.

    python -m tests.packaging.beside

Nothing is installed but pip's own environment, under build/. It asks the package index, so it is
no test.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "langgraph-checkpoint-aws",
    "bloop",
    "awsimple",
    "crewai-memory-dynamodb",
    "aiobotocore==3.10.*",
    "botocore",
)


def resolved(python: Path, *packages: str) -> str | None:
    """The versions of botocore's family that pip would install, or None where there are none."""
    ran = subprocess.run(
        [
            *(str(python), "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"),
            *("--disable-pip-version-check", "--report", "-", *packages),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if ran.returncode:
        return None
    found = (each["metadata"] for each in json.loads(ran.stdout)["install"])
    return ", ".join(
        sorted(f"{each['name']} {each['version']}" for each in found if "boto" in each["name"])
    )


def main(folder: Path) -> int:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    failed = 0
    for package in PACKAGES:
        found = resolved(python, str(ROOT), package)
        failed += found is None
        sys.stdout.write(f"{package:28} {'NO' if found is None else 'yes: ' + found}\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "beside"))
