"""What only a socket can show: for each way to fail, what is known of the request."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.aio import connection
from dynasafe.aio.http_transport import HttpTransport
from dynasafe.resilience.boundary import Lost, NotSent, Refused, TransportError
from tests.support.faces import face, pytest_generate_tests
from tests.support.peers import (
    CREDENTIALS,
    REFUSED,
    UNAVAILABLE,
    Authority,
    Peer,
    answer,
    peer,
    peer_of_a_thread,
    reset,
    transport_to,
)

PARAMS = {"TableName": "t", "Key": {"id": {"S": "x"}}}
__all__ = ["face", "pytest_generate_tests"]
# The others are of event loops.
BOTH_FACES = {
    "test_bytes_while_idle",
    "test_closed_while_waiting",
    "test_fuzzed_answers",
    "test_half_closed",
    "test_last_in_first_out",
    "test_no_such_host",
    "test_no_time_limit",
    "test_old_tls",
    "test_plain_port_for_tls",
    "test_refused_connection",
    "test_reopened",
    "test_request_bytes",
    "test_silent_listener",
    "test_table",
    "test_untrusted_certificate",
    "test_wrong_host",
}
Behave = Callable[[Peer, asyncio.StreamWriter, int], Awaitable[None]]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, authority: Authority) -> dict[str, Any]:
    """What a peer and a transport need to speak to one another."""
    if request.param == "plain":
        return {"peer": {}, "transport": {}}
    return {
        "peer": {"tls": authority.server_context()},
        "transport": {"verify": str(authority.ca_path)},
    }


async def send(transport: HttpTransport, timeout_s: float | None = 5) -> Any:
    return await transport.send("UpdateItem", PARAMS, timeout_s=timeout_s)


async def outcome(transport: HttpTransport, timeout_s: float | None = 5) -> str:
    """What became of one request: the error's name, or "ok"."""
    try:
        await send(transport, timeout_s)
    except TransportError as error:
        return type(error).__name__
    return "ok"


# --- What a peer may do with a request


def writes(data: bytes, then: str = "go on") -> Behave:
    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        if number > 1:
            writer.write(answer())
            return
        writer.write(data)
        if then == "close":
            await writer.drain()
            writer.close()
        elif then == "reset":
            await writer.drain()
            reset(writer)
        elif then == "half-close":
            writer.write_eof()
        elif then == "abort":
            writer.transport.abort()

    return behave


async def drips(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
    if number > 1:
        writer.write(answer())
        return
    for byte in answer():
        writer.write(bytes([byte]))
        await asyncio.sleep(0.01)


HALF = answer(b'{"Attributes":{}}')[:-4]
CHUNKED = (
    answer(b"", Transfer_Encoding="chunked")
    .replace(b"Content-Length: 0\r\n", b"")
    .replace(b"x-amz-crc32: 0\r\n", b"")
)
# What it does with the first request, the outcome, and on how many connections two requests go.
TABLE: dict[str, tuple[Behave | None, str, int]] = {
    "answer": (None, "ok", 1),
    "refusal": (writes(REFUSED), "Refused", 1),
    "500": (writes(UNAVAILABLE), "Refused", 2),
    "close before the head": (writes(b"", "close"), "Lost", 2),
    "close in the head": (writes(answer()[:20], "close"), "Lost", 2),
    "close after the head": (writes(answer(b'{"Attributes":{}}')[:-17], "close"), "Lost", 2),
    "close in the body": (writes(HALF, "close"), "Lost", 2),
    "close after the answer": (writes(answer(), "close"), "ok", 2),
    "RST before the head": (writes(b"", "reset"), "Lost", 2),
    "RST in the body": (writes(HALF, "reset"), "Lost", 2),
    "abort": (writes(b"", "abort"), "Lost", 2),
    "half-close before the answer": (writes(b"", "half-close"), "Lost", 2),
    "half-close after the answer": (writes(answer(), "half-close"), "ok", 2),
    "silence": (writes(b""), "Lost", 2),
    "half an answer, then silence": (writes(HALF), "Lost", 2),
    "slow drip": (drips, "Lost", 2),
    "1 MB of head": (writes(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000), "Lost", 2),
    "1 MB of headers": (writes(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 170_000), "Lost", 2),
    "chunked": (writes(CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"), "ok", 1),
    "chunks without an end": (writes(CHUNKED + b"2\r\n{}\r\n", "close"), "Lost", 2),
    "length twice": (writes(answer(Content_length="2")), "Lost", 2),
    "no length": (writes(answer().replace(b"Content-Length: 2\r\n", b""), "close"), "Lost", 2),
    "Connection: close": (writes(answer(Connection="close")), "ok", 2),
    "100-continue": (writes(b"HTTP/1.1 100 Continue\r\n\r\n" + answer()), "ok", 1),
    "101": (writes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "Lost", 2),
    "gzip": (writes(answer(Content_Encoding="gzip")), "Lost", 2),
    "wrong crc32": (writes(answer(x_amz_crc32="1")), "Lost", 2),
    "HTML": (writes(answer(b"<html>", Content_Type="text/html")), "Lost", 2),
    "redirect": (writes(answer(b"", "302 Found", Location="http://127.0.0.1:1/")), "Lost", 2),
    "two answers": (writes(answer() + answer(b'{"Attributes":{"n":{"N":"7"}}}')), "ok", 2),
    "bytes after the answer": (writes(answer() + b"x"), "ok", 2),
    "HTTP/1.0": (writes(answer().replace(b"HTTP/1.1", b"HTTP/1.0")), "ok", 2),
    "a TLS alert in the clear": (writes(b"\x15\x03\x03\x00\x02\x02\x28", "close"), "Lost", 2),
}


async def check_row(name: str, tls: dict[str, Any]) -> None:
    behave, expected, connections = TABLE[name]
    async with (
        peer(behave, **tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        timeout_s = 0.2 if "sil" in name or "drip" in name else 5

        assert await outcome(transport, timeout_s) == expected
        assert await outcome(transport) == "ok"

        assert len(server.requests) == 2
        assert server.connections == connections


@pytest.mark.parametrize("name", [name for name in TABLE if "half-close" not in name])
async def test_table(name: str, tls: dict[str, Any]) -> None:
    """Each behaviour of a peer has its outcome, and no request is sent twice.

    The next request is answered, on a new connection if the old one may be out of step.
    """
    await check_row(name, tls)


@pytest.mark.parametrize("name", [name for name in TABLE if "half-close" in name])
async def test_half_closed(name: str) -> None:
    """A peer that closes its side alone has its outcome, without TLS."""
    await check_row(name, {"peer": {}, "transport": {}})


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
@pytest.mark.parametrize("name", TABLE)
def test_table_on_uvloop(name: str, tls: dict[str, Any]) -> None:
    """On uvloop each behaviour of a peer has the same outcome."""
    import uvloop

    if "half-close" in name:
        tls = {"peer": {}, "transport": {}}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(check_row(name, tls))


async def test_closed_as_soon_as_made(monkeypatch: pytest.MonkeyPatch, tls: dict[str, Any]) -> None:
    """A new connection that is gone before the request is handed over: not sent, at once."""
    real = connection.Pool.connect

    async def connect(pool: connection.Pool, timeout_s: float | None) -> connection.Connection:
        made = await real(pool, timeout_s)
        made.abort()
        return made

    async with (
        peer(**tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        monkeypatch.setattr(connection.Pool, "connect", connect)
        assert await outcome(transport, None) == "NotSent"
        assert server.requests == []


async def test_many_records(tls: dict[str, Any]) -> None:
    """A request and an answer that take many records and reads."""
    text = "x" * 300_000

    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        assert text.encode() in peer.requests[-1]
        body = b'{"Attributes":{"a":{"S":"%s"}}}' % text.encode()
        for start in range(0, len(body), 1000):
            writer.write(answer(body)[: -len(body)] * (not start) + body[start : start + 1000])
            await writer.drain()

    async with (
        peer(behave, **tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        params = {"TableName": "t", "Item": {"id": {"S": text}}}
        for _ in range(2):
            found = await transport.send("PutItem", params, timeout_s=5)
            assert found["Attributes"] == {"a": {"S": text}}
        assert server.connections == 1


async def test_tls_1_2(authority: Authority) -> None:
    """TLS 1.2 works, over one connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    trusted = {"verify": str(authority.ca_path)}
    async with peer(tls=context) as server, transport_to(server.url, **trusted) as transport:
        assert [await outcome(transport) for _ in range(3)] == ["ok"] * 3
        assert server.connections == 1


async def test_refused_after_the_handshake(authority: Authority) -> None:
    """If the server wants a client's certificate, the call ends soon without an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain_path)
    context.load_verify_locations(authority.ca_path)
    context.verify_mode = ssl.CERT_REQUIRED
    trusted = {"verify": str(authority.ca_path)}
    async with peer(tls=context) as server, transport_to(server.url, **trusted) as transport:
        assert await outcome(transport, None) in ("Lost", "NotSent")
        assert server.requests == []


async def test_request_bytes() -> None:
    """One head, one body, as DynamoDB takes them."""
    async with peer() as server, transport_to(server.url) as transport:
        await send(transport)

    head, body = server.requests[0].split(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST / HTTP/1.1"
    names = [line.split(": ")[0] for line in lines[1:]]
    assert names == [
        "Host",
        "Content-Type",
        "Accept-Encoding",
        "User-Agent",
        "X-Amz-Target",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "Authorization",
        "Content-Length",
    ]
    assert body == b'{"TableName":"t","Key":{"id":{"S":"x"}}}'


async def test_refused_connection() -> None:
    """Nothing listens: not sent, in the system's words."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with transport_to(f"http://127.0.0.1:{port}") as transport:
        with pytest.raises(NotSent, match=f"127.0.0.1:{port}") as caught:
            await send(transport)

    assert caught.value.is_retryable


async def test_no_such_host() -> None:
    """A name that does not resolve: not sent."""
    async with transport_to("http://dynamodb.invalid") as transport:
        with pytest.raises(NotSent, match="not resolved"):
            await send(transport)


async def test_names_stop_resolving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open connections stay in use when names no longer resolve; new ones go to old addresses."""
    async with peer() as server, transport_to(f"http://localhost:{server.port}") as transport:
        await send(transport)

        async def fail(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        loop: Any = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def resolve(host: Any, *args: Any, **options: Any) -> Any:
            return await (fail() if host == "localhost" else real(host, *args, **options))

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        await send(transport)
        assert server.connections == 1

        await asyncio.gather(send(transport), send(transport))
        assert server.connections == 2


@pytest.mark.parametrize("limit", ["connect_timeout_s", "attempt_timeout_s"])
async def test_silent_listener(limit: str) -> None:
    """A handshake that hangs is a connection not made, and says which limit ran out."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        transport_to(f"https://127.0.0.1:{port}", connect_timeout_s=0.1) as transport,
    ):
        with pytest.raises(NotSent) as caught:
            await send(transport, 5 if limit == "connect_timeout_s" else 0.05)
        assert caught.value.limit == limit


async def test_untrusted_certificate(authority: Authority) -> None:
    """A certificate of an authority that is not trusted: not sent, and not tried again."""
    async with (
        peer(tls=authority.server_context()) as server,
        transport_to(server.url) as transport,
    ):
        with pytest.raises(NotSent, match="certificate") as caught:
            await send(transport)

    assert not caught.value.is_retryable
    assert server.requests == []


async def test_wrong_host(tmp_path: Any) -> None:
    """A certificate of another host: not sent."""
    other = Authority(tmp_path, "dynamodb.example")
    trusted = {"verify": str(other.ca_path)}
    async with (
        peer(tls=other.server_context()) as server,
        transport_to(server.url, **trusted) as transport,
    ):
        assert await outcome(transport) == "NotSent"


async def test_old_tls(authority: Authority) -> None:
    """TLS 1.1 is not spoken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    trusted = {"verify": str(authority.ca_path)}
    async with peer(tls=context) as server, transport_to(server.url, **trusted) as transport:
        assert await outcome(transport) == "NotSent"


async def test_plain_port_for_tls() -> None:
    """A server that does not speak TLS: not sent."""
    async with peer() as server, transport_to(f"https://127.0.0.1:{server.port}") as transport:
        assert await outcome(transport, 1) == "NotSent"
    assert server.requests == []


@pytest.mark.parametrize("verify", ["/no/such/file.pem", __file__])
async def test_bad_bundle(verify: str) -> None:
    """A bundle that is missing or invalid is reported when the client opens."""
    transport = HttpTransport(
        region_name="us-east-1", endpoint_url="https://127.0.0.1:1", verify=verify
    )
    with pytest.raises(NotSent) as caught:
        await transport.open()
    assert not caught.value.is_retryable


# --- Idle connections


async def test_bytes_while_idle(tls: dict[str, Any]) -> None:
    """A whole answer that comes unasked is no answer to the next request."""
    async with (
        peer(**tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        await send(transport)
        server.writers[0].write(answer(b'{"Attributes":{"n":{"N":"7"}}}'))
        await asyncio.sleep(0.05)

        assert "Attributes" not in await send(transport)
        assert server.connections == 2


@pytest.mark.parametrize("how", ["close", "reset", "answer"])
async def test_frozen_loop(how: str, tls: dict[str, Any]) -> None:
    """What happened on an idle connection while the loop stood still is seen before it is used.

    So do functions in AWS Lambda stand still between their calls: 8 of 8 increments are exact.
    """

    def act(writer: asyncio.StreamWriter) -> None:
        if how == "reset":
            reset(writer)
        elif how == "close":
            writer.close()
        else:
            writer.write(answer())

    with peer_of_a_thread(**tls["peer"]) as (server, peer_loop):
        async with transport_to(server.url, **tls["transport"]) as transport:
            for _ in range(8):
                assert await outcome(transport) == "ok"
                done = threading.Event()
                peer_loop.call_soon_threadsafe(act, server.writers[-1])
                peer_loop.call_soon_threadsafe(after_turns, peer_loop, 5, done.set)
                assert done.wait(5)  # which holds up this loop, as a freeze does
            assert len(server.requests) == 8
            assert server.connections == 8


async def test_reset_before_the_first_byte(tls: dict[str, Any]) -> None:
    """A connection that breaks before it takes a byte: nothing was sent."""
    with peer_of_a_thread(**tls["peer"]) as (server, peer_loop):
        async with transport_to(server.url, **tls["transport"]) as transport:
            assert await outcome(transport) == "ok"
            (pool,) = transport._pools.values()
            loop = asyncio.get_running_loop()
            idle = pool.take(loop.time())
            assert idle is not None
            done = threading.Event()
            peer_loop.call_soon_threadsafe(reset, server.writers[-1])
            peer_loop.call_soon_threadsafe(after_turns, peer_loop, 5, done.set)
            assert done.wait(5)  # which holds up this loop
            with pytest.raises(NotSent, match="broke before the request was sent") as caught:
                idle.hand_over(b"POST / HTTP/1.1\r\n\r\n", 5, loop.time() + 5)
            pool.discard(idle)
            assert caught.value.is_retryable
            assert await outcome(transport) == "ok"
            assert len(server.requests) == 2


def after_turns(loop: asyncio.AbstractEventLoop, turns: int, action: Callable[[], None]) -> None:
    if turns:
        loop.call_soon(after_turns, loop, turns - 1, action)
    else:
        action()


async def test_idle_bound() -> None:
    """A connection that was idle for 50 s is not used again, and is closed by the one timer."""
    async with peer() as server, transport_to(server.url) as transport:
        await send(transport)
        (pool,) = transport._pools.values()
        pool._idle[0].idle_since_s -= connection.MAX_IDLE_S + 1
        await send(transport)
        assert server.connections == 2

        pool._idle[0].idle_since_s -= connection.MAX_IDLE_S + 1
        pool._tick()
        assert pool._idle == []


async def test_age_bound() -> None:
    """An old connection is left only when a new one is there."""
    async with peer() as server, transport_to(server.url) as transport:
        await send(transport)
        (pool,) = transport._pools.values()
        first = pool._idle[0]
        object.__setattr__(first, "old_at_s", 0.0)

        await send(transport)
        while pool._renewal is not None or pool._surplus:
            await asyncio.sleep(0)
            await send(transport)

        assert first not in pool._idle
        assert server.connections == 2
        assert len(pool._idle) == 1


async def test_age_bound_without_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old connection stays in use while no new one can be made."""
    async with peer() as server, transport_to(server.url) as transport:
        await send(transport)
        (pool,) = transport._pools.values()
        object.__setattr__(pool._idle[0], "old_at_s", 0.0)

        async def fail(timeout_s: float | None) -> Any:
            raise NotSent("no network")

        monkeypatch.setattr(pool, "connect", fail)
        for _ in range(3):
            await send(transport)
            await asyncio.sleep(0)
        assert server.connections == 1


def together(count: int) -> Callable[[Peer, asyncio.StreamWriter, int], Awaitable[None]]:
    """Answers the first so many requests when all are there: each has a connection of its own."""
    are_there = asyncio.Event()

    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        if number == count:
            are_there.set()
        await are_there.wait()
        writer.write(answer())

    return behave


async def test_last_in_first_out() -> None:
    """The connection that was used last is used next, so that the others can grow old."""
    async with peer(together(5)) as server, transport_to(server.url) as transport:
        await asyncio.gather(*(send(transport) for _ in range(5)))
        (pool,) = transport._pools.values()
        last = pool._idle[-1]
        for _ in range(3):
            await send(transport)
        assert pool._idle[-1] is last
        assert server.connections == 5


async def test_pool_bound() -> None:
    """No more connections are kept than there may be requests at once."""
    async with (
        peer(together(2)) as server,
        transport_to(server.url, max_connections=2) as transport,
    ):
        await asyncio.gather(*(send(transport) for _ in range(5)))
        (pool,) = transport._pools.values()
        assert len(pool._idle) == 2


# --- Timeouts and cancellation


async def test_late_loop(tls: dict[str, Any]) -> None:
    """An answer that is in the socket when the loop goes on is taken, though its time is over."""

    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer(b'{"Attributes":{"a":{"S":"%s"}}}' % (b"x" * 300_000)))
        # The answer is in transit; now nothing runs for longer than the limit.
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)

    async with (
        peer(behave, **tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        assert len((await send(transport, 0.2))["Attributes"]["a"]["S"]) == 300_000


async def test_one_timer() -> None:
    """Many requests share one timer, and each has its own deadline."""

    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        await asyncio.sleep(10)

    async with peer(behave) as server, transport_to(server.url) as transport:
        loop = asyncio.get_running_loop()
        started = loop.time()

        ended: list[float] = []

        async def timed(timeout_s: float) -> None:
            assert await outcome(transport, timeout_s) == "Lost"
            assert loop.time() - started >= timeout_s
            ended.append(timeout_s)

        await asyncio.gather(*(timed(each) for each in (0.3, 0.1, 0.2)))
        assert ended == [0.1, 0.2, 0.3]


async def test_no_time_limit() -> None:
    """Without a limit a request waits as long as it takes."""
    async with peer() as server, transport_to(server.url) as transport:
        assert await outcome(transport, None) == "ok"


async def test_cancelled(tls: dict[str, Any]) -> None:
    """Cancelled at each step: nothing is left behind, and the cause says if nothing was sent."""
    sent_after = set()
    async with peer(**tls["peer"]) as server:
        for steps in range(30):
            async with transport_to(server.url, **tls["transport"]) as transport:
                before = len(server.requests)
                task = asyncio.create_task(send(transport))
                for _ in range(steps):
                    await asyncio.sleep(0)
                if task.done():
                    break
                task.cancel()
                with pytest.raises(asyncio.CancelledError) as caught:
                    await task
                was_sent = not isinstance(caught.value.__cause__, NotSent)
                sent_after.add(was_sent)
                # A connection that is being made ends by itself, however busy the machine is.
                connecting = [
                    each for pool in transport._pools.values() for each in pool._connecting
                ]
                if connecting:
                    await asyncio.wait(connecting, timeout=10)
                await asyncio.sleep(0.01)
                if not was_sent:
                    assert len(server.requests) == before
                for pool in transport._pools.values():
                    assert not pool._busy
                    assert not pool._connecting
    assert False in sent_after


async def test_closed_while_waiting() -> None:
    """A request under way when the client closes is lost; one after it is not sent."""
    async with peer(writes(b"")) as server, transport_to(server.url) as transport:
        task = asyncio.create_task(outcome(transport))
        await server.has_request.wait()
        await transport.close()
        assert await task == "Lost"
        assert await outcome(transport) == "NotSent"


async def test_reopened(tls: dict[str, Any]) -> None:
    """A transport that was closed may be opened again, on fresh connections."""
    async with (
        peer(**tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        await send(transport)
        await transport.close()
        await transport.open()
        await send(transport)
        assert server.connections == 2


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked() -> None:
    """A child has fresh connections, and leaves those of its parent as they are."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    bodies: list[bytes] = []

    def serve_one(taken: socket.socket) -> None:
        with taken:
            while data := taken.recv(65536):
                name = data.split(b'"S":"')[1].split(b'"')[0]
                bodies.append(name)
                taken.sendall(answer(b'{"Attributes":{"id":{"S":"%s"}}}' % name))

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(taken,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    transport = HttpTransport(
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        credentials=CREDENTIALS,
        proxies={},
    )

    async def asked(who: str, count: int) -> bool:
        params = {"TableName": "t", "Key": {"id": {"S": who}}}
        for _ in range(count):
            found = await transport.send("UpdateItem", params, timeout_s=5)
            if found["Attributes"] != {"id": {"S": who}}:
                return False
        return True

    async def parent() -> tuple[bool, list[int]]:
        await transport.open()
        assert await asked("parent", 1)
        children = []
        for index in range(3):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    # As a prefork server does: a loop of the child's own.
                    asyncio.set_event_loop(None)
                    code = 0 if asyncio.run(child(f"child-{index}")) else 2
                finally:
                    os._exit(code)
            children.append(pid)
        good = await asked("parent", 60)
        codes = [await asyncio.to_thread(exit_code, pid) for pid in children]
        good = good and await asked("parent", 5)
        await transport.close()
        return good, codes

    async def child(who: str) -> bool:
        await transport.open()
        good = await asked(who, 20)
        await transport.close()
        return good

    try:
        assert asyncio.run(parent()) == (True, [0, 0, 0])
    finally:
        listener.close()
    assert bodies.count(b"parent") == 66


# --- Bytes that are no answers


async def sent(transport: HttpTransport, timeout_s: float) -> Any:
    """The answer to one request. On a busy machine, TLS may take longer than the limit: then
    nothing was sent, and it is tried again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(NotSent):
                return await send(transport, timeout_s)


async def test_fuzzed_answers(tls: dict[str, Any]) -> None:
    """Whatever a peer writes: no success that it did not give, no wait past the deadline, and no
    second request on a connection after nonsense."""
    draw = random.Random(7)
    good = answer(b'{"Attributes":{"n":{"N":"1"}}}')
    script: list[bytes] = []
    for _ in range(80):
        data = bytearray(good)
        match draw.randrange(4):
            case 0:
                data = bytearray(draw.randbytes(draw.randrange(400)))
            case 1:
                for _ in range(draw.randrange(1, 6)):
                    data[draw.randrange(len(data))] = draw.randrange(256)
            case 2:
                del data[draw.randrange(len(data)) :]
            case _:
                data[draw.randrange(len(data)) :] = draw.randbytes(draw.randrange(300))
        script.append(bytes(data))
    writers: list[int] = []

    async def behave(peer: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        writers.append(id(writer))
        writer.write(script[number - 1])

    async with (
        peer(behave, **tls["peer"]) as server,
        transport_to(server.url, **tls["transport"]) as transport,
    ):
        for index in range(len(script)):
            try:
                found = await sent(transport, 0.2)
            except (Lost, Refused):
                is_good = False
            else:
                is_good = True
                assert found["Attributes"] == {"n": {"N": "1"}}
            assert len(server.requests) == index + 1
            if not is_good:
                await asyncio.sleep(0)
                assert not any(pool._idle for pool in transport._pools.values())


# --- Whole clients


async def test_many_at_once() -> None:
    """5,000 calls at once succeed with all settings as they are, over 50 connections."""
    async with (
        peer() as server,
        AsyncDynamoDB.connect(
            region_name="us-east-1",
            endpoint_url=server.url,
            credentials=CREDENTIALS,
        ) as db,
    ):
        table = db.table("t")
        results = await asyncio.gather(*(table.delete_item({"id": f"{n}"}) for n in range(5_000)))

        assert {result.attempts for result in results} == {1}
        assert len(server.requests) == 5_000
        assert server.connections <= 50


_ENTERS = """
import asyncio, json, sys, threading
from dynasafe import AsyncDynamoDB

done, is_watching = [], False

def watch(event, args):
    if is_watching and event in ("open", "import", "subprocess.Popen"):
        of_the_loop = threading.current_thread() is threading.main_thread()
        done.append((of_the_loop, event, str(args[0])))

sys.addaudithook(watch)
db = AsyncDynamoDB.connect(region_name="us-east-1")

async def main():
    global is_watching
    is_watching = True
    async with db:
        is_watching = False

asyncio.run(main())
print(json.dumps([any("botocore" in what for _, event, what in done if event == "import"),
    any(what.endswith(".pem") for _, event, what in done),
    [what for of_the_loop, event, what in done if of_the_loop]]))
"""


def test_entering_reads_nothing_on_the_loop(tmp_path: Path) -> None:
    """With a profile to read: files, botocore and certificates are loaded in another thread."""
    config = tmp_path / "config"
    config.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "REQUESTS_"))
    }

    ran = subprocess.run(
        [sys.executable, "-c", _ENTERS],
        env={**environ, "AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )

    loads_botocore, reads_authorities, on_the_loop = json.loads(ran.stdout)
    assert loads_botocore
    assert reads_authorities
    assert on_the_loop == []
