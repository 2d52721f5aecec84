"""The short path of a first attempt, beside the loop of attempts: the same in all that shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB, RetryPolicy, UpdateBuilder
from dynasafe.errors import DynasafeError
from dynasafe.resilience.attempts import FirstAttempt
from dynasafe.resilience.circuit_breaker import Circuit, CountWindow
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    connection_refused,
    ok,
    refused,
    server_error,
    throttled,
    timed_out,
)
from dynasafe.testing.scripted import no_credentials

REPLIES = st.sampled_from(
    [
        ok(),
        ok({"Attributes": {"n": {"N": "1"}}}),
        throttled(),
        throttled("TableWriteKeyRangeThroughputExceeded"),
        server_error(),
        server_error(503),
        timed_out(),
        connection_refused(),
        no_credentials(),
        condition_failed(),
        refused("ValidationException"),
        refused("ExpiredTokenException"),
        refused("TransactionConflictException"),
        refused("SomethingNew"),
        ValueError("a fault of the transport"),
        "hang",
        "wait 4 s",
    ]
)


class Permits(Circuit):
    """A circuit breaker that notes what is done with its permits."""

    def __init__(self) -> None:
        super().__init__(
            name="b", window=CountWindow(4), minimum_calls=2, failure_rate=0.5, open_s=2
        )
        self.log: list[Any] = []

    def acquire(self, now_s: float, draw: float = 0.5) -> Any:
        try:
            permit = super().acquire(now_s, draw)
        except Exception as error:
            self.log.append(("refused", now_s, str(error)))
            raise
        self.log.append(("acquired", now_s))
        return permit

    def record(
        self, permit: Any, result: Any, duration_s: float, now_s: float, draw: float = 0.5
    ) -> None:
        self.log.append((result, duration_s, now_s, draw))
        super().record(permit, result, duration_s, now_s, draw)

    def release(self, permit: Any) -> None:
        self.log.append("released")
        super().release(permit)


class Transport(ScriptedTransport):
    """Moves the clock with each request, hangs where the script says so, and can refresh."""

    def __init__(self, replies: list[Any], clock: ManualClock) -> None:
        super().__init__((), otherwise=ok())
        self.script = iter(replies)
        self.clock = clock

    async def refresh_credentials(self) -> bool:
        return True

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        await super().send(operation, params, timeout_s=timeout_s)
        self.clock.advance(0.25)
        reply = next(self.script, ok())
        if reply == "hang":
            await asyncio.Event().wait()
        if reply == "wait 4 s":
            self.clock.advance(4)
            return ok()
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, Mapping)
        return reply


async def observed(
    calls: list[list[Any]],
    kinds: list[str],
    policy: Any,
    timeout_s: Any,
    has_hook: bool,
) -> Any:
    """All that shows of these calls, one after the other."""
    clock = ManualClock(draws=[0.1 * (turn % 10) for turn in range(1000)])
    permits = Permits()
    events: list[Any] = []
    seen: list[Any] = []
    transport = Transport([each for replies in calls for each in replies], clock)
    async with AsyncDynamoDB.over(
        transport,
        clock=clock,
        breaker=permits,
        retry=policy,
        timeout_s=timeout_s,
        hooks=[events.append] if has_hook else [],
        max_connections=2,
    ) as db:
        table = db.table("t")
        for kind in kinds:
            task = asyncio.ensure_future(
                table.get_item({"id": "a"})
                if kind == "read"
                else table.update_item({"id": "a"}, UpdateBuilder().increment("n", 1))
                if kind == "increment"
                else table.update_item(
                    {"id": "a"}, UpdateBuilder().set("n", 1), return_values="ALL_NEW"
                )
                if kind == "set"
                else table.put_item({"id": "a"}, exactly_once=True)
            )
            for _ in range(60):
                await asyncio.sleep(0)
            if not task.done():
                task.cancel()
            try:
                found: Any = await task
                shown = (
                    type(found).__name__,
                    getattr(found, "attempts", None),
                    getattr(found, "attributes", found),
                )
            except (DynasafeError, asyncio.CancelledError) as error:
                facts = {
                    name: str(value)
                    for name, value in vars(error).items()
                    if name[0] != "_" and name != "client_request_token"
                }
                shown = (type(error).__name__, str(error), facts, str(error.__cause__))
            seen.append((shown, clock.now_s(), clock.sleeps_s[:]))
        quota = None if policy is None else db._executor.state.quota(policy)
        sent = [(call.operation, dict(call.params), call.timeout_s) for call in transport.calls]
        for _, params, _ in sent:
            params.pop("ClientRequestToken", None)
        return {
            "seen": seen,
            "permits": permits.log,
            "events": [(type(event).__name__, vars_of(event)) for event in events],
            "quota": None if quota is None else quota.available,
            "sent": sent,
            "in_flight": db._executor.slots.in_flight,
        }


def vars_of(event: Any) -> dict[str, Any]:
    return {
        name: getattr(event, name)
        for name in (
            "operation",
            "attempts",
            "attempt",
            "error",
            "error_class",
            "code",
            "delay_s",
            "duration_s",
            "may_be_applied",
            "http_status",
        )
        if hasattr(event, name)
    }


@given(
    calls=st.lists(st.lists(REPLIES, min_size=1, max_size=3), min_size=1, max_size=5),
    kinds=st.lists(
        st.sampled_from(["read", "increment", "set", "exactly once"]), min_size=1, max_size=6
    ),
    policy=st.sampled_from([RetryPolicy(), RetryPolicy(quota=20), RetryPolicy(quota=None), None]),
    timeout_s=st.sampled_from([30, 1, None]),
    has_hook=st.booleans(),
)
def test_same_as_the_loop(
    calls: Any, kinds: Any, policy: Any, timeout_s: Any, has_hook: bool
) -> None:
    """Permits, quota, events, requests, times, results and errors are the loop's."""
    short = asyncio.run(observed(calls, kinds, policy, timeout_s, has_hook))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(FirstAttempt, "suits", lambda call: False)
        long = asyncio.run(observed(calls, kinds, policy, timeout_s, has_hook))

    assert short == long
    assert short["in_flight"] == 0
