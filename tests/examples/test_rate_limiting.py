"""The rate limiter: the limit holds, and each call counts once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NoReturn

import pytest

from dynasafe import AsyncTable
from dynasafe.errors import NotSentError, OutcomeUnknownError, ServiceError
from dynasafe.testing import ManualClock, MemoryTransport, fake_table, timed_out
from examples.recipes.rate_limiting import RateLimitedError, RateLimiter, Window
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOON = datetime(2026, 11, 24, 12, 0, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
START = int(datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp())


async def test_given_a_limit_when_it_is_reached_then_calls_wait_for_the_next_window(
    database: MakeDatabase,
) -> None:
    db = await database(windows=Window)
    limiter = RateLimiter(db.table("windows", Window), limit=3, length=MINUTE)

    for _ in range(3):
        await limiter.take("ada", now=NOON)
    with pytest.raises(RateLimitedError, match=r"call again in 0:00:20") as refusal:
        await limiter.take("ada", now=NOON)
    await limiter.take("grace", now=NOON)
    await limiter.take("ada", now=NOON + refusal.value.retry_after)

    stored = await db.table("windows", Window).get_item(
        {"subject": "ada", "window": START}, consistent_read=True
    )
    assert stored is not None
    assert stored.calls == 3
    assert stored.expires_at == datetime(2026, 11, 24, 12, 1, tzinfo=UTC)


async def test_given_many_at_once_then_no_more_than_the_limit_pass(
    database: MakeDatabase,
) -> None:
    db = await database(windows=Window)
    limiter = RateLimiter(db.table("windows", Window), limit=10, length=MINUTE)

    found = await outcomes(partial(limiter.take, "ada", now=NOON) for _ in range(30))

    passed, refused = count(found, None), count(found, RateLimitedError)
    # Of those that found no turn, none was counted.
    assert passed + refused + count(found, ServiceError) == 30
    assert passed <= 10
    stored = await db.table("windows", Window).get_item(
        {"subject": "ada", "window": START}, consistent_read=True
    )
    assert stored is not None
    assert stored.calls == passed


@pytest.mark.parametrize("limit", [120, 10_000])
async def test_given_faults_when_called_then_what_passed_is_what_is_stored(
    faulty: MakeFaulty, limit: int
) -> None:
    db, calm, proxy = await faulty(windows=Window)
    limiter = RateLimiter(db.table("windows", Window), limit=limit, length=MINUTE)
    subjects = [f"subject-{number}" for number in range(4)]

    found = {
        subject: await outcomes(partial(limiter.take, subject, now=NOON) for _ in range(200))
        for subject in subjects
    }

    for subject, own in found.items():
        passed, refused = count(own, None), count(own, RateLimitedError)
        failed = count(own, NotSentError) + count(own, ServiceError)
        assert passed + refused + failed == 200
        assert passed == 120 if limit == 120 else refused == 0
        stored = await calm.table("windows", Window).get_item(
            {"subject": subject, "window": START}, consistent_read=True
        )
        assert stored is not None
        assert stored.calls == passed
    # Many an answer was lost after the call had been counted.
    assert sum(record.is_applied for record in proxy.log) > sum(
        count(own, None) for own in found.values()
    )


class Silent(MemoryTransport):
    """Tables in memory whose writes are never answered."""

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> NoReturn:
        await super().send(operation, params, timeout_s=timeout_s)
        raise timed_out()


async def test_given_no_answer_at_all_then_the_caller_is_told_that_it_is_not_known() -> None:
    table = AsyncTable(
        "windows", Window, transport=Silent({"windows": Window}), clock=ManualClock()
    )
    limiter = RateLimiter(table, limit=3, length=MINUTE)

    with pytest.raises(OutcomeUnknownError, match="may or may not"):
        await limiter.take("ada", now=NOON)


@pytest.mark.parametrize(("limit", "length"), [(0, MINUTE), (1, timedelta(milliseconds=10))])
def test_given_a_limit_of_nothing_then_it_is_refused(limit: int, length: timedelta) -> None:
    with pytest.raises(ValueError, match="1 call or more"):
        RateLimiter(fake_table(Window), limit=limit, length=length)
