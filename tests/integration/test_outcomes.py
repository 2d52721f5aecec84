"""What the aioboto3 transport says of each thing that can happen to a request.

A stub on a socket plays what no engine does: foreign answers, redirects, silence, closed idle
connections, credentials that are missing.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import get_session

from dynasafe import AsyncDynamoDB, UpdateBuilder, client_config
from dynasafe.errors import (
    ClientClosedError,
    ConnectionNotMadeError,
    CredentialsError,
    DeadlineExceededError,
    DynasafeError,
    ForkedProcessError,
    InvalidRequestError,
    InvalidValueError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
    WrongEventLoopError,
)
from tests.integration.conftest import CREDENTIALS, REGION
from tests.support import faces

KEY = {"pk": "a"}
HEAD = "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n"
OWN = "content-type: application/x-amz-json-1.0\r\nx-amzn-requestid: R1\r\n"


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = HEAD.format(status=status, length=len(body), headers=headers)
    return head.encode() + body


def own(members: dict[str, Any], status: str = "200 OK") -> bytes:
    body = json.dumps(members).encode()
    return answer(body, status=status, headers=f"{OWN}x-amz-crc32: {crc32(body)}\r\n")


class Stub:
    """A server on a socket: it gives each request the next reply, and notes what came."""

    def __init__(self, reply: Callable[[int], bytes | None]) -> None:
        self.reply = reply
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.url = ""
        self.has_come = asyncio.Condition()

    async def until(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with self.has_come:
            await self.has_come.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                self.requests.append(head + await reader.readexactly(length))
                async with self.has_come:
                    self.has_come.notify_all()
                reply = self.reply(len(self.requests))
                if reply is None:
                    writer.close()
                    return
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def stub(
    reply: bytes | Callable[[int], bytes | None] | None, *, port: int = 0
) -> AsyncIterator[Stub]:
    served = Stub(reply if callable(reply) else lambda _: reply)
    server = await asyncio.start_server(served.serve, "127.0.0.1", port)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for writer in served.writers:
            writer.close()
        await server.wait_closed()


# Tests of event loops, of cancellation and of aiobotocore's clients have no twin.
BOTH_FACES = {
    "test_attempt_ends_while_connecting",
    "test_call_ends_while_connecting",
    "test_connection_that_hangs_was_not_made",
    "test_foreign_answer_of_any_kind",
    "test_foreign_answer_of_any_operation",
    "test_many_calls_at_once_all_succeed",
    "test_no_connection_was_not_sent",
    "test_own_answers_pass",
    "test_tls_that_fails_was_not_sent",
    "test_unknown_operation_is_not_sent",
    "test_value_that_json_cannot_hold_was_not_sent",
    "test_waiting_calls_when_closed_were_not_sent",
    "test_wrong_statement_prints_no_value",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each transport that connect() has, of both faces where the test holds for both."""
    transports = ["http", "aioboto3"]
    if metafunc.function.__name__ in BOTH_FACES:
        transports += ["sync http", "sync boto3"]
    metafunc.parametrize("transport", transports, indirect=True)


@pytest.fixture(autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each transport that connect() has."""
    *sync, name = request.param.split()
    faces.use("sync" if sync else "async")
    monkeypatch.setitem(DEFAULTS, "transport", name)
    yield name
    faces.use("async")


DEFAULTS: dict[str, Any] = {"client_options": CREDENTIALS, "retry": None}


def connect(url: str, **options: Any) -> AsyncDynamoDB:
    options = {**DEFAULTS, **options}
    return faces.connect(region_name=REGION, endpoint_url=url, **options)


def increment() -> UpdateBuilder:
    return UpdateBuilder().increment("n", 1)


CALLS: dict[str, tuple[Callable[[AsyncDynamoDB], Any], type[DynasafeError]]] = {
    "put": (lambda db: db.table("things").put_item({"pk": "a"}), OutcomeUnknownError),
    "update": (lambda db: db.table("things").update_item(KEY, increment()), OutcomeUnknownError),
    "update ALL_NEW": (
        lambda db: db.table("things").update_item(KEY, increment(), return_values="ALL_NEW"),
        OutcomeUnknownError,
    ),
    "delete": (lambda db: db.table("things").delete_item(KEY), OutcomeUnknownError),
    "exactly once": (
        lambda db: db.table("things").update_item(KEY, increment(), exactly_once=True),
        OutcomeUnknownError,
    ),
    "batch write": (lambda db: db.table("things").batch_write_item(put=[KEY]), OutcomeUnknownError),
    "transact write": (
        lambda db: db.transact_write_items([db.table("things").put({"pk": "a"})]),
        OutcomeUnknownError,
    ),
    "hand-written write": (
        lambda db: db.call("PutItem", {"TableName": "things", "Item": {"pk": {"S": "a"}}}),
        OutcomeUnknownError,
    ),
    "get": (lambda db: db.table("things").get_item(KEY), NoAnswerError),
    "query": (
        lambda db: db.table("things").query(_key_condition()).to_list(),
        NoAnswerError,
    ),
    "scan": (lambda db: db.table("things").scan().to_list(), NoAnswerError),
    "batch get": (lambda db: db.table("things").batch_get_item([KEY]), NoAnswerError),
    "transact get": (
        lambda db: db.transact_get_items([db.table("things").get(KEY)]),
        NoAnswerError,
    ),
    "hand-written read": (lambda db: db.call("ListTables", {}), NoAnswerError),
}


def _key_condition() -> Any:
    from dynasafe import attr

    return attr("pk") == "a"


FOREIGN: dict[str, bytes | None] = {
    "html": answer(b"<html>blocked</html>", headers="content-type: text/html\r\n"),
    "empty": answer(b""),
    "empty of its type": answer(b"", headers=OWN),
    "foreign json": answer(b'{"ok": true}', headers="content-type: application/json\r\n"),
    "json and more": answer(b"{}garbage", headers=OWN),
    "a list": answer(b"[]", headers=OWN),
    "wrong crc": answer(b"{}", headers=f"{OWN}x-amz-crc32: 1\r\n"),
    "html 403": answer(b"<html>no</html>", status="403 Forbidden"),
    "html 502": answer(b"<html>bad</html>", status="502 Bad Gateway"),
    "foreign json 400": answer(
        b'{"error": "x"}', status="400 Bad Request", headers="content-type: application/json\r\n"
    ),
    "redirect": answer(b"", status="302 Found", headers="location: /elsewhere\r\n"),
    "redirect of the post": answer(b"", status="307 Found", headers="location: /elsewhere\r\n"),
    "closed": None,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("foreign", ["html", "empty", "foreign json", "redirect of the post"])
async def test_foreign_answer_of_any_operation(call: str, foreign: str) -> None:
    """An answer that is not DynamoDB's is never a success, whatever was asked."""
    make, error_type = CALLS[call]
    async with stub(FOREIGN[foreign]) as served, connect(served.url) as db:
        with pytest.raises(error_type):
            await make(db)
        assert len(served.requests) == 1


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_foreign_answer_of_any_kind(foreign: str) -> None:
    """Whatever the answer is, an increment is unknown, and was sent once."""
    async with stub(FOREIGN[foreign]) as served, connect(served.url) as db:
        with pytest.raises(OutcomeUnknownError) as caught:
            await db.table("things").update_item(KEY, increment())
    assert caught.value.attempts == len(served.requests) == 1


async def test_own_answers_pass() -> None:
    """The nearest right answers: a success, and a refusal with DynamoDB's code."""
    refusal = own({"__type": "com.amazon#ValidationException", "message": "no"}, "400 Bad Request")
    replies = [own({}), refusal]
    async with stub(lambda count: replies[count - 1]) as served, connect(served.url) as db:
        await db.table("things").update_item(KEY, increment())
        with pytest.raises(ServiceError) as caught:
            await db.table("things").update_item(KEY, increment())
    assert (caught.value.code, caught.value.http_status) == ("ValidationException", 400)
    assert caught.value.request_id == "R1"


# Before the handover


@contextmanager
def unanswering_port() -> Iterator[str]:
    """A port whose queue of connections is full: a new one hangs, as behind a lost SYN."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_connection_that_hangs_was_not_made() -> None:
    """A connection that hangs was not made, and the error names connect_timeout_s."""
    with unanswering_port() as url:
        async with connect(url, connect_timeout_s=0.2) as db:
            with pytest.raises(ConnectionNotMadeError) as caught:
                await db.table("things").update_item(KEY, increment())
    assert caught.value.limit == "connect_timeout_s"


@pytest.mark.parametrize("call", ["update", "get", "batch write", "exactly once"])
async def test_attempt_ends_while_connecting(call: str) -> None:
    """An attempt that ends while connecting was not sent, and the error names its own limit."""
    make, _ = CALLS[call]
    with unanswering_port() as url:
        async with connect(url, attempt_timeout_s=0.2, connect_timeout_s=9) as db:
            with pytest.raises(ConnectionNotMadeError) as caught:
                await make(db)
    assert caught.value.limit == "attempt_timeout_s"


async def test_call_ends_while_connecting() -> None:
    """A call that ends while connecting names timeout_s in its error."""
    with unanswering_port() as url:
        async with connect(url, timeout_s=0.2, connect_timeout_s=9) as db:
            with pytest.raises(DeadlineExceededError, match=r"timeout_s=0\.2 ran out") as caught:
                await db.table("things").update_item(KEY, increment())
    assert caught.value.limit == "timeout_s"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid:8000"])
async def test_no_connection_was_not_sent(url: str) -> None:
    """After a refused connection, or for an unknown host, nothing was sent."""
    async with connect(url) as db:
        with pytest.raises(ConnectionNotMadeError):
            await db.table("things").update_item(KEY, increment())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid:8000"])
async def test_no_connection_by_httpx_was_not_sent(url: str) -> None:
    """Over httpx, too, a connection that was not made means that nothing was sent."""
    config = AioConfig(http_session_cls=HttpxSession)
    async with connect(url, transport="aioboto3", config=config, retry=None) as db:
        with pytest.raises(ConnectionNotMadeError):
            await db.table("things").update_item(KEY, increment())


async def test_tls_that_fails_was_not_sent() -> None:
    """If the server has no TLS, or the file of certificates is missing, nothing was sent."""
    async with stub(own({})) as served:
        url = served.url.replace("http:", "https:")
        for verify in (True, "/no/such/file.pem"):
            options = {**CREDENTIALS, "verify": verify}
            with pytest.raises(NotSentError):
                async with connect(url, client_options=options) as db:
                    await db.table("things").update_item(KEY, increment())
        assert served.requests == []


@pytest.mark.parametrize("wrong", [{"S": object()}, {"B": object()}, object(), {1, 2}])
async def test_value_that_json_cannot_hold_was_not_sent(wrong: Any) -> None:
    """With validate=False, the transport meets it; nothing is sent, and no value is shown."""
    item = {"pk": {"S": "SEC" + "RET"}, "x": wrong}
    async with stub(own({})) as served, connect(served.url) as db:
        with pytest.raises(NotSentError) as caught:
            await db.call("PutItem", {"TableName": "things", "Item": item}, validate=False)
        assert served.requests == []
    shown = "".join(traceback.format_exception(caught.value))
    assert "SECRET" not in shown


async def test_wrong_statement_prints_no_value() -> None:
    """The error for a wrong statement has no value, though botocore's message quotes it."""
    params = {"Statement": "SELECT * FROM things", "Parameters": [{"S": ["x, type: SEC" + "RET"]}]}
    async with stub(own({})) as served, connect(served.url) as db:
        with pytest.raises(InvalidRequestError) as caught:
            await db.call("ExecuteStatement", params)
        assert served.requests == []
    shown = "".join(traceback.format_exception(caught.value))
    assert "SECRET" not in shown


@pytest.mark.parametrize("operation", ["update_item", "PutItm", "Updateitem"])
async def test_unknown_operation_is_not_sent(operation: str) -> None:
    """An unknown operation is refused with a suggestion."""
    async with stub(own({})) as served, connect(served.url) as db:
        with pytest.raises(NotSentError, match=r"did you mean (UpdateItem|PutItem)"):
            await db.call(operation, {"TableName": "things"})
        assert served.requests == []


# Cancellation


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_cancelled_call_is_unknown_if_sent(turns: int) -> None:
    """The server knows whether the request came; the cancellation says the same."""
    async with stub(own({})) as served, connect(served.url) as db:
        await db.table("things").update_item(KEY, increment())
        task = asyncio.ensure_future(db.table("things").update_item(KEY, increment()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as cancellation:
            unknown = cancellation.__cause__
        else:
            unknown = None
        await asyncio.sleep(0.01)
        was_sent = len(served.requests) == 2
    if isinstance(unknown, OutcomeUnknownError):
        assert unknown.key == KEY
    elif was_sent:
        assert task.done()
        assert not task.cancelled()


# Credentials


class Denied(Exception):
    """Stands for the error of another service, with an answer of its own."""

    response = {"Error": {"Code": "AccessDenied", "Message": "no"}}  # noqa: RUF012


def expiring(fetch: Callable[[], Any], *, seconds: float = -60) -> AioRefreshableCredentials:
    return AioRefreshableCredentials.create_from_metadata(metadata(seconds), fetch, "assume-role")


def metadata(seconds: float, key: str = "K") -> dict[str, str]:
    expiry = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "access_key": key,
        "secret_key": "S",
        "token": "T",
        "expiry_time": expiry.isoformat(),
    }


@asynccontextmanager
async def with_credentials(
    url: str, credentials: Any, **options: Any
) -> AsyncIterator[AsyncDynamoDB]:
    session = get_session()
    session._credentials = credentials
    async with session.create_client(
        "dynamodb", region_name=REGION, endpoint_url=url, config=client_config()
    ) as client:
        yield AsyncDynamoDB(client, **options)


async def test_denied_refresh_raises_credentials_error() -> None:
    """A denied refresh is a CredentialsError that names the provider, which is asked once."""
    fetches = 0

    async def fetch() -> dict[str, str]:
        nonlocal fetches
        fetches += 1
        await asyncio.sleep(0)
        raise Denied

    async with (
        stub(own({})) as served,
        with_credentials(served.url, expiring(fetch)) as db,
    ):
        calls = [db.table("things").update_item(KEY, increment()) for _ in range(4)]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        errors.append(
            (await asyncio.gather(db.table("things").get_item(KEY), return_exceptions=True))[0]
        )
        assert served.requests == []
    assert {type(error) for error in errors} == {CredentialsError}
    assert {error.provider for error in errors} == {"assume-role"}
    assert fetches == 1


async def test_refresh_that_hangs_ends_with_the_call() -> None:
    """All waiting calls share one refresh, and each ends within its own time."""
    fetches = 0

    async def fetch() -> dict[str, str]:
        nonlocal fetches
        fetches += 1
        await asyncio.Event().wait()
        raise AssertionError

    async with (
        stub(own({})) as served,
        with_credentials(served.url, expiring(fetch), timeout_s=0.2) as db,
    ):
        calls = [db.table("things").update_item(KEY, increment()) for _ in range(4)]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert served.requests == []
        db._transport._refresh.cancel()
    assert {type(error) for error in errors} == {CredentialsError}
    assert fetches == 1


async def test_one_refresh_serves_all() -> None:
    """Calls that need credentials together wait for one fetch, and go on with its keys."""
    fetches = 0

    async def fetch() -> dict[str, str]:
        nonlocal fetches
        fetches += 1
        await asyncio.sleep(0.01)
        return metadata(3600, "FRESH")

    async with (
        stub(own({})) as served,
        with_credentials(served.url, expiring(fetch)) as db,
    ):
        await asyncio.gather(*(db.table("things").update_item(KEY, increment()) for _ in range(8)))
        assert len(served.requests) == 8
        assert all(b"Credential=FRESH/" in request for request in served.requests)
    assert fetches == 1


async def test_expired_token_is_repeated_with_new_keys() -> None:
    """After an expired token the call is repeated with new keys, not with cached ones."""
    expired = own({"__type": "x#ExpiredTokenException", "message": "old"}, "400 Bad Request")

    class Fetcher:
        """As botocore's fetcher of assumed roles, which has a cache."""

        def __init__(self) -> None:
            self._cache_key = "role"
            self._cache: dict[str, Any] = {"role": metadata(3600, "STALE")}

        async def fetch_credentials(self) -> dict[str, str]:
            if self._cache_key not in self._cache:
                self._cache[self._cache_key] = metadata(3600, "FRESH")
            cached: dict[str, str] = self._cache[self._cache_key]
            return cached

    credentials = expiring(Fetcher().fetch_credentials, seconds=3600)
    async with (
        stub(lambda count: expired if count == 1 else own({})) as served,
        with_credentials(served.url, credentials) as db,
    ):
        await db.table("things").update_item(KEY, increment())
    assert [b"Credential=FRESH/" in request for request in served.requests] == [False, True]


@pytest.mark.parametrize(
    ("environment", "options", "error_type"),
    [
        ({"AWS_PROFILE": "no-such-profile"}, {}, CredentialsError),
        ({}, {"region_name": "bad_region!"}, InvalidValueError),
        ({}, {"region_name": None}, InvalidValueError),
    ],
)
async def test_entering_raises_our_errors(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: dict[str, Any],
    error_type: type[NotSentError],
) -> None:
    """Wrong settings of botocore raise one of our errors when the database opens."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    db = AsyncDynamoDB.connect(**{"region_name": REGION, **options})
    with pytest.raises(error_type):
        await db.__aenter__()


# Slots, closing, loops, processes


async def test_waiting_calls_when_closed_were_not_sent() -> None:
    """Of calls that wait for a slot, none was sent."""
    async with stub(lambda _: b"") as served:
        db = connect(served.url, max_connections=2, attempt_timeout_s=0.5)
        async with db:
            tasks = [
                asyncio.ensure_future(db.table("things").update_item(KEY, increment()))
                for _ in range(12)
            ]
            await served.until(2)
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    closed = [error for error in errors if isinstance(error, ClientClosedError)]
    assert len(closed) == 10
    assert sum(isinstance(error, OutcomeUnknownError) for error in errors) == 2


async def test_many_calls_at_once_all_succeed() -> None:
    """A wait for a slot does not count against the attempt's limit."""

    async with stub(own({})) as served, connect(served.url, attempt_timeout_s=5.0) as db:
        table = db.table("things")
        await asyncio.gather(*(table.update_item(KEY, increment()) for _ in range(1500)))
    assert len(served.requests) == 1500


def test_entered_again_on_another_loop() -> None:
    """A database may be opened again on another event loop."""

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def once(db: AsyncDynamoDB) -> None:
        async with stub(own({}), port=port) as served, db:
            await db.table("things").update_item(KEY, increment())
            assert len(served.requests) == 1

    db = connect(f"http://127.0.0.1:{port}")
    asyncio.run(once(db))
    asyncio.run(once(db))


async def test_bound_to_the_loop_that_entered_it() -> None:
    """A first call on another loop is refused."""
    failures: list[BaseException] = []

    async with stub(own({})) as served, connect(served.url) as db:

        def other_loop() -> None:
            try:
                asyncio.run(db.table("things").get_item(KEY))
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=other_loop)
        thread.start()
        await asyncio.to_thread(thread.join)
    assert [type(failure) for failure in failures] == [WrongEventLoopError]


async def test_own_client_is_closed_after_its_block() -> None:
    """`AsyncDynamoDB(client)` is not used after its `async with`; nor is a closed client."""
    async with stub(own({})) as served:
        async with get_session().create_client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=served.url,
            config=client_config(),
            **CREDENTIALS,
        ) as client:
            other = AsyncDynamoDB(client)
            async with AsyncDynamoDB(client) as db:
                await db.table("things").update_item(KEY, increment())
            with pytest.raises(ClientClosedError):
                await db.table("things").update_item(KEY, increment())
            await other.table("things").update_item(KEY, increment())
        with pytest.raises(ClientClosedError):
            await other.table("things").update_item(KEY, increment())
        assert len(served.requests) == 2


async def test_forked_child_is_refused() -> None:
    """A call in a forked child is refused: the child would read its parent's answers."""
    async with stub(own({})) as served, connect(served.url) as db:
        await db.table("things").update_item(KEY, increment())
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # no test may run on in the child
            plan = db.table("things").update_item(KEY, increment())
            try:
                plan.send(None)
                os.write(write, b"sent")
            except ForkedProcessError:
                os.write(write, b"refused")
            except BaseException as error:
                os.write(write, type(error).__name__.encode())
            finally:
                os._exit(0)
        os.close(write)
        await asyncio.to_thread(os.waitpid, child, 0)
        assert os.read(read, 100) == b"refused"
        os.close(read)


# A loop that stood still


async def test_idle_connection_that_was_closed() -> None:
    """An idle connection that the peer closed while the loop stood still is not used."""
    async with stub(own({})) as served, connect(served.url) as db:
        for _ in range(4):
            await db.table("things").update_item(KEY, increment())
            for writer in served.writers:
                writer.close()
            served.writers.clear()
            # The loop turns for the server alone until its FIN is out, then stands still.
            await asyncio.to_thread(threading.Event().wait, 0.06)
        assert len(served.requests) == 4


async def test_answer_that_waits_in_the_socket_is_taken() -> None:
    """The loop was blocked past the attempt's limit; the answer came in time."""
    async with stub(own({})) as served, connect(served.url, attempt_timeout_s=0.2) as db:
        table = db.table("things")
        await table.update_item(KEY, increment())
        task = asyncio.ensure_future(table.update_item(KEY, increment()))
        await served.until(2)
        blocked = threading.Event()
        blocked.wait(0.4)
        await task


async def test_mock_aws_is_refused_with_the_fix() -> None:
    """moto's mock of botocore cannot answer async clients: nothing is stored, and it says so."""
    from moto import mock_aws

    async with stub(own({})) as served, connect(served.url) as db:
        with mock_aws(), pytest.raises(NotSentError, match="ThreadedMotoServer"):
            await db.table("things").update_item(KEY, increment())
        assert served.requests == []
