"""Settling an unknown outcome, and trying again after a conflict."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attribute, retry_conflicts, settle
from dynasafe.errors import (
    ConditionalCheckFailedError,
    InvalidValueError,
    OutcomeUnknownError,
    TransactionCanceledError,
    VersionConflictError,
)
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    ok,
    refused,
    throttled,
    timed_out,
    transaction_canceled,
)


class Counter(Item):
    id: Attr[str] = attribute(key="partition")
    hits: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


HIT = UpdateBuilder(Counter).increment(Counter.hits, 1)
CONFLICT = transaction_canceled("TransactionConflict")


def database(*replies: object) -> AsyncDynamoDB:
    return AsyncDynamoDB.over(
        ScriptedTransport(replies),  # type: ignore[arg-type]
        retry=None,
        breaker=None,
        clock=ManualClock(),
    )


async def test_settle_asks_again():
    """A transaction whose answer was lost is asked for under its token, and its result comes."""
    db = database(timed_out(), ok())
    counters = db.table("counters", Counter)

    await settle(counters.update_item({"id": "a"}, HIT, exactly_once=True))


async def test_settle_gives_up():
    """An outcome that is unknown twice is reported as unknown."""
    counters = database(timed_out(), timed_out()).table("counters", Counter)

    with pytest.raises(OutcomeUnknownError):
        await settle(counters.update_item({"id": "a"}, HIT, exactly_once=True))


async def test_settle_needs_a_token():
    """A plain increment cannot be resolved: its error comes as it was."""
    counters = database(timed_out()).table("counters", Counter)

    with pytest.raises(OutcomeUnknownError, match="before you repeat"):
        await settle(counters.update_item({"id": "a"}, HIT))


@pytest.mark.parametrize(
    "conflict",
    [
        CONFLICT,
        refused("TransactionConflictException"),
        refused("ReplicatedWriteConflictException"),
    ],
)
async def test_conflicts_are_retried(conflict: Exception) -> None:
    """Two conflicts, then an answer: three calls, and two waits under a bound that doubles."""
    counters = database(conflict, conflict, ok()).table("counters", Counter)
    clock = ManualClock(draws=[0.5, 0.5])
    is_transaction = conflict is CONFLICT

    await retry_conflicts(
        lambda: counters.update_item({"id": "a"}, HIT, exactly_once=is_transaction), clock=clock
    )

    assert clock.sleeps_s == [0.0125, 0.025]


async def test_version_conflicts_are_retried():
    """A version that another writer has raised is read again, where the caller says so."""
    stored = {"id": {"S": "a"}, "version": {"N": "2"}}
    db = database(
        ok({"Item": {"id": {"S": "a"}, "version": {"N": "1"}}}),
        condition_failed(stored),
        ok({"Item": stored}),
        ok(),
    )
    counters = db.table("counters", Counter)

    async def edit() -> int:
        counter = await counters.get_item({"id": "a"})
        assert counter is not None
        await counters.put_item(counter)
        return counter.version

    assert await retry_conflicts(edit, on=VersionConflictError, clock=ManualClock()) == 3


async def test_version_conflicts_are_final():
    """A version conflict comes at once where the call does not read again."""
    counters = database(condition_failed({"id": {"S": "a"}, "version": {"N": "2"}})).table(
        "counters", Counter
    )
    clock = ManualClock()

    with pytest.raises(VersionConflictError):
        await retry_conflicts(lambda: counters.put_item(Counter(id="a", version=1)), clock=clock)

    assert clock.sleeps_s == []


async def test_own_errors_are_retried():
    """An error that is named in `on` is a conflict too."""
    errors = iter([LookupError(), KeyError()])

    async def call() -> str:
        for error in errors:
            raise error
        return "done"

    assert await retry_conflicts(call, on=LookupError, clock=ManualClock()) == "done"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (condition_failed(), ConditionalCheckFailedError),
        (throttled(), Exception),
        (timed_out(), OutcomeUnknownError),
    ],
)
async def test_other_errors_are_not_retried(reply: Exception, kind: type[Exception]) -> None:
    """A failed condition, a throttle and a lost answer come at once."""
    counters = database(reply).table("counters", Counter)
    clock = ManualClock()

    with pytest.raises(kind):
        await retry_conflicts(
            lambda: counters.update_item({"id": "a"}, HIT, condition=Counter.id.exists()),
            clock=clock,
        )

    assert clock.sleeps_s == []


async def test_cancellation_for_another_reason() -> None:
    """A conflict beside a failed condition is not retried: the condition would fail again."""
    db = database(transaction_canceled("TransactionConflict", "ConditionalCheckFailed"))
    counters = db.table("counters", Counter)
    writes = [
        counters.update({"id": "a"}, HIT),
        counters.update({"id": "b"}, HIT, condition=Counter.id.exists()),
    ]
    clock = ManualClock()

    with pytest.raises(TransactionCanceledError):
        await retry_conflicts(lambda: db.transact_write_items(writes), clock=clock)

    assert clock.sleeps_s == []


async def test_attempts_end():
    """After the last attempt its conflict is raised; no wait is longer than the bound."""
    db = database(*[CONFLICT] * 12)
    writes = [db.table("counters", Counter).update({"id": "a"}, HIT)]
    clock = ManualClock(draws=[0.999] * 12)

    with pytest.raises(TransactionCanceledError):
        await retry_conflicts(
            lambda: db.transact_write_items(writes), max_attempts=12, max_delay_s=0.5, clock=clock
        )

    assert len(clock.sleeps_s) == 11
    assert max(clock.sleeps_s) < 0.5


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"base_delay_s": -1.0}, {"max_delay_s": float("nan")}]
)
async def test_settings_are_checked(settings: dict[str, Any]) -> None:
    """Settings outside their range are refused before anything is called."""
    call: Any = pytest.fail  # not reached

    with pytest.raises(InvalidValueError):
        await retry_conflicts(call, **settings)
