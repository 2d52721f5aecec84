"""forbid_blocking: a blocking boto3 call on the event loop's thread fails the test."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from dynasafe.testing.sending import Sending, watching

_ASYNC = {"boto3": "a client of aioboto3", "dynasafe.DynamoDB": "AsyncDynamoDB"}
_CLIENTS = ("botocore", "boto3", "s3transfer", "dynasafe/testing", "dynasafe/sync")


class BlockingCallError(AssertionError):
    """A call of boto3 stopped the event loop: nothing else could run until it was answered."""


@contextmanager
def forbid_blocking() -> Iterator[None]:
    """Fail if boto3 is called within the block on a thread whose event loop is running.

    The call is refused, and the block fails at its end even if the refusal was caught. Calls of
    aioboto3, and of boto3 on other threads, are fine.

    Raises:
        BlockingCallError: boto3 was called; it names the operation and the line.
    """
    found: list[str] = []

    def refuse(sending: Sending) -> None:
        if sending.is_blocking and _is_on_event_loop():
            found.append(
                f"{sending.operation} of {sending.service} is called with {sending.client} on the "
                f"event loop's thread, by {_caller()}. Fix: await {_ASYNC[sending.client]}, or "
                "`await asyncio.to_thread(...)`"
            )
            raise BlockingCallError(found[-1])

    try:
        with watching(refuse):
            yield
    except BlockingCallError:
        raise
    except BaseException as error:
        for text in found:
            error.add_note(text)
        raise
    if found:
        raise BlockingCallError("\n".join(found))


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _caller() -> str:
    """The line outside the client's own code."""
    for frame in reversed(traceback.extract_stack()):
        if not any(f"/{name}/" in frame.filename.replace("\\", "/") for name in _CLIENTS):
            return f"{frame.filename}:{frame.lineno} in {frame.name}"
    return "an unknown line"
