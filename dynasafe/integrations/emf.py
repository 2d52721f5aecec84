"""CloudWatch metrics in embedded metric format: lines on standard output, no dependency.

CloudWatch extracts metrics from the lines that AWS Lambda or the CloudWatch agent sends. A line may
be delivered twice, so counts may rarely be too high.

Source: "Specification: Embedded metric format", Amazon CloudWatch User Guide.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from dynasafe.events import (
    AttemptFailed,
    CallCancelled,
    CallEvent,
    CallFailed,
    CallSucceeded,
    CircuitTransition,
    Event,
    RequestRepaired,
)

__all__ = ["METRICS", "EmfHook"]

METRICS: dict[str, str] = {
    "Calls": "Count",
    "Attempts": "Count",
    "Duration": "Milliseconds",
    "CallFailed": "Count",
    "OutcomeUnknown": "Count",
    "CancelledAfterSend": "Count",
    "AttemptFailed": "Count",
    "Throttled": "Count",
    "RequestRepaired": "Count",
    "CircuitOpened": "Count",
}
"""Each metric and its unit."""

MAX_VALUES = 100
"""The most values of one metric in a line."""


class EmfHook:
    """Writes metrics of calls: `AsyncDynamoDB.connect(hooks=[EmfHook("people")])`.

    Failures are written at once. Successes are summed by operation and table, and written by
    `flush()`, or when a sum has 100 calls. Call `flush()` at the end of an invocation, or each
    minute. Dimensions are the service, and the service with operation and table. The line has the
    other facts too, for queries of Logs Insights.

    Args:
        service: the name of your service, a dimension of every metric.
        namespace: the namespace of the metrics.
        stream: where to write the lines; default: standard output.
        now_s: a function that returns seconds since 1970.
    """

    def __init__(
        self,
        service: str,
        *,
        namespace: str = "dynasafe",
        stream: TextIO | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._namespace = namespace
        self._stream = stream
        self._now_s = now_s
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, str], list[CallSucceeded]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case CallSucceeded():
                self._add(event)
            case CallFailed():
                is_unknown = event.error == "OutcomeUnknownError"
                self._write(
                    event,
                    {
                        "CallFailed": 1,
                        "Attempts": event.attempts,
                        "Duration": event.duration_s * 1000,
                        **({"OutcomeUnknown": 1} if is_unknown else {}),
                    },
                    error=event.error,
                )
            case CallCancelled() if event.may_be_applied:
                self._write(event, {"CancelledAfterSend": 1})
            case AttemptFailed():
                is_throttled = event.error_class == "throttled"
                self._write(
                    event,
                    {"AttemptFailed": 1, **({"Throttled": 1} if is_throttled else {})},
                    error_class=event.error_class,
                    code=event.code,
                    attempt=event.attempt,
                )
            case RequestRepaired():
                self._write(event, {"RequestRepaired": 1}, members=list(event.members))
            case CircuitTransition() if event.to_state == "open":
                self._write(None, {"CircuitOpened": 1}, circuit=event.name)
            case _:
                pass

    def flush(self) -> None:
        """Write the sums of the calls that succeeded."""
        with self._lock:
            sums, self._sums = self._sums, {}
        for calls in sums.values():
            self._write_sum(calls)

    def _add(self, event: CallSucceeded) -> None:
        key = (event.operation, event.table_name or "")
        with self._lock:
            calls = self._sums.setdefault(key, [])
            calls.append(event)
            full = self._sums.pop(key) if len(calls) >= MAX_VALUES else None
        if full is not None:
            self._write_sum(full)

    def _write_sum(self, calls: list[CallSucceeded]) -> None:
        self._write(
            calls[0],
            {
                "Calls": len(calls),
                "Attempts": [each.attempts for each in calls],
                "Duration": [each.duration_s * 1000 for each in calls],
            },
        )

    def _write(self, event: CallEvent | None, metrics: dict[str, Any], **facts: Any) -> None:
        dimensions = [["service"]]
        if event is not None:
            facts = {"operation": event.operation, "table": event.table_name or "-", **facts}
            dimensions.append(["service", "operation", "table"])
        line = {
            "_aws": {
                "Timestamp": int(self._now_s() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": dimensions,
                        "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in metrics],
                    }
                ],
            },
            "service": self._service,
            **facts,
            **metrics,
        }
        stream = sys.stdout if self._stream is None else self._stream
        stream.write(json.dumps(line) + "\n")
