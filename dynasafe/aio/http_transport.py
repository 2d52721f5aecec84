"""The transport over connections of our own.

    transport = HttpTransport(region_name="us-east-1")
    await transport.open()
    await transport.send("GetItem", params, timeout_s=5)

What does not wait is done in one go from the parameters to the socket, so that whether a byte was
handed over is known at each point: before it a failure is `NotSent`, after it `Lost`.

Sources: botocore/handlers.py, for the trace header in Lambda; the AWS SDKs for JavaScript, Java, Go
and Rust, which correct their clock by an answer's Date as is done here.
"""

from __future__ import annotations

import asyncio
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dynasafe.aio.connection import CONNECT_TIMEOUT_S, Pool, in_thread
from dynasafe.aio.credentials import CredentialSource, require_credentials
from dynasafe.environment.proxies import proxy_of
from dynasafe.environment.trust import Trust
from dynasafe.http.credentials import (
    CredentialProblem,
    Credentials,
    container,
    environment_credentials,
)
from dynasafe.http.endpoint import Ask, Endpoint, Place, decide, resource_of
from dynasafe.http.exchange import encode, read_answer
from dynasafe.http.signing import Signer
from dynasafe.resilience.boundary import NotSent, Refused
from dynasafe.version import __version__

if TYPE_CHECKING:
    from dynasafe.environment.asked import Asked

_MAX_SKEW_S: Final = 240.0
"""DynamoDB refuses signatures that are more than five minutes off."""
_SKEW_CODES: Final = frozenset(
    {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"}
)
_CREDENTIAL_OPTIONS: Final = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_account_id",
)

_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class _Route:
    """One endpoint with its pool, and a signer under one set of credentials."""

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
        self._region_name: Final = region_name
        self._endpoint_url: Final = endpoint_url
        self._given: Final = credentials
        self._profile_name: Final = profile_name
        self._session: Final = session
        self._config: Final = config
        self._verify: Final = verify
        self._proxies = proxies if config is None else proxies or config.proxies
        self._client_cert = client_cert if config is None else client_cert or config.client_cert
        self.max_connections: Final = max_connections
        self._connect_timeout_s: Final = connect_timeout_s
        self._user_agent: Final = _user_agent(os.environ)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forks = _forks
        self._pools: dict[tuple[str, int, bool], Pool] = {}
        self._routes: dict[tuple[str | None, bool], _Route] = {}
        self._place: Place | Asked | None = None
        self._trust: Trust | None = None
        self._source: CredentialSource | None = None
        self._offset_s = 0.0
        self._was_corrected = False
        self._is_lambda = False

    async def open(self) -> None:
        """Read the settings, off the event loop, and bind to it.

        Raises:
            NotSent: the settings contradict each other, or are not enough.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not None:
            await self.close()
        self._forks = _forks
        self._is_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        try:
            place, fetch, current = await in_thread(loop, self._settle)
        except (ValueError, ImportError) as error:
            raise NotSent(str(error), is_retryable=False) from error
        except OSError as error:
            raise NotSent(f"a file cannot be read: {error}", is_retryable=False) from error
        except CredentialProblem as problem:
            raise _without_credentials(problem) from problem
        self._place = place
        self._source = CredentialSource(fetch, current, loop=loop, now_s=self._now_s)
        self._loop = loop

    async def close(self) -> None:
        """Close all connections. What waits for an answer is lost."""
        if self._loop is None:
            return
        self._loop = None
        for pool in self._pools.values():
            if self._forks == _forks and pool.loop is asyncio.get_running_loop():
                pool.close()
            else:
                pool.drop()
        self._pools = {}
        self._routes = {}
        if self._source is not None and self._forks == _forks:
            self._source.close()
        # The loop closes sockets at its next turns.
        await asyncio.sleep(0)

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """Send one request once.

        Raises:
            Refused: DynamoDB answered with an error.
            Lost: it was handed over, and no usable answer came.
            NotSent: nothing was handed over.
        """
        loop = self._loop
        if loop is None:
            raise NotSent("the client is closed", is_retryable=False)
        body = encode(operation, params)
        started_s = loop.time()
        deadline_s = math.inf if timeout_s is None else started_s + timeout_s
        try:
            if self._forks != _forks:
                self._start_afresh()
            source = self._source
            assert source is not None
            credentials = source.current
            if credentials is None or self._now_s() >= source.stale_at_s:
                credentials = await self._credentials(source, deadline_s)
            resource = resource_of(params)
            route = self._routes.get((resource, operation == "SearchVectors"))
            if route is None or route.signer.credentials is not credentials:
                route = await self._route(credentials, resource, operation, deadline_s)
            pool = route.pool
            connection = pool.take(started_s)
            if connection is None:
                left_s = None if timeout_s is None else max(0.0, deadline_s - loop.time())
                connection = await pool.connect(left_s)
                if loop.time() >= deadline_s:
                    pool.keep(connection)
                    raise NotSent("the time ran out while connecting", limit="attempt_timeout_s")
            try:
                headers = self._trace_header() if self._is_lambda else ""
                head = route.signer.head(operation, body, now_s=self._now_s(), headers=headers)
            except ValueError as error:
                pool.discard(connection)
                raise NotSent(str(error), is_retryable=False) from None
        except asyncio.CancelledError as cancelled:
            # Its cause tells the caller that nothing had left.
            cancelled.__cause__ = NotSent("the call was cancelled before the request was sent")
            raise
        reader = connection.reader
        try:
            await connection.exchange(head + body, timeout_s, deadline_s)
            answer = read_answer(
                operation,
                reader.status,
                reader.headers,
                reader.body,
                is_aws=route.endpoint.is_aws,
            )
        except Refused as refused:
            if refused.http_status >= 500:
                pool.discard(connection)
            else:
                pool.release(connection)
                if refused.code in _SKEW_CODES:
                    self._correct_clock(refused)
            raise
        except BaseException:
            pool.discard(connection)
            raise
        pool.release(connection)
        return answer

    async def refresh_credentials(self) -> bool:
        """Whether a request that was refused for its credentials or its time has a chance now.

        Raises:
            NotSent: new credentials could not be fetched.
        """
        if self._was_corrected:
            self._was_corrected = False
            return True
        source = self._source
        if source is None:
            return False
        try:
            return await source.refresh(source.current)
        except CredentialProblem as problem:
            raise _without_credentials(problem) from problem

    # --- Settings

    def _settle(self) -> tuple[Place | Asked, Callable[[bool], Any] | None, Credentials | None]:
        """Decide where requests go and where credentials come from; blocking."""
        environ = dict(os.environ)
        has_files = _has_files(environ)
        given = self._given
        current = None
        if given is not None and not callable(given):
            current = require_credentials(given)
        elif given is None and self._session is None and self._profile_name is None:
            current = environment_credentials(environ)
        place: Place | Asked | Ask
        if self._session is not None or self._profile_name is not None or self._config is not None:
            place = Ask("a session, a profile or a config is given")
        else:
            place = decide(
                environ,
                region_name=self._region_name,
                endpoint_url=self._endpoint_url,
                account_id=None if current is None else current.account_id,
                has_files=has_files,
            )
        asked = None
        if isinstance(place, Ask):
            place = asked = self._ask(current)
        if not (isinstance(place, Place) and (place.endpoint_url or "").startswith("http://")):
            # Here, so that a file that is missing is found out before any call.
            verify = self._verify if asked is None or self._verify is not None else asked.ca_bundle
            self._trust = Trust(environ, verify, self._client_cert)
        if current is not None:
            return place, None, current
        if callable(given):
            return place, _provider(given), None
        near = None if asked is not None or _has_boto_files() else container(environ)
        if near is not None:
            from dynasafe.environment.container import fetch_container

            return place, lambda _: fetch_container(near), None
        if asked is None:
            asked = self._ask(None)
        fetching = asked
        return place, lambda is_forced: fetching.fetch(is_forced=is_forced), None

    def _ask(self, credentials: Credentials | None) -> Asked:
        from dynasafe.environment.asked import Asked

        options: dict[str, Any] = {
            "region_name": self._region_name,
            "endpoint_url": self._endpoint_url,
        }
        if self._config is not None:
            options["config"] = self._config
        if credentials is not None or callable(self._given):
            # For the endpoint alone, which the account decides.
            options["aws_access_key_id"] = "unused"
            options["aws_secret_access_key"] = "unused"
            if credentials is not None and credentials.account_id is not None:
                options["aws_account_id"] = credentials.account_id
        return Asked(self._session, self._profile_name, options)

    # --- What a request needs

    def _now_s(self) -> float:
        return time.time() + self._offset_s

    async def _credentials(self, source: CredentialSource, deadline_s: float) -> Credentials:
        try:
            async with asyncio.timeout_at(None if deadline_s == math.inf else deadline_s):
                return await source.get()
        except TimeoutError as error:
            raise NotSent(
                "credentials did not come in time", provider="credentials", limit="timeout_s"
            ) from error
        except CredentialProblem as problem:
            raise _without_credentials(problem) from problem

    async def _route(
        self, credentials: Credentials, resource: str | None, operation: str, deadline_s: float
    ) -> _Route:
        place, loop = self._place, self._loop
        assert place is not None
        assert loop is not None
        is_search = operation == "SearchVectors"
        account_id = credentials.account_id

        def find() -> Endpoint:
            return place.endpoint(account_id, resource, is_search=is_search)

        try:
            if isinstance(place, Place):
                endpoint = find()
            else:
                async with asyncio.timeout_at(None if deadline_s == math.inf else deadline_s):
                    endpoint = await in_thread(loop, find)
            pool = self._pool(endpoint, loop)
            signer = self._signer(endpoint, credentials)
        except TimeoutError as error:
            raise NotSent("the endpoint was not found in time", limit="timeout_s") from error
        except ValueError as error:
            raise NotSent(str(error), is_retryable=False) from error
        if len(self._routes) > 1000:
            self._routes.clear()
        route = self._routes[resource, is_search] = _Route(endpoint, pool, signer)
        return route

    def _pool(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> Pool:
        key = (endpoint.host, endpoint.port, endpoint.is_tls)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(
                endpoint,
                loop=loop,
                trust=self._require_trust,
                proxy=proxy_of(endpoint, os.environ, self._proxies),
                max_idle=self.max_connections,
                connect_timeout_s=self._connect_timeout_s,
            )
        return pool

    def _signer(self, endpoint: Endpoint, credentials: Credentials) -> Signer:
        target, extra = None, ""
        if not endpoint.is_tls:
            proxy = proxy_of(endpoint, os.environ, self._proxies)
            if proxy is not None:
                target = f"http://{endpoint.host_header}{endpoint.path}"
                if proxy.authorization is not None:
                    extra = f"Proxy-Authorization: {proxy.authorization}\r\n"
        return Signer(
            host=endpoint.host_header,
            path=endpoint.path,
            region=endpoint.region,
            credentials=credentials,
            user_agent=self._user_agent,
            target=target,
            extra_headers=extra,
        )

    def _require_trust(self) -> Trust:
        if self._trust is None:
            self._trust = Trust(os.environ, self._verify, self._client_cert)
        return self._trust

    def _trace_header(self) -> str:
        trace_id = os.environ.get("_X_AMZN_TRACE_ID")
        if not trace_id:
            return ""
        return f"X-Amzn-Trace-Id: {quote(trace_id, safe=_TRACE_SAFE)}\r\n"

    def _start_afresh(self) -> None:
        """In a child process: connections are the parent's."""
        self._forks = _forks
        for pool in self._pools.values():
            pool.drop()
        self._pools = {}
        self._routes = {}

    def _correct_clock(self, refused: Refused) -> None:
        date = refused.headers.get("date")
        if date is None:
            return
        from email.utils import parsedate_to_datetime

        try:
            off_s = parsedate_to_datetime(date).timestamp() - self._now_s()
        except ValueError:
            return
        if abs(off_s) > _MAX_SKEW_S:
            self._offset_s += off_s
            self._was_corrected = True


_TRACE_SAFE: Final = "-=;:+&[]{}\"',"


def _provider(given: Callable[[], Any]) -> Callable[[bool], Any]:
    import inspect

    if inspect.iscoroutinefunction(given):

        async def fetch(is_forced: bool) -> Any:
            return await given()

        return fetch
    return lambda is_forced: given()


def _without_credentials(problem: CredentialProblem) -> NotSent:
    return NotSent(
        f"no credentials from {problem.provider}: {problem.reason}", provider=problem.provider
    )


def _has_files(environ: Mapping[str, str]) -> bool:
    names = (
        environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
        environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    )
    return any(os.path.exists(os.path.expanduser(name)) for name in names)


def _has_boto_files() -> bool:
    return any(os.path.exists(os.path.expanduser(name)) for name in ("/etc/boto.cfg", "~/.boto"))


def _user_agent(environ: Mapping[str, str]) -> str:
    words = [
        f"dynasafe/{__version__}",
        f"lang/python#{platform.python_version()}",
    ]
    for label, name in (("exec-env", "AWS_EXECUTION_ENV"), ("app", "AWS_SDK_UA_APP_ID")):
        value = environ.get(name)
        if value and value.isascii() and value.isprintable():
            words.append(f"{label}/{value.replace(' ', '-')}")
    return " ".join(words)
