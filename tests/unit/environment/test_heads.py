"""Parts of the heads of requests."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("code", "date", "is_corrected"),
    [
        ("RequestTimeTooSkewed", "Mon, 01 Jan 2001 00:00:00 GMT", True),
        ("RequestTimeTooSkewed", "yesterday", False),
        ("RequestTimeTooSkewed", None, False),
        ("ThrottlingException", "Mon, 01 Jan 2001 00:00:00 GMT", False),
    ],
)
def test_clock(code: str, date: str | None, is_corrected: bool) -> None:
    """The clock is set by the Date of an answer that refuses the time, once."""
    clock = SigningClock()
    headers = {} if date is None else {"date": date}
    clock.note(Refused(code, headers=headers))

    assert [clock.take_correction(), clock.take_correction()] == [is_corrected, False]
