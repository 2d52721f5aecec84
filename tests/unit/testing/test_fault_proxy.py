"""A FaultProxy, by what is sent to it alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from dynasafe.testing import FaultPlan, FaultProxy


@pytest.mark.parametrize(
    "head",
    [
        "content-length: many",
        "content-length: -1",
        "content-length: \u00b2",
        "content-length: " + "9" * 5_000,
        "content-length: 1, 1",
        "x-a: " + "a" * 20_000_000,
    ],
    ids=["a word", "below zero", "another digit", "long", "two", "a long head"],
)
async def test_odd_length(head: str) -> None:
    """Bytes that are not a request end the connection, with no output or loop error."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))
    async with FaultProxy("http://127.0.0.1:1", FaultPlan()) as proxy:
        host, _, port = proxy.endpoint_url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST / HTTP/1.1\r\n{head}\r\n\r\n".encode("latin-1"))
        with suppress(ConnectionError):  # it has not read all of a long head
            assert await reader.read() == b""
        writer.close()
    assert heard == []
    assert proxy.log == []
