"""Requests through a client of aioboto3 or aiobotocore.

The client's exceptions do not say whether a request was sent: EndpointConnectionError may mean a
refused connection, or one that was reset after the write. So the body of each request records when
it is written to the connection. A request that fails before that was not sent.

Sources: aiobotocore's endpoint.py, httpsession.py and credentials.py; aiohttp's payload.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from dynasafe.aio.patience import patient_timeout
from dynasafe.calls.requests import Large
from dynasafe.environment.clients import (
    NOT_CREDENTIALS,
    ClientConnection,
    client_config,
    forget_assumed_role,
    is_quoting,
    is_refreshable,
    is_signed_with,
    opening_error,
    reason_of,
    require_sent_once,
)
from dynasafe.environment.mocks import require_no_mock
from dynasafe.environment.model import shape_findings
from dynasafe.errors import (
    ClientClosedError,
    InvalidRequestError,
    NotSentError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.findings.finding import Finding
from dynasafe.http.endpoint import endpoint
from dynasafe.http.exchange import read_answer
from dynasafe.resilience.boundary import Lost, NotSent, Refused, TransportError
from dynasafe.resilience.outcomes import is_about_credentials
from dynasafe.values.wire import holds_many

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig

_FAILED_REFRESH_S = 1.0
"""Seconds for which calls get the failure of the last refresh, before the next one is tried."""
_IDLE_S = 0.05
"""After this time without a request, the loop gets turns to notice closed connections."""


class AiobotoConnection(ClientConnection):
    """Makes a client and closes it, also several times.

    Raises:
        ClientRetriesError: the config would make the client repeat requests.
        InvalidValueError: an argument has the wrong type, or contradicts another.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._exit_stack = AsyncExitStack()
        self._transport: AiobotoTransport | None = None

    async def open(self) -> AiobotoTransport:
        """A transport over a new client.

        Raises:
            CredentialsError: the configured source of credentials cannot be used.
            InvalidValueError: there is no region, or another setting is wrong.
        """
        # Loading the packages takes half a second the first time.
        try:
            await asyncio.to_thread(_load)
        except ImportError as error:
            raise ValueOutOfRangeError(
                "transport", f"{error}. Fix: pip install 'dynasafe[aioboto3]'"
            ) from error
        try:
            if self._session is None:
                self._session = _new_session()
            # A session of aiobotocore uses another name.
            make = getattr(self._session, "client", None) or self._session.create_client
            client = await self._exit_stack.enter_async_context(
                make("dynamodb", config=self._client_config(), **self._options)
            )
        except NotSentError:
            raise
        except Exception as error:
            raise opening_error(error) from error
        self._transport = AiobotoTransport(client)
        return self._transport

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.is_closed = True
        await self._exit_stack.aclose()

    def _client_config(self) -> AioConfig:
        """The given config, with the required options.

        It turns off botocore's check of parameters: `check_request` has already checked them, and
        AiobotoTransport lets botocore check the others.
        """
        from aiobotocore.config import AioConfig

        own: dict[str, Any] = {
            "max_pool_connections": self._pool_size,
            "parameter_validation": False,
            "connect_timeout": self._connect_timeout_s,
        }
        given = self._config
        if given is None:
            made: Any = client_config(**own)  # an AioConfig, if aiobotocore is installed
            return cast("AioConfig", made)
        if given.user_agent or given.user_agent_appid:
            own["user_agent"] = given.user_agent
        # The user's config first, so that ours, which sends once, takes precedence.
        base = given if isinstance(given, AioConfig) else AioConfig().merge(given)
        merged: AioConfig = base.merge(client_config(**own))
        if isinstance(given, AioConfig):
            merged.http_session_cls = given.http_session_cls  # aiobotocore's merge leaves it out
        return merged


def _load() -> None:
    import aiobotocore.session  # noqa: F401
    import aiohttp  # noqa: F401

    with suppress(ImportError):
        import aioboto3  # noqa: F401


def _new_session() -> Any:
    """A session of aioboto3, or of aiobotocore if that is too new for aioboto3."""
    try:
        import aioboto3
    except ImportError:
        from aiobotocore.session import get_session

        return get_session()
    return aioboto3.Session()


# Requests


class _Handover:
    """Whether the current request of this task was written to a connection."""

    __slots__ = ("headers", "is_aws", "is_exact", "is_made", "is_reached", "url")

    def __init__(self, *, is_aws: bool, is_exact: bool) -> None:
        self.is_aws = is_aws  # whether the answer must have headers that only AWS sends
        self.is_exact = is_exact  # whether the body records its writing
        self.is_reached = False  # the client has a signed request
        self.is_made = False
        self.url = ""
        self.headers: Any = None  # of the signed request


_handover: ContextVar[_Handover | None] = ContextVar("dynasafe_handover", default=None)
_refused: ContextVar[Any] = ContextVar("dynasafe_refused_headers", default=None)
"""The headers of this task's last request that was refused for its credentials."""


@cache
def _marked_body() -> Any:
    """The class of aiohttp bodies that record when they are written, and are written only once."""
    from aiohttp.payload import BytesPayload

    class MarkedBody(BytesPayload):
        def __init__(self, body: bytes, handover: _Handover) -> None:
            super().__init__(body, content_type="application/x-amz-json-1.0")
            self._handover = handover

        async def write(self, writer: Any) -> None:
            self._note()
            await super().write(writer)

        async def write_with_length(self, writer: Any, content_length: int | None) -> None:
            self._note()
            await super().write_with_length(writer, content_length)

        def _note(self) -> None:
            if self._handover.is_made:
                raise ConnectionAbortedError("a redirect would send the request again")
            self._handover.is_made = True

    return MarkedBody


class AiobotoTransport:
    """Sends requests through a client of aioboto3 or aiobotocore.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
    """

    def __init__(self, client: Any) -> None:
        meta = getattr(client, "meta", None)
        if meta is None or not asyncio.iscoroutinefunction(getattr(client, "_make_api_call", None)):
            raise UnsupportedTypeError(
                "client",
                "an aioboto3 or aiobotocore client of DynamoDB is expected, not "
                f"{type(client).__name__}. Fix: AsyncDynamoDB.connect(), or "
                "`async with session.client('dynamodb', config=client_config()) as client`",
            )
        if meta.service_model.service_name != "dynamodb":
            raise UnsupportedTypeError(
                "client", f"a client of DynamoDB, not of {meta.service_model.service_name}"
            )
        require_sent_once(meta.config.retries or {})
        self._client = client
        self._refresh: asyncio.Task[None] | None = None
        self._failed_refresh: tuple[float, NotSent] | None = None
        self._is_refused = False  # the present credentials, by DynamoDB
        self._used_s = 0.0
        self._had_sessions = False
        self.is_closed: bool = False
        self._is_aws = endpoint(meta.endpoint_url, meta.region_name).is_aws
        self._is_aiohttp = _is_aiohttp(self._http_session())
        self.max_connections: int = meta.config.max_pool_connections
        events = meta.events
        events.register_first(
            "before-send.dynamodb", _note_request, unique_id="dynasafe-note-request"
        )
        events.register("before-parse.dynamodb", _require_answer, unique_id="dynasafe-answer")
        events.register("after-call.dynamodb", _require_no_redirect, unique_id="dynasafe-redirect")

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        self._require_open()
        handover = _Handover(is_aws=self._is_aws, is_exact=self._is_aiohttp)
        token = _handover.set(handover)
        try:
            async with patient_timeout(timeout_s):
                await self._let_loop_notice()
                await self._have_credentials()
                self._require_open()  # it may have been closed meanwhile
                response: Mapping[str, Any] = await self._client._make_api_call(operation, params)
        except TimeoutError as error:
            raise self._late(handover, timeout_s) from error
        except asyncio.CancelledError as cancellation:
            if handover.is_exact and not handover.is_made:
                raise cancellation from NotSent("cancelled before it was sent")
            raise
        except Refused as refused:
            if is_about_credentials(refused):
                self._note_refusal(handover.headers)
            raise
        except (TransportError, NotSentError):
            raise
        except Exception as error:
            failure = self._failure(operation, params, error, handover)
            is_hidden = is_quoting(error, is_reached=handover.is_reached)
            raise failure from (None if is_hidden else error)
        finally:
            _handover.reset(token)
        if not holds_many(response):
            return response
        await asyncio.sleep(0)
        return Large(response)

    async def refresh_credentials(self) -> bool:
        """Fetch credentials again, if they can be fetched."""
        credentials = self._credentials()
        if not is_refreshable(credentials):
            return False
        if not is_signed_with(credentials, _refused.get()):
            return True  # another call has fetched them
        before = getattr(credentials, "_frozen_credentials", None)
        await self._refresh_once(self._fetch)
        return getattr(credentials, "_frozen_credentials", None) != before

    def _note_refusal(self, headers: Any) -> None:
        """If the present credentials were refused, the next call fetches others first."""
        _refused.set(headers)
        credentials = self._credentials()
        if is_refreshable(credentials) and is_signed_with(credentials, headers):
            self._is_refused = True

    async def _fetch(self) -> None:
        credentials = self._credentials()
        forget_assumed_role(credentials)
        async with credentials._refresh_lock:
            await credentials._protected_refresh(is_mandatory=True)
        self._is_refused = False

    def _credentials(self) -> Any:
        return getattr(self._client._request_signer, "_credentials", None)

    def _provider(self) -> str:
        return str(getattr(self._credentials(), "method", None) or "the default chain")

    async def _have_credentials(self) -> None:
        """Ensure valid credentials, fetched once for all calls that need them."""
        if self._is_refused:
            await self._refresh_once(self._fetch)
            return
        credentials = self._credentials()
        refresh_needed = getattr(credentials, "refresh_needed", None)
        if refresh_needed is not None and refresh_needed(
            getattr(credentials, "_mandatory_refresh_timeout", None)
        ):
            await self._refresh_once(credentials.get_frozen_credentials)

    async def _refresh_once(self, fetch: Any) -> None:
        """Of many concurrent calls, one fetches. A failure counts for all, and for a moment
        after."""
        now_s = asyncio.get_running_loop().time()
        if self._failed_refresh is not None and now_s < self._failed_refresh[0]:
            raise self._failed_refresh[1]
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.ensure_future(self._fetched(fetch))
        # A call that gives up must not cancel it for the others.
        await asyncio.shield(self._refresh)

    async def _fetched(self, fetch: Any) -> None:
        try:
            await fetch()
        except Exception as error:
            failure = NotSent(reason_of(error), is_retryable=False, provider=self._provider())
            failure.__cause__ = error
            until_s = asyncio.get_running_loop().time() + _FAILED_REFRESH_S
            self._failed_refresh = (until_s, failure)
            raise failure from error
        self._failed_refresh = None

    async def _let_loop_notice(self) -> None:
        """After a pause, let the loop close connections that the peer has closed."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._used_s > _IDLE_S:
            await asyncio.sleep(0)
        self._used_s = now_s

    def _require_open(self) -> None:
        """Refuse a closed client: it would silently open new connections, and leave them open."""
        if self.is_closed:
            raise ClientClosedError
        sessions = getattr(self._http_session(), "_sessions", None)
        if sessions:
            self._had_sessions = True
        elif self._had_sessions and sessions is not None:
            raise ClientClosedError

    def _http_session(self) -> Any:
        return getattr(getattr(self._client, "_endpoint", None), "http_session", None)

    def _invalid(self, operation: str, params: Mapping[str, Any]) -> InvalidRequestError:
        return InvalidRequestError(operation, self._findings(operation, params))

    def _findings(self, operation: str, params: Mapping[str, Any]) -> list[Finding]:
        model = self._client.meta.service_model.operation_model(operation)
        return shape_findings(params, model.input_shape)

    def _late(self, handover: _Handover, timeout_s: float | None) -> TransportError:
        if handover.is_made or (handover.is_reached and not handover.is_exact):
            return Lost(f"no answer within {timeout_s:g} s")
        if not handover.is_reached:
            return NotSent(
                f"they were not fetched within {timeout_s:g} s",
                is_retryable=False,
                provider=self._provider(),
                limit="attempt_timeout_s",
            )
        return NotSent(f"no connection within {timeout_s:g} s", limit="attempt_timeout_s")

    def _failure(
        self, operation: str, params: Mapping[str, Any], error: Exception, handover: _Handover
    ) -> Exception:
        """The failure that the client's exception means."""
        if not handover.is_reached:
            names = {cls.__name__ for cls in type(error).__mro__}
            if "ParamValidationError" in names:
                return self._invalid(operation, params)
            if names & NOT_CREDENTIALS:
                return NotSent(type(error).__name__, is_retryable=False)
            return NotSent(reason_of(error), is_retryable=False, provider=self._provider())
        if handover.is_made or not (handover.is_exact or is_not_sent(error)):
            return Lost(reason_of(error))
        limit = "connect_timeout_s" if "Timeout" in type(error).__name__ else None
        return NotSent(reason_of(error), limit=limit)


def _note_request(request: Any, **_: Any) -> None:
    """Note that the client has a signed request, and is about to send it."""
    handover = _handover.get()
    if handover is None:
        return
    require_no_mock("async clients", "")
    handover.is_reached = True
    handover.url = request.url
    handover.headers = request.headers
    if handover.is_exact:
        request.body = _marked_body()(request.body, handover)


def _require_answer(operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
    """Accept DynamoDB's own answers, and raise an error for any other one."""
    handover = _handover.get()
    if handover is None:
        return
    headers = {
        name.lower().encode("latin-1"): value.encode("latin-1")
        for name, value in response_dict["headers"].items()
    }
    read_answer(
        operation_model.name,
        response_dict["status_code"],
        headers,
        response_dict["body"],
        is_aws=handover.is_aws,
    )


def _require_no_redirect(http_response: Any, **_: Any) -> None:
    handover = _handover.get()
    if handover is not None and str(getattr(http_response, "url", "")) != handover.url:
        raise Lost("a redirect was followed")


# Where the body cannot note its writing, since the session is not aiohttp's: exceptions that mean
# that no connection was made. ClientConnectorError is a ClientOSError too, which by itself is a
# connection that broke later.
_NOT_SENT = frozenset(
    {
        "ClientConnectorError",
        "ConnectError",
        "ConnectTimeout",
        "ConnectTimeoutError",
        "NewConnectionError",
        "PoolTimeout",
        "ProxyConnectionError",
        "gaierror",
    }
)


def is_not_sent(error: BaseException | None) -> bool:
    while error is not None:
        if any(cls.__name__ in _NOT_SENT for cls in type(error).__mro__):
            return True
        inner = getattr(error, "kwargs", {}).get("error")
        error = inner if isinstance(inner, BaseException) else error.__cause__
    return False


def _is_aiohttp(http_session: Any) -> bool:
    from aiobotocore.httpsession import AIOHTTPSession

    return isinstance(http_session, AIOHTTPSession)
