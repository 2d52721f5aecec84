"""Requests through a client of boto3.

Each request runs in its own thread, because nothing else can end a slow name lookup or a slow
answer. The body of a request records when it is written to the connection. A request that fails
before that was not sent, and one that is given up before that is never sent.

Sources: botocore's endpoint.py, httpsession.py and awsrequest.py; urllib3's connection.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

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
from dynasafe.environment.model import shape_findings
from dynasafe.errors import (
    ClientClosedError,
    DynasafeError,
    InvalidRequestError,
    NotSentError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.http.endpoint import endpoint
from dynasafe.http.exchange import read_answer
from dynasafe.resilience.boundary import Lost, NotSent, Refused, TransportError
from dynasafe.resilience.outcomes import is_about_credentials
from dynasafe.sync.threads import Work

_FAILED_REFRESH_S = 1.0
"""Seconds for which calls get the failure of the last refresh, before the next one is tried."""


class BotoConnection(ClientConnection):
    """Makes a client of boto3 and closes it, also several times.

    Raises:
        ClientRetriesError: the config would make the client repeat requests.
        InvalidValueError: an argument has the wrong type, or contradicts another.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._client: Any = None
        self._transport: BotoTransport | None = None

    def open(self) -> BotoTransport:
        """A transport over a new client.

        Raises:
            CredentialsError: the configured source of credentials cannot be used.
            InvalidValueError: there is no region, or another setting is wrong.
        """
        self.close()
        try:
            if self._session is None:
                import boto3

                self._session = boto3.Session()
        except ImportError as error:
            raise ValueOutOfRangeError(
                "transport", f"{error}. Fix: pip install 'dynasafe[boto3]'"
            ) from error
        try:
            session: Any = self._session
            make = getattr(session, "client", None) or session.create_client
            self._client = make("dynamodb", config=self._client_config(), **self._options)
        except NotSentError:
            raise
        except Exception as error:
            raise opening_error(error) from error
        self._transport = BotoTransport(self._client)
        return self._transport

    def close(self) -> None:
        if self._transport is not None:
            self._transport.is_closed = True
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _client_config(self) -> Any:
        """The given config, with the required options.

        It turns off botocore's check of parameters: `check_request` has already checked them, and
        BotoTransport lets botocore check the others.
        """
        own: dict[str, Any] = {
            "max_pool_connections": self._pool_size,
            "parameter_validation": False,
            "connect_timeout": self._connect_timeout_s,
        }
        given = self._config
        if given is None:
            return client_config(**own)
        if given.user_agent or given.user_agent_appid:
            own["user_agent"] = given.user_agent
        # Ours last, so that it sends once.
        return given.merge(client_config(**own))


class _Handover:
    """The state of the current request: written to a connection, or given up before that."""

    __slots__ = (
        "_is_given_up",
        "_lock",
        "headers",
        "is_aws",
        "is_made",
        "is_reached",
        "transport",
    )

    def __init__(self, transport: BotoTransport, *, is_aws: bool) -> None:
        self.transport = transport
        self.is_aws = is_aws  # whether the answer must have what only AWS sends
        self.is_reached = False  # the client has a signed request, for the network
        self.is_made = False
        self.headers: Any = None  # of the signed request
        self._is_given_up = False
        self._lock = threading.Lock()

    def make(self) -> None:
        """Note that the request is being written.

        Raises:
            ConnectionAbortedError: nobody waits for the request any more, or it was already
                written.
        """
        with self._lock:
            if self._is_given_up or self.is_made:
                raise ConnectionAbortedError("the request was given up before it was sent")
            self.is_made = True

    def give_up(self) -> bool:
        """Stop waiting. Returns whether the request was written. If not, it never will be."""
        with self._lock:
            self._is_given_up = True
            return self.is_made


_handover: ContextVar[_Handover | None] = ContextVar("dynasafe_sync_handover", default=None)


class _MarkedBody:
    """A body that records when it is written, and is written only once."""

    def __init__(self, body: bytes, handover: _Handover) -> None:
        self._body = body
        self._handover = handover

    def __len__(self) -> int:
        return len(self._body)

    def read(self, size: int = -1) -> bytes:
        if self._body:
            self._handover.make()
        body, self._body = self._body, b""
        return body


class BotoTransport:
    """Sends requests through a client of boto3; threads share it.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
    """

    def __init__(self, client: Any) -> None:
        from inspect import iscoroutinefunction

        meta = getattr(client, "meta", None)
        call = getattr(client, "_make_api_call", None)
        if meta is None or call is None or iscoroutinefunction(call):
            raise UnsupportedTypeError(
                "client",
                f"a boto3 client of DynamoDB is expected, not {type(client).__name__}. Fix: "
                "DynamoDB.connect(), or boto3.client('dynamodb', config=client_config())",
            )
        if meta.service_model.service_name != "dynamodb":
            raise UnsupportedTypeError(
                "client", f"a client of DynamoDB, not of {meta.service_model.service_name}"
            )
        require_sent_once(meta.config.retries or {})
        self._client = client
        self._lock = threading.Lock()
        self._refresh: Work[bool] | None = None
        self.is_closed: bool = False
        self._is_refused = False  # the present credentials, by DynamoDB
        self._refused = threading.local()  # the headers of a thread's last refused request
        self._failed_refresh: tuple[float, NotSent] | None = None
        self._is_aws = endpoint(meta.endpoint_url, meta.region_name).is_aws
        self.max_connections: int = meta.config.max_pool_connections
        events = meta.events
        # Last: handlers that answer in place of the network, such as moto's, run before it.
        events.register_last(
            "before-send.dynamodb", _note_request, unique_id="dynasafe-sync-note-request"
        )
        events.register("before-parse.dynamodb", _require_answer, unique_id="dynasafe-sync-answer")

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        handover = _Handover(self, is_aws=self._is_aws)

        def call() -> Mapping[str, Any]:
            _handover.set(handover)
            if self._is_refused:
                self._renew(lambda: not self._is_refused, timeout_s=None)
            response: Mapping[str, Any] = self._client._make_api_call(operation, params)
            return response

        work = Work(call)
        try:
            return work.start().result(timeout_s)
        except Refused as refused:
            if is_about_credentials(refused):
                self._note_refusal(handover.headers)
            raise
        except (TransportError, DynasafeError):
            raise
        except Exception as error:
            if isinstance(error, TimeoutError) and not work.is_done:
                raise self._late(handover, timeout_s) from None
            failure = self._failure(operation, params, error, handover)
            is_hidden = is_quoting(error, is_reached=handover.is_reached)
            raise failure from (None if is_hidden else error)
        except BaseException as interruption:
            if not handover.give_up():
                interruption.__cause__ = NotSent("interrupted before it was sent")
            raise

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        """Fetch credentials again, if they can be fetched."""
        credentials, headers = self._credentials(), getattr(self._refused, "headers", None)
        if not is_refreshable(credentials):
            return False
        return self._renew(lambda: not is_signed_with(credentials, headers), timeout_s=timeout_s)

    def _note_refusal(self, headers: Any) -> None:
        """If the present credentials were refused, the next call fetches others first."""
        self._refused.headers = headers
        credentials = self._credentials()
        with self._lock:
            if is_refreshable(credentials) and is_signed_with(credentials, headers):
                self._is_refused = True

    def _renew(self, is_done: Callable[[], bool], *, timeout_s: float | None) -> bool:
        """Fetch credentials, unless another thread has done it. Returns whether there are new
        ones."""
        credentials = self._credentials()
        with self._lock:
            now_s = monotonic()
            if is_done():
                return True
            if self._failed_refresh is not None and now_s < self._failed_refresh[0]:
                raise self._failed_refresh[1]
            if self._refresh is None or self._refresh.is_done:
                self._refresh = Work(lambda: self._fetch(credentials)).start()
            refresh = self._refresh
        try:
            return refresh.result(timeout_s)
        except TimeoutError:
            raise NotSent(
                "they were not fetched in time", provider="refresh", limit="timeout_s"
            ) from None

    def _fetch(self, credentials: Any) -> bool:
        """Fetch credentials. Returns whether they changed."""
        before = getattr(credentials, "_frozen_credentials", None)
        try:
            forget_assumed_role(credentials)
            with credentials._refresh_lock:
                credentials._protected_refresh(is_mandatory=True)
        except Exception as error:
            failure = NotSent(reason_of(error), is_retryable=False, provider=self._provider())
            with self._lock:
                self._failed_refresh = (monotonic() + _FAILED_REFRESH_S, failure)
            raise failure from error
        with self._lock:
            self._failed_refresh = None
            self._is_refused = False
        return getattr(credentials, "_frozen_credentials", None) != before

    def _credentials(self) -> Any:
        return getattr(self._client._request_signer, "_credentials", None)

    def _provider(self) -> str:
        return str(getattr(self._credentials(), "method", None) or "the default chain")

    def _findings(self, operation: str, params: Mapping[str, Any]) -> Any:
        model = self._client.meta.service_model.operation_model(operation)
        return shape_findings(params, model.input_shape)

    def _late(self, handover: _Handover, timeout_s: float | None) -> TransportError:
        if handover.give_up():
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
                return InvalidRequestError(operation, self._findings(operation, params))
            if names & NOT_CREDENTIALS:
                return NotSent(type(error).__name__, is_retryable=False)
            return NotSent(reason_of(error), is_retryable=False, provider=self._provider())
        if handover.is_made:
            return Lost(reason_of(error))
        limit = "connect_timeout_s" if "Timeout" in type(error).__name__ else None
        return NotSent(reason_of(error), limit=limit)


def _note_request(request: Any, **_: Any) -> None:
    """Note that the client has a signed request, and is about to send it."""
    handover = _handover.get()
    if handover is not None:
        if handover.transport.is_closed:  # it would open connections again
            raise ClientClosedError
        handover.is_reached = True
        handover.headers = request.headers
        request.body = _MarkedBody(request.body, handover)


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
        is_aws=handover.is_aws and handover.is_reached,
    )
