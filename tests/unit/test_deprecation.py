"""Deprecated names warn until a version that removes them."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import dynasafe
from dynasafe.deprecation import warn_deprecated

ROOT = Path(__file__).parents[2]
SOURCES = sorted(Path(dynasafe.__file__).parent.rglob("*.py"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def old_name() -> None:
    warn_deprecated("old_name()", use="new_name()", removed_in="9.0.0")


def test_warns_the_caller() -> None:
    """The warning names the replacement, and points to the line that uses the old name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old_name()

    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert warning.filename == __file__
    assert str(warning.message) == (
        "old_name() is deprecated, and dynasafe 9.0.0 removes it. Fix: use new_name()."
    )


def overdue(source: str, changelog: str) -> list[str]:
    """Deprecated names whose last version is out, or that the changelog does not announce."""
    released = [*map(version, re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE))]
    announced = "".join(re.findall(r"^### Deprecated\n(.*?)^##", changelog + "\n##", re.M | re.S))
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "warn_deprecated":
            name = ast.literal_eval(node.args[0])
            last = {each.arg: each.value for each in node.keywords}["removed_in"]
            if version(ast.literal_eval(last)) <= max(released) or name not in announced:
                found.append(name)
    return found


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_overdue_and_unannounced() -> None:
    """A name is overdue from the version that should remove it, and needs a changelog line."""
    source = 'warn_deprecated("f()", use="g()", removed_in="1.2.0")'
    announced = "## [1.1.0]\n\n### Deprecated\n\n- f(): use g().\n"

    assert overdue(source, announced) == []
    assert overdue(source, announced.replace("1.1.0", "1.2.0")) == ["f()"]
    assert overdue(source, "## [1.1.0]\n\n### Added\n\n- f()\n") == ["f()"]


def test_nothing_is_overdue() -> None:
    """No release keeps a deprecated name longer than announced."""
    sources = [path.read_text() for path in SOURCES]
    using = [each for each in sources if "warn_deprecated(" in each]
    assert len(using) > 1  # its definition, and at least one use
    assert [each for source in using for each in overdue(source, CHANGELOG)] == []
