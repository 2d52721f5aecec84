"""A bare POST of a finished body: the lower limit of any client on the same transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.work import MOST_CONNECTIONS, Calls

_BODY = b'{"TableName": "people", "Key": {"id": {"S": "p1"}}, "UpdateExpression": "REMOVE email"}'
_HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.UpdateItem",
    "Content-Type": "application/x-amz-json-1.0",
}


@asynccontextmanager
async def connect_aiohttp(endpoint_url: str) -> AsyncIterator[Calls]:
    from aiohttp import ClientSession, TCPConnector

    async with ClientSession(connector=TCPConnector(limit=MOST_CONNECTIONS)) as session:

        async def update(turn: int) -> object:
            async with session.post(endpoint_url, data=_BODY, headers=_HEADERS) as answer:
                return await answer.read()

        yield Calls(update)


@asynccontextmanager
async def connect_protocol(endpoint_url: str) -> AsyncIterator[Calls]:
    """One connection per caller at once, and no parsing but for the end of the answer."""
    address = urlsplit(endpoint_url)
    assert address.hostname is not None
    assert address.port is not None
    host, port = address.hostname, address.port
    head = "".join(f"{name}: {value}\r\n" for name, value in _HEADERS.items())
    request = (
        f"POST / HTTP/1.1\r\nHost: {address.netloc}\r\n{head}Content-Length: {len(_BODY)}\r\n\r\n"
    ).encode() + _BODY
    loop = asyncio.get_running_loop()
    idle: list[_Connection] = []
    everyone: list[_Connection] = []

    async def update(turn: int) -> object:
        if idle:
            connection = idle.pop()
        else:
            _, connection = await loop.create_connection(_Connection, host, port)
            everyone.append(connection)
        answer = await connection.ask(request)
        idle.append(connection)
        return answer

    try:
        yield Calls(update)
    finally:
        for each in everyone:
            each.transport.close()


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._answer.set_result(data)  # an answer of the stub to an update is one small packet

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer
