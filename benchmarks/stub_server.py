"""A DynamoDB stub that answers at once, in a separate process, so that only the client is measured.

It has the HTTP/1.1 that clients need, on loopback only, and canned answers. It ends with its
parent, when its standard input ends, or after an hour.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from benchmarks.work import WIRE_ITEM

CROWD_SIZE = 10_000
CROWD_TABLE_NAME = "crowd"
"""A table whose pages have many small items; each page has a next one."""

_LIFETIME_S = 3600
_TARGET = re.compile(rb"\r\nx-amz-target: *dynamodb_\d+\.(\w+)\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n")
_CROWD = f'"{CROWD_TABLE_NAME}"'.encode()
_buffer = memoryview(bytearray(64 * 1024))


def _body(operation: str, is_crowd: bool) -> dict[str, Any]:
    match operation.lower():
        case "getitem":
            return {"Item": WIRE_ITEM}
        case "batchwriteitem":
            return {"UnprocessedItems": {}}
        case "query" if is_crowd:
            items = [
                {"id": {"S": "p1"}, "turn": {"N": str(turn)}, "name": {"S": f"Ada {turn}"}}
                for turn in range(CROWD_SIZE)
            ]
            last = {"id": {"S": "p1"}, "turn": {"N": str(CROWD_SIZE - 1)}}
            return {**_page(items), "LastEvaluatedKey": last}
        case "query":
            return _page([{**WIRE_ITEM, "id": {"S": f"p{turn}"}} for turn in range(100)])
        case _:
            return {}


def _page(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


@cache
def answer(operation: str, is_crowd: bool) -> bytes:
    """The whole answer, with its head."""
    body = json.dumps(_body(operation, is_crowd), separators=(",", ":")).encode()
    head = (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\n"
        "x-amzn-RequestId: QWERTYUIOPASDFGHJKLZXCVBNMQWERTYUIOPASDFGHJKLZXCVBNM\r\n"
        f"x-amz-crc32: {crc32(body)}\r\n"
        "\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.BufferedProtocol):
    """Reads into one buffer for all: a Protocol has 256 KiB allocated for each read.

    The stub must be faster than any client, or clients would wait for it.
    """

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        received = self._received + _buffer[:nbytes]
        while (end_of_head := received.find(b"\r\n\r\n") + 4) >= 4:
            head = received[:end_of_head].lower()
            length = _LENGTH.search(head)
            end = end_of_head + (int(length[1]) if length else 0)
            if len(received) < end:
                break
            target = _TARGET.search(head)
            is_crowd = _CROWD in received[end_of_head:end]
            self._transport.write(answer(target[1].decode() if target else "", is_crowd))
            received = received[end:]
        self._received = received


async def _serve(certificate: str | None) -> None:
    loop = asyncio.get_running_loop()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate)
    server = await loop.create_server(_Connection, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent_ended = loop.run_in_executor(None, sys.stdin.read)
    try:
        await asyncio.wait_for(parent_ended, _LIFETIME_S)
    finally:
        server.close()


@contextmanager
def stub_server(certificate: Path | None = None) -> Iterator[str]:
    """A stub in a new process: its URL.

    Args:
        certificate: a file with a certificate for localhost and its key, for TLS 1.3.
    """
    arguments = [] if certificate is None else [str(certificate)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stub_server", *arguments],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its standard input at the end, and waits for it
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}" if certificate is None else f"https://localhost:{port}"


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1] if len(sys.argv) > 1 else None))
