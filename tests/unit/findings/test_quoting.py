"""Names in messages: printable, and never long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.findings.quoting import listed, printable, quoted


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("first_name", "'first_name'"),
        ("größe", "'größe'"),
        ("a\nb", "'a\\nb'"),
        ("\x1b[31m", "'\\x1b[31m'"),
        ("\ud800", "'\\ud800'"),
        ("a\u202eb", "'a\\u202eb'"),
        ("x" * 100, "'" + "x" * 57 + "...'"),
        (3, "'int'"),
    ],
)
def test_quoted(name: object, shown: str) -> None:
    """What ends lines, turns text around or has no UTF-8 is escaped."""
    assert quoted(name) == shown


@given(st.text(st.characters(), max_size=300))
def test_printable(text: str) -> None:
    """Any text gives one line that has UTF-8, and is not much longer."""
    shown = printable(text)
    shown.encode()
    assert shown.isprintable()
    assert len(shown) <= 10 * 200


def test_listed() -> None:
    """Ten names are shown, and the others counted."""
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(f"n{i}" for i in range(100_000)).endswith("'n9' and 99,990 more")
