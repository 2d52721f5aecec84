"""Transactions: all or nothing, under a token by which DynamoDB recognises a repeat.

Source: "Amazon DynamoDB Transactions: How it works", section "Idempotency".
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import uuid4

from dynasafe.aio.execute import Executor
from dynasafe.aio.settings import Settings
from dynasafe.calls.requests import Request, Write
from dynasafe.errors import (
    CancellationReason,
    DynasafeError,
    OutcomeUnknownError,
    TransactionCanceledError,
    ValueOutOfRangeError,
)
from dynasafe.limits import MAX_CLIENT_REQUEST_TOKEN_LENGTH, TOKEN_WINDOW_S
from dynasafe.resilience.attempts import Success

R = TypeVar("R")


def new_token(given: str | None = None) -> str:
    """The caller's ClientRequestToken, or a new one.

    Raises:
        ValueOutOfRangeError: it is empty, or longer than 36 characters.
    """
    if given is None:
        return str(uuid4())
    if not isinstance(given, str) or not 1 <= len(given) <= MAX_CLIENT_REQUEST_TOKEN_LENGTH:
        raise ValueOutOfRangeError(
            "client_request_token",
            f"a str of 1 to {MAX_CLIENT_REQUEST_TOKEN_LENGTH} characters is expected",
        )
    return given


async def run_with_token(
    executor: Executor,
    request: Request,
    settings: Settings,
    *,
    finish: Callable[[Success], Awaitable[R]],
    explain: Callable[[TransactionCanceledError], DynasafeError],
) -> R:
    """Make the call. An OutcomeUnknownError of it can be resolved.

    Args:
        finish: makes the result of the answer.
        explain: makes the error of a cancellation.
    """
    began_s = executor.clock.now_s()

    async def once() -> R:
        if executor.clock.now_s() - began_s >= TOKEN_WINDOW_S:
            raise OutcomeUnknownError(
                request.call.operation,
                table_name=request.call.table_name,
                reason=f"the {TOKEN_WINDOW_S:.0f} s in which its token is recognised are over",
            )
        try:
            return await finish(await executor.run(request, settings))
        except TransactionCanceledError as error:
            raise explain(error) from error.__cause__
        except OutcomeUnknownError as error:
            error._resolve = once
            raise
        except CancelledError as cancellation:
            if isinstance(cancellation.__cause__, OutcomeUnknownError):
                cancellation.__cause__._resolve = once
            raise

    return await once()


def with_operations(
    error: TransactionCanceledError, writes: Sequence[Write]
) -> TransactionCanceledError:
    """The same error, whose reasons name their operations and have typed items."""
    if len(error.reasons) == len(writes):
        error.reasons = tuple(
            CancellationReason(
                operation=write.kind,
                code=reason.code,
                message=reason.message,
                item=write.shape.decode_refused(reason.item, error),
            )
            for write, reason in zip(writes, error.reasons, strict=True)
        )
    return error
