"""The cost of OpenTelemetry for a call: dynasafe's hook, and the instrumentation of botocore.

Both record every span with the SDK, and export none. CPU time of the client's process, against the
stub server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from benchmarks.calls import cpu_per_call_us
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import stub_server
from benchmarks.work import REGION, TABLE_NAME
from dynasafe import AsyncDynamoDB
from dynasafe.integrations.opentelemetry import OtelHook

GROUP = "A get with OpenTelemetry, in CPU time of the client's process"
WITH_HOOK = "dynasafe, OtelHook"
WITH_CALLS = "dynasafe, OtelHook(every_attempt=False)"
BOTO3 = "boto3"
INSTRUMENTED = "boto3, its instrumentation"
CALLS = 400

Call = Callable[[int], Awaitable[object]]


@asynccontextmanager
async def _dynasafe(endpoint_url: str, *hooks: Any) -> AsyncIterator[Call]:
    async with AsyncDynamoDB.connect(
        region_name=REGION,
        endpoint_url=endpoint_url,
        credentials=Credentials("test", "test"),
        hooks=hooks,
    ) as db:
        table = db.table(TABLE_NAME)
        yield lambda turn: table.get_item({"id": f"p{turn}"})


def _boto3(endpoint_url: str) -> Call:
    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )

    async def call(turn: int) -> object:
        return client.get_item(TableName=TABLE_NAME, Key={"id": {"S": f"p{turn}"}})

    return call


def measure(rounds: int, *, is_fast: bool) -> Figure:
    with stub_server() as endpoint_url:
        return asyncio.run(_measure(endpoint_url, rounds, CALLS // 10 if is_fast else CALLS))


async def _measure(endpoint_url: str, rounds: int, calls: int) -> Figure:
    tracers = TracerProvider()
    meters = MeterProvider(metric_readers=[InMemoryMetricReader()])
    hook = OtelHook(tracer_provider=tracers, meter_provider=meters)
    of_calls = OtelHook(tracer_provider=tracers, meter_provider=meters, every_attempt=False)
    instrumentor = BotocoreInstrumentor()
    taken: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(_dynasafe(endpoint_url))
        hooked = await stack.enter_async_context(_dynasafe(endpoint_url, hook))
        hooked_calls = await stack.enter_async_context(_dynasafe(endpoint_url, of_calls))
        by_boto3 = _boto3(endpoint_url)
        for _ in range(rounds + 1):  # the first opens connections
            for name, call in (
                (OURS, plain),
                (WITH_HOOK, hooked),
                (WITH_CALLS, hooked_calls),
                (BOTO3, by_boto3),
                (INSTRUMENTED, by_boto3),
            ):
                if name == INSTRUMENTED:
                    instrumentor.instrument(tracer_provider=tracers, meter_provider=meters)
                cost_us = await cpu_per_call_us(call, calls=calls, callers=1)
                if name == INSTRUMENTED:
                    instrumentor.uninstrument()
                taken.setdefault(name, []).append(cost_us)
    return Figure(
        group=GROUP,
        title="get, 1 caller",
        unit="us",
        rounds={name: values[1:] for name, values in taken.items()},
        targets=(Target(kind="at most times", bound=1.3, against=OURS, contender=WITH_HOOK),),
    )
