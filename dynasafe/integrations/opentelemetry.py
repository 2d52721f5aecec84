"""OpenTelemetry: spans of calls and attempts, and metrics. Needs `pip install 'dynasafe[otel]'`.

The names follow OpenTelemetry's semantic conventions for databases and for DynamoDB, which are in
development; they stand in one table below. No attribute value of an item, and no message of an
error, becomes part of a span or a metric.

Source: "Semantic conventions for AWS DynamoDB" and "Database metrics", OpenTelemetry 1.38.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from dynasafe.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CallCancelled,
    CallEvent,
    CallFailed,
    CallStarted,
    CallSucceeded,
    CircuitTransition,
    Event,
)

__all__ = ["METRICS", "OtelHook"]

SYSTEM = "db.system.name"
OPERATION = "db.operation.name"
TABLE = "db.collection.name"
TABLES = "aws.dynamodb.table_names"
ERROR = "error.type"
ATTEMPT = "dynasafe.attempt"
ATTEMPTS = "dynasafe.attempts"
CODE = "dynasafe.code"
RETRY_DELAY = "dynasafe.retry_delay_s"

METRICS: dict[str, str] = {
    "db.client.operation.duration": "s",
    "dynasafe.attempts": "{attempt}",
    "dynasafe.attempt.failures": "{attempt}",
    "dynasafe.throttles": "{attempt}",
    "dynasafe.outcome.unknown": "{call}",
    "dynasafe.slot.wait": "s",
    "dynasafe.consumed_capacity": "{capacity_unit}",
    "dynasafe.circuit.state": "{state}",
}
"""Each metric and its unit. The state of a circuit: 0 closed, 1 half-open, 2 open."""

_STATES = {"closed": 0, "half_open": 1, "open": 2, "forced_open": 2}


class OtelHook:
    """Spans and metrics of calls: `AsyncDynamoDB.connect(hooks=[OtelHook()])`.

    A call is a span, which is current while the call runs; each attempt is a span within it.

    Args:
        tracer_provider, meter_provider: default: the global ones.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("dynasafe", tracer_provider=tracer_provider)
        meter = metrics.get_meter("dynasafe", meter_provider=meter_provider)
        self._duration = _histogram(meter, "db.client.operation.duration")
        self._slot_wait = _histogram(meter, "dynasafe.slot.wait")
        self._attempts = _counter(meter, "dynasafe.attempts")
        self._failures = _counter(meter, "dynasafe.attempt.failures")
        self._throttles = _counter(meter, "dynasafe.throttles")
        self._unknown = _counter(meter, "dynasafe.outcome.unknown")
        self._capacity = _counter(meter, "dynasafe.consumed_capacity")
        self._circuit = meter.create_gauge(
            "dynasafe.circuit.state", unit=METRICS["dynasafe.circuit.state"]
        )
        self._calls: dict[int, Span] = {}
        self._open_attempts: dict[int, Span] = {}

    @contextmanager
    def around(self, call: CallStarted) -> Iterator[None]:
        """The span of a call, current while it runs."""
        name = f"{call.operation} {call.table_name}" if call.table_name else call.operation
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=_attributes(call),
            record_exception=False,  # a message of the service may quote values
            set_status_on_exception=False,
        ) as span:
            self._calls[call.call_id] = span
            try:
                yield
            except BaseException as error:
                _fail(span, type(error).__name__)
                raise
            finally:
                self._calls.pop(call.call_id, None)
                attempt = self._open_attempts.pop(call.call_id, None)
                if attempt is not None:
                    _fail(attempt, "cancelled")
                    attempt.end()

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptStarted():
                self._begin_attempt(event)
            case AttemptSucceeded():
                self._end_attempt(event, None)
                if event.consumed_capacity:
                    self._capacity.add(event.consumed_capacity, _attributes(event))
            case AttemptFailed():
                self._end_attempt(event, event)
            case CallSucceeded() | CallFailed() | CallCancelled():
                self._end_call(event)
            case CircuitTransition():
                self._circuit.set(_STATES[event.to_state], {"dynasafe.circuit.name": event.name})
            case _:
                pass

    def _begin_attempt(self, event: AttemptStarted) -> None:
        self._attempts.add(1, _attributes(event))
        self._slot_wait.record(event.waited_s, _attributes(event))
        parent = self._calls.get(event.call_id)
        if parent is None:
            return
        self._open_attempts[event.call_id] = self._tracer.start_span(
            f"{event.operation} attempt",
            context=trace.set_span_in_context(parent),
            attributes={**_attributes(event), ATTEMPT: event.attempt},
        )

    def _end_attempt(self, event: CallEvent, failed: AttemptFailed | None) -> None:
        if failed is not None:
            facts = {**_attributes(event), ERROR: failed.error_class}
            self._failures.add(1, {**facts, CODE: failed.code})
            if failed.error_class == "throttled":
                self._throttles.add(1, _attributes(event))
        span = self._open_attempts.pop(event.call_id, None)
        if span is None:
            return
        if failed is not None:
            _fail(span, failed.error_class)
            span.set_attribute(CODE, failed.code)
            if failed.delay_s is not None:
                span.set_attribute(RETRY_DELAY, failed.delay_s)
        span.end()

    def _end_call(self, event: CallSucceeded | CallFailed | CallCancelled) -> None:
        facts = _attributes(event)
        match event:
            case CallFailed():
                facts[ERROR] = event.error
                if event.error == "OutcomeUnknownError":
                    self._unknown.add(1, _attributes(event))
            case CallCancelled():
                facts[ERROR] = "cancelled"
                if event.may_be_applied:
                    self._unknown.add(1, _attributes(event))
            case CallSucceeded():
                pass
        if not isinstance(event, CallCancelled):
            self._duration.record(event.duration_s, facts)
        span = self._calls.get(event.call_id)
        if span is not None:
            span.set_attribute(ATTEMPTS, event.attempts)


def _attributes(event: CallEvent) -> dict[str, Any]:
    facts: dict[str, Any] = {SYSTEM: "aws.dynamodb", OPERATION: event.operation}
    if event.table_name is not None:
        facts[TABLE] = event.table_name
    return facts


def _fail(span: Span, error: str) -> None:
    span.set_attribute(ERROR, error)
    span.set_status(Status(StatusCode.ERROR, error))


def _counter(meter: metrics.Meter, name: str) -> metrics.Counter:
    return meter.create_counter(name, unit=METRICS[name])


def _histogram(meter: metrics.Meter, name: str) -> metrics.Histogram:
    return meter.create_histogram(name, unit=METRICS[name])
