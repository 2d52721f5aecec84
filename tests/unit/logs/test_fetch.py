"""Clients of CloudWatch Logs, and events that are read once."""

from __future__ import annotations

import sys

import pytest

from dynasafe.logs import fetch
from dynasafe.logs.fetch import Reader, logs_client
from dynasafe.logs.grouping import Tally
from dynasafe.logs.records import Event
from dynasafe.logs.steps import Read, Steps


def test_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing boto3, and a profile that does not exist, say how to go on."""
    with pytest.raises(ValueError, match="Fix: give --region and --profile"):
        logs_client(profile="no such profile", region="us-east-1")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ValueError, match="Fix: pip install"):
        logs_client(profile=None, region=None)


def test_more_events_than_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit of ids that are kept, events may count twice, which the report says."""
    monkeypatch.setattr(fetch, "MAX_IDS", 3)
    tally = Tally(frozenset())
    reader = Reader(None, tally, sleep=lambda _: None)

    def steps() -> Steps:
        yield Read(tuple((name, Event("x")) for name in "abbcddee"))
        return None

    reader.run(steps())

    assert tally.events == 6
    assert tally.gaps == ["more than 3 events: some may count twice"]
