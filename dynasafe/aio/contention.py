"""For callers that compete for one item: resolve a lost answer, and retry after a conflict.

await settle(db.transact_write_items(writes))
await retry_conflicts(read_change_and_store, on=VersionConflictError)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dynasafe.aio.clock import Clock, SystemClock
from dynasafe.errors import OutcomeUnknownError, ServiceError
from dynasafe.resilience.outcomes import ErrorClass
from dynasafe.resilience.retry import RetryPolicy

T = TypeVar("T")

MAX_ATTEMPTS = 30
BASE_DELAY_S = 0.025
MAX_DELAY_S = 1.0


async def settle(call: Awaitable[T]) -> T:
    """The result of a call. If its outcome is unknown, the call is resolved once.

    For a call that can be resolved: a transaction, or a write with `exactly_once=True`.

    Raises:
        OutcomeUnknownError: it is still unknown.
    """
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result


async def retry_conflicts(
    call: Callable[[], Awaitable[T]],
    *,
    on: type[Exception] | tuple[type[Exception], ...] = (),
    max_attempts: int = MAX_ATTEMPTS,
    base_delay_s: float = BASE_DELAY_S,
    max_delay_s: float = MAX_DELAY_S,
    clock: Clock | None = None,
) -> T:
    """The result of `call()`, which is called again after each conflict with another writer.

    A conflict with another transaction proves that nothing was written. Each wait is a random time
    between 0 and a limit that doubles (full jitter), so that 50 callers do not meet again at the
    next attempt.

    Args:
        call: makes a new awaitable each time.
        on: other errors that mean the same: nothing was written, another was faster. Name
            VersionConflictError if the call reads the item again; otherwise it fails each time.
        max_attempts: at least 1. The first try counts.
        base_delay_s: the longest first wait.
        max_delay_s: the longest wait.
        clock: gives the time and random numbers.

    Any other error is raised at once, and so is the error of the last attempt.

    Raises:
        InvalidValueError: a setting is outside its range.
    """
    policy = RetryPolicy(
        max_attempts=max_attempts, base_delay_s=base_delay_s, max_delay_s=max_delay_s
    )
    clock = clock or SystemClock()
    for retry in range(max_attempts - 1):
        try:
            return await call()
        except Exception as error:
            is_conflict = (
                isinstance(error, ServiceError) and error.error_class == ErrorClass.CONFLICT.value
            )
            if not (is_conflict or isinstance(error, on)):
                raise
        await clock.sleep(policy.delay_s(retry, is_throttle=False, draw=clock.draw()))
    return await call()
