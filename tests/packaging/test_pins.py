"""What builds a release, and what the tests run on, is pinned by hash."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_build_tools() -> None:
    """Each tool has a version and the hashes of its files, and the version is that of the tests."""
    text = (ROOT / "constraints-release.txt").read_text()
    tools = re.findall(
        r"^([\w.-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    assert len(tools) == len(re.findall(r"^[a-z]", text, re.M)) > 40

    pinned = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    )
    versions = {name.lower().replace("_", "-"): version for name, version, _ in tools}
    assert {name: pinned.get(name, version) for name, version in versions.items()} == versions


def test_engines() -> None:
    """npm compares what it fetches with the lock file; make does so for DynamoDB Local."""
    lock = json.loads((ROOT / "tests" / "engines" / "package-lock.json").read_text())
    packages = [each for name, each in lock["packages"].items() if name]
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages)
    assert re.search(r"^DYNAMODB_LOCAL_SHA512 := \S{88}$", (ROOT / "Makefile").read_text(), re.M)
