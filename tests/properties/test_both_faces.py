"""Whatever DynamoDB answers, both faces do the same: results, waits, events, quota and permits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import (
    AsyncTable,
    Attr,
    CircuitBreaker,
    Item,
    RetryPolicy,
    Table,
    UpdateBuilder,
    attribute,
)
from dynasafe.errors import DynasafeError
from dynasafe.resilience.circuit_breaker import CountWindow
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    connection_refused,
    ok,
    refused,
    server_error,
    sync,
    throttled,
    timed_out,
    transaction_canceled,
)
from dynasafe.testing.scripted import ScriptedCall


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


KEY = {"id": "a"}
STORED = {"id": {"S": "a"}, "visits": {"N": "1"}, "version": {"N": "1"}}
VISIT = UpdateBuilder(Person).increment(Person.visits, 1)
NAME = UpdateBuilder(Person).set(Person.visits, 3)


def of_condition(call: ScriptedCall) -> Any:
    """A failed condition, where the request has one."""
    writes = [call.params]
    if "TransactItems" in call.params:
        writes = [next(iter(item.values())) for item in call.params["TransactItems"]]
    if not any("ConditionExpression" in write for write in writes):
        return server_error()
    if "TransactItems" in call.params:
        return transaction_canceled("ConditionalCheckFailed")
    return condition_failed(STORED)


def of_conflict(call: ScriptedCall) -> Any:
    """A conflict with another transaction."""
    if "TransactItems" in call.params:
        return transaction_canceled("TransactionConflict")
    return refused("TransactionConflictException")


REPLIES: dict[str, Callable[[], Any]] = {
    "ok": lambda: ok({"Attributes": STORED, "Item": STORED}),
    "throttled": throttled,
    "500": server_error,
    "timed out": timed_out,
    "refused connection": connection_refused,
    "condition": lambda: of_condition,
    "expired": lambda: refused("ExpiredTokenException"),
    "conflict": lambda: of_conflict,
    "validation": lambda: refused("ValidationException"),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda table: table.get_item(KEY),
    "increment": lambda table: table.update_item(KEY, VISIT),
    "set": lambda table: table.update_item(KEY, NAME, return_values="ALL_NEW"),
    "exactly once": lambda table: table.update_item(KEY, VISIT, exactly_once=True),
    "versioned put": lambda table: table.put_item(Person(id="a", version=0)),
    "short": lambda table: table.update_item(KEY, NAME, timeout_s=0.5),
}


class Run:
    """A table of one face, and all that can be seen of it."""

    def __init__(self, face: str, script: list[str], *, is_observed: bool) -> None:
        kit: Any = sync if face == "sync" else None
        transport: Any = (kit or _ASYNC).ScriptedTransport(otherwise=server_error())
        transport._replies = iter([REPLIES[name]() for name in script])
        self.clock: Any = (kit or _ASYNC).ManualClock(draws=[0.3, 0.9, 0.1, 0.7])
        self.breaker = CircuitBreaker(
            minimum_calls=3, window=CountWindow(5), open_s=1, clock=self.clock
        )
        self.events: list[Any] = []
        self.transport = transport
        self.table: Any = (Table if kit else AsyncTable)(
            "people",
            Person,
            transport=transport,
            clock=self.clock,
            breaker=self.breaker,
            retry=RetryPolicy(quota=60),
            hooks=[self.events.append] if is_observed else [],
        )

    def seen(self, outcomes: list[str]) -> dict[str, Any]:
        quota = self.table._executor.state.quota(RetryPolicy(quota=60))
        return {
            "outcomes": outcomes,
            "requests": [call.operation for call in self.transport.calls],
            "limits": [call.timeout_s for call in self.transport.calls],
            "sleeps": self.clock.sleeps_s,
            "quota": quota.available,
            "state": self.breaker.state,
            "metrics": self.breaker.metrics(self.clock.now_s()),
            "events": [
                (type(each).__name__, getattr(each, "attempt", None)) for each in self.events
            ],
            "slots": self.table._executor.slots.in_flight,
        }


class _ASYNC:
    ScriptedTransport = ScriptedTransport
    ManualClock = ManualClock


def outcome_of(result: object) -> str:
    if isinstance(result, DynasafeError):
        return f"{type(result).__name__}: {result}".partition(" (attempts")[0]
    return repr(getattr(result, "attempts", result))


def run_sync(calls: list[str], script: list[str], *, is_observed: bool) -> dict[str, Any]:
    run = Run("sync", script, is_observed=is_observed)
    outcomes = []
    for name in calls:
        try:
            outcomes.append(outcome_of(CALLS[name](run.table)))
        except DynasafeError as error:
            outcomes.append(outcome_of(error))
    return run.seen(outcomes)


async def run_async(calls: list[str], script: list[str], *, is_observed: bool) -> dict[str, Any]:
    run = Run("async", script, is_observed=is_observed)
    outcomes = []
    for name in calls:
        try:
            outcomes.append(outcome_of(await CALLS[name](run.table)))
        except DynasafeError as error:
            outcomes.append(outcome_of(error))
    return run.seen(outcomes)


@pytest.mark.parametrize("is_observed", [False, True])
@given(
    calls=st.lists(st.sampled_from(sorted(CALLS)), min_size=1, max_size=4),
    script=st.lists(st.sampled_from(sorted(REPLIES)), max_size=12),
)
def test_both_faces_do_the_same(is_observed: bool, calls: list[str], script: list[str]) -> None:
    """Both faces send the same requests and give the same results, with hooks and without."""
    expected = asyncio.run(run_async(calls, script, is_observed=is_observed))
    assert run_sync(calls, script, is_observed=is_observed) == expected
    assert expected["slots"] == 0
