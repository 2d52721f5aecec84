"""Servers that misbehave on purpose, for tests of connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from queue import Queue
from typing import Any
from zlib import crc32

from dynasafe.aio.http_transport import HttpTransport
from dynasafe.http.credentials import Credentials
from tests.support import faces

CREDENTIALS = Credentials("AKID", "secret", "token")


def answer(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """An answer as DynamoDB gives it."""
    fields = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": "ID",
        "x-amz-crc32": str(crc32(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


REFUSED = answer(
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",'
    b'"message":"The conditional request failed"}',
    "400 Bad Request",
)
UNAVAILABLE = answer(
    b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"x"}',
    "500 Internal Server Error",
)


class Peer:
    """A server on the loopback: what came in, and what it does next.

    `behave` is called with the writer and the number of the request, from 1, for each request that
    came in whole; without it the answer is `{}`.
    """

    def __init__(
        self, behave: Callable[[Peer, asyncio.StreamWriter, int], Awaitable[None]] | None
    ) -> None:
        self.behave = behave
        self.connections = 0
        self.requests: list[bytes] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.is_tls = False
        self.has_request = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http{'s' if self.is_tls else ''}://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.append(task)
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                self.has_request.set()
                if self.behave is None:
                    writer.write(answer())
                else:
                    await self.behave(self, writer, len(self.requests))
                await writer.drain()
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST."""
    raw: Any = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def peer(
    behave: Callable[[Peer, asyncio.StreamWriter, int], Awaitable[None]] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Peer]:
    """A peer that listens until the end of the block."""
    made = Peer(behave)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    made.is_tls = tls is not None
    try:
        yield made
    finally:
        server.close()
        for writer in made.writers:
            writer.transport.abort()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


@contextmanager
def peer_of_a_thread(**options: Any) -> Iterator[tuple[Peer, asyncio.AbstractEventLoop]]:
    """A peer on an event loop of its own, which goes on when the test's loop stands still."""
    started: Queue[tuple[Peer, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def run() -> None:
        async with peer(**options) as made:
            end = asyncio.Event()
            started.put((made, asyncio.get_running_loop(), end))
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    made, loop, end = started.get()
    try:
        yield made, loop
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


@asynccontextmanager
async def transport_to(url: str, **options: Any) -> AsyncIterator[HttpTransport]:
    """An open transport whose requests go to the URL."""
    settings: dict[str, Any] = {
        "region_name": "us-east-1",
        "endpoint_url": url,
        "credentials": CREDENTIALS,
        "proxies": {},
        **options,
    }
    transport: HttpTransport = faces.transport(**settings)
    await transport.open()
    try:
        yield transport
    finally:
        await transport.close()


class Authority:
    """A certificate authority of the tests' own, and a server's certificate of it."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        def name(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = dt.datetime.now(dt.UTC)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        certificates = []
        for index, subject in enumerate(("dynasafe tests", host)):
            builder = (
                x509.CertificateBuilder()
                .subject_name(name(subject))
                .issuer_name(name("dynasafe tests"))
                .public_key(keys[index].public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(days=1))
                .not_valid_after(now + dt.timedelta(days=1))
                .add_extension(x509.BasicConstraints(ca=index == 0, path_length=None), True)
            )
            if index == 1:
                try:
                    entry: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
                except ValueError:
                    entry = x509.DNSName(host)
                builder = builder.add_extension(x509.SubjectAlternativeName([entry]), False)
            certificates.append(builder.sign(keys[0], hashes.SHA256()))
        pem = serialization.Encoding.PEM
        self.ca_path = folder / f"{host}-ca.pem"
        self.ca_path.write_bytes(certificates[0].public_bytes(pem))
        self.chain_path = folder / f"{host}-server.pem"
        self.chain_path.write_bytes(
            certificates[1].public_bytes(pem)
            + keys[1].private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @cache  # noqa: B019
    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain_path)
        return context
