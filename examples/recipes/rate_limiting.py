"""Rate limiting: at most so many calls of one subject in each window of time.

What it does: counts each call in an item per subject and window, and refuses past the limit.

What it guarantees: no more than `limit` calls of a subject are let through in a window, however
many processes ask at once, and a call is counted once: the increment is sent under a token, so
that a lost answer is asked for again, and not counted again.

What it does not: smooth the edge between two windows, where up to twice the limit may pass; or
serve a subject that is called hundreds of times a second. All calls of a subject in a window write
one item, and transactions on one item wait for each other: what finds no turn is refused, not
counted, with TransactionCanceledError.

The table: partition key `subject` (string), sort key `window` (number), Time to Live on
`expires_at`. A call costs two write units.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dynasafe import AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError, OutcomeUnknownError

T = TypeVar("T")


class Window(Item):
    """The calls of one subject in one window."""

    subject: Attr[str] = attribute(key="partition")
    window: Attr[int] = attribute(key="sort")
    """When it begins, in seconds since 1970."""
    calls: Attr[int] = attribute(default=0)
    expires_at: Attr[datetime] = attribute(ttl=True)


class RateLimitedError(Exception):
    """The limit of this window is reached; the call was not counted."""

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
    """

    def __init__(self, table: AsyncTable[Window], *, limit: int, length: timedelta) -> None:
        self._table = table
        self._limit = limit
        self._length_s = int(length.total_seconds())
        if self._limit < 1 or self._length_s < 1:
            raise ValueError("a limit is 1 call or more, in windows of 1 s or more")

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
        try:
            await settle(self._table.update_item(key, update, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise RateLimitedError(end - now) from error


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
