"""The public names: what each module offers, and that the reference has a place for it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from dynasafe.errors import DynasafeError, ExpressionSyntaxError, ValueOutOfRangeError
from dynasafe.events import Event
from dynasafe.expressions import format, parse
from dynasafe.testing import strategies

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
# Modules whose public names are listed in `__all__`.
LISTED = (
    "dynasafe",
    "dynasafe.expressions",
    "dynasafe.lint",
    "dynasafe.sync",
    "dynasafe.testing.sync",
    "dynasafe.typing",
    "dynasafe.values",
)


def documented() -> set[str]:
    """Each name that a page of the reference asks for."""
    pages = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    return set(re.findall(r"^::: ([\w.]+)$", pages, flags=re.MULTILINE))


@pytest.mark.parametrize("module", LISTED)
def test_public_names_are_documented(module: str) -> None:
    """Each name in `__all__` exists, and stands in the reference, under its public module."""
    names = import_module(module).__all__
    assert sorted(names) == list(names)
    for name in names:
        assert hasattr(import_module(module), name)
    pages = documented()
    homes = {
        name: {f"{module}.{name}", f"dynasafe.{name}", f"{module}.{name.lower()}.{name}"}
        for name in names
    }
    assert [name for name in names if not homes[name] & pages] == []


def test_reference_has_public_names_only() -> None:
    """What the reference shows can be imported from where it says."""
    for path in documented():
        module, _, name = path.rpartition(".")
        try:
            import_module(path)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), name), path


def test_errors_and_events_are_whole_modules() -> None:
    """The reference shows the modules of errors and of events as a whole."""
    assert {"dynasafe.errors", "dynasafe.events"} <= documented()
    assert DynasafeError.__module__ == "dynasafe.errors"
    assert "dynasafe.events" in str(Event)


# Expressions


@given(update=strategies.updates({"id": "a", "n": 1, "l": [1], "m": {"x": 1}}, key=["id"]))
def test_format_and_parse(update: Any) -> None:
    """Parsing what was formatted gives the same tree."""
    text, names, values = format(update.update)

    assert parse("update", text, names, values) == update.update


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("condition", "attribute_exists(a) AND b > :b"),
        ("key condition", "a = :a AND begins_with(b, :b)"),
        ("projection", "a, b[1].c"),
        ("update", "SET a = :a REMOVE b"),
    ],
)
def test_parse_each_kind(kind: Any, text: str) -> None:
    """Each kind of expression is read, and other text is refused with its place."""
    assert parse(kind, text) is not None
    with pytest.raises(ExpressionSyntaxError):
        parse(kind, "= :a")


def test_parse_refuses_an_unknown_kind() -> None:
    """A misspelt kind of expression is refused."""
    with pytest.raises(ValueOutOfRangeError, match="kind: one of"):
        parse("filter", "a = :a")  # type: ignore[arg-type]
