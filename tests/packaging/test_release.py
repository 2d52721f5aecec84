"""What a release needs, before its tag is published."""

from __future__ import annotations

import pytest

from tests.packaging.lowest import constraints
from tests.packaging.release import main, missing

PROJECT = {"urls": {"Homepage": "https://example.org"}}
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-24\n\n### Added\n\n- This.\n"
NO_SECTION = "CHANGELOG.md has no section [1.2.3] with a date."


def test_nothing_is_missing() -> None:
    """A tag whose version has its section, and nothing unreleased, can be published."""
    assert missing("v1.2.3", CHANGELOG, PROJECT) == []


@pytest.mark.parametrize(
    ("tag", "changelog", "expected"),
    [
        ("1.2.3", CHANGELOG, "1.2.3 is no version. Name the tag as v1.2.3 or v1.2.3rc1."),
        ("v1.2.3", CHANGELOG.replace("[1.2.3]", "[1.2.4]"), NO_SECTION),
        ("v1.2.3", CHANGELOG.replace("2026-11-24", "soon"), NO_SECTION),
        (
            "v1.2.3",
            CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- That.\n"),
            "CHANGELOG.md has lines under Unreleased. Move them to [1.2.3].",
        ),
    ],
)
def test_what_is_missing(tag: str, changelog: str, expected: str) -> None:
    """Each omission has a sentence of its own."""
    assert missing(tag, changelog, PROJECT) == [expected]


def test_a_project_without_addresses() -> None:
    """A project without addresses cannot be published: PyPI's page would have no links."""
    (found,) = missing(None, CHANGELOG, {})
    assert found.startswith("pyproject.toml has no [project.urls].")


def test_only_a_tag_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a tag, what is missing is listed; a tag is stopped by it."""
    assert main([], {}) == 0
    assert main(["v1.2.3"], {}) == 1
    assert capsys.readouterr().err.count("Before a release: pyproject.toml has no") == 2


def test_lowest_versions() -> None:
    """Extras and markers do not matter; what has no lowest version is left out."""
    requirements = ["moto[server,dynamodb]>=5.2", 'uvloop>=0.21; sys_platform != "win32"', "this"]
    assert constraints(requirements) == "moto==5.2\nuvloop==0.21\n"
