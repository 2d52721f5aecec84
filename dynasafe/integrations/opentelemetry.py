"""OpenTelemetry: spans of calls and attempts, and metrics. Needs `pip install 'dynasafe[otel]'`.

The names follow OpenTelemetry's semantic conventions for databases and DynamoDB, which are still in
development. One table below has them all. Spans and metrics have no attribute values of items and
no error messages.

Source: "Semantic conventions for AWS DynamoDB" and "Database metrics", OpenTelemetry 1.38.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import Token
from time import time_ns
from types import TracebackType

from opentelemetry import context as contexts
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

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
"""Each metric and its unit. The state of a circuit: 0 closed, 1 half-open, 2 open.

`dynasafe.slot.wait` has only attempts that had to wait for a connection slot.
"""

_STATES = {"closed": 0, "half_open": 1, "open": 2, "forced_open": 2}
_MAX_KINDS = 1000
"""The most operations and tables whose attributes are kept."""

Attributes = dict[str, AttributeValue]


class _Kind:
    """The common attributes of calls of one operation and table, made once."""

    __slots__ = ("attempt_name", "attributes", "first_attempt", "name")

    def __init__(self, operation: str, table_name: str | None) -> None:
        self.name = f"{operation} {table_name}" if table_name else operation
        self.attempt_name = f"{operation} attempt"
        self.attributes: Attributes = {SYSTEM: "aws.dynamodb", OPERATION: operation}
        if table_name is not None:
            self.attributes[TABLE] = table_name
        self.first_attempt: Attributes = {**self.attributes, ATTEMPT: 1}


class _Call:
    """The span of a call, which is current while it runs, and the span of the running attempt."""

    __slots__ = ("_calls", "_id", "_token", "_tracer", "attempt", "context", "first", "span")

    def __init__(self, calls: dict[int, _Call], id_: int, span: Span, tracer: trace.Tracer) -> None:
        self._calls = calls
        self._id = id_
        self._tracer = tracer
        self.span = span
        self.context = trace.set_span_in_context(span)
        self.attempt: Span | None = None
        self.first: tuple[_Kind, int] | None = None
        """A first attempt that has no span yet, and its start in ns since 1970."""
        self._token: Token[Context] | None = None

    def begin_attempt(self, kind: _Kind, attempt: int, start_ns: int | None = None) -> None:
        self.attempt = self._tracer.start_span(
            kind.attempt_name,
            context=self.context,
            attributes=kind.first_attempt
            if attempt == 1
            else {**kind.attributes, ATTEMPT: attempt},
            start_time=start_ns,
        )

    def end_attempt(self, error: str | None) -> Span | None:
        """End the span of the attempt. A failed attempt gets one in any case."""
        if self.first is not None:
            (kind, start_ns), self.first = self.first, None
            if error is not None:
                self.begin_attempt(kind, 1, start_ns)
        span, self.attempt = self.attempt, None
        if span is not None and error is not None:
            _fail(span, error)
        return span

    def __enter__(self) -> None:
        self._token = contexts.attach(self.context)
        self._calls[self._id] = self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_: TracebackType | None,
    ) -> None:
        self._calls.pop(self._id, None)
        attempt = self.end_attempt("cancelled")
        if attempt is not None:
            attempt.end()
        if self._token is not None:
            contexts.detach(self._token)
        if kind is not None:
            _fail(self.span, kind.__name__)
        self.span.end()


class OtelHook:
    """Spans and metrics of calls: `AsyncDynamoDB.connect(hooks=[OtelHook()])`.

    Each call is a span, which is current while the call runs. Each attempt is a span inside it.

    Args:
        tracer_provider, meter_provider: default: the global ones.
        every_attempt: whether a first attempt that succeeds has a span too. That span adds little
            to the call's span, and costs as much.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        every_attempt: bool = True,
    ) -> None:
        self._has_every_attempt = every_attempt
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
        self._kinds: dict[tuple[str, str | None], _Kind] = {}
        self._calls: dict[int, _Call] = {}

    def around(self, call: CallStarted) -> AbstractContextManager[None]:
        """The span of a call, current while it runs."""
        kind = self._kind(call)
        span = self._tracer.start_span(
            kind.name,
            kind=SpanKind.CLIENT,
            attributes=kind.attributes,
            record_exception=False,  # a message of the service may quote values
            set_status_on_exception=False,
        )
        return _Call(self._calls, call.call_id, span, self._tracer)

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptStarted():
                self._begin_attempt(event)
            case AttemptSucceeded():
                self._end_attempt(event, None)
                if event.consumed_capacity:
                    self._capacity.add(event.consumed_capacity, self._kind(event).attributes)
            case AttemptFailed():
                self._end_attempt(event, event)
            case CallSucceeded() | CallFailed() | CallCancelled():
                self._end_call(event)
            case CircuitTransition():
                self._circuit.set(_STATES[event.to_state], {"dynasafe.circuit.name": event.name})
            case _:
                pass

    def _kind(self, event: CallEvent) -> _Kind:
        key = (event.operation, event.table_name)
        kind = self._kinds.get(key)
        if kind is None:
            kind = _Kind(*key)
            if len(self._kinds) < _MAX_KINDS:
                self._kinds[key] = kind
        return kind

    def _begin_attempt(self, event: AttemptStarted) -> None:
        kind = self._kind(event)
        self._attempts.add(1, kind.attributes)
        if event.waited_s > 0:
            self._slot_wait.record(event.waited_s, kind.attributes)
        call = self._calls.get(event.call_id)
        if call is None or not call.span.is_recording():
            return
        if event.attempt == 1 and not self._has_every_attempt:
            call.first = kind, time_ns()
        else:
            call.begin_attempt(kind, event.attempt)

    def _end_attempt(self, event: CallEvent, failed: AttemptFailed | None) -> None:
        if failed is not None:
            facts = self._kind(event).attributes
            self._failures.add(1, {**facts, ERROR: failed.error_class, CODE: failed.code})
            if failed.error_class == "throttled":
                self._throttles.add(1, facts)
        call = self._calls.get(event.call_id)
        if call is None:
            return
        span = call.end_attempt(None if failed is None else failed.error_class)
        if span is None:
            return
        if failed is not None:
            span.set_attribute(CODE, failed.code)
            if failed.delay_s is not None:
                span.set_attribute(RETRY_DELAY, failed.delay_s)
        span.end()

    def _end_call(self, event: CallSucceeded | CallFailed | CallCancelled) -> None:
        facts = self._kind(event).attributes
        match event:
            case CallFailed():
                if event.error == "OutcomeUnknownError":
                    self._unknown.add(1, facts)
                self._duration.record(event.duration_s, {**facts, ERROR: event.error})
            case CallCancelled():
                if event.may_be_applied:
                    self._unknown.add(1, facts)
            case CallSucceeded():
                self._duration.record(event.duration_s, facts)
        call = self._calls.get(event.call_id)
        if call is not None:
            call.span.set_attribute(ATTEMPTS, event.attempts)


def _fail(span: Span, error: str) -> None:
    span.set_attribute(ERROR, error)
    span.set_status(Status(StatusCode.ERROR, error))


def _counter(meter: metrics.Meter, name: str) -> metrics.Counter:
    return meter.create_counter(name, unit=METRICS[name])


def _histogram(meter: metrics.Meter, name: str) -> metrics.Histogram:
    return meter.create_histogram(name, unit=METRICS[name])
