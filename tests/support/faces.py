"""Both faces behind one interface, so that the same tests run on both.

A test that is written for the async face gets, for the sync one, an adapter: each of its methods
runs on a thread, and awaits nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, DynamoDB
from dynasafe.aio.aioboto import AiobotoTransport
from dynasafe.aio.http_transport import HttpTransport
from dynasafe.errors import OutcomeUnknownError
from dynasafe.sync.boto import BotoTransport
from dynasafe.sync.http_transport import HttpTransport as SyncHttpTransport
from dynasafe.testing import ManualClock
from dynasafe.testing.sync import ManualClock as SyncManualClock

Face = Literal["async", "sync"]
FACES: tuple[Face, ...] = ("async", "sync")
THROUGH_A_CLIENT = ", through a client"

_face: Face = "async"
_is_through_client = False
_threads = ThreadPoolExecutor(max_workers=200, thread_name_prefix="face")
_END = object()


def use(face: Face, *, is_through_client: bool = False) -> None:
    """From now on, `connect` makes databases of this face, over a botocore client if asked."""
    global _face, _is_through_client
    _face, _is_through_client = face, is_through_client


def is_through_client() -> bool:
    """Whether `connect` goes through a client of aioboto3 or boto3, which costs much more."""
    return _is_through_client


def connect(**options: Any) -> Any:
    """As `AsyncDynamoDB.connect`, or a `DynamoDB` behind the same interface."""
    if _is_through_client:
        options = {"transport": library(), **options}
    if _face == "async":
        return AsyncDynamoDB.connect(**options)
    return OnThreads(DynamoDB.connect(**options), AsyncDynamoDB)


def library() -> str:
    """The client library of the face that is tested, as `connect(transport=...)` has it."""
    return "aioboto3" if _face == "async" else "boto3"


def transport(**settings: Any) -> Any:
    """An HttpTransport of the face that is tested, with the async interface."""
    if _face == "async":
        return HttpTransport(**settings)
    return OnThreads(SyncHttpTransport(**settings), HttpTransport)


@asynccontextmanager
async def transport_of_client(**options: Any) -> AsyncIterator[Any]:
    """The transport over a client of aioboto3, or of boto3, with the async interface."""
    if _face == "async":
        import aioboto3

        async with aioboto3.Session().client("dynamodb", **options) as client:
            yield AiobotoTransport(client)
        return
    import boto3

    own = boto3.client("dynamodb", **options)
    try:
        yield OnThreads(BotoTransport(own), AiobotoTransport)
    finally:
        own.close()


def over(transport: Any, **options: Any) -> Any:
    """As `AsyncDynamoDB.over`, on a clock that does not wait; the transport is an async one."""
    if _face == "async":
        return AsyncDynamoDB.over(transport, clock=ManualClock(), **options)
    asked = ThroughLoop(transport, asyncio.get_running_loop())
    return OnThreads(DynamoDB.over(asked, clock=SyncManualClock(), **options), AsyncDynamoDB)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests run on both faces, or on each with both transports, if their module names them.

    The module's BOTH_FACES or EVERY_TRANSPORT is a set of tests, or True for all.
    """
    if _has(metafunc, "EVERY_TRANSPORT"):
        names = [*FACES, *(face + THROUGH_A_CLIENT for face in FACES)]
        metafunc.parametrize("face", names, indirect=True)
    elif _has(metafunc, "BOTH_FACES"):
        metafunc.parametrize("face", FACES, indirect=True)


def _has(metafunc: pytest.Metafunc, kind: str) -> bool:
    named = getattr(metafunc.module, kind, ())
    return named is True or (bool(named) and metafunc.function.__name__ in named)


@pytest.fixture(autouse=True)
def face(request: pytest.FixtureRequest) -> Iterator[None]:
    """The face that `connect` and `transport` make clients of."""
    name: str = getattr(request, "param", "async")
    face: Face = "sync" if name.startswith("sync") else "async"
    use(face, is_through_client=name.endswith(THROUGH_A_CLIENT))
    yield
    use("async")


async def run(function: Callable[[], Any]) -> Any:
    """What a function returns, of a thread. It cannot be cancelled, so its end is waited for."""
    future = asyncio.get_running_loop().run_in_executor(_threads, lambda: _resolvable(function))
    while True:
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if future.cancelled():
                raise


def _resolvable(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except StopIteration:  # no coroutine may raise it
        return _END
    except OutcomeUnknownError as error:
        resolve = error._run_plan
        if resolve is not None:
            error._run_plan = lambda error: run(lambda: resolve(error))
        raise


class OnThreads:
    """A DynamoDB or a Table with the interface of its twin."""

    def __init__(self, inner: Any, twin: type[Any]) -> None:
        self._inner = inner
        self._twin = twin

    async def __aenter__(self) -> OnThreads:
        await run(self._inner.__enter__)
        return self

    async def __aexit__(self, *error: object) -> None:
        await run(lambda: self._inner.__exit__(*error))

    def __repr__(self) -> str:
        return f"Async{self._inner!r}"

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, {"aclose": "close"}.get(name, name))
        if inspect.iscoroutinefunction(getattr(self._twin, name, None)):
            return lambda *args, **options: run(lambda: member(*args, **options))
        if name == "table":
            return lambda *args, **options: OnThreads(member(*args, **options), AsyncTable)
        if name in ("query", "scan"):
            return lambda *args, **options: PagesOnThreads(member(*args, **options))
        return member


class PagesOnThreads:
    """The sync face's Pages with the interface of their twin."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __aiter__(self) -> Iterating:
        return Iterating(iter(self._inner))

    def pages(self) -> Iterating:
        return Iterating(self._inner.pages())

    async def to_list(self) -> Any:
        return await run(self._inner.to_list)

    async def first(self) -> Any:
        return await run(self._inner.first)

    async def count(self) -> Any:
        return await run(self._inner.count)


class Iterating(AsyncIterator[Any]):
    """An iterator, whose steps are made on threads."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __anext__(self) -> Any:
        step = await run(lambda: next(self._inner))
        if step is _END:
            raise StopAsyncIteration
        return step

    async def aclose(self) -> None:
        await run(self._inner.close)


class ThroughLoop:
    """A sync transport that has an async one send, on its event loop."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        sending = self._inner.send(operation, params, timeout_s=timeout_s)
        answer: Mapping[str, Any] = asyncio.run_coroutine_threadsafe(sending, self._loop).result()
        return answer

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        refreshing = self._inner.refresh_credentials()
        return bool(asyncio.run_coroutine_threadsafe(refreshing, self._loop).result())
