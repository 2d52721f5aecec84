"""The sync transport over connections of our own; threads share it.

    transport = HttpTransport(region_name="us-east-1")
    transport.open()
    transport.send("GetItem", params, timeout_s=5)

Whether a byte was handed over is known at each point: before it a failure is `NotSent`, after it
`Lost`.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from dynasafe.environment.dialing import CONNECT_TIMEOUT_S
from dynasafe.environment.heads import SigningClock, signer_of, trace_header, user_agent
from dynasafe.environment.mocks import require_no_mock
from dynasafe.environment.refusals import Signed, note_refusal
from dynasafe.environment.surroundings import (
    Surroundings,
    Wanted,
    require_surroundings,
    without_credentials,
)
from dynasafe.errors import DynasafeError
from dynasafe.http.credentials import CredentialProblem, Credentials
from dynasafe.http.endpoint import Endpoint, Place, resource_of
from dynasafe.http.exchange import encode, read_answer
from dynasafe.http.signing import Signer
from dynasafe.resilience.boundary import NotSent, Refused, TransportError, client_closed
from dynasafe.sync.connection import Connection, Pool
from dynasafe.sync.credentials import CredentialSource
from dynasafe.sync.threads import Work


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
            such an object; by default as botocore finds them.
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
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, int, bool], Pool] = {}
        self._routes: dict[tuple[str | None, bool], _Route] = {}
        self._around: Surroundings | None = None
        self._source: CredentialSource | None = None  # None: it is closed
        self._clock: Final = SigningClock()
        self._is_lambda = False
        self._refused = threading.local()  # what a thread's last refused request was signed with

    def open(self) -> None:
        """Read the settings.

        Raises:
            NotSent: the settings contradict each other, or are not enough.
        """
        self.close()
        self._is_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        self._around = around = require_surroundings(self._wanted, os.environ)
        self._source = self._new_source(around)

    def close(self) -> None:
        """Close all connections. Requests that wait for an answer are lost."""
        with self._lock:
            self._source = None
            pools, self._pools = self._pools, {}
            self._routes = {}
        for pool in pools.values():
            if pool.pid == os.getpid():
                pool.close()
            else:
                pool.drop()

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """Send one request once.

        Raises:
            Refused: DynamoDB answered with an error.
            Lost: the request was handed over, and no usable answer came.
            NotSent: nothing was handed over.
        """
        source = self._source
        if source is None:
            raise client_closed()
        credentials = source.current
        connection: Connection | None = None
        pool: Pool | None = None
        is_handed_over = False
        offset_s = 0.0
        try:
            body = encode(operation, params)
            started_s = monotonic()
            deadline_s = math.inf if timeout_s is None else started_s + timeout_s
            if credentials is None or self._clock.now_s() >= source.stale_at_s:
                credentials = _credentials(source, deadline_s)
            resource = resource_of(params)
            if "moto.core.models" in sys.modules:
                require_no_mock("connections of our own", "give DynamoDB() a client of boto3, ")
            route = self._routes.get((resource, operation == "SearchVectors"))
            if route is None or route.signer.credentials is not credentials:
                route = self._route(credentials, resource, operation, deadline_s)
            pool = route.pool
            connection = pool.take(started_s)
            if connection is None:
                connection = pool.connect(timeout_s, deadline_s)
                if monotonic() >= deadline_s:
                    pool.keep(connection)
                    connection = None
                    raise NotSent("the time ran out while connecting", limit="attempt_timeout_s")
            headers = trace_header(os.environ) if self._is_lambda else ""
            now_s, offset_s = self._clock.read()
            try:
                head = route.signer.head(operation, body, now_s=now_s, headers=headers)
            except ValueError as error:
                raise NotSent(str(error), is_retryable=False) from None
            is_handed_over = True
            connection.exchange(head + body, timeout_s, deadline_s)
            reader = connection.reader
            answer = read_answer(
                operation,
                reader.status,
                reader.headers,
                reader.body,
                is_aws=route.endpoint.is_aws,
            )
        except Refused as refused:
            assert pool is not None
            assert connection is not None
            if refused.http_status >= 500:
                pool.discard(connection)
            else:
                assert credentials is not None
                pool.release(connection)
                self._refused.signed = note_refusal(
                    refused, self._clock, offset_s, self._source, credentials
                )
            raise
        except BaseException as error:
            if pool is not None and connection is not None:
                pool.discard(connection)
            if not is_handed_over and not isinstance(error, TransportError | DynasafeError):
                # Its cause tells the caller that nothing was sent.
                error.__cause__ = NotSent("the call was interrupted before the request was sent")
            raise
        pool.release(connection)
        return answer

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        """Whether a request that was refused because of its credentials or time may succeed now.

        Raises:
            NotSent: new credentials could not be fetched.
        """
        signed: Signed | None = getattr(self._refused, "signed", None)
        source = self._source
        if signed is not None and signed.is_clock_set:
            return True
        if source is None:
            return False
        try:
            refused = source.current if signed is None else signed.credentials
            return source.refresh(refused, timeout_s)
        except TimeoutError:
            raise NotSent(
                "they were not fetched in time", provider="refresh", limit="timeout_s"
            ) from None
        except CredentialProblem as problem:
            raise without_credentials(problem) from problem

    def start_in_child(self) -> None:
        """After a fork, in the child: drop the parent's connections."""
        self._lock = threading.Lock()
        for pool in self._pools.values():
            pool.drop()
        self._pools = {}
        self._routes = {}
        if self._source is not None and self._around is not None:
            self._source = self._new_source(self._around)

    # --- What a request needs

    def _new_source(self, around: Surroundings) -> CredentialSource:
        return CredentialSource(around.fetch, around.credentials, now_s=self._clock.now_s)

    def _route(
        self, credentials: Credentials, resource: str | None, operation: str, deadline_s: float
    ) -> _Route:
        around = self._around
        assert around is not None
        place = around.place
        is_search = operation == "SearchVectors"
        account_id = credentials.account_id

        def find() -> Endpoint:
            return place.endpoint(account_id, resource, is_search=is_search)

        try:
            endpoint = (
                find()
                if isinstance(place, Place)
                else Work(find).start().result(_left_s(deadline_s))
            )
            proxy = around.proxy(endpoint)
            signer = signer_of(endpoint, credentials, proxy, self._user_agent)
        except TimeoutError as error:
            raise NotSent(
                "the endpoint was not found in time", limit="attempt_timeout_s"
            ) from error
        except ValueError as error:
            raise NotSent(str(error), is_retryable=False) from error
        key = (endpoint.host, endpoint.port, endpoint.is_tls)
        with self._lock:
            if self._source is None:
                raise client_closed()
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = Pool(
                    endpoint,
                    trust=around.require_trust,
                    proxy=proxy,
                    max_idle=self.max_connections,
                    connect_timeout_s=self._connect_timeout_s,
                )
            if len(self._routes) > 1000:
                self._routes.clear()
            route = self._routes[resource, is_search] = _Route(endpoint, pool, signer)
        return route


def _left_s(deadline_s: float) -> float | None:
    return None if deadline_s == math.inf else deadline_s - monotonic()


def _credentials(source: CredentialSource, deadline_s: float) -> Credentials:
    try:
        return source.get(_left_s(deadline_s))
    except TimeoutError as error:
        raise NotSent(
            "they were not fetched in time",
            is_retryable=False,
            provider="credentials",
            limit="attempt_timeout_s",
        ) from error
    except CredentialProblem as problem:
        raise without_credentials(problem) from problem
