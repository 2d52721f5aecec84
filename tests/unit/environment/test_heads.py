"""Parts of the heads of requests."""

from __future__ import annotations

import time

import pytest
from botocore.config import Config

from dynasafe.environment.heads import SigningClock, trace_header, user_agent
from dynasafe.resilience.boundary import Refused


@pytest.mark.parametrize(
    ("environ", "header"),
    [
        ({}, ""),
        ({"_X_AMZN_TRACE_ID": "Root=1-a;Sampled=1"}, "X-Amzn-Trace-Id: Root=1-a;Sampled=1\r\n"),
        ({"_X_AMZN_TRACE_ID": "a\r\nb"}, "X-Amzn-Trace-Id: a%0D%0Ab\r\n"),
    ],
)
def test_trace(environ: dict[str, str], header: str) -> None:
    """The trace of a Lambda function is given on, and ends no line."""
    assert trace_header(environ) == header


@pytest.mark.parametrize(
    ("environ", "config", "rest"),
    [
        ({}, None, ""),
        ({"AWS_EXECUTION_ENV": "AWS Lambda"}, None, " exec-env/AWS-Lambda"),
        ({"AWS_SDK_UA_APP_ID": "shop"}, None, " app/shop"),
        ({"AWS_SDK_UA_APP_ID": "é"}, None, ""),
        (
            {"AWS_SDK_UA_APP_ID": "a"},
            Config(user_agent_appid="b", user_agent_extra="c"),
            " app/b c",
        ),
    ],
)
def test_user_agent(environ: dict[str, str], config: object, rest: str) -> None:
    """The user agent names the environment and the application."""
    assert user_agent(environ, config) == user_agent({}, None) + rest


DATE = "Mon, 01 Jan 2001 00:00:00 GMT"
DATE_S = 978_307_200.0


def refusal(date: str | None, code: str = "RequestTimeTooSkewed") -> Refused:
    return Refused(code, headers={} if date is None else {"date": date})


@pytest.mark.parametrize(
    ("code", "date", "is_set"),
    [
        ("RequestTimeTooSkewed", DATE, True),
        ("RequestTimeTooSkewed", "yesterday", False),
        ("RequestTimeTooSkewed", "Mon, 01 Jan 2001 00:00:00 +99999999999999", False),
        ("RequestTimeTooSkewed", f"Mon, 01 Jan {'9' * 5000} 00:00:00 GMT", False),
        ("RequestTimeTooSkewed", None, False),
        ("ThrottlingException", DATE, False),
    ],
)
def test_clock(code: str, date: str | None, is_set: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is set by the Date of an answer that refuses the time."""
    monkeypatch.setattr(time, "time", lambda: DATE_S + 86_400)
    clock = SigningClock()

    assert clock.note(refusal(date, code), 0.0) is is_set
    assert clock.read() == ((DATE_S, -86_400.0) if is_set else (DATE_S + 86_400, 0.0))


def test_clock_of_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests with the wrong time may be repeated, and set the clock once; others not."""
    monkeypatch.setattr(time, "time", lambda: DATE_S + 600)
    clock = SigningClock()

    assert [clock.note(refusal(DATE), 0.0) for _ in range(3)] == [True] * 3
    assert clock.offset_s == -600.0
    assert not clock.note(refusal(DATE), -600.0)
    monkeypatch.setattr(time, "time", lambda: DATE_S)  # the machine's clock was set meanwhile
    assert clock.note(refusal(DATE), -600.0)
    assert clock.offset_s == 0.0
