"""The transport over connections of our own.

    transport = HttpTransport(region_name="us-east-1")
    await transport.open()
    await transport.send("GetItem", params, timeout_s=5)

The code from the parameters to the socket does not wait in between, so it is known at each point
whether a byte was handed over: before that a failure is `NotSent`, after it `Lost`.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from dynasafe.aio.connection import Pool, in_thread
from dynasafe.aio.credentials import CredentialSource
from dynasafe.calls.requests import Large
from dynasafe.environment.dialing import CONNECT_TIMEOUT_S
from dynasafe.environment.heads import (
    SigningClock,
    signer_of,
    trace_header,
    user_agent,
)
from dynasafe.environment.mocks import require_no_mock
from dynasafe.environment.proxies import Proxy
from dynasafe.environment.refusals import Signed, note_refusal
from dynasafe.environment.surroundings import (
    Surroundings,
    Wanted,
    require_surroundings,
    without_credentials,
)
from dynasafe.errors import NotSentError
from dynasafe.http.credentials import CredentialProblem, Credentials
from dynasafe.http.endpoint import Endpoint, Place, resource_of
from dynasafe.http.exchange import (
    AnswerReader,
    encode,
    encode_in_steps,
    read_answer,
    read_answer_in_steps,
)
from dynasafe.http.signing import Signer
from dynasafe.resilience.boundary import NotSent, Refused, client_closed

_refused: ContextVar[Signed | None] = ContextVar("dynasafe_refused", default=None)
"""What the last refused request of this task was signed with."""


class _Route:
    """One endpoint with its pool, and a signer with one set of credentials."""

    __slots__ = ("endpoint", "pool", "signer")

    def __init__(self, endpoint: Endpoint, pool: Pool, signer: Signer) -> None:
        self.endpoint: Final = endpoint
        self.pool: Final = pool
        self.signer: Final = signer


class HttpTransport:
    """Sends requests over HTTP/1.1 connections that it keeps.

    Args:
        credentials: with `access_key`, `secret_key` and perhaps `token`; or a function that gives
            such an object, async or not; by default as botocore finds them.
        session: a session of boto3 or botocore, whose settings and credentials are used.
        config: a botocore Config. Its proxies and client certificate are used, and what decides
            the endpoint.
        verify: True, False or the path of a bundle of authorities; by default as botocore.
        proxies: by scheme, in place of the environment's; empty for none.
    """

    def __init__(
        self,
        *,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        credentials: Any = None,
        profile_name: str | None = None,
        session: Any = None,
        config: Any = None,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        max_connections: int = 50,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._wanted: Final = Wanted(
            region_name=region_name,
            endpoint_url=endpoint_url,
            credentials=credentials,
            profile_name=profile_name,
            session=session,
            config=config,
            verify=verify,
            proxies=proxies,
            client_cert=client_cert,
        )
        self.max_connections: Final = max_connections
        self._connect_timeout_s: Final = connect_timeout_s
        self._user_agent: Final = user_agent(os.environ, config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: dict[tuple[str, int, bool], Pool] = {}
        self._routes: dict[tuple[str | None, bool], _Route] = {}
        self._around: Surroundings | None = None
        self._source: CredentialSource | None = None
        self._clock: Final = SigningClock()
        self._is_lambda = False

    writes_in_steps = True

    async def open(self) -> None:
        """Read the settings in a thread, and bind the transport to the running event loop.

        Raises:
            NotSent: the settings contradict each other, or are not enough.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not None:
            await self.close()
        self._is_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        around = await in_thread(loop, lambda: require_surroundings(self._wanted, os.environ))
        self._around = around
        self._source = CredentialSource(
            around.fetch, around.credentials, loop=loop, now_s=self._clock.now_s
        )
        self._loop = loop

    async def close(self) -> None:
        """Close all connections. Requests that wait for an answer are lost."""
        if self._loop is None:
            return
        self._loop = None
        for pool in self._pools.values():
            if pool.pid == os.getpid() and pool.loop is asyncio.get_running_loop():
                pool.close()
            else:
                pool.drop()
        self._pools = {}
        self._routes = {}
        source, self._source = self._source, None
        if source is not None:
            source.close()
        # The loop closes sockets in its next turns.
        await asyncio.sleep(0)

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """Send one request once.

        Raises:
            Refused: DynamoDB answered with an error.
            Lost: the request was handed over, and no usable answer came.
            NotSent: nothing was handed over.
        """
        loop = self._loop
        if loop is None:
            raise client_closed()
        started_s = loop.time()
        deadline_s = math.inf if timeout_s is None else started_s + timeout_s
        try:
            if type(params) is not Large:
                body = encode(operation, params)
            else:
                body = await _encoded(operation, params)
            source = self._source
            if source is None:
                raise client_closed()
            credentials = source.current
            now_s, offset_s = self._clock.read()
            if credentials is None or now_s >= source.stale_at_s:
                credentials = await self._credentials(source, deadline_s)
                now_s, offset_s = self._clock.read()
            resource = resource_of(params)
            if "moto.core.models" in sys.modules:
                require_no_mock("async clients", "")
            route = self._routes.get((resource, operation == "SearchVectors"))
            if route is None or route.signer.credentials is not credentials:
                route = await self._route(credentials, resource, operation, deadline_s)
                now_s, offset_s = self._clock.read()
            pool = route.pool
            connection = pool.take(started_s)
            if connection is None:
                left_s = None if timeout_s is None else max(0.0, deadline_s - loop.time())
                connection = await pool.connect(left_s)
                if loop.time() >= deadline_s:
                    pool.keep(connection)
                    raise NotSent("the time ran out while connecting", limit="attempt_timeout_s")
                now_s, offset_s = self._clock.read()
            try:
                headers = trace_header(os.environ) if self._is_lambda else ""
                head = route.signer.head(operation, body, now_s=now_s, headers=headers)
            except Exception as error:
                pool.discard(connection)
                if isinstance(error, ValueError):
                    raise NotSent(str(error), is_retryable=False) from None
                raise
        except asyncio.CancelledError as cancelled:
            # Its cause tells the caller that nothing was sent.
            cancelled.__cause__ = NotSent("the call was cancelled before the request was sent")
            raise
        except (NotSent, NotSentError):
            raise
        except Exception as error:
            reason = f"{type(error).__name__} before the request was sent"
            raise NotSent(reason, is_retryable=False) from error
        reader = connection.reader
        try:
            await connection.hand_over(head + body, timeout_s, deadline_s)
            is_aws = route.endpoint.is_aws
            if len(reader.body) > _LARGE_BYTES:
                answer = await _read(operation, reader, is_aws)
            else:
                answer = read_answer(
                    operation, reader.status, reader.headers, reader.body, is_aws=is_aws
                )
        except Refused as refused:
            if refused.http_status >= 500:
                pool.discard(connection)
            else:
                pool.release(connection)
                signed = note_refusal(refused, self._clock, offset_s, self._source, credentials)
                _refused.set(signed)
            raise
        except BaseException:
            pool.discard(connection)
            raise
        pool.release(connection)
        return answer

    async def refresh_credentials(self) -> bool:
        """Whether a request that was refused because of its credentials or time may succeed now.

        Raises:
            NotSent: new credentials could not be fetched.
        """
        signed, source = _refused.get(), self._source
        if signed is not None and signed.is_clock_set:
            return True
        if source is None:
            return False
        try:
            return await source.refresh(source.current if signed is None else signed.credentials)
        except CredentialProblem as problem:
            raise without_credentials(problem) from problem

    # --- What a request needs

    async def _credentials(self, source: CredentialSource, deadline_s: float) -> Credentials:
        try:
            async with _until(deadline_s):
                return await source.get()
        except TimeoutError as error:
            raise NotSent(
                "they were not fetched in time",
                is_retryable=False,
                provider="credentials",
                limit="attempt_timeout_s",
            ) from error
        except CredentialProblem as problem:
            raise without_credentials(problem) from problem

    async def _route(
        self, credentials: Credentials, resource: str | None, operation: str, deadline_s: float
    ) -> _Route:
        around, loop = self._around, self._loop
        if around is None or loop is None:
            raise client_closed()
        place = around.place
        is_search = operation == "SearchVectors"
        account_id = credentials.account_id

        def find() -> Endpoint:
            return place.endpoint(account_id, resource, is_search=is_search)

        try:
            if isinstance(place, Place):
                endpoint = find()
            else:
                async with _until(deadline_s):
                    endpoint = await in_thread(loop, find)
                if self._loop is None or self._around is not around:
                    raise client_closed()
            proxy = around.proxy(endpoint)
            pool = self._pool(endpoint, loop, around, proxy)
            signer = signer_of(endpoint, credentials, proxy, self._user_agent)
        except TimeoutError as error:
            raise NotSent(
                "the endpoint was not found in time", limit="attempt_timeout_s"
            ) from error
        except ValueError as error:
            raise NotSent(str(error), is_retryable=False) from error
        if len(self._routes) > 1000:
            self._routes.clear()
        route = self._routes[resource, is_search] = _Route(endpoint, pool, signer)
        return route

    def _pool(
        self,
        endpoint: Endpoint,
        loop: asyncio.AbstractEventLoop,
        around: Surroundings,
        proxy: Proxy | None,
    ) -> Pool:
        key = (endpoint.host, endpoint.port, endpoint.is_tls)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(
                endpoint,
                loop=loop,
                trust=around.require_trust,
                proxy=proxy,
                max_idle=self.max_connections,
                connect_timeout_s=self._connect_timeout_s,
            )
        return pool

    def start_in_child(self, loop: asyncio.AbstractEventLoop) -> None:
        """After a fork, in the child and on its own loop: drop the parent's connections."""
        for pool in self._pools.values():
            pool.drop()
        self._pools = {}
        self._routes = {}
        around = self._around
        if around is not None:
            self._source = CredentialSource(
                around.fetch, around.credentials, loop=loop, now_s=self._clock.now_s
            )
            self._loop = loop


async def _encoded(operation: str, params: Mapping[str, Any]) -> bytes:
    """The body of a large request."""
    steps = encode_in_steps(params)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            body: bytes | None = stop.value
            return encode(operation, params) if body is None else body
        await asyncio.sleep(0)


_LARGE_BYTES: Final = 262_144
"""An answer of more is read in steps."""


async def _read(operation: str, reader: AnswerReader, is_aws: bool) -> dict[str, Any]:
    """A large answer."""
    steps = read_answer_in_steps(
        operation, reader.status, reader.headers, reader.body, is_aws=is_aws
    )
    while True:
        await asyncio.sleep(0)
        try:
            next(steps)
        except StopIteration as stop:
            return Large(stop.value)


def _until(deadline_s: float) -> asyncio.Timeout:
    return asyncio.timeout_at(None if deadline_s == math.inf else deadline_s)
