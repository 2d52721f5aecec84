"""AsyncDynamoDB: one client, with what all its calls share.

async with AsyncDynamoDB.connect(region_name="us-east-1") as db:
    people = db.table("people", Person)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from typing_extensions import Unpack

from dynasafe.aio.clock import Clock
from dynasafe.aio.execute import Executor
from dynasafe.aio.settings import (
    DEFAULT_MAX_CONNECTIONS,
    CallOptions,
    Settings,
    TableOptions,
)
from dynasafe.aio.table import AsyncTable, PlainItem, connected_table
from dynasafe.aio.transactions import new_token, run_with_token, with_operations
from dynasafe.aio.transport import (
    AiobotoTransport,
    Transport,
    connect_config,
    pool_size,
    slot_count,
)
from dynasafe.calls import requests as operations
from dynasafe.calls.requests import Get, Write, WriteResult
from dynasafe.errors import (
    TransactionCanceledError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.items.item_format import ItemT
from dynasafe.items.updates import ReturnConsumedCapacity, ReturnItemCollectionMetrics
from dynasafe.resilience.attempts import Success

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig


class AsyncDynamoDB:
    """DynamoDB through a client of aioboto3 or aiobotocore.

    One per event loop. `AsyncDynamoDB(client)` uses a client of yours, which stays yours to
    close; `AsyncDynamoDB.connect()` makes one, and closes it at the end of its `async with`.

    Args:
        client: a client that never repeats a request by itself: one with `client_config()`.
        clock: where time comes from.
        max_connections: how many requests are under way at once; by default as many as the
            client's pool has.
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
        transport = AiobotoTransport(client)
        self._settings = Settings().override(options)
        self._executor = Executor(
            transport,
            clock=clock,
            max_connections=slot_count(max_connections, transport.max_connections),
        )
        self._connection: Mapping[str, Any] | None = None
        self._exit_stack = AsyncExitStack()

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
        database._settings = Settings().override(options)
        database._executor = Executor(transport, clock=clock, max_connections=max_connections)
        database._connection = None
        database._exit_stack = AsyncExitStack()
        return database

    @classmethod
    def connect(
        cls,
        *,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        session: Any = None,
        config: AioConfig | None = None,
        clock: Clock | None = None,
        max_connections: int | None = None,
        client_options: Mapping[str, Any] | None = None,
        **options: Unpack[TableOptions],
    ) -> Self:
        """A client of its own, which is made when it is entered with `async with`.

        Args:
            session: an aioboto3.Session, for credentials or a profile; by default a new one.
            config: botocore options beside those of `client_config()`, as a botocore Config that
                has no requests repeated.
            max_connections: how many requests are under way at once; by default as many as the
                config's pool has, or 50.
            client_options: further arguments of `session.client()`, such as `verify` or
                `aws_access_key_id`.

        Raises:
            ClientRetriesError: the config would have requests repeated.
            InvalidValueError: an argument is of a wrong type, or contradicts another.
        """
        client_options = dict(client_options or {})
        if "config" in client_options:
            raise ValueOutOfRangeError(
                "client_options", "the config is an argument by itself. Fix: connect(config=...)"
            )
        if region_name is not None:
            client_options["region_name"] = region_name
        if endpoint_url is not None:
            client_options["endpoint_url"] = endpoint_url
        pool = pool_size(
            config, DEFAULT_MAX_CONNECTIONS if max_connections is None else max_connections
        )
        slots = slot_count(max_connections, pool)
        database = cls.__new__(cls)
        database._settings = Settings().override(options)
        database._executor = Executor(None, clock=clock, max_connections=slots)
        database._connection = {
            "session": session,
            "config": config,
            "pool_size": pool,
            "client": client_options,
        }
        database._exit_stack = AsyncExitStack()
        return database

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            import aioboto3

            session: Any = self._connection["session"] or aioboto3.Session()
            config = connect_config(self._connection["pool_size"], self._connection["config"])
            client = await self._exit_stack.enter_async_context(
                session.client("dynamodb", config=config, **self._connection["client"])
            )
            self._executor.transport = AiobotoTransport(client, is_validating=False)
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._executor.transport = None
        await self._exit_stack.__aexit__(error_type, error, traceback)

    @overload
    def table(
        self, name: str, item_class: None = None, **options: Unpack[TableOptions]
    ) -> AsyncTable[PlainItem]: ...
    @overload
    def table(
        self, name: str, item_class: type[ItemT], **options: Unpack[TableOptions]
    ) -> AsyncTable[ItemT]: ...
    def table(
        self, name: str, item_class: Any = None, **options: Unpack[TableOptions]
    ) -> AsyncTable[Any]:
        """A table that shares this client's connections, retry quota and circuit breakers."""
        return connected_table(name, item_class, self._executor, self._settings.override(options))

    async def transact_write_items(
        self,
        writes: Sequence[Write],
        *,
        client_request_token: str | None = None,
        return_consumed_capacity: ReturnConsumedCapacity | None = None,
        return_item_collection_metrics: ReturnItemCollectionMetrics | None = None,
        **options: Unpack[CallOptions],
    ) -> WriteResult[None]:
        """Make all the writes, or none: `[people.put(...), orders.update(...)]`.

        Repeats are sent under one token, so that it is applied once.

        Raises:
            TransactionCanceledError: one was refused; `reasons` stand in request order.
            OutcomeUnknownError: it may or may not have been applied; `await error.resolve()`.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
        """
        writes = _all_of(writes, Write, "transact_write_items", "people.put(...)")

        async def finish(success: Success) -> WriteResult[None]:
            for write in writes:
                write.advance()
            response = success.response or {}
            return WriteResult(
                attributes=None,
                attempts=success.attempts,
                consumed_capacity=_by_table(response.get("ConsumedCapacity")),
                item_collection_metrics=response.get("ItemCollectionMetrics"),
            )

        def explain(error: TransactionCanceledError) -> TransactionCanceledError:
            return with_operations(error, writes)

        request = operations.transact_write(
            writes,
            new_token(client_request_token),
            ReturnConsumedCapacity=return_consumed_capacity,
            ReturnItemCollectionMetrics=return_item_collection_metrics,
        )
        return await run_with_token(
            self._executor,
            request,
            self._settings.override(options),
            finish=finish,
            explain=explain,
        )

    async def transact_get_items(
        self, gets: Sequence[Get], **options: Unpack[CallOptions]
    ) -> list[Any]:
        """Read all items at one moment: `[people.get(key), ...]`. None stands for a missing one.

        Raises:
            TransactionCanceledError: one was refused; `reasons` stand in request order.
            NotSentError: nothing was sent.
            ServiceError: DynamoDB refused it.
            NoAnswerError: it was sent, and no usable answer came.
        """
        gets = _all_of(gets, Get, "transact_get_items", "people.get(...)")
        request = operations.transact_gets(gets)
        success = await self._executor.run(request, self._settings.override(options))
        assert success.response is not None
        answers = success.response.get("Responses", ())
        items = (answer.get("Item") or None for answer in answers)
        return [
            None if item is None else get.decode(item)
            for get, item in zip(gets, items, strict=True)
        ]

    async def call(
        self, operation: str, params: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Mapping[str, Any]:
        """Any operation of DynamoDB with hand-written parameters, in the client's form.

        It has the same retries, circuit breaker and errors: a write is sent again only if that
        cannot apply it twice. TransactWriteItems gets a token if it has none.

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
        request = operations.raw(operation, params, token=new_token())
        settings = self._settings.override(options)

        async def finish(success: Success) -> Mapping[str, Any]:
            return success.response or {}

        if request.call.client_request_token is not None:
            return await run_with_token(
                self._executor,
                request,
                settings,
                finish=finish,
                explain=lambda error: error,
            )
        return await finish(await self._executor.run(request, settings))


def _all_of(parts: Sequence[Any], kind: type[Any], method: str, example: str) -> list[Any]:
    listed = list(parts)
    for index, part in enumerate(listed):
        if not isinstance(part, kind):
            raise UnsupportedTypeError(
                f"{method}[{index}]",
                f"a {kind.__name__} is expected, not {type(part).__name__}. Fix: {example}",
            )
    return listed


def _by_table(capacities: Sequence[Mapping[str, Any]] | None) -> Mapping[str, Any] | None:
    if not capacities:
        return None
    return {capacity["TableName"]: capacity for capacity in capacities}
