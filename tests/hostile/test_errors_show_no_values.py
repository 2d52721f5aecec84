"""Each class of error, provoked on both faces with a marker in values, keys and names.

The words of an error, its repr, its traceback, its notes, its findings, what its pickled twin says,
and what hooks and logs are given on the way: none has a value or a key of a map in it. Names are
shown escaped, quoted and cut.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypedDict
from unittest.mock import patch

import aioboto3
import boto3
import botocore
import pytest

from dynasafe import (
    AsyncDynamoDB,
    Attr,
    CircuitBreaker,
    DynamoDB,
    Item,
    UpdateBuilder,
    attribute,
    errors,
    guard,
)
from dynasafe.errors import DynasafeError
from dynasafe.events import Event
from dynasafe.expressions import parse
from dynasafe.guard.refusals import RefusedParametersError, RefusedRequestError
from dynasafe.testing import ManualClock, ScriptedTransport, sync
from dynasafe.testing.scripted import (
    condition_failed,
    connection_closed,
    connection_refused,
    no_credentials,
    ok,
    refused,
    throttled,
    transaction_canceled,
)
from dynasafe.values.models import AmbiguousUnionError

MARKER = "s3cr3t"
KEY = "k3y"
NAME = "n4me\n\x1b[31m\u202e\ud800" + "x" * 5000
"""As someone outside may name a field: with codes for terminals, and without an end."""
WIRE = {"id": {"S": MARKER}, "by_key": {"M": {KEY: {"S": MARKER}}}}


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    text: Attr[str] = attribute(default="")
    by_key: Attr[dict[str, int]] = attribute(default_factory=dict)
    version: Attr[int] = attribute(default=0, version=True)


class Card(TypedDict):
    kind: Literal["one"]
    number: str


class Bank(TypedDict):
    kind: Literal["one"]
    owner: str


class Faces:
    """The same calls on the async and on the sync face."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.heard: list[str] = []

    def db(self, *replies: Any, **options: Any) -> Any:
        scripted: Any = ScriptedTransport if self.is_async else sync.ScriptedTransport
        self.clock: Any = ManualClock() if self.is_async else sync.ManualClock()
        face: Any = AsyncDynamoDB if self.is_async else DynamoDB
        transport = scripted(replies, otherwise=ok())
        options = {"hooks": (self.hear,), **options}
        return face.over(transport, clock=self.clock, **options)

    def late(self) -> Any:
        """A database whose calls have no time left when they have begun."""
        return self.db(hooks=(self.hear, lambda event: self.clock.advance(99)), timeout_s=1)

    def table(self, *replies: Any, **options: Any) -> Any:
        return self.db(*replies, **options).table("docs", Doc)

    def hear(self, event: Event) -> None:
        self.heard.append(repr(event))

    def run(self, made: Any) -> Any:
        return asyncio.run(_awaited(made)) if hasattr(made, "__await__") else made


async def _awaited(made: Any) -> Any:
    return await made


def doc() -> Doc:
    return Doc(id=MARKER, text=MARKER, by_key={KEY: 1})


def update() -> UpdateBuilder[Any]:
    return UpdateBuilder(Doc).set(Doc.text, MARKER).set(Doc.by_key, {KEY: 1}).increment(Doc.n, 1)


def _client() -> Any:
    return boto3.client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key=MARKER
    )


async def _async_client() -> None:
    session = aioboto3.Session(aws_access_key_id="a", aws_secret_access_key=MARKER)
    async with session.client("dynamodb", region_name="us-east-1") as client:
        AsyncDynamoDB(client)


def _open_breaker() -> CircuitBreaker:
    breaker = CircuitBreaker(name=NAME)
    breaker.force_open()
    return breaker


def _ambiguous() -> None:
    class Wallet(Item):
        id: Attr[str] = attribute(key="partition")
        method: Attr[Card | Bank]

    Wallet(id="x", method={"kind": "one", "number": MARKER}).to_dict()
    UpdateBuilder(Wallet).set(Wallet.method, {"kind": "one", "number": MARKER})


def _unguardable() -> None:
    with patch("dynasafe.guard.process.BUILTIN_HANDLERS", None, create=True):
        from dynasafe.errors import GuardUnavailableError

        raise GuardUnavailableError(botocore.__version__)


@contextmanager
def _in_a_child() -> Iterator[None]:
    with patch("os.getpid", lambda: -1):
        yield


def _forked(face: Faces) -> Any:
    class Bound(ScriptedTransport):
        is_bound_to_loop = True

    class BoundNow(sync.ScriptedTransport):
        start_in_child: Any = None

    if face.is_async:
        table: Any = AsyncDynamoDB.over(Bound(otherwise=ok())).table("docs", Doc)
    else:
        table = DynamoDB.over(BoundNow(otherwise=ok())).table("docs", Doc)
    with _in_a_child():
        return face.run(table.put_item(doc()))


def _other_loop(face: Faces) -> Any:
    class Bound(ScriptedTransport):
        is_bound_to_loop = True

    table = AsyncDynamoDB.over(Bound(otherwise=ok())).table("docs", Doc)
    asyncio.run(_awaited(table.put_item(doc())))
    return asyncio.run(_awaited(table.put_item(doc())))


def _batch(face: Faces) -> Any:
    table = face.table(
        ok({"UnprocessedItems": {}}), refused("AccessDeniedException", "denied"), retry=None
    )
    return table.batch_write_item(put=[Doc(id=f"{MARKER}{n}", text=MARKER) for n in range(30)])


def _transaction(face: Faces) -> Any:
    items = [{"id": {"S": MARKER}, "by_key": {"M": {KEY: {"S": MARKER}}}}]
    db = face.db(transaction_canceled("ConditionalCheckFailed", items=items))
    table = db.table("docs", Doc)
    return db.transact_write_items([table.put(doc(), condition=Doc.text == MARKER)])


Provoked = Callable[[Faces], Any]
PROVOKED: dict[type[DynasafeError], Provoked] = {
    errors.UnsupportedTypeError: lambda face: face.table().put_item(
        Doc(id=MARKER, by_key={KEY: MARKER})  # type: ignore[dict-item]
    ),
    errors.ValueOutOfRangeError: lambda face: face.table().put_item(
        Doc(id=MARKER, by_key={KEY: 10**200})
    ),
    errors.InvalidPathError: lambda face: UpdateBuilder().set(f"a..{NAME}", MARKER),
    errors.InvalidRequestError: lambda face: face.db().call(
        "PutItem", {"TableName": "docs", "Item": {NAME: {"N": MARKER}, **WIRE}}
    ),
    errors.InvalidPatchError: lambda face: UpdateBuilder(Doc).patch(
        {NAME: MARKER, "by_key": {KEY: MARKER}, "n": MARKER}
    ),
    errors.ExpressionSyntaxError: lambda face: parse(
        "condition", "a = :v AND", names={"#n": NAME}, values={":v": {"S": MARKER}}
    ),
    errors.EmptyUpdateError: lambda face: face.table().update_item(
        {"id": MARKER}, UpdateBuilder(Doc).condition(Doc.text == MARKER)
    ),
    errors.CircuitOpenError: lambda face: face.table(breaker=_open_breaker()).put_item(doc()),
    errors.DeadlineExceededError: lambda face: face.late().table("docs", Doc).put_item(doc()),
    errors.ConnectionNotMadeError: lambda face: face.table(
        connection_refused(), retry=None
    ).put_item(doc()),
    errors.CredentialsError: lambda face: face.table(no_credentials(NAME[:40])).put_item(doc()),
    errors.ClientRetriesError: lambda face: (
        _async_client() if face.is_async else DynamoDB(_client())
    ),
    errors.ForkedProcessError: _forked,
    errors.WrongEventLoopError: _other_loop,
    errors.ClientClosedError: lambda face: (
        (AsyncDynamoDB if face.is_async else DynamoDB)
        .connect(region_name="us-east-1")
        .table("docs", Doc)
        .put_item(doc())
    ),
    errors.GuardUnavailableError: lambda face: _unguardable(),
    errors.StoredValueError: lambda face: face.table(ok({"Item": WIRE})).get_item({"id": MARKER}),
    errors.ServiceError: lambda face: face.table(
        refused("ValidationException", f"Attribute {NAME}")
    ).put_item(doc()),
    errors.ConditionalCheckFailedError: lambda face: face.table(condition_failed(WIRE)).update_item(
        {"id": MARKER}, update(), condition=Doc.text == MARKER
    ),
    errors.VersionConflictError: lambda face: face.table(
        condition_failed({**WIRE, "version": {"N": "7"}})
    ).put_item(doc()),
    errors.TransactionCanceledError: _transaction,
    errors.ItemTooLargeError: lambda face: face.table(
        refused("ValidationException", "Item size has exceeded the maximum allowed size")
    ).put_item(doc()),
    errors.ThrottledError: lambda face: face.table(throttled(), retry=None).put_item(doc()),
    errors.NoAnswerError: lambda face: face.table(connection_closed(), retry=None).get_item(
        {"id": MARKER}
    ),
    errors.OutcomeUnknownError: lambda face: face.table(connection_closed()).update_item(
        {"id": MARKER}, update()
    ),
    errors.BatchIncompleteError: _batch,
    AmbiguousUnionError: lambda face: _ambiguous(),
    RefusedRequestError: lambda face: guard(_client()).put_item(
        TableName="docs", Item={NAME: {"N": MARKER}, **WIRE}
    ),
    RefusedParametersError: lambda face: guard(_client()).put_item(
        TableName="docs", Item={"a": {MARKER: MARKER}, "b": MARKER}
    ),
}
BASES = {DynasafeError, errors.NotSentError, errors.InvalidValueError}
"""Classes of which only subclasses are raised."""


def subclasses(of: type[DynasafeError]) -> set[type[DynasafeError]]:
    found = {of}
    for each in of.__subclasses__():
        found |= subclasses(each)
    return found


def test_every_class_is_provoked() -> None:
    """Each class of error has an entry here that provokes it."""
    ours = {
        each
        for each in subclasses(DynasafeError)
        if each.__module__.startswith("dynasafe.") and not each.__name__.startswith("_")
    }
    assert ours - BASES == set(PROVOKED)


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    logger = logging.getLogger("dynasafe")
    before = logger.level
    logger.addHandler(made)
    logger.setLevel(logging.DEBUG)
    yield made
    logger.removeHandler(made)
    logger.setLevel(before)


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
@pytest.mark.parametrize("kind", PROVOKED, ids=lambda kind: kind.__name__)
def test_no_value_is_shown(kind: type[DynasafeError], is_async: bool, listener: Listener) -> None:
    """No error shows a value, in its text, its repr, its causes or the logs."""
    face = Faces(is_async=is_async)
    with pytest.raises(kind) as caught:
        face.run(PROVOKED[kind](face))
    error = caught.value
    assert type(error) is kind
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), repr(twin)) == (str(error), repr(error))
    words = [str(error), repr(error), *getattr(error, "__notes__", ())]
    words += map(str, getattr(error, "findings", ()))
    words += map(repr, getattr(error, "reasons", ()))
    words += [*listener.said, *face.heard]
    # Of a traceback the lines of this file are left out, which have the names of the markers.
    words += traceback.TracebackException.from_exception(error).format_exception_only()
    for cause in _causes(error):
        words += traceback.TracebackException.from_exception(cause).format_exception_only()
    # It is for the one who sent the keys, and names its fields.
    public = error.public_message
    for text in (*words, public.replace(KEY, "*")):
        assert MARKER not in text
        assert KEY not in text
        for each in "\x1b\u202e\ud800":
            assert each not in text
        text.encode()
        assert len(text) < 12_000


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that a traceback shows with this one."""
    shown = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if shown is not None:
        yield shown
        yield from _causes(shown)


ANSWERS = {
    "no HTTP": b"s3cr3t s3cr3t\r\n\r\n",
    "a page": (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\ns3cr3t"),
    "another JSON": (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
        b'content-length: 23\r\n\r\n{"s3cr3t": ["s3cr3t",1}'
    ),
    "an odd value": (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
        b'content-length: 36\r\n\r\n{"Attributes": {"id": {"N":"s3cr3t"}}'
    ),
    "a proxy's error": (
        b"HTTP/1.1 502 Bad s3cr3t\r\nx-a: s3cr3t\r\ncontent-length: 6\r\n\r\ns3cr3t"
    ),
    "nothing": b"",
}


@pytest.mark.parametrize("transport", ["http", "aioboto3"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_value_is_shown_over_a_connection(
    transport: Any, answer: str, listener: Listener
) -> None:
    """No error shows a value of an answer that is not DynamoDB's, over each transport."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWERS[answer])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    heard: list[str] = []
    try:
        async with AsyncDynamoDB.connect(
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            session=boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
            if transport == "http"
            else aioboto3.Session(aws_access_key_id="a", aws_secret_access_key="b"),
            transport=transport,
            retry=None,
            hooks=(lambda event: heard.append(repr(event)),),
        ) as db:
            table = db.table("docs", Doc)
            for call in (table.put_item(doc()), table.get_item({"id": MARKER})):
                with pytest.raises(DynasafeError) as caught:
                    await call
                words = [str(caught.value), repr(caught.value), caught.value.public_message]
                for each in (caught.value, *_causes(caught.value)):
                    words += traceback.TracebackException.from_exception(
                        each
                    ).format_exception_only()
                for text in (*words, *heard, *listener.said):
                    assert MARKER not in text
                    assert KEY not in text
    finally:
        server.close()
        await server.wait_closed()
