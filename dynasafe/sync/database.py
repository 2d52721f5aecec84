"""DynamoDB: one client, with what all its calls share.

with DynamoDB.connect(region_name="us-east-1") as db:
    people = db.table("people", Person)
"""

# Made from dynasafe/aio/database.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

from dynasafe.calls.options import (
    DEFAULT_CONNECT_TIMEOUT_S,
    DEFAULT_MAX_CONNECTIONS,
    CallOptions,
    Keywords,
    Settings,
    TableOptions,
)
from dynasafe.calls.reads import Get, transact_get_plan
from dynasafe.calls.transactions import token_of, transact_write_plan
from dynasafe.calls.writes import Write, WriteResult
from dynasafe.errors import (
    ClientClosedError,
    OutcomeUnknownError,
    UnsupportedTypeError,
)
from dynasafe.items.item_format import ItemT
from dynasafe.items.updates import ReturnConsumedCapacity, ReturnItemCollectionMetrics
from dynasafe.sync.clock import Clock
from dynasafe.sync.connections import Connection, connection_of, transport_over
from dynasafe.sync.execute import Executor
from dynasafe.sync.table import PlainItem, Table, connected_table
from dynasafe.sync.transport import Transport

if TYPE_CHECKING:
    from botocore.config import Config


T = TypeVar("T")

_DATABASE = Keywords("DynamoDB", TableOptions, ("client", "clock", "max_connections"))
_CONNECT = Keywords(
    "connect",
    TableOptions,
    (
        "client_cert",
        "client_options",
        "clock",
        "config",
        "connect_timeout_s",
        "credentials",
        "endpoint_url",
        "max_connections",
        "profile_name",
        "proxies",
        "region_name",
        "session",
        "transport",
        "verify",
    ),
)
_TABLE = Keywords("table", TableOptions, ("name", "item_class"))
_TRANSACT_WRITE = Keywords(
    "transact_write_items",
    named=(
        "client_request_token",
        "return_consumed_capacity",
        "return_item_collection_metrics",
        "writes",
    ),
)
_TRANSACT_GET = Keywords("transact_get_items", named=("gets",))
_CALL = Keywords("call", named=("operation", "params"))
_RESOLVE = Keywords("resolve", named=("error",))


class DynamoDB:
    """A client for DynamoDB, for code that is not async. One serves all threads of a process.

    `DynamoDB.connect()` makes one over connections of its own, and closes them at the end of its
    `with`. `DynamoDB(client)` sends through a client of boto3, which you close yourself.

    Args:
        client: must not repeat requests by itself: make it with `client_config()`.
        clock: gives the time and random numbers.
        max_connections: the largest number of requests in progress at once; by default the size of
            the client's pool.
        options: see `TableOptions`; each table and call may override them.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
    """

    def __init__(
        self,
        client: Any,
        *,
        clock: Clock | None = None,
        max_connections: int | None = None,
        **options: Unpack[TableOptions],
    ) -> None:
        transport, slot_count = transport_over(client, max_connections)
        self._settings = _DATABASE.settings(options, Settings())
        self._transport: Transport | None = transport
        self._connection: Connection | None = None
        self._executor = Executor(transport, clock=clock, max_connections=slot_count)

    @classmethod
    def over(
        cls,
        transport: Transport,
        *,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        **options: Unpack[TableOptions],
    ) -> Self:
        """Over a transport instead of a client, such as one of `dynasafe.testing`."""
        database = cls.__new__(cls)
        database._settings = _DATABASE.settings(options, Settings())
        database._transport = transport
        database._connection = None
        database._executor = Executor(transport, clock=clock, max_connections=max_connections)
        return database

    @classmethod
    def connect(
        cls,
        *,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        credentials: Any = None,
        profile_name: str | None = None,
        session: Any = None,
        config: Config | None = None,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        clock: Clock | None = None,
        max_connections: int | None = None,
        connect_timeout_s: float = DEFAULT_CONNECT_TIMEOUT_S,
        client_options: Mapping[str, Any] | None = None,
        transport: Literal["http", "boto3"] = "http",
        **options: Unpack[TableOptions],
    ) -> Self:
        """A client with connections of its own, which opens when you enter it with `with`.

        You may enter it again after its end. It then starts with new
        connections.

        Args:
            credentials: an object with `access_key`, `secret_key` and optionally `token`, such as
                one of botocore; or a function that returns one, and is called again before they
                expire. By default dynasafe finds them as boto3 does.
            profile_name: a profile of the config file.
            session: a session of boto3 or botocore, whose settings and credentials are used.
            config: a botocore Config that does not repeat requests.
            verify: False, or the path of a bundle of certificate authorities; by default
                AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, or certifi's.
            proxies: by scheme, such as `{"https": "http://proxy:3128"}`; by default HTTPS_PROXY,
                HTTP_PROXY and NO_PROXY count.
            client_cert: the path of a certificate with its key, or a path for each.
            max_connections: the largest number of requests in progress at once; by default the pool
                size of the config, or 50.
            connect_timeout_s: seconds for making one connection, within those of the attempt.
            client_options: arguments of boto3's `client()`, such as `aws_access_key_id`.
            transport: "boto3" sends through a client of boto3, which must be installed.

        Raises:
            ClientRetriesError: the config would make the client repeat requests.
            InvalidValueError: an argument is of a wrong type, or contradicts another.
        """
        given: dict[str, Any] = {
            "region_name": region_name,
            "endpoint_url": endpoint_url,
            "session": session,
            "config": config,
            "max_connections": max_connections,
            "connect_timeout_s": connect_timeout_s,
            "client_options": client_options,
        }
        own: dict[str, Any] = {
            "credentials": credentials,
            "profile_name": profile_name,
            "verify": verify,
            "proxies": proxies,
            "client_cert": client_cert,
        }
        database = cls.__new__(cls)
        database._settings = _CONNECT.settings(options, Settings())
        database._transport = None
        database._connection = connection_of(transport, given, own)
        database._executor = Executor(
            None, clock=clock, max_connections=database._connection.slot_count
        )
        return database

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Open the client, as the start of its `with` does.

        Raises:
            CredentialsError: the configured source of credentials cannot be used.
            InvalidValueError: there is no region, or another setting is wrong.
        """
        if self._connection is not None:
            self._transport = self._connection.open()
        elif self._transport is None:
            raise ClientClosedError
        self._executor.open(self._transport)
        return self

    def close(self) -> None:
        """Close the client, as the end of its `with` does.

        Calls that wait for an answer fail. A client of yours stays open.
        """
        self._executor.close()
        self._transport = None
        if self._connection is not None:
            self._connection.close()

    @overload
    def table(
        self, name: str, item_class: None = None, **options: Unpack[TableOptions]
    ) -> Table[PlainItem]: ...
    @overload
    def table(
        self, name: str, item_class: type[ItemT], **options: Unpack[TableOptions]
    ) -> Table[ItemT]: ...
    def table(
        self, name: str, item_class: Any = None, **options: Unpack[TableOptions]
    ) -> Table[Any]:
        """A table that shares this client's connections, retry quota and circuit breakers."""
        settings = _TABLE.settings(options, self._settings)
        return connected_table(name, item_class, self._executor, settings)

    def transact_write_items(
        self,
        writes: Sequence[Write[Any]],
        *,
        client_request_token: str | None = None,
        return_consumed_capacity: ReturnConsumedCapacity | None = None,
        return_item_collection_metrics: ReturnItemCollectionMetrics | None = None,
        **options: Unpack[CallOptions],
    ) -> WriteResult[None]:
        """Make all the writes or none: `[people.put(...), orders.update(...)]`.

        Repeats have the same token, so DynamoDB applies the transaction once.

        Raises:
            TransactionCanceledError: a write was refused; `reasons` are in request order.
            OutcomeUnknownError: the writes may have been applied or not; `error.resolve()`
                finds out.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        settings = _TRANSACT_WRITE.settings(options, self._settings)
        given = _all_of(writes, Write, "transact_write_items", "people.put(...)")
        members = {
            "ReturnConsumedCapacity": return_consumed_capacity,
            "ReturnItemCollectionMetrics": return_item_collection_metrics,
        }
        return self._executor.call(
            "TransactWriteItems",
            _only_table(write.table_name for write in given),
            settings,
            lambda state: transact_write_plan(
                given, token_of(client_request_token, state), state, members
            ),
        )

    def transact_get_items(
        self, gets: Sequence[Get[T]], **options: Unpack[CallOptions]
    ) -> list[T | None]:
        """Read all items at one moment: `[people.get(key), ...]`. None stands for a missing item.

        Raises:
            TransactionCanceledError: a read was refused; `reasons` are in request order.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
        """
        settings = _TRANSACT_GET.settings(options, self._settings)
        given = _all_of(gets, Get, "transact_get_items", "people.get(...)")
        return self._executor.call(
            "TransactGetItems",
            _only_table(get.params["TableName"] for get in given),
            settings,
            lambda _: transact_get_plan(given),
        )

    def call(
        self, operation: str, params: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Mapping[str, Any]:
        """Send any operation of DynamoDB with hand-written parameters, in the client's form.

        Retries, circuit breaker and errors are the same: a write is sent again only if that cannot
        apply it twice. TransactWriteItems gets a token if it has none.

        Args:
            operation: as in the API Reference: "UpdateItem".

        Returns:
            The answer, as the client gives it.

        Raises:
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: a read was sent, and no usable answer came.
            OutcomeUnknownError: a write may or may not have been applied.
        """
        from dynasafe.calls.handwritten import handwritten_plan

        settings = _CALL.settings(options, self._settings)
        table_name = params.get("TableName") if isinstance(params, Mapping) else None
        return self._executor.call(
            operation,
            table_name if isinstance(table_name, str) else None,
            settings,
            lambda state: handwritten_plan(operation, params, state),
        )

    def resolve(self, error: OutcomeUnknownError, **options: Unpack[CallOptions]) -> Any:
        """Find out whether a write happened: the result that its call would have returned.

        A call with a token is repeated with the same token. Otherwise the stored item is read, and
        compared with the write's id.

        Raises:
            OutcomeUnknownError: it is still unknown, or the error has neither a token nor an id.
            ServiceError: the write was not applied.
        """
        if not isinstance(error, OutcomeUnknownError):
            raise UnsupportedTypeError(
                "error", f"an OutcomeUnknownError is expected, not {type(error).__name__}"
            )
        return self._executor.resolve(error, _RESOLVE.settings(options, self._settings))


def _only_table(names: Iterable[str]) -> str | None:
    distinct = set(names)
    return distinct.pop() if len(distinct) == 1 else None


def _all_of(parts: Sequence[Any], kind: type[Any], method: str, example: str) -> list[Any]:
    listed = list(parts)
    for index, part in enumerate(listed):
        if not isinstance(part, kind):
            raise UnsupportedTypeError(
                f"{method}[{index}]",
                f"a {kind.__name__} is expected, not {type(part).__name__}. Fix: {example}",
            )
    return listed
