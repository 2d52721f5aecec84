"""Records of logs: what a line continues, and what text an envelope holds."""

from __future__ import annotations

import pytest

from dynasafe.logs.records import Event, Record, plain, records


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("E   KeyError: 'Item'", "KeyError: 'Item'"),
        ("app.py:3\nE   KeyError: 'Item'", "app.py:3\nKeyError: 'Item'"),
        ('{"message": "a\\nb"}', "a\nb"),
        ('x {"message": "a\\nb \\"c', 'x {"message": "a\nb "c'),
        ('{"message": ', '{"message":'),
        ('{"log": "a\\n"}', "a"),
        ('{"log": 3}', ""),
        ('{"log": ', '{"log":'),
    ],
)
def test_plain(raw: str, text: str) -> None:
    """The text of a record is what its envelope holds, also if that is cut off."""
    assert plain(raw).strip() == text


@pytest.mark.parametrize(
    ("raw", "time_ms"),
    [
        ("2026-11-26T10:00:00Z failed", 1795687200000),
        ("2026-11-26 10:00:00,250 failed", 1795687200250),
        ("2026-11-26T10:00:00.250+01:00 failed", 1795683600250),
        ("2026-13-26T10:00:00Z failed", None),
        ("failed", None),
    ],
)
def test_time(raw: str, time_ms: int | None) -> None:
    """The time of a record is read, if there is such a time."""
    assert Record(raw).time_ms == time_ms


PREFIXED = """\
app | Traceback (most recent call last):
app |   File "a.py", line 3, in f
app |     table.scan()
app | KeyError: 'Item'
app | started"""
DOCKER = """\
{"log": "Traceback (most recent call last):\\n"}
{"log": "  File \\"a.py\\", line 3\\n"}
{"log": "KeyError: 'Item'\\n"}
{"log": ["no text"]}
{"log": broken}"""


@pytest.mark.parametrize("text", [PREFIXED, DOCKER])
def test_joined(text: str) -> None:
    """The lines of a traceback are one record, whatever stands before each."""
    found = [each.raw for each in records([Event(text)])]
    assert "KeyError: 'Item'" in found[0]
    assert all("Traceback" not in each for each in found[1:])
