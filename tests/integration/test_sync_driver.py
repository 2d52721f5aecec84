"""Plans need no event loop: a driver of some 30 lines runs them over boto3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.calls import reads, writes
from dynasafe.calls.options import Settings
from dynasafe.calls.plans import CallState, ClientState, Plan, Sleep
from dynasafe.calls.requests import Request, Table
from dynasafe.calls.transactions import single_write_plan
from dynasafe.errors import ConditionalCheckFailedError, OutcomeUnknownError, VersionConflictError
from dynasafe.items.item_format import ItemShape
from dynasafe.resilience.attempts import Answered, Raised, Send, SlotTaken, Success, TakeSlot, Woke
from dynasafe.resilience.boundary import Lost, Refused
from dynasafe.testing.engines import Engine
from tests.integration.conftest import CREDENTIALS, REGION, key_schema


class Counter(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


class SyncDriver:
    """Runs plans: it decides nothing."""

    def __init__(self, client: Any, *, losses: int = 0) -> None:
        self.state = ClientState(new_id=lambda: str(uuid4()), draw=lambda: 0.5)
        self.client = client
        self.losses = losses  # how many of the next answers are lost
        self.sent: list[str] = []

    def call(self, operation: str, plan_of: Callable[[CallState], Plan[Any]]) -> Any:
        state = self.state.begin(operation, None, Settings(), now_s=time.monotonic())
        plan = plan_of(state)
        try:
            command = next(plan)
            while True:
                try:
                    reply = self.run(command, state) if isinstance(command, Request) else None
                    if isinstance(command, Sleep):
                        time.sleep(command.delay_s)
                except Exception as error:
                    command = plan.throw(error)
                else:
                    command = plan.send(reply)
        except StopIteration as stop:
            return stop.value

    def run(self, request: Request, state: CallState) -> Success:
        loop = self.state.attempts(request, state, now_s=time.monotonic())
        reply: Any = None
        try:
            while True:
                match loop.send(reply):
                    case TakeSlot():
                        reply = SlotTaken(time.monotonic(), False)
                    case Send():
                        reply = self.send(request)
                    case Sleep() as command:
                        time.sleep(command.delay_s)
                        reply = Woke(time.monotonic())
        except StopIteration as stop:
            success: Success = stop.value
            return success

    def send(self, request: Request) -> Answered | Raised:
        """The second, trivial transport."""
        self.sent.append(request.call.operation)
        try:
            answer = self.client._make_api_call(request.call.operation, request.params)
        except ClientError as error:
            found: Any = error.response
            refused = Refused(found["Error"]["Code"], found["Error"]["Message"], members=found)
            return Raised(refused, time.monotonic(), 0.5)
        if self.losses:
            self.losses -= 1
            return Raised(Lost("the test loses it"), time.monotonic(), 0.5)
        return Answered(answer, time.monotonic())


@pytest.fixture
def client(dynamodb_local: Engine) -> Iterator[Any]:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=dynamodb_local.endpoint_url,
        config=config,
        **CREDENTIALS,
    )
    client.create_table(TableName="sync", BillingMode="PAY_PER_REQUEST", **key_schema(id="S"))
    yield client
    client.delete_table(TableName="sync")
    client.close()


COUNTERS = Table("sync", ItemShape(Counter))


def write(driver: SyncDriver, make: Any, return_values: str | None = None, **options: Any) -> Any:
    return driver.call(
        "UpdateItem",
        lambda state: single_write_plan(COUNTERS, make, None, options, return_values, state),
    )


def test_plans_run_without_an_event_loop(client: Any) -> None:
    """Put, get, update with ALL_NEW, exactly once with a lost answer, and explained refusals."""
    driver = SyncDriver(client)
    counter = Counter(id="a")
    key = {"id": "a"}
    increment = UpdateBuilder(Counter).increment(Counter.n, 1)

    write(driver, partial(writes.put, COUNTERS, counter))
    assert counter.version == 1
    stored = driver.call("GetItem", lambda _: reads.get_plan(COUNTERS, key, None, True))
    assert stored == counter

    result = write(driver, partial(writes.update, COUNTERS, key, increment), "ALL_NEW")
    assert result.attributes == Counter(id="a", n=1, version=1)

    driver.losses = 1
    make = partial(writes.update, COUNTERS, key, increment)
    result = write(driver, make, "ALL_NEW", exactly_once=True)
    assert result.attributes.n == 2
    assert driver.sent[-3:] == ["TransactWriteItems", "TransactWriteItems", "GetItem"]
    assert result.attempts == 3

    with pytest.raises(ConditionalCheckFailedError) as refused:
        write(driver, make, condition=Counter.n > 5)
    assert refused.value.item == Counter(id="a", n=2, version=1)
    stale = Counter(id="a", version=0)
    with pytest.raises(VersionConflictError) as conflict:
        write(driver, partial(writes.update, COUNTERS, stale, increment))
    assert (conflict.value.expected_version, conflict.value.stored_version) == (0, 1)

    driver.losses = 1
    with pytest.raises(OutcomeUnknownError) as unknown:
        write(driver, make)
    assert unknown.value.key == key
    assert client.get_item(TableName="sync", Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "3"}
