"""Attributes of datetime while freezegun has put a class of its own in each module."""

from __future__ import annotations

import datetime as real
import sys
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attribute, check_request
from dynasafe.errors import InvalidValueError
from dynasafe.testing import fake_table

NOW = real.datetime(2026, 11, 26, 12, 30, tzinfo=real.UTC)


class _Meta(type):
    """As of freezegun: true datetimes count as instances of the class in their place."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, real.datetime)


class FakeDatetime(real.datetime, metaclass=_Meta):
    """What freezegun puts in place of datetime."""


FakeDatetime.__module__ = "freezegun.api"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `freeze_time` does, in the modules of the library."""
    for name, module in list(sys.modules.items()):
        if name.startswith("dynasafe"):
            for attribute_name, value in list(vars(module).items()):
                if value is real.datetime:
                    monkeypatch.setattr(module, attribute_name, FakeDatetime)


def fake(value: real.datetime) -> Any:
    return FakeDatetime(*value.timetuple()[:6], tzinfo=value.tzinfo)


class Meeting(Item):
    id: Attr[str] = attribute(key="partition")
    at: Attr[real.datetime]
    until: Attr[real.datetime | None] = attribute(default=None)
    expires: Attr[real.datetime | None] = attribute(default=None, ttl=True)
    day: Attr[real.date | None] = attribute(default=None)


def test_values_of_a_known_class(frozen: None) -> None:
    """True and frozen times are written, read, patched and compared as ever."""
    for at in (NOW, fake(NOW)):
        meeting = Meeting(id="m", at=at, until=at, expires=at, day=NOW.date())

        assert Meeting.from_dict(meeting.to_dict()) == meeting
        assert meeting.at == NOW
        update = UpdateBuilder(Meeting).set(Meeting.at, at).patch({"until": NOW.isoformat()})
        params = update.build_client(table_name="meetings", key={"id": "m"})
        assert check_request("UpdateItem", params) == ()
        assert {"S": "2026-11-26T12:30:00.000000Z"} in params["ExpressionAttributeValues"].values()


async def test_class_first_used_in_frozen_time(frozen: None) -> None:
    """A class that is first used in frozen time reads what it wrote."""

    class Visit(Item):
        id: Attr[str] = attribute(key="partition")
        at: Attr[FakeDatetime]
        expires: Attr[FakeDatetime | None] = attribute(default=None, ttl=True)

    visits = fake_table(Visit)
    await visits.put_item(Visit(id="v", at=fake(NOW), expires=fake(NOW)))

    stored = await visits.get_item({"id": "v"})
    assert stored is not None
    assert (stored.at, stored.expires) == (NOW, NOW)


def test_a_date_is_no_datetime(frozen: None) -> None:
    """A datetime is refused for a date, and a date for a datetime, also in frozen time."""
    with pytest.raises(InvalidValueError, match="day"):
        fake_table(Meeting, items=[Meeting(id="m", at=NOW, day=fake(NOW))])
    with pytest.raises(InvalidValueError, match="at"):
        fake_table(Meeting, items=[Meeting(id="m", at=NOW.date())])  # type: ignore[arg-type]
