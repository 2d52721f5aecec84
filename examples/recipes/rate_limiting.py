"""Rate limiting: at most so many calls of one subject in each window, or in any stretch of time.

What it does: `RateLimiter` counts the calls of a subject in fixed windows. `TokenBucket` refills
evenly, and needs no window.

Threat model: One subject sends more than its share, from many processes at once; clocks of hosts
disagree or jump. Who has many names has as many limits: choose the subject well.

What it guarantees:
- A RateLimiter lets no more than `limit` calls of a subject through in a window, however many
  processes ask at once.
- A call is counted once: if its answer is lost, the request is sent again and not counted again.
- With `exactly_once=False`, calls at once never meet a conflict, and cost one write unit in place
  of two; a lost answer is then reported as unknown.
- A TokenBucket lets no more than `limit` calls through at once, and no more than `limit` plus
  what is refilled in any stretch of time: windows have no edges.
- Hosts whose clocks are 40 s apart let through what a bucket refills in 40 s besides, and no more.
- A TokenBucket whose clock jumps back refuses calls for as long as it jumped, at most.

What it leaves to you: who the subject is (an account, an address), and what to do when it is not
known whether the call was counted: to refuse is safe. Around the edge of two windows a RateLimiter
lets twice the limit through; while clocks disagree, the edge is as wide as they differ. A refused
call costs a write unit too. A subject takes some hundreds of calls a second, as they write one
item.

The tables: `windows`, partition key `subject` (string), sort key `window` (number); `buckets`,
partition key `subject` (string); both with Time to Live on `expires_at`. Needs `pip install
dynasafe`; `python rate_limiting.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import ConditionalCheckFailedError

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Window(Item):
    """The calls of one subject in one window."""

    subject: Attr[str] = attribute(key="partition")
    window: Attr[int] = attribute(key="sort")
    """When it begins, in seconds since 1970."""
    calls: Attr[int] = attribute(default=0)
    expires_at: Attr[datetime] = attribute(ttl=True)


class Bucket(Item):
    """When the bucket of a subject is full again."""

    subject: Attr[str] = attribute(key="partition")
    full_at_ms: Attr[int]
    """In milliseconds since 1970."""
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {"windows": Window, "buckets": Bucket}


class RateLimitedError(Exception):
    """The limit is reached; the call was not counted."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"Too many calls. Fix: call again in {self.retry_after}."


class RateLimiter:
    """Lets `limit` calls of a subject through in each window.

    Args:
        limit: at least 1.
        length: of a window, in whole seconds, at least 1.
        exactly_once: whether the request is sent again after a lost answer.
    """

    def __init__(
        self, db: AsyncDynamoDB, *, limit: int, length: timedelta, exactly_once: bool = True
    ) -> None:
        self._table: AsyncTable[Window] = db.table("windows", Window)
        self._limit = limit
        self._length_s = int(length.total_seconds())
        self._is_exact = exactly_once
        if self._limit < 1 or self._length_s < 1:
            raise ValueError("A limit is 1 call or more, in windows of 1 s or more.")

    async def take(self, subject: str, *, now: datetime) -> None:
        """Count one call of the subject, or refuse it.

        Raises:
            RateLimitedError
            OutcomeUnknownError: DynamoDB cannot be reached, and whether the call was counted is
                not known. To let it through may pass the limit; to refuse it is safe.
        """
        seconds = int(now.timestamp())
        start = seconds - seconds % self._length_s
        end = datetime.fromtimestamp(start + self._length_s, UTC)
        update = (
            UpdateBuilder(Window)
            .increment(Window.calls, 1)
            .set(Window.expires_at, end)
            .condition(Window.calls.not_exists() | (Window.calls < self._limit))
        )
        key = {"subject": subject, "window": start}
        is_exact = self._is_exact
        try:
            await retry_conflicts(
                lambda: settle(self._table.update_item(key, update, exactly_once=is_exact))
            )
        except ConditionalCheckFailedError as error:
            raise RateLimitedError(end - now) from error


class TokenBucket:
    """Lets `limit` calls of a subject through at once, and refills evenly over `length`.

    Args:
        limit: at least 1.
        length: until an empty bucket is full; at least 1 ms for each call.
    """

    def __init__(self, db: AsyncDynamoDB, *, limit: int, length: timedelta) -> None:
        self._table: AsyncTable[Bucket] = db.table("buckets", Bucket)
        if limit < 1 or length < limit * MILLISECOND:
            raise ValueError("A limit is 1 call or more, and 1 ms or more for each.")
        self._per_call_ms = -(-(length // MILLISECOND) // limit)
        self._slack_ms = (limit - 1) * self._per_call_ms

    async def take(self, subject: str, *, now: datetime) -> None:
        """Take one token of the subject.

        Raises: as `RateLimiter.take`.
        """
        now_ms = (now - EPOCH) // MILLISECOND
        await retry_conflicts(lambda: self._take({"subject": subject}, now_ms), on=_MovedError)

    async def _take(self, key: dict[str, str], now_ms: int) -> None:
        later = UpdateBuilder(Bucket)
        later.set(Bucket.full_at_ms, Bucket.full_at_ms + self._per_call_ms)
        later.set(Bucket.expires_at, self._expiry(now_ms))
        later.condition(Bucket.full_at_ms.between(now_ms, now_ms + self._slack_ms))
        try:
            await settle(self._table.update_item(key, later, exactly_once=True))
        except ConditionalCheckFailedError as error:
            stored: Bucket | None = error.item
        else:
            return
        if stored is not None and stored.full_at_ms > now_ms + self._slack_ms:
            wait_ms = stored.full_at_ms - self._slack_ms - now_ms
            raise RateLimitedError(wait_ms * MILLISECOND)
        first = UpdateBuilder(Bucket)
        first.set(Bucket.full_at_ms, now_ms + self._per_call_ms)
        first.set(Bucket.expires_at, self._expiry(now_ms))
        first.condition(Bucket.full_at_ms.not_exists() | (Bucket.full_at_ms < now_ms))
        try:
            await settle(self._table.update_item(key, first, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise _MovedError from error

    def _expiry(self, now_ms: int) -> datetime:
        """When the bucket is full for sure, and may be forgotten."""
        whole_ms = self._slack_ms + 2 * self._per_call_ms
        return EPOCH + (now_ms + whole_ms) * MILLISECOND + timedelta(hours=1)


class _MovedError(Exception):
    """Another call took the first token."""


async def main() -> None:
    """Call three times where two calls are allowed, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    now, minute = datetime(2026, 11, 24, tzinfo=UTC), timedelta(minutes=1)
    limiters = RateLimiter(db, limit=2, length=minute), TokenBucket(db, limit=2, length=minute)
    for limiter in limiters:
        try:
            for _ in range(3):
                await limiter.take("ada", now=now)
        except RateLimitedError as error:
            print(f"{type(limiter).__name__}: {error}")


if __name__ == "__main__":
    asyncio.run(main())
