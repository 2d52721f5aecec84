"""forbid_blocking: a blocking boto3 call on the event loop's thread fails the test."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

_CLIENTS = ("botocore", "boto3", "s3transfer")


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
    from botocore.client import BaseClient

    original = BaseClient._make_api_call
    found: list[str] = []

    def call(client: Any, operation_name: str, api_params: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return original(client, operation_name, api_params)
        place = _caller()
        found.append(
            f"{operation_name} of {client.meta.service_model.service_name} is called with boto3 on "
            f"the event loop's thread, by {place}. Mend: await a client of aioboto3, or "
            "`await asyncio.to_thread(...)`"
        )
        raise BlockingCallError(found[-1])

    # A client of aiobotocore has a `_make_api_call` of its own.
    with patch.object(BaseClient, "_make_api_call", call):
        yield
    if found:
        raise BlockingCallError("\n".join(found))


def _caller() -> str:
    """The line outside the client's own code."""
    for frame in reversed(traceback.extract_stack()[:-2]):
        if not any(f"/{name}/" in frame.filename.replace("\\", "/") for name in _CLIENTS):
            return f"{frame.filename}:{frame.lineno} in {frame.name}"
    return "an unknown line"
