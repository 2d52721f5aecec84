"""Proxies, certificates and headers of connections, as botocore reads them from around."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dynasafe.environment.proxies import Proxy, proxy_of
from dynasafe.environment.trust import Trust
from dynasafe.http.endpoint import endpoint
from dynasafe.resilience.boundary import NotSent
from tests.support.faces import face, pytest_generate_tests
from tests.support.peers import Authority, peer, transport_to

PARAMS = {"TableName": "t", "Key": {"id": {"S": "x"}}}
__all__ = ["face", "pytest_generate_tests"]
# The others are of event loops.
BOTH_FACES = {
    "test_client_certificate",
    "test_plain_through_proxy",
    "test_refused_tunnel",
    "test_trace_header",
    "test_tunnel",
    "test_unknown_authority_is_looked_at_again",
}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Tunnels:
    """A proxy that opens tunnels, or answers as it is set."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.port = 0
        self.tasks: list[asyncio.Task[Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.append(task)
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self.answer is not None:
                writer.write(self.answer)
                await writer.drain()
            else:
                host, port = head.split(b" ")[1].decode().rsplit(":", 1)
                there, back = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.write(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
                await asyncio.gather(copy(reader, back), copy(there, writer))
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def proxy(answer: bytes | None = None, tls: Any = None) -> AsyncIterator[Tunnels]:
    tunnels = Tunnels(answer)
    server = await asyncio.start_server(tunnels.serve, "127.0.0.1", 0, ssl=tls)
    tunnels.port = server.sockets[0].getsockname()[1]
    try:
        yield tunnels
    finally:
        server.close()
        for task in tunnels.tasks:
            task.cancel()
        await asyncio.gather(*tunnels.tasks, return_exceptions=True)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_tunnel(authority: Authority, scheme: str) -> None:
    """TLS goes through a tunnel, with the proxy's user in CONNECT and nowhere else."""
    tls = authority.server_context()
    async with peer(tls=tls) as server, proxy(tls=tls if scheme == "https" else None) as tunnels:
        through = f"{scheme}://user:p%40ss@127.0.0.1:{tunnels.port}"
        async with transport_to(
            server.url, verify=str(authority.ca_path), proxies={"https": through}
        ) as transport:
            for _ in range(3):
                await transport.send("GetItem", PARAMS, timeout_s=5)

    assert len(tunnels.heads) == server.connections == 1
    head = tunnels.heads[0].decode().split("\r\n")
    assert head[0] == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"
    secret = b64encode(b"user:p@ss").decode()
    assert f"Proxy-Authorization: Basic {secret}" in head
    assert all(secret.encode() not in request for request in server.requests)


@pytest.mark.parametrize(
    ("answer", "words", "is_retryable"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407", False),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP 403", True),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502", True),
        (b"HTTP/1.1 200 OK\r\n\r\nearly bytes", "HTTP 200", True),
        (b"nonsense\r\n\r\n", "not HTTP", True),
        (b"x" * 100_000, "too long", True),
        (b"", "closed", True),
        (b"HTTP/1.1 200 O", "closed", True),
    ],
)
async def test_refused_tunnel(
    authority: Authority, answer: bytes, words: str, is_retryable: bool
) -> None:
    """A proxy that does not open its tunnel: not sent, without its password in the words."""
    async with peer(tls=authority.server_context()) as server, proxy(answer) as tunnels:
        through = f"http://user:hidden@127.0.0.1:{tunnels.port}"
        async with transport_to(server.url, proxies={"https": through}) as transport:
            with pytest.raises(NotSent, match=words) as caught:
                await transport.send("GetItem", PARAMS, timeout_s=5)

    assert caught.value.is_retryable is is_retryable
    assert "hidden" not in str(caught.value)
    assert server.requests == []


async def test_plain_through_proxy() -> None:
    """Without TLS the proxy gets the whole URL; the signature is of the endpoint's host."""
    async with peer() as server:
        through = {"http": f"http://user:pw@127.0.0.1:{server.port}"}
        async with transport_to("http://dynamodb.example:8000", proxies=through) as transport:
            await transport.send("GetItem", PARAMS, timeout_s=5)

    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "POST http://dynamodb.example:8000/ HTTP/1.1"
    assert lines[1] == "Host: dynamodb.example:8000"
    assert f"Proxy-Authorization: Basic {b64encode(b'user:pw').decode()}" in lines


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, "https://h.example", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://h.example", "p:3128"),
        ({"https_proxy": "http://p:3128"}, "https://h.example", "p:3128"),
        ({"https_proxy": "p:3128"}, "https://h.example", "p:3128"),
        ({"https_proxy": "http://p"}, "https://h.example", "p:80"),
        ({"https_proxy": "https://p"}, "https://h.example", "p:443"),
        ({"HTTP_PROXY": "http://p:3128"}, "https://h.example", None),
        ({"http_proxy": "http://p:3128"}, "http://h.example", "p:3128"),
        ({"all_proxy": "http://p:3128"}, "https://h.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "h.example"}, "https://h.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": ".example"}, "https://h.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://h.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "x.example"}, "https://h.example", "p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "h.example:8"}, "https://h.example:8", None),
    ],
)
def test_environment(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], url: str, expected: str | None
) -> None:
    """The environment's proxy is the one that botocore would take."""
    from botocore.utils import get_environ_proxies

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    found = proxy_of(endpoint(url, "us-east-1"), os.environ)

    assert (None if found is None else f"{found.host}:{found.port}") == expected
    theirs = get_environ_proxies(url).get(url.split(":")[0])
    assert (theirs is None) == (expected is None)


@pytest.mark.parametrize("url", ["socks5://p:1", "http://", "ftp://x"])
def test_no_proxies(url: str) -> None:
    """An answer that is not from an HTTP proxy is refused."""
    with pytest.raises(ValueError, match="proxy"):
        Proxy(url)


@pytest.mark.parametrize(
    ("environ", "given", "authorities"),
    [
        ({"AWS_CA_BUNDLE": "own", "REQUESTS_CA_BUNDLE": "other"}, None, 1),
        ({"REQUESTS_CA_BUNDLE": "own"}, None, 1),
        ({"SSL_CERT_FILE": "own"}, None, 5),
        ({"AWS_CA_BUNDLE": "other"}, "own", 1),
        ({"AWS_CA_BUNDLE": "other"}, False, 0),
        ({}, None, 5),
        ({"AWS_CA_BUNDLE": "other"}, True, 5),
    ],
)
def test_trust(authority: Authority, environ: dict[str, str], given: Any, authorities: int) -> None:
    """verify=, then AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, then certifi: its five of Amazon first."""
    paths = {"own": str(authority.ca_path), "other": "/no/such/file"}
    environ = {name: paths[value] for name, value in environ.items()}

    trust = Trust(environ, paths[given] if isinstance(given, str) else given)
    context = trust.context(is_aws=True)

    assert context.cert_store_stats()["x509_ca"] == authorities
    assert context.check_hostname is (given is not False)
    if authorities == 5:
        assert trust.full().cert_store_stats()["x509_ca"] > 100


async def test_unknown_authority_is_looked_at_again(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host of AWS's with another authority, as behind a proxy that looks inside, is accepted if
    the whole bundle has that authority."""
    import certifi

    merged = authority.ca_path.with_name("merged.pem")
    known = Path(certifi.where()).read_text("utf-8")  # noqa: ASYNC240
    merged.write_text(known + authority.ca_path.read_text())
    monkeypatch.setattr(certifi, "where", lambda: str(merged))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setattr("dynasafe.http.endpoint._AWS_SUFFIXES", ("127.0.0.1",))
    tls = authority.server_context()
    async with peer(tls=tls) as server, transport_to(server.url) as transport:
        await transport.send("GetItem", PARAMS, timeout_s=5)

    assert len(server.requests) == 1


async def test_client_certificate(authority: Authority) -> None:
    """A server that asks for a certificate gets the given one."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain_path)
    context.load_verify_locations(authority.ca_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # refused within the handshake
    trusted = {"verify": str(authority.ca_path)}
    async with peer(tls=context) as server:
        async with transport_to(server.url, **trusted) as transport:
            with pytest.raises(NotSent):
                await transport.send("GetItem", PARAMS, timeout_s=5)
        given = str(authority.chain_path)
        async with transport_to(server.url, client_cert=given, **trusted) as transport:
            await transport.send("GetItem", PARAMS, timeout_s=5)


@pytest.mark.parametrize("function", [None, "handler"])
async def test_trace_header(monkeypatch: pytest.MonkeyPatch, function: str | None) -> None:
    """In Lambda each request carries the trace of the invocation, as botocore's does."""
    if function is not None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    async with peer() as server, transport_to(server.url) as transport:
        for trace in ("Root=1-2;Parent=3", "Root=4\r\nX: y"):
            monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
            await transport.send("GetItem", PARAMS, timeout_s=5)

    found = [request.count(b"X-Amzn-Trace-Id: Root=") for request in server.requests]
    assert found == ([1, 1] if function else [0, 0])
    if function:
        assert b"X-Amzn-Trace-Id: Root=1-2;Parent=3\r\n" in server.requests[0]
        assert b"X-Amzn-Trace-Id: Root=4%0D%0AX:%20y\r\n" in server.requests[1]
