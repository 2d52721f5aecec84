"""Credentials over HTTP connections of our own: fetched once for all, ahead of their expiry."""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.aio.credentials import CredentialSource
from dynasafe.http.credentials import (
    CredentialProblem,
    Credentials,
    container,
    container_answer,
    environment_credentials,
    refresh_delay_s,
    require_credentials,
)
from dynasafe.resilience.boundary import NotSent
from tests.support.peers import answer, peer, transport_to

PARAMS = {"TableName": "t", "Key": {"id": {"S": "x"}}}


def keys(name: str, expires_at_s: float = math.inf) -> Credentials:
    return Credentials(name, "secret", "token", expires_at_s=expires_at_s)


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Origin:
    """A place that gives credentials, and can be slow or fail."""

    def __init__(self, wall: Wall, lifetime_s: float = 3600) -> None:
        self.wall = wall
        self.lifetime_s = lifetime_s
        self.calls: list[bool] = []
        self.fails = False
        self.gate: asyncio.Event | None = None

    async def fetch(self, is_forced: bool) -> Credentials:
        self.calls.append(is_forced)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise CredentialProblem("origin", "down")
        return keys(f"K{len(self.calls)}", self.wall.now_s + self.lifetime_s)


def source_of(origin: Origin) -> CredentialSource:
    loop = asyncio.get_running_loop()
    return CredentialSource(origin.fetch, None, loop=loop, now_s=origin.wall)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_fetch_for_all() -> None:
    """A thousand calls that wait for the first credentials ask for them once."""
    origin = Origin(Wall())
    origin.gate = asyncio.Event()
    source = source_of(origin)
    waiting = [asyncio.create_task(source.get()) for _ in range(1000)]
    await turns()
    origin.gate.set()

    found = await asyncio.gather(*waiting)

    assert len(origin.calls) == 1
    assert {each.access_key for each in found} == {"K1"}


async def test_ahead_of_expiry() -> None:
    """15 minutes before the expiry others are fetched in the background; nobody waits."""
    origin = Origin(Wall())
    source = source_of(origin)
    await source.get()
    origin.wall.now_s += 3600 - 901
    assert (await source.get()).access_key == "K1"
    await turns()
    assert len(origin.calls) == 1

    origin.wall.now_s += 2
    assert (await source.get()).access_key == "K1"
    await turns()
    assert (await source.get()).access_key == "K2"
    assert origin.calls == [False, False]


async def test_backs_off() -> None:
    """A source that fails is asked less and less; what is good stays in use until its end."""
    origin = Origin(Wall())
    source = source_of(origin)
    await source.get()
    origin.wall.now_s += 3600 - 900
    origin.fails = True
    for _ in range(899):
        assert (await source.get()).access_key == "K1"
        await turns()
        origin.wall.now_s += 1
    assert 10 < len(origin.calls) < 60

    origin.wall.now_s += 2
    with pytest.raises(CredentialProblem, match="down"):
        await source.get()
    origin.fails = False
    assert (await source.get()).access_key.startswith("K")


async def test_failed_start() -> None:
    """A source that failed at first is asked again by the next call."""
    origin = Origin(Wall())
    origin.fails = True
    source = source_of(origin)
    with pytest.raises(CredentialProblem):
        await source.get()
    origin.fails = False

    assert (await source.get()).access_key == "K2"


async def test_cancelled_wait() -> None:
    """One caller that goes away does not take the fetch from the others."""
    origin = Origin(Wall())
    origin.gate = asyncio.Event()
    source = source_of(origin)
    gone, waits = asyncio.create_task(source.get()), asyncio.create_task(source.get())
    await turns()
    gone.cancel()
    await turns()
    origin.gate.set()

    assert (await waits).access_key == "K1"
    assert len(origin.calls) == 1


async def test_refresh_is_shared() -> None:
    """Of many calls whose credentials were refused together, one asks the source itself."""
    origin = Origin(Wall())
    source = source_of(origin)
    refused = await source.get()

    answers = await asyncio.gather(*(source.refresh(refused) for _ in range(50)))

    assert answers == [True] * 50
    assert origin.calls == [False, True]
    assert await source.refresh(refused) is True
    assert len(origin.calls) == 2


async def test_refresh_of_the_same() -> None:
    """Fresh credentials are others: the same ones again are not."""
    wall = Wall()
    same = keys("K", wall.now_s + 3600)

    async def fetch(is_forced: bool) -> Credentials:
        return same

    source = CredentialSource(fetch, None, loop=asyncio.get_running_loop(), now_s=wall)
    refused = await source.get()

    assert await source.refresh(refused) is False


async def test_static() -> None:
    """Credentials that cannot change are not asked for again."""
    loop = asyncio.get_running_loop()
    source = CredentialSource(None, keys("K"), loop=loop, now_s=Wall())

    assert (await source.get()).access_key == "K"
    assert await source.refresh(source.current) is False


async def test_expired_on_arrival() -> None:
    """Credentials that have expired already are none."""
    source = source_of(Origin(Wall(), lifetime_s=-1))

    with pytest.raises(CredentialProblem, match="expired"):
        await source.get()


@pytest.mark.parametrize("draw", [0.0, 0.999])
def test_refresh_delays(draw: float) -> None:
    """The delays double up to a minute."""
    delays = [refresh_delay_s(failures, draw=draw) for failures in range(1, 12)]

    assert delays == sorted(delays)
    assert delays[0] <= 1
    assert 29 < delays[-1] <= 60


# --- What a user gives


@pytest.mark.parametrize("kind", ["object", "function", "async function", "botocore", "ours"])
async def test_given(kind: str) -> None:
    """Credentials by themselves, of botocore, or from a function of the user's own."""
    from botocore.credentials import Credentials as Theirs

    plain = SimpleNamespace(access_key="GIVEN", secret_key="s", token=None)

    async def provide() -> Any:
        return plain

    given: dict[str, Any] = {
        "object": plain,
        "function": lambda: plain,
        "async function": provide,
        "botocore": Theirs("GIVEN", "s"),
        "ours": Credentials("GIVEN", "s"),
    }
    async with (
        peer() as server,
        transport_to(server.url, credentials=given[kind]) as transport,
    ):
        await transport.send("GetItem", PARAMS, timeout_s=5)

    assert b"Credential=GIVEN/" in server.requests[0]


async def test_given_nothing_useful() -> None:
    """A function that gives no credentials: not sent, and the error shows no value."""
    async with (
        peer() as server,
        transport_to(server.url, credentials=lambda: "secret text") as transport,
    ):
        with pytest.raises(NotSent) as caught:
            await transport.send("GetItem", PARAMS, timeout_s=5)

    assert caught.value.provider == "credentials="
    assert "secret text" not in str(caught.value)


async def test_slow_function() -> None:
    """The wait for credentials is within the call's time, and does not hold up the loop."""
    gate = threading.Event()
    try:
        async with (
            peer() as server,
            transport_to(server.url, credentials=gate.wait) as transport,
        ):
            with pytest.raises(NotSent) as caught:
                await transport.send("GetItem", PARAMS, timeout_s=0.1)
    finally:
        gate.set()

    assert caught.value.limit == "attempt_timeout_s"
    assert caught.value.provider is not None


async def test_raising_function() -> None:
    """What a provider raises is in the error's chain; the next call asks again."""
    answers = iter([ValueError("broken"), Credentials("LATER", "s")])

    def provide() -> Any:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    async with peer() as server, transport_to(server.url, credentials=provide) as transport:
        with pytest.raises(NotSent, match="ValueError: broken"):
            await transport.send("GetItem", PARAMS, timeout_s=5)
        await transport.send("GetItem", PARAMS, timeout_s=5)

    assert b"Credential=LATER/" in server.requests[0]


# --- Clock skew


async def test_clock_skew() -> None:
    """A refusal for the time corrects the clock once, by the answer's Date."""
    dates = iter(["Thu, 01 Jan 2026 00:00:00 GMT"] * 2)
    code = "com.amazon.coral.service#InvalidSignatureException"
    refusal = json.dumps({"__type": code, "message": "Signature expired"}).encode()

    async def behave(peer: Any, writer: asyncio.StreamWriter, number: int) -> None:
        if number <= 2:
            writer.write(answer(refusal, "400 Bad Request", Date=next(dates)))
        else:
            writer.write(answer())

    async with peer(behave) as server, transport_to(server.url) as transport:
        for expected in (True, False):
            with pytest.raises(Exception, match="Signature expired"):
                await transport.send("GetItem", PARAMS, timeout_s=5)
            assert await transport.refresh_credentials() is expected
        await transport.send("GetItem", PARAMS, timeout_s=5)

    assert b"X-Amz-Date: 20260101T0000" not in server.requests[0]
    assert b"X-Amz-Date: 20260101T0000" in server.requests[1]
    assert b"X-Amz-Date: 20260101T0000" in server.requests[2]


# --- The environment and containers


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"AWS_ACCESS_KEY_ID": "a"}, None),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": ""}, None),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, Credentials("a", "b")),
        (
            {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_SESSION_TOKEN": "c",
                "AWS_ACCOUNT_ID": "1",
            },
            Credentials("a", "b", "c", account_id="1"),
        ),
        (
            {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_CREDENTIAL_EXPIRATION": "2099-01-01",
            },
            None,
        ),
    ],
)
def test_environment(environ: dict[str, str], expected: Credentials | None) -> None:
    """Keys of the environment, where nothing else is to be said about them."""
    assert environment_credentials(environ) == expected


RELATIVE = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x?a=b"}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        (RELATIVE, "http://169.254.170.2/v2/x?a=b"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1"},
            "http://169.254.170.23/v1",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1"},
            "http://[fd00:ec2::23]/v1",
        ),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/v1"}, None),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://host/v1"}, None),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "nonsense"}, None),
        ({**RELATIVE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, None),
        ({**RELATIVE, "AWS_ACCESS_KEY_ID": "a"}, None),
    ],
)
def test_container_choice(environ: dict[str, str], url: str | None) -> None:
    """A container's endpoint is asked where it is the first in the chain, and is one of AWS's."""
    found = container(environ)

    assert (None if found is None else found.url) == url


@pytest.mark.parametrize(
    "damaged",
    [[], "x", {}, {"AccessKeyId": "a"}, {"AccessKeyId": 1}, {"Expiration": "soon"}],
)
def test_container_answers(damaged: Any) -> None:
    """An answer without credentials is a problem that shows none of its values."""
    good = {
        "AccessKeyId": "a",
        "SecretAccessKey": "b",
        "Token": "c",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    assert container_answer(good).expires_at_s == datetime(2099, 1, 1, tzinfo=UTC).timestamp()

    with pytest.raises(CredentialProblem):
        container_answer(
            {**good, **damaged}
            if damaged and isinstance(damaged, dict) and "Expiration" in damaged
            else damaged
        )


@contextmanager
def endpoint(body: bytes, status: str = "200 OK") -> Iterator[tuple[str, list[bytes]]]:
    """A container's endpoint on the loopback."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            with taken:
                seen.append(taken.recv(65536))
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                taken.sendall(head.encode() + body)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/creds", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of AWS's around."""
    for name in [name for name in os.environ if name.upper().startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("bare_environment")
async def test_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pod's credentials, with the token of its file; botocore is not needed."""
    token = tmp_path / "token"
    token.write_text("pod-token")
    body = json.dumps(
        {
            "AccessKeyId": "POD",
            "SecretAccessKey": "s",
            "Token": "t",
            "Expiration": "2099-01-01T00:00:00Z",
            "AccountId": "123456789012",
        }
    ).encode()
    with endpoint(body) as (url, seen):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
        async with peer() as server, transport_to(server.url, credentials=None) as transport:
            await transport.send("GetItem", PARAMS, timeout_s=5)

    assert b"Credential=POD/" in server.requests[0]
    assert b"Authorization: pod-token" in seen[0]


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("what", ["500", "no JSON", "no file", "line break"])
async def test_container_fails(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container's endpoint that gives none: not sent, and the provider is named."""
    token = tmp_path / "token"
    if what != "no file":
        token.write_text("a\nb" if what == "line break" else "a")
    status = "500 X" if what == "500" else "200 OK"
    with endpoint(b"x", status) as (url, _):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
        async with peer() as server, transport_to(server.url, credentials=None) as transport:
            with pytest.raises(NotSent) as caught:
                await transport.send("GetItem", PARAMS, timeout_s=5)

    assert caught.value.provider == "container-role"
    assert server.requests == []


@pytest.mark.usefixtures("bare_environment")
async def test_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile's keys, by botocore's chain."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[p]\naws_access_key_id = FILE\naws_secret_access_key = s\n"
    )
    async with (
        peer() as server,
        transport_to(server.url, credentials=None, profile_name="p") as transport,
    ):
        await transport.send("GetItem", PARAMS, timeout_s=5)

    assert b"Credential=FILE/" in server.requests[0]


@pytest.mark.usefixtures("bare_environment")
async def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """None at all: not sent, and asked for again by the next call."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with peer() as server, transport_to(server.url, credentials=None) as transport:
        with pytest.raises(NotSent, match="no credentials") as caught:
            await transport.send("GetItem", PARAMS, timeout_s=10)
        assert caught.value.provider is not None
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOW")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        await transport.send("GetItem", PARAMS, timeout_s=10)

    assert b"Credential=NOW/" in server.requests[0]


def test_expiring_objects() -> None:
    """The expiry of botocore's refreshable credentials is taken over."""
    expires = datetime(2099, 1, 1, tzinfo=UTC)
    frozen = SimpleNamespace(access_key="a", secret_key="b", token="c")
    found = SimpleNamespace(get_frozen_credentials=lambda: frozen, _expiry_time=expires)

    assert require_credentials(found) == Credentials(
        "a", "b", "c", expires_at_s=expires.timestamp()
    )


@pytest.mark.parametrize("offset_days", [-2, 2])
async def test_clock_skew_is_corrected_within_a_call(offset_days: int) -> None:
    """A clock that is two days off costs one refusal; the call succeeds, and so do later ones."""
    now = datetime.now(UTC) + timedelta(days=offset_days)
    code = "com.amazon.coral.service#InvalidSignatureException"
    words = "Signature expired: x" if offset_days > 0 else "Signature not yet current: x"
    refusal = json.dumps({"__type": code, "message": words}).encode()

    async def behave(peer: Any, writer: asyncio.StreamWriter, number: int) -> None:
        stamp = peer.requests[-1].split(b"X-Amz-Date: ")[1][:8].decode()
        if stamp == now.strftime("%Y%m%d"):
            writer.write(answer())
        else:
            date = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
            writer.write(answer(refusal, "400 Bad Request", Date=date))

    async with (
        peer(behave) as server,
        AsyncDynamoDB.connect(
            region_name="us-east-1", endpoint_url=server.url, credentials=keys("K")
        ) as db,
    ):
        for _ in range(3):
            await db.table("t").update_item({"id": "x"}, UpdateBuilder().increment("n", 1))

    assert len(server.requests) == 4
