"""Closing a client while calls prepare their requests: nothing is sent, and each call says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, RetryPolicy
from dynasafe.calls.requests import Large
from dynasafe.errors import ClientClosedError
from dynasafe.http.credentials import Credentials
from dynasafe.resilience.boundary import NotSent
from tests.support.peers import CREDENTIALS, answer, peer, transport_to

PARAMS = {"TableName": "t", "Key": {"id": {"S": "x"}}}
EXPIRED = answer(
    b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"m"}',
    "400 Bad Request",
)


def connect(url: str, **options: Any) -> AsyncDynamoDB:
    given = {"credentials": CREDENTIALS, "attempt_timeout_s": 20, **options}
    return AsyncDynamoDB.connect(region_name="us-east-1", endpoint_url=url, **given)


class Gate:
    """Credentials that a test holds back."""

    def __init__(self, *before: Credentials) -> None:
        self.before = list(before)
        self.is_asked = asyncio.Event()
        self.go = asyncio.Event()

    async def fetch(self) -> Credentials:
        if self.before:
            return self.before.pop(0)
        self.is_asked.set()
        await self.go.wait()
        return CREDENTIALS


async def error_of(work: Coroutine[Any, Any, Any]) -> BaseException | None:
    try:
        await work
    except BaseException as error:
        return error
    return None


async def test_while_credentials_are_fetched() -> None:
    """Nobody cancelled the calls, so they are refused: a task group would hide a cancellation."""
    gate = Gate()
    async with peer() as server:
        db = await connect(server.url, credentials=gate.fetch).open()
        calls = [
            asyncio.create_task(error_of(db.table("t").put_item({"id": "x"}))) for _ in range(3)
        ]
        await gate.is_asked.wait()
        await db.aclose()
        errors = [await call for call in calls]

    assert [type(error) for error in errors] == [ClientClosedError] * 3
    assert server.requests == []


async def test_while_credentials_are_fetched_again() -> None:
    """The refusal stays the error of the call."""
    gate = Gate(CREDENTIALS)

    async def behave(peer: Any, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(EXPIRED)

    async with peer(behave) as server, transport_to(server.url, credentials=gate.fetch) as client:
        with pytest.raises(Exception, match="m"):
            await client.send("GetItem", PARAMS, timeout_s=5)
        refresh = asyncio.create_task(error_of(client.refresh_credentials()))
        await gate.is_asked.wait()
        await client.close()
        error = await refresh

    assert isinstance(error, NotSent)
    assert error.is_closed


async def test_cancelled_while_it_closes() -> None:
    """A call that was cancelled as well ends with its cancellation."""
    gate = Gate()
    async with peer() as server:
        db = await connect(server.url, credentials=gate.fetch).open()
        call = asyncio.create_task(db.table("t").put_item({"id": "x"}))
        await gate.is_asked.wait()
        call.cancel()
        await db.aclose()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_while_a_large_request_is_encoded() -> None:
    """A large request is encoded in steps, and the client may be closed between any two."""
    item = {"id": {"S": "x"}, "xs": {"L": [{"L": [{"N": "1"}] * 10}] * 3_000}}
    async with peer() as server:
        for turns in range(1, 8):
            async with transport_to(server.url) as client:
                params = Large({"TableName": "t", "Item": item})
                call = asyncio.create_task(error_of(client.send("PutItem", params, timeout_s=20)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                await client.close()
                error = await call
                assert isinstance(error, NotSent)
                assert error.is_closed
    assert server.connections == 0


@pytest.mark.parametrize("then", ["close", "reopen"])
async def test_while_the_endpoint_is_found(then: str) -> None:
    """No pool is added to a client that has been closed, not even if it is open again."""
    begun, go = threading.Event(), threading.Event()
    async with peer() as server, transport_to(server.url) as client:
        around: Any = client._around
        real = around.place

        class SlowPlace:
            def endpoint(self, *args: Any, **options: Any) -> Any:
                begun.set()
                go.wait(10)
                return real.endpoint(*args, **options)

        object.__setattr__(around, "place", SlowPlace())
        call = asyncio.create_task(error_of(client.send("GetItem", PARAMS, timeout_s=20)))
        await asyncio.to_thread(begun.wait, 10)
        await client.close()
        if then == "reopen":
            await client.open()
        go.set()
        error = await call
        assert isinstance(error, NotSent)
        assert error.is_closed
        assert client._pools == {}
        assert server.requests == []


async def test_while_connecting() -> None:
    """Closed at each turn of the loop while a connection is made: it is closed too."""
    for turns in range(60):
        async with peer() as server:
            db = await connect(server.url, retry=RetryPolicy()).open()
            call = asyncio.create_task(error_of(db.table("t").get_item({"id": "x"})))
            for _ in range(turns):
                await asyncio.sleep(0)
            had_sent = bool(server.requests)
            await db.aclose()
            error = await call
            if not server.requests:
                assert isinstance(error, ClientClosedError), (turns, error)
            elif had_sent:
                break
            for writer in server.writers:
                with suppress(OSError):
                    await writer.wait_closed()


async def test_nothing_is_left_of_cancelled_calls() -> None:
    """Cancelled at each turn, also in the one in which its connection was made: after the end of
    the client no connection is open."""
    async with peer() as server:
        for turns in range(60):
            async with transport_to(server.url) as client:
                call = asyncio.create_task(client.send("GetItem", PARAMS, timeout_s=20))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if call.done():
                    break
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                connecting = [each for pool in client._pools.values() for each in pool._connecting]
                if connecting:
                    await asyncio.wait(connecting)
        _, is_open = await asyncio.wait(server.tasks, timeout=10)
        assert not is_open
    assert turns > 5


async def test_an_exception_before_the_request() -> None:
    """Whatever goes wrong before the handover, nothing was sent."""

    class Broken:
        def endpoint(self, *args: Any, **options: Any) -> Any:
            raise LookupError("x")

    async with peer() as server, transport_to(server.url) as client:
        object.__setattr__(client._around, "place", Broken())
        with pytest.raises(NotSent, match="LookupError before the request was sent"):
            await client.send("GetItem", PARAMS, timeout_s=20)


async def test_an_exception_while_signing() -> None:
    """The connection that was taken is closed."""
    async with peer() as server, transport_to(server.url) as client:
        await client.send("GetItem", PARAMS, timeout_s=20)
        client._clock.offset_s = 1e20
        with pytest.raises(NotSent):
            await client.send("GetItem", PARAMS, timeout_s=20)
        _, is_open = await asyncio.wait(server.tasks, timeout=10)
        assert not is_open
        assert len(server.requests) == 1


async def test_while_a_client_fetches_credentials() -> None:
    """A client of aioboto3 that was closed meanwhile would open connections again."""
    from aiobotocore.credentials import AioRefreshableCredentials
    from aiobotocore.session import get_session

    is_asked, go = asyncio.Event(), asyncio.Event()

    def metadata(expiry: str) -> dict[str, str]:
        return {"access_key": "a", "secret_key": "b", "token": "c", "expiry_time": expiry}

    async def refresh() -> dict[str, str]:
        is_asked.set()
        await go.wait()
        return metadata("2099-01-01T00:00:00Z")

    session = get_session()
    session._credentials = AioRefreshableCredentials.create_from_metadata(
        metadata("2001-01-01T00:00:00Z"), refresh, "iam-role"
    )
    async with peer() as server:
        db = AsyncDynamoDB.connect(
            region_name="us-east-1",
            endpoint_url=server.url,
            session=session,
            transport="aioboto3",
            retry=None,
        )
        await db.open()
        call = asyncio.create_task(error_of(db.table("t").put_item({"id": "x"})))
        await is_asked.wait()
        await db.aclose()
        go.set()
        error = await call
    assert isinstance(error, ClientClosedError)
    assert server.connections == 0
