"""Hooks for metrics, traces and logs: what they make of events."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from aws_lambda_powertools import Logger

from dynasafe.events import (
    AttemptFailed,
    CallCancelled,
    CallFailed,
    CallStarted,
    CallSucceeded,
    CircuitTransition,
    Event,
    RequestRepaired,
)
from dynasafe.hooks import surrounded
from dynasafe.integrations.emf import METRICS, EmfHook
from dynasafe.integrations.logging import LogHook, StructlogHook, fields

CALL: dict[str, Any] = {"operation": "UpdateItem", "table_name": "people", "call_id": 7}
SUCCEEDED = CallSucceeded(**CALL, attempts=2, duration_s=0.25)
UNKNOWN = CallFailed(**CALL, attempts=1, duration_s=0.5, error="OutcomeUnknownError")
THROTTLED = AttemptFailed(
    **CALL, attempt=1, error_class="throttled", code="ThrottlingException", delay_s=1.0
)
OPENED = CircuitTransition(
    name="people/write", from_state="closed", to_state="open", failure_rate=1.0, slow_rate=0.0
)
EVENTS: list[Event] = [
    CallStarted(**CALL),
    SUCCEEDED,
    UNKNOWN,
    THROTTLED,
    OPENED,
    CallCancelled(**CALL, attempts=1, may_be_applied=True),
    RequestRepaired(**CALL, members=("ExpressionAttributeNames",)),
]


def written(*events: Event) -> list[dict[str, Any]]:
    stream = io.StringIO()
    hook = EmfHook("people", stream=stream, now_s=lambda: 1.5)
    for event in events:
        hook(event)
    hook.flush()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_emf_line() -> None:
    """A line has the metrics, their units and dimensions, and what is known besides."""
    assert written(UNKNOWN) == [
        {
            "_aws": {
                "Timestamp": 1500,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "dynasafe",
                        "Dimensions": [["service"], ["service", "operation", "table"]],
                        "Metrics": [
                            {"Name": "CallFailed", "Unit": "Count"},
                            {"Name": "Attempts", "Unit": "Count"},
                            {"Name": "Duration", "Unit": "Milliseconds"},
                            {"Name": "OutcomeUnknown", "Unit": "Count"},
                        ],
                    }
                ],
            },
            "service": "people",
            "operation": "UpdateItem",
            "table": "people",
            "error": "OutcomeUnknownError",
            "CallFailed": 1,
            "Attempts": 1,
            "Duration": 500.0,
            "OutcomeUnknown": 1,
        }
    ]


def test_emf_specification() -> None:
    """Each line keeps the specification: dimensions and metrics are members, and few enough."""
    for line in written(*EVENTS, *[SUCCEEDED] * 250):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert len(directive["Metrics"]) <= 100
            for dimensions in directive["Dimensions"]:
                assert 0 < len(dimensions) <= 30
                assert all(isinstance(line[name], str) for name in dimensions)
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                assert METRICS[metric["Name"]] == metric["Unit"]
                assert not isinstance(values, list) or len(values) <= 100


def test_emf_sums_successes() -> None:
    """Calls that succeed are summed: a line for each hundred, and one when flushed."""
    lines = written(*[SUCCEEDED] * 250)
    assert [line["Calls"] for line in lines] == [100, 100, 50]
    assert sum(sum(line["Attempts"]) for line in lines) == 500


def test_emf_metrics() -> None:
    """Every metric of the table is written for some event."""
    names = {
        metric["Name"]
        for line in written(*EVENTS)
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert names == set(METRICS)


def _stdlib(stream: io.StringIO) -> LogHook:
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("people")
    logger.addHandler(handler)
    return LogHook(logger)


def _powertools(stream: io.StringIO) -> LogHook:
    return LogHook(Logger(service="log-hook", stream=stream))


def _structlog(stream: io.StringIO) -> StructlogHook:
    return StructlogHook(
        structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=[structlog.processors.JSONRenderer()]
        )
    )


@pytest.mark.parametrize("make", [_stdlib, _powertools, _structlog])
def test_log_fields(make: Callable[[io.StringIO], Callable[[Event], None]]) -> None:
    """The three loggers write the same fields; what is no problem is not logged."""
    stream = io.StringIO()
    hook = make(stream)
    for event in (SUCCEEDED, UNKNOWN, THROTTLED, OPENED):
        hook(event)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert [line.get("message", line.get("event")) for line in lines] == [
        "CallFailed UpdateItem",
        "AttemptFailed UpdateItem",
        "CircuitTransition",
    ]
    own = [
        {name: value for name, value in line.items() if name.startswith("dynamodb_")}
        for line in lines
    ]
    assert own == [fields(each) for each in (UNKNOWN, THROTTLED, OPENED)]
    assert own[0] == {
        "dynamodb_operation": "UpdateItem",
        "dynamodb_table": "people",
        "dynamodb_call_id": 7,
        "dynamodb_attempts": 1,
        "dynamodb_duration_s": 0.5,
        "dynamodb_error": "OutcomeUnknownError",
    }


class Around:
    """A hook that is a context manager too."""

    def __init__(self, name: str, seen: list[str], fails: str = "") -> None:
        self._name = name
        self._seen = seen
        self._fails = fails

    def __call__(self, event: Event) -> None:
        """Nothing."""

    @contextmanager
    def around(self, started: CallStarted) -> Iterator[None]:
        if self._fails == "enter":
            raise RuntimeError("enter")
        self._seen.append(f"+{self._name}")
        try:
            yield
        finally:
            self._seen.append(f"-{self._name}")
            if self._fails == "leave":
                raise RuntimeError("leave")


@pytest.mark.parametrize("error", [None, ValueError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails", ["", "enter", "leave"])
def test_surrounded(error: BaseException | None, fails: str) -> None:
    """Hooks are entered in order and left in reverse; one that fails changes nothing."""
    seen: list[str] = []
    hooks: list[Any] = [Around("a", seen), Around("b", seen, fails), print]
    raised: BaseException | None = None
    try:
        with surrounded(hooks, CallStarted(**CALL)):
            if error is not None:
                raise error
    except BaseException as caught:
        raised = caught

    assert raised is error
    assert seen == (["+a", "-a"] if fails == "enter" else ["+a", "+b", "-b", "-a"])
