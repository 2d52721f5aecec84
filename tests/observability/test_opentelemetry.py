"""OpenTelemetry: spans of calls and attempts, and metrics, by the SDK's in-memory exporters."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from dynasafe import AsyncTable, RetryPolicy, UpdateBuilder, attr
from dynasafe.errors import DynasafeError, OutcomeUnknownError
from dynasafe.events import AttemptStarted, CircuitTransition
from dynasafe.integrations.opentelemetry import METRICS, OtelHook
from dynasafe.testing import ManualClock, ScriptedTransport
from dynasafe.testing.scripted import condition_failed, ok, server_error, throttled

SECRET = "zq7-Ada-Lovelace"


class Telemetry:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.hook = OtelHook(
            tracer_provider=self.tracers,
            meter_provider=MeterProvider(metric_readers=[self.reader]),
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, by their start."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def metrics(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def table(self, *replies: Any, **settings: Any) -> AsyncTable[Any]:
        return AsyncTable(
            "people",
            transport=ScriptedTransport(replies),
            clock=ManualClock(),
            hooks=[self.hook],
            **settings,
        )


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def sole(spans: list[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = [span for span in spans if span.name == name]
    return found


async def test_spans(telemetry: Telemetry) -> None:
    """A call is a span with the conventions' attributes; each attempt is one within it."""
    table = telemetry.table(throttled(), ok({}))
    await table.get_item({"id": SECRET})

    call = sole(telemetry.spans, "GetItem people")
    attempts = [span for span in telemetry.spans if span.name == "GetItem attempt"]
    assert dict(call.attributes or {}) == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "GetItem",
        "db.collection.name": "people",
        "dynasafe.attempts": 2,
    }
    assert call.status.status_code is StatusCode.UNSET
    assert [span.parent and span.parent.span_id for span in attempts] == [call.context.span_id] * 2
    first, second = (dict(span.attributes or {}) for span in attempts)
    assert first["error.type"] == "throttled"
    assert first["dynasafe.attempt"] == 1
    assert "error.type" not in second


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (condition_failed(), "ConditionalCheckFailedError"),
        (server_error(), "OutcomeUnknownError"),
    ],
)
async def test_failed(telemetry: Telemetry, reply: Any, error: str) -> None:
    """A failed call's span has the class of its error, and no value."""
    table = telemetry.table(reply, retry=None)
    update = UpdateBuilder().add("n", 1).set("a", SECRET).condition(attr("id").exists())
    with pytest.raises(DynasafeError):
        await table.update_item({"id": SECRET}, update)

    call = sole(telemetry.spans, "UpdateItem people")
    assert call.status.status_code is StatusCode.ERROR
    assert call.status.description == error
    assert (call.attributes or {})["error.type"] == error
    assert SECRET not in "".join(span.to_json() for span in telemetry.spans)
    assert not call.events


async def test_propagation(telemetry: Telemetry) -> None:
    """Calls of tasks that run at once are each below the span of its own task."""
    tracer = telemetry.tracers.get_tracer("service")

    async def handle(number: int) -> None:
        with tracer.start_as_current_span(f"request {number}"):
            table = telemetry.table(throttled(), ok({}))
            await asyncio.gather(table.get_item({"id": "a"}))

    await asyncio.gather(*(handle(number) for number in range(5)))

    spans = {span.context.span_id: span for span in telemetry.spans}
    calls = [span for span in spans.values() if span.name == "GetItem people"]
    parents = [spans[call.parent.span_id].name for call in calls if call.parent]
    assert sorted(parents) == [f"request {number}" for number in range(5)]
    for span in spans.values():
        if span.name == "GetItem attempt" and span.parent:
            assert spans[span.parent.span_id].context.trace_id == span.context.trace_id


def test_threads(telemetry: Telemetry) -> None:
    """A thread that was given the context has its calls below that span."""
    tracer = telemetry.tracers.get_tracer("service")

    def work() -> None:
        asyncio.run(telemetry.table(ok({})).get_item({"id": "a"}))

    with tracer.start_as_current_span("request"):
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,))
        thread.start()
        thread.join()

    call = sole(telemetry.spans, "GetItem people")
    assert call.parent is not None
    assert call.parent.span_id == sole(telemetry.spans, "request").context.span_id


@pytest.mark.parametrize("every_attempt", [True, False])
async def test_cancelled(telemetry: Telemetry, every_attempt: bool) -> None:
    """A cancelled call ends its spans, and leaves no span current."""
    from opentelemetry import trace

    telemetry.hook = OtelHook(
        tracer_provider=telemetry.tracers,
        meter_provider=MeterProvider(),
        every_attempt=every_attempt,
    )

    class Endless:
        is_bound_to_loop = False

        async def send(self, *args: Any, **options: Any) -> Any:
            await asyncio.Event().wait()

        async def refresh_credentials(self) -> bool:
            return False

    table: AsyncTable[Any] = AsyncTable("people", transport=Endless(), hooks=[telemetry.hook])
    task = asyncio.create_task(table.put_item({"id": "a"}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert {span.name for span in telemetry.spans} == {"PutItem people", "PutItem attempt"}
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_attempts_of_repeated_calls_only(telemetry: Telemetry) -> None:
    """Without `every_attempt`, a first attempt has a span only if it fails or is cancelled."""
    telemetry.hook = OtelHook(
        tracer_provider=telemetry.tracers, meter_provider=MeterProvider(), every_attempt=False
    )
    await telemetry.table(ok({})).get_item({"id": "a"})
    assert [span.name for span in telemetry.spans] == ["GetItem people"]

    telemetry.exporter.clear()
    await telemetry.table(throttled(), ok({})).get_item({"id": "a"})
    call, first, second = telemetry.spans
    assert [first.name, second.name] == ["GetItem attempt"] * 2
    assert (first.attributes or {})["error.type"] == "throttled"
    assert first.parent is not None
    assert first.parent.span_id == call.context.span_id
    assert (call.start_time or 0) <= (first.start_time or 0) <= (first.end_time or 0)

    telemetry.exporter.clear()
    table = telemetry.table(server_error(), retry=None)
    with pytest.raises(OutcomeUnknownError):
        await table.update_item({"id": "a"}, UpdateBuilder().add("n", 1))
    assert [span.name for span in telemetry.spans] == ["UpdateItem people", "UpdateItem attempt"]


async def test_not_sampled(telemetry: Telemetry) -> None:
    """A call that is not sampled has no span, nor have its attempts; its metrics stay."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider(sampler=ALWAYS_OFF)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.reader = InMemoryMetricReader()
    telemetry.hook = OtelHook(
        tracer_provider=tracers, meter_provider=MeterProvider(metric_readers=[telemetry.reader])
    )
    await telemetry.table(throttled(), ok({})).get_item({"id": "a"})

    assert exporter.get_finished_spans() == ()
    assert telemetry.metrics().keys() >= {"db.client.operation.duration", "dynasafe.throttles"}


async def test_metrics(telemetry: Telemetry) -> None:
    """Every metric of the table has data, in its unit, and no value of an item."""
    table = telemetry.table(
        throttled(),
        ok({"ConsumedCapacity": {"TableName": "people", "CapacityUnits": 2.5}}),
        server_error(),
        retry=RetryPolicy(max_attempts=2),
    )
    await table.get_item({"id": SECRET})
    with pytest.raises(OutcomeUnknownError):
        await table.update_item({"id": SECRET}, UpdateBuilder().add("n", 1))
    telemetry.hook(
        AttemptStarted(operation="GetItem", table_name="people", attempt=1, waited_s=0.25)
    )
    telemetry.hook(
        CircuitTransition(
            name="people/write",
            from_state="closed",
            to_state="open",
            failure_rate=1.0,
            slow_rate=0.0,
        )
    )
    found = telemetry.metrics()

    assert {name: metric.unit for name, metric in found.items()} == METRICS
    assert SECRET not in str(found)

    def total(name: str) -> float:
        return float(sum(point.value for point in found[name].data.data_points))

    assert total("dynasafe.attempts") == 4
    (waits,) = found["dynasafe.slot.wait"].data.data_points
    assert (waits.count, waits.sum) == (1, 0.25)
    assert total("dynasafe.attempt.failures") == 2
    assert total("dynasafe.throttles") == 1
    assert total("dynasafe.outcome.unknown") == 1
    assert total("dynasafe.consumed_capacity") == 2.5
    assert total("dynasafe.circuit.state") == 2
