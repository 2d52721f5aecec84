"""Refused credentials and times: which calls are repeated, and when credentials are fetched again.

Each test runs on both faces, over connections of our own and through clients of the AWS SDKs, which
have no corrected clock.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest

from dynasafe import RetryPolicy
from dynasafe.errors import CredentialsError, DynasafeError, ServiceError
from dynasafe.http.credentials import Credentials
from tests.support import faces
from tests.support.faces import face, pytest_generate_tests
from tests.support.peers import Peer, answer, peer

__all__ = ["face", "pytest_generate_tests"]
BOTH_FACES = {"test_all_calls_survive_a_clock_correction"}
EVERY_TRANSPORT = {
    "test_calls_in_flight_at_an_expiry",
    "test_fetched_before_the_next_call",
    "test_a_failed_fetch_is_named",
}


def refusal(code: str, message: str = "m", **headers: str) -> bytes:
    body = json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": message})
    return answer(body.encode(), "400 Bad Request", **headers)


EXPIRED = refusal("ExpiredTokenException")


def key_of(request: bytes) -> str:
    """The access key that signed a request."""
    found = re.search(rb"Credential=(\w+)/", request)
    assert found is not None
    return found[1].decode()


class Origin:
    """Gives the current keys, as a function or as a session with credentials that are refreshed."""

    def __init__(self, *given: str | Exception) -> None:
        self.given = list(given)
        self.fetches = 0

    def _next(self) -> str:
        self.fetches += 1
        one = self.given[min(self.fetches, len(self.given)) - 1]
        if isinstance(one, Exception):
            raise one
        return one

    def fetch(self) -> Credentials:
        return Credentials(self._next(), "secret", "token")

    def metadata(self) -> dict[str, str]:
        return {
            "access_key": self._next(),
            "secret_key": "secret",
            "token": "token",
            "expiry_time": "2099-01-01T00:00:00Z",
        }

    def options(self) -> dict[str, Any]:
        """The arguments of connect()."""
        if not faces.is_through_client():
            return {"credentials": self.fetch}
        if faces.library() == "boto3":
            from botocore.credentials import RefreshableCredentials
            from botocore.session import get_session

            own = get_session()
            own._credentials = RefreshableCredentials.create_from_metadata(
                self.metadata(), self.metadata, "iam-role"
            )
            return {"session": own}
        from aiobotocore.credentials import AioRefreshableCredentials
        from aiobotocore.session import get_session as get_async_session

        async def refresh() -> dict[str, str]:
            return self.metadata()

        session = get_async_session()
        session._credentials = AioRefreshableCredentials.create_from_metadata(
            self.metadata(), refresh, "iam-role"
        )
        return {"session": session}


def connect(url: str, **options: Any) -> Any:
    given = {"attempt_timeout_s": 20, "breaker": None, **options}
    return faces.connect(region_name="us-east-1", endpoint_url=url, **given)


async def test_calls_in_flight_at_an_expiry() -> None:
    """A refusal of older credentials repeats at once with the current ones. One call fetches."""
    origin = Origin("OLD", "NEW")
    all_there, is_renewed = asyncio.Event(), asyncio.Event()

    async def behave(server: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        request = server.requests[-1]
        if key_of(request) == "NEW":
            writer.write(answer())
            is_renewed.set()
            return
        if number == 4:
            all_there.set()
        await all_there.wait()
        if b"slow" in request:
            await is_renewed.wait()
        writer.write(EXPIRED)

    async with peer(behave) as server, connect(server.url, **origin.options()) as db:
        table = db.table("people")
        found = await asyncio.gather(
            *(table.put_item({"id": name}) for name in ("quick", "slow1", "slow2", "slow3"))
        )

    assert [each.attempts for each in found] == [2] * 4
    assert origin.fetches == 2


@pytest.mark.parametrize("retry", [None, RetryPolicy(max_attempts=1)])
async def test_fetched_before_the_next_call(retry: RetryPolicy | None) -> None:
    """Without retries the refused call fails, and the next one fetches credentials first."""
    origin = Origin("K1", "K2")
    valid = ["K1"]

    async def behave(server: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer() if key_of(server.requests[-1]) in valid else EXPIRED)

    outcomes = []
    async with (
        peer(behave) as server,
        connect(server.url, retry=retry, **origin.options()) as db,
    ):
        for index in range(4):
            if index == 1:
                valid[:] = ["K2"]
            try:
                await db.table("people").put_item({"id": "x"})
                outcomes.append("ok")
            except DynasafeError as error:
                outcomes.append(type(error).__name__)

    assert outcomes == ["ok", "ServiceError", "ok", "ok"]
    assert origin.fetches == 2


async def test_a_failed_fetch_is_named() -> None:
    """If no others can be fetched after a refusal, the calls say why, and are not sent."""
    origin = Origin("K1", KeyError("vault"), KeyError("vault"), "K2")

    async def behave(server: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer() if key_of(server.requests[-1]) == "K2" else EXPIRED)

    async with (
        peer(behave) as server,
        connect(server.url, retry=None, **origin.options()) as db,
    ):
        with pytest.raises(ServiceError, match="ExpiredTokenException"):
            await db.table("people").put_item({"id": "x"})
        with pytest.raises(CredentialsError, match="vault"):
            await db.table("people").put_item({"id": "x"})
    assert len(server.requests) == 1


@pytest.mark.parametrize("skew_s", [600, -600])
async def test_all_calls_survive_a_clock_correction(skew_s: int) -> None:
    """The clock is off: each of the concurrent calls is repeated once, and the next ones never."""
    count = 8
    all_there = asyncio.Event()

    async def behave(server: Peer, writer: asyncio.StreamWriter, number: int) -> None:
        request = server.requests[-1]
        if number == count:
            all_there.set()
        await all_there.wait()
        stamp = request.split(b"X-Amz-Date: ")[1][:16].decode()
        signed_s = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        now_s = time.time() + skew_s
        if abs(now_s - signed_s) < 300:
            writer.write(answer())
            return
        words = "Signature expired: x" if signed_s < now_s else "Signature not yet current: x"
        date = formatdate(now_s, usegmt=True)
        writer.write(refusal("InvalidSignatureException", words, Date=date))

    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    async with peer(behave) as server, connect(server.url, client_options=keys) as db:
        table = db.table("people")
        found = await asyncio.gather(*(table.put_item({"id": f"{n}"}) for n in range(count)))
        later = await table.put_item({"id": "x"})

    assert [each.attempts for each in found] == [2] * count
    assert later.attempts == 1
