"""Each fault as a client meets it: what is raised, what was applied, what is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, RetryPolicy, UpdateBuilder, client_config
from dynasafe.errors import (
    BatchIncompleteError,
    ConnectionNotMadeError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
)
from dynasafe.resilience.boundary import Lost, NotSent, Refused, TransportError
from dynasafe.resilience.outcomes import ErrorClass, outcome_of
from dynasafe.testing import Fault, FaultPlan, FaultProxy, scripted
from dynasafe.testing.engines import Engine
from tests.integration.conftest import CREDENTIALS, REGION, connect, key_schema
from tests.support import faces

# The others are of the proxy itself, or of tasks.
EVERY_TRANSPORT = {
    "test_batch_without_an_end",
    "test_exactly_once_counts_once",
    "test_fault_through_a_client",
    "test_lost_increment_is_unknown",
    "test_refused_connection_sends_nothing",
    "test_slow_and_duplicate_answers_are_read",
    "test_throttle_reasons_are_reported",
    "test_unprocessed_halves_are_completed",
}

TABLE = "faults"
KEY = {"pk": "k"}
ONCE = frozenset({"UpdateItem", "BatchWriteItem", "BatchGetItem", "TransactWriteItems"})


@pytest.fixture
async def local(dynamodb_local: Engine) -> AsyncIterator[Engine]:
    async with connect(dynamodb_local) as db:
        await db.call(
            "CreateTable",
            {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST", **key_schema(pk="S")},
        )
        yield dynamodb_local
        await db.call("DeleteTable", {"TableName": TABLE})


def proxied(engine: Engine, *script: Fault) -> FaultProxy:
    return FaultProxy(engine.endpoint_url, FaultPlan(script=script, operations=ONCE))


def through(proxy: FaultProxy, **options: Any) -> AsyncDynamoDB:
    options = {"attempt_timeout_s": 2.0, **options}
    return faces.connect(
        region_name=REGION,
        endpoint_url=proxy.endpoint_url,
        client_options=CREDENTIALS,
        **options,
    )


def increment() -> UpdateBuilder:
    return UpdateBuilder().increment("n", 1)


async def stored(engine: Engine) -> Any:
    async with connect(engine) as db:
        item = await db.table(TABLE).get_item(KEY, consistent_read=True)
    return 0 if item is None else item["n"]


# fault, was it applied, what a transport says of it
RAISED: list[tuple[Fault, bool, type[TransportError]]] = [
    (Fault.RESET_BEFORE, False, Lost),
    (Fault.RESET_AFTER, True, Lost),
    (Fault.CLOSE_BEFORE, False, Lost),
    (Fault.CLOSE_AFTER, True, Lost),
    (Fault.CUT_BODY, True, Lost),
    (Fault.HANG, True, Lost),
    (Fault.ERROR_500_BEFORE, False, Refused),
    (Fault.ERROR_500_AFTER, True, Refused),
    (Fault.ERROR_503_BEFORE, False, TransportError),
    (Fault.ERROR_503_AFTER, True, TransportError),
    (Fault.THROTTLE, False, Refused),
]


@pytest.mark.parametrize(("fault", "is_applied", "raised"), RAISED)
async def test_fault_through_a_client(
    local: Engine, fault: Fault, is_applied: bool, raised: type[TransportError]
) -> None:
    """A client of aioboto3 or boto3 meets the fault, and the transport reports the outcome."""
    async with (
        proxied(local, fault) as proxy,
        faces.transport_of_client(
            region_name=REGION,
            endpoint_url=proxy.endpoint_url,
            config=client_config(read_timeout=2.0),
            **CREDENTIALS,
        ) as transport,
    ):
        params = increment().build_client(table_name=TABLE, key=KEY)
        with pytest.raises(raised) as caught:
            await transport.send("UpdateItem", params, timeout_s=5)

    assert [record.is_applied for record in proxy.log if record.fault is fault] == [is_applied]
    assert await stored(local) == is_applied
    expected = ErrorClass.THROTTLED if fault is Fault.THROTTLE else ErrorClass.AMBIGUOUS
    outcome = outcome_of(caught.value)
    assert (outcome.error_class, outcome.is_known) == (expected, True)


@pytest.mark.parametrize(
    ("fault", "double"),
    [
        (Fault.RESET_AFTER, scripted.connection_reset),
        (Fault.CLOSE_AFTER, scripted.connection_closed),
        (Fault.HANG, scripted.timed_out),
        (Fault.ERROR_500_AFTER, scripted.server_error),
        (Fault.THROTTLE, scripted.throttled),
    ],
)
def test_scripted_failures_have_the_real_class(fault: Fault, double: Any) -> None:
    """A scripted failure has the class that the real failure raises."""
    _, _, raised = next(row for row in RAISED if row[0] is fault)
    assert type(double()) is raised


async def test_refused_connection_sends_nothing(local: Engine) -> None:
    """A refused connection raises ConnectionNotMadeError, and nothing was sent."""
    async with proxied(local) as proxy, through(proxy, retry=None) as db:
        table = db.table(TABLE)
        await table.update_item(KEY, increment())
        async with proxy.refusing():
            with pytest.raises(ConnectionNotMadeError) as caught:
                await table.update_item(KEY, increment())
        await table.update_item(KEY, increment())

    assert type(caught.value.__cause__) is type(scripted.connection_refused()) is NotSent
    assert isinstance(caught.value, NotSentError)
    assert await stored(local) == 2


@pytest.mark.parametrize(
    ("fault", "is_applied"),
    [
        *((row[0], row[1]) for row in RAISED if row[0] is not Fault.THROTTLE),
        (Fault.WRONG_CRC32, True),
    ],
)
async def test_lost_increment_is_unknown(local: Engine, fault: Fault, is_applied: bool) -> None:
    """After a lost answer an increment has an unknown outcome and was sent once."""
    async with proxied(local, fault) as proxy, through(proxy) as db:
        with pytest.raises(OutcomeUnknownError):
            await db.table(TABLE).update_item(KEY, increment())

    assert proxy.count(fault) == len([record for record in proxy.log if record.index >= 0]) == 1
    assert await stored(local) == is_applied


@pytest.mark.parametrize(
    "fault",
    [fault for fault in Fault if fault is not Fault.UNPROCESSED],
)
async def test_exactly_once_counts_once(local: Engine, fault: Fault) -> None:
    """With exactly_once an increment counts once, whatever fault it meets."""
    async with proxied(local, fault) as proxy, through(proxy) as db:
        await db.table(TABLE).update_item(KEY, increment(), exactly_once=True)

    assert proxy.count(fault) >= 1
    assert await stored(local) == 1


async def test_throttle_reasons_are_reported(local: Engine) -> None:
    """A call that is throttled to the end raises with the reasons."""
    policy = RetryPolicy(max_attempts=2, throttle_base_delay_s=0.0)
    async with (
        proxied(local, Fault.THROTTLE, Fault.THROTTLE) as proxy,
        through(proxy, retry=policy) as db,
    ):
        with pytest.raises(ThrottledError) as caught:
            await db.table(TABLE).update_item(KEY, increment())

    assert caught.value.reasons == ("TableWriteKeyRangeThroughputExceeded",)
    assert caught.value.attempts == 2


async def test_slow_and_duplicate_answers_are_read(local: Engine) -> None:
    """Slow answers and duplicates of requests give the stored values."""
    async with proxied(local, Fault.SLOW, Fault.DUPLICATE) as proxy, through(proxy) as db:
        table = db.table(TABLE)
        first = await table.update_item(KEY, increment(), return_values="ALL_NEW")
        second = await table.update_item(KEY, increment(), return_values="ALL_NEW")

    assert first.attributes["n"] == 1
    assert second.attributes["n"] == 3


async def test_unprocessed_halves_are_completed(local: Engine) -> None:
    """Batches whose requests are processed by halves are completed."""
    keys = [{"pk": f"b{number}"} for number in range(40)]
    policy = RetryPolicy(max_attempts=9, throttle_base_delay_s=0.0)
    async with (
        proxied(local, *[Fault.UNPROCESSED] * 5) as proxy,
        through(proxy, retry=policy) as db,
    ):
        table = db.table(TABLE)
        await table.batch_write_item(put=[{**key, "n": 1} for key in keys])
        found = await table.batch_get_item(keys, consistent_read=True)

    assert [item["pk"] for item in found] == [key["pk"] for key in keys]
    assert proxy.count(Fault.UNPROCESSED) == 5


async def test_batch_without_an_end(local: Engine) -> None:
    """A batch that is not completed in its attempts reports what was not processed."""
    keys = [{"pk": f"b{number}"} for number in range(16)]
    policy = RetryPolicy(max_attempts=3, throttle_base_delay_s=0.0)
    async with (
        proxied(local, *[Fault.UNPROCESSED] * 9) as proxy,
        through(proxy, retry=policy) as db,
    ):
        with pytest.raises(BatchIncompleteError) as caught:
            await db.table(TABLE).batch_write_item(put=keys)

    assert len(caught.value.processed) == 14
    assert len(caught.value.unprocessed) == 2


def test_plan_is_deterministic() -> None:
    """A plan with the same seed has the same faults, at about its rates."""
    rates = {Fault.HANG: 0.2, Fault.THROTTLE: 0.3}
    plan, again = FaultPlan(seed=7, rates=rates), FaultPlan(seed=7, rates=rates)
    faults = [plan.fault(index, "PutItem") for index in range(2000)]

    assert faults == [again.fault(index, "PutItem") for index in range(2000)]
    assert faults != [FaultPlan(seed=8, rates=rates).fault(i, "PutItem") for i in range(2000)]
    assert 300 < faults.count(Fault.HANG) < 500
    assert 500 < faults.count(Fault.THROTTLE) < 700


def test_rates_over_one_are_refused() -> None:
    """Rates of faults that are more than 1 together are refused."""
    with pytest.raises(ValueError, match="are from 0 to 1 together"):
        FaultPlan(rates={Fault.HANG: 0.8, Fault.THROTTLE: 0.3})


def test_proxy_is_for_loopback_only() -> None:
    """A proxy refuses an upstream that is not on loopback."""
    with pytest.raises(ValueError, match="loopback only"):
        FaultProxy("http://dynamodb.us-east-1.example.com", FaultPlan())


async def test_stopped_proxy_leaves_no_task(local: Engine) -> None:
    """A proxy that stops ends the requests in progress and leaves no task."""
    before = asyncio.all_tasks()
    async with proxied(local, Fault.HANG) as proxy, through(proxy, attempt_timeout_s=None) as db:
        call = asyncio.create_task(db.table(TABLE).update_item(KEY, increment(), timeout_s=None))
        while proxy.count(Fault.HANG) == 0:  # noqa: ASYNC110  (each turn is a turn of the loop)
            await asyncio.sleep(0)
        await proxy.__aexit__(None, None, None)
        with pytest.raises(OutcomeUnknownError):
            await call

    assert asyncio.all_tasks() == before
