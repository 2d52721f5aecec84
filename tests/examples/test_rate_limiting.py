"""Rate limiting: no more than the limit, whoever asks at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import NotSentError, OutcomeUnknownError, ServiceError
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.rate_limiting import (
    TABLES,
    Bucket,
    RateLimitedError,
    RateLimiter,
    TokenBucket,
    Window,
)
from tests.examples.conftest import (
    MakeDatabase,
    MakeFaulty,
    Rough,
    count,
    outcomes,
    rough_database,
)

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
START = int(NOON.timestamp())
SKEW = timedelta(seconds=40)
Limiter = Callable[..., RateLimiter | TokenBucket]


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    return await database(**TABLES)


@pytest.fixture
def memory() -> AsyncDynamoDB:
    return fake_database(**TABLES)


async def passes(limiter: RateLimiter | TokenBucket, now: datetime, times: int) -> int:
    """How many of so many calls are let through."""
    found = await outcomes((partial(limiter.take, "ada", now=now) for _ in range(times)), at_once=1)
    passed, refused = count(found, None), count(found, RateLimitedError)
    assert passed + refused == times
    return passed


async def stored_calls(db: AsyncDynamoDB, subject: str = "ada") -> int:
    key = {"subject": subject, "window": START}
    stored = await db.table("windows", Window).get_item(key, consistent_read=True)
    assert stored is not None
    return stored.calls


@pytest.mark.parametrize("exactly_once", [True, False])
async def test_window_race(db: AsyncDynamoDB, exactly_once: bool) -> None:
    """A RateLimiter lets no more than `limit` calls of a subject through in a window, however many
    processes ask at once."""
    limiter = RateLimiter(db, limit=10, length=MINUTE, exactly_once=exactly_once)

    found = await outcomes((partial(limiter.take, "ada", now=NOON) for _ in range(50)), at_once=50)

    assert (count(found, None), count(found, RateLimitedError)) == (10, 40)
    assert await stored_calls(db) == 10


async def test_window(db: AsyncDynamoDB) -> None:
    """Each subject and each window has its own count, and the refusal says when the next begins."""
    limiter = RateLimiter(db, limit=2, length=MINUTE)

    assert await passes(limiter, NOON, 3) == 2
    with pytest.raises(RateLimitedError, match="call again in 0:00:59"):
        await limiter.take("ada", now=NOON + timedelta(seconds=1))
    await limiter.take("grace", now=NOON)
    await limiter.take("ada", now=NOON + MINUTE)

    windows = await db.table("windows").scan(consistent_read=True).to_list()
    assert {each["expires_at"] - each["window"] for each in windows} == {60}


async def test_window_faults(faulty: MakeFaulty) -> None:
    """A call is counted once: if its answer is lost, the request is sent again and not counted
    again."""
    db, calm, proxy = await faulty(**TABLES)
    limiter = RateLimiter(db, limit=70, length=MINUTE)
    found = {
        subject: await outcomes(partial(limiter.take, subject, now=NOON) for _ in range(100))
        for subject in ("ada", "grace")
    }

    for subject, own in found.items():
        passed, refused = count(own, None), count(own, RateLimitedError)
        assert passed + refused + count(own, NotSentError) + count(own, ServiceError) == 100
        assert await stored_calls(calm, subject) == passed == 70
    # Many an answer was lost after the call had been counted.
    assert sum(record.is_applied for record in proxy.log) > 140


async def test_plain() -> None:
    """With `exactly_once=False`, calls at once never meet a conflict, and cost one write unit in
    place of two; a lost answer is then reported as unknown."""
    transport = MemoryTransport(TABLES)
    db = AsyncDynamoDB.over(transport)
    await passes(RateLimiter(db, limit=2, length=MINUTE, exactly_once=False), NOON, 3)
    assert {call.operation for call in transport.calls} == {"UpdateItem"}

    rough = Rough(TABLES, rate=0.5)
    lossy = RateLimiter(rough_database(rough), limit=200, length=MINUTE, exactly_once=False)
    found = await outcomes((partial(lossy.take, "ada", now=NOON) for _ in range(100)), at_once=1)

    unknown = count(found, OutcomeUnknownError)
    assert unknown > 5
    calls = rough.tables["windows"].items.values()
    assert count(found, None) <= sum(int(each["calls"]["N"]) for each in calls)


async def test_conflicts() -> None:
    """Under the limit, conflicts with other transactions refuse nobody."""
    db = rough_database(Rough(TABLES, conflicts=12))

    await RateLimiter(db, limit=1, length=MINUTE).take("ada", now=NOON)


async def test_bucket_race(db: AsyncDynamoDB) -> None:
    """A TokenBucket lets no more than `limit` calls through at once, and no more than `limit` plus
    what is refilled in any stretch of time: windows have no edges."""
    bucket = TokenBucket(db, limit=5, length=MINUTE)
    found = await outcomes((partial(bucket.take, "ada", now=NOON) for _ in range(50)), at_once=50)
    assert (count(found, None), count(found, RateLimitedError)) == (5, 45)

    for second in (1, 11, 12, 23, 24, 60, 61):
        now = NOON + timedelta(seconds=second)
        expected = {12: 1, 24: 1, 60: 3}.get(second, 0)
        assert await passes(bucket, now, 4) == expected
    assert await passes(bucket, NOON + 10 * MINUTE, 9) == 5


async def test_bucket_refusal(memory: AsyncDynamoDB) -> None:
    """A refusal says when the next token comes, and then it is there."""
    bucket = TokenBucket(memory, limit=3, length=MINUTE)
    await passes(bucket, NOON, 3)

    with pytest.raises(RateLimitedError) as refused:
        await bucket.take("ada", now=NOON + timedelta(seconds=5))

    assert refused.value.retry_after == timedelta(seconds=15)
    await bucket.take("ada", now=NOON + timedelta(seconds=20))


async def test_skew(memory: AsyncDynamoDB) -> None:
    """Hosts whose clocks are 40 s apart let through what a bucket refills in 40 s besides, and no
    more."""
    bucket = TokenBucket(memory, limit=6, length=MINUTE)

    passed = [await passes(bucket, NOON + SKEW * (number % 2), 10) for number in range(6)]

    assert sum(passed) == 6 + 4


async def test_window_skew(memory: AsyncDynamoDB) -> None:
    """Around the edge of two windows, a RateLimiter lets at most twice the limit through."""
    limiter = RateLimiter(memory, limit=5, length=MINUTE)
    times = [NOON - timedelta(seconds=1), NOON - timedelta(seconds=1) + SKEW] * 3

    assert sum([await passes(limiter, now, 10) for now in times]) == 10


async def test_jump(memory: AsyncDynamoDB) -> None:
    """A TokenBucket whose clock jumps back refuses calls for as long as it jumped, at most."""
    bucket = TokenBucket(memory, limit=2, length=MINUTE)
    await passes(bucket, NOON + timedelta(hours=1), 1)

    with pytest.raises(RateLimitedError) as refused:
        await bucket.take("ada", now=NOON)

    assert refused.value.retry_after <= timedelta(hours=1)
    assert await passes(bucket, NOON + timedelta(hours=1), 2) == 1


async def test_bucket_is_forgotten(memory: AsyncDynamoDB) -> None:
    """A bucket is removed by Time to Live when it is full for sure."""
    await TokenBucket(memory, limit=2, length=MINUTE).take("ada", now=NOON)

    (bucket,) = await memory.table("buckets", Bucket).scan().to_list()
    assert bucket.expires_at > NOON + MINUTE


async def test_no_answer() -> None:
    """Where DynamoDB cannot be reached, it is reported as unknown whether the call was counted."""
    db = rough_database(Rough(TABLES, rate=1.0, seed=3))
    found = await outcomes(
        (
            partial(RateLimiter(db, limit=99, length=MINUTE).take, f"{each}", now=NOON)
            for each in range(3)
        ),
        at_once=1,
    )

    assert count(found, None) == 0
    assert count(found, OutcomeUnknownError) > 0


@pytest.mark.parametrize(("limit", "length"), [(0, MINUTE), (1, timedelta(0))])
@pytest.mark.parametrize("limiter", [RateLimiter, TokenBucket])
def test_limits(limiter: Any, limit: int, length: timedelta) -> None:
    """A limit of nothing is refused."""
    with pytest.raises(ValueError, match="1 call or more"):
        limiter(fake_database(**TABLES), limit=limit, length=length)
