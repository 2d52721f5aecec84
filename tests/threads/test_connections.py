"""The sync face over blocking sockets: what a failure means, deadlines, closing, forks."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest

from dynasafe import DynamoDB, RetryPolicy
from dynasafe.environment.dialing import MAX_IDLE_S
from dynasafe.errors import (
    ClientClosedError,
    ConnectionNotMadeError,
    CredentialsError,
    DynasafeError,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
)
from dynasafe.resilience.boundary import NotSent
from dynasafe.sync.connection import Connection, Pool
from dynasafe.sync.http_transport import HttpTransport
from tests.threads.running import in_threads
from tests.threads.server import Server, ok, reply

KEY = {"id": "a"}
PUT = {"TableName": "people", "Item": {"id": {"S": "a"}, "n": {"N": "1"}}}
GET = {"TableName": "people", "Key": {"id": {"S": "a"}}}
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}


def connect(url: str, **options: Any) -> DynamoDB:
    given: dict[str, Any] = {"retry": None, "breaker": None, "attempt_timeout_s": 5.0, **options}
    if "credentials" not in given:
        given["client_options"] = KEYS
    return DynamoDB.connect(region_name="us-east-1", endpoint_url=url, **given)


def transport_of(db: DynamoDB) -> HttpTransport:
    transport = db._executor._transport
    assert isinstance(transport, HttpTransport)
    return transport


def no_threads_left() -> bool:
    return [each.name for each in threading.enumerate() if each.name.startswith("dynasafe")] == []


def test_connections_are_kept_and_closed() -> None:
    """One connection for calls in turn; none after the end of the block."""
    with Server() as server:
        with connect(server.url) as db:
            for _ in range(3):
                db.call("GetItem", GET)
            (connection,) = server.connections
            assert len(server.requests) == 3
        assert connection.recv(1) == b""
        with pytest.raises(ClientClosedError):
            db.call("GetItem", GET)
        with db:  # it may be entered again
            db.call("GetItem", GET)
    assert no_threads_left()


def test_a_closed_idle_connection_is_left() -> None:
    """Nothing was sent on it, so another one is taken, and no call fails."""
    last: list[bool] = [False, True, False, True]
    with Server(lambda connection, body: ok(connection, body) and last.pop()) as server:
        with connect(server.url) as db:
            db.call("PutItem", PUT)
            server.connections[0].shutdown(socket.SHUT_RDWR)
            db.call("PutItem", PUT)
        assert len(server.connections) == 2


def test_an_old_idle_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 50 s without use a connection is not used again."""
    with Server() as server, connect(server.url) as db:
        db.call("PutItem", PUT)
        (pool,) = transport_of(db)._pools.values()
        pool._idle[0].idle_since_s -= MAX_IDLE_S + 1
        db.call("PutItem", PUT)
        assert len(server.connections) == 2
        assert len(pool._idle) == 1


def test_an_aged_connection_is_replaced() -> None:
    """Past its age a connection is used, while a new one is made in its place."""
    with Server() as server, connect(server.url) as db:
        db.call("PutItem", PUT)
        (pool,) = transport_of(db)._pools.values()
        object.__setattr__(pool._idle[0], "old_at_s", 0.0)
        db.call("PutItem", PUT)
        assert pool._renewal is not None
        pool._renewal.result(5.0)
        db.call("PutItem", PUT)
        db.call("PutItem", PUT)
        assert len(server.connections) == 2
        assert len(pool._idle) == 1
        assert pool._idle[0].old_at_s > 0


def closing(connection: socket.socket, body: bytes) -> bool:
    return False


def cutting(connection: socket.socket, body: bytes) -> bool:
    connection.sendall(reply({"Attributes": {}})[:-5])
    return False


def unasked(connection: socket.socket, body: bytes) -> bool:
    connection.sendall(reply() + b"HTTP/1.1 200 OK\r\n\r\n")
    return True


def foreign(connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
    return True


@pytest.mark.parametrize("answer", [closing, cutting, foreign])
def test_what_was_handed_over_is_unknown(answer: Callable[[socket.socket, bytes], bool]) -> None:
    """A write without a usable answer may have been applied. It is sent once."""
    with Server(answer) as server, connect(server.url) as db:
        with pytest.raises(OutcomeUnknownError):
            db.call("UpdateItem", {**GET, "UpdateExpression": "ADD n :n", **ONE})
        with pytest.raises(NoAnswerError):
            db.call("GetItem", GET)
        assert len(server.requests) == 2
        assert len(server.connections) == 2


ONE = {"ExpressionAttributeValues": {":n": {"N": "1"}}}


def test_bytes_after_an_answer() -> None:
    """The answer counts; the connection is not used again."""
    with Server(unasked) as server, connect(server.url) as db:
        db.call("GetItem", GET)
        db.call("GetItem", GET)
        assert len(server.connections) == 2


def test_nothing_listens() -> None:
    """A refused connection is a request that was not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with connect(f"http://127.0.0.1:{port}") as db, pytest.raises(ConnectionNotMadeError):
        db.call("PutItem", PUT)


def test_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is not resolved, and one whose lookup does not end, are requests not sent."""
    ended = threading.Event()

    def look_up(host: bytes, *_: Any, **__: Any) -> Any:
        if host == b"slow.invalid":
            ended.wait()
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with connect("http://none.invalid") as db, pytest.raises(ConnectionNotMadeError) as unknown:
        db.call("PutItem", PUT)
    assert "the host name was not resolved" in str(unknown.value)
    with (
        connect("http://slow.invalid", attempt_timeout_s=0.05) as db,
        pytest.raises(NotSentError, match=r"within 0\.05 s"),
    ):
        db.call("PutItem", PUT)
    with (
        connect("http://slow.invalid", connect_timeout_s=0.05) as db,
        pytest.raises(NotSentError, match="connect_timeout_s"),
    ):
        db.call("PutItem", PUT)
    ended.set()


def hanging(connection: socket.socket, body: bytes) -> bool:
    return bool(connection.recv(1))


def trickling(connection: socket.socket, body: bytes) -> bool:
    answer = reply({"Attributes": {}})
    stop = threading.Event()
    for index in range(len(answer)):
        connection.sendall(answer[index : index + 1])
        stop.wait(0.02)
    return True


@pytest.mark.parametrize("answer", [hanging, trickling])
def test_no_answer_in_time(answer: Callable[[socket.socket, bytes], bool]) -> None:
    """The deadline holds for a whole answer, not for each byte of it."""
    with (
        Server(answer) as server,
        connect(server.url, attempt_timeout_s=0.1) as db,
        pytest.raises(OutcomeUnknownError, match=r"no answer within 0\.1 s"),
    ):
        db.call("UpdateItem", {**GET, "UpdateExpression": "ADD n :n", **ONE})


def test_sending_ends_in_time() -> None:
    """A peer that reads nothing: the time runs out while the request is handed over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        items = [
            {"PutRequest": {"Item": {"id": {"S": str(number)}, "s": {"S": "x" * 390_000}}}}
            for number in range(25)
        ]
        with connect(url, attempt_timeout_s=0.2) as db, pytest.raises(OutcomeUnknownError):
            db.call("BatchWriteItem", {"RequestItems": {"people": items}})


def test_waiting_for_a_slot_ends_in_time() -> None:
    """A call that gets no slot in time was not sent; one that waits at the end is refused."""
    with Server(hanging) as server:
        db = connect(server.url, max_connections=1, timeout_s=0.3, attempt_timeout_s=None)
        with db:
            held: list[Exception] = []
            holder = threading.Thread(target=lambda: held.append(error_of(db)))
            holder.start()
            wait_for(lambda: len(server.requests) == 1)
            with pytest.raises(NotSentError, match="a connection slot"):
                db.call("GetItem", GET)
            errors: list[Exception] = []
            waiter = threading.Thread(target=lambda: errors.append(error_of(db)))
            waiter.start()
            wait_for(lambda: len(db._executor.slots._waiters) == 1)
        holder.join(5)
        waiter.join(5)
    assert isinstance(errors[0], ClientClosedError)
    assert isinstance(held[0], NoAnswerError)
    assert db._executor.slots.in_flight == 0


def get(db: DynamoDB, timeout_s: float) -> None:
    db.call("GetItem", GET, timeout_s=timeout_s)


def error_of(db: DynamoDB) -> Exception:
    try:
        get(db, 60.0)
    except Exception as error:
        return error
    raise AssertionError("it succeeded")


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds, which other threads see to."""
    look = threading.Event()
    until_s = monotonic() + 10
    while not condition():
        assert monotonic() < until_s
        look.wait(0.002)


def test_closing_ends_calls_under_way() -> None:
    """Closing the client ends calls that wait for an answer, at once."""
    with Server(hanging) as server:
        with connect(server.url, timeout_s=60, attempt_timeout_s=60) as db:
            errors: list[Exception] = []
            threads = [
                threading.Thread(target=lambda: errors.append(error_of(db))) for _ in range(5)
            ]
            for each in threads:
                each.start()
            wait_for(lambda: len(server.requests) == 5)
        for each in threads:
            each.join(5)
    assert [type(each) for each in errors] == [NoAnswerError] * 5
    assert all("the client was closed before the answer" in str(each) for each in errors)
    assert no_threads_left()


# The first send


def taken_from(db: DynamoDB) -> tuple[Pool, Connection]:
    """An idle connection that was found usable, before anything is sent."""
    (pool,) = transport_of(db)._pools.values()
    connection = pool.take(monotonic())
    assert connection is not None
    return pool, connection


@pytest.mark.parametrize("is_shared", [False, True])
def test_closed_before_the_first_byte(is_shared: bool) -> None:
    """Another thread closes the client after a connection was taken: nothing was sent."""
    with Server() as server, connect(server.url) as db:
        db.call("GetItem", GET)
        pool, connection = taken_from(db)
        if is_shared:
            connection.share()
        pool.close()
        with pytest.raises(NotSent) as caught:
            connection.exchange(b"POST / HTTP/1.1\r\n\r\n", 5.0, monotonic() + 5)
        pool.discard(connection)
    assert caught.value.is_closed
    assert len(server.requests) == 1


@pytest.mark.parametrize("is_shared", [False, True])
def test_reset_before_the_first_byte(is_shared: bool) -> None:
    """A connection that breaks before it takes a byte: nothing was sent, and it is tried again."""
    with Server() as server, connect(server.url) as db:
        db.call("GetItem", GET)
        pool, connection = taken_from(db)
        if is_shared:
            connection.share()
        server.connections[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        server.connections[0].shutdown(socket.SHUT_RD)  # wakes the server's thread
        server.connections[0].close()
        assert connection._is_readable(10_000)
        with pytest.raises(NotSent, match="ConnectionResetError") as caught:
            connection.exchange(b"POST / HTTP/1.1\r\n\r\n", 5.0, monotonic() + 5)
        pool.discard(connection)
    assert caught.value.is_retryable
    assert len(server.requests) == 1


_RESET = struct.pack("ii", 1, 0)


def test_reset_after_the_first_byte() -> None:
    """A request of which a part was taken is lost."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def take_one_byte() -> None:
            taken, _ = listener.accept()
            taken.recv(1)
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            taken.close()

        peer = threading.Thread(target=take_one_byte)
        peer.start()
        items = [
            {"PutRequest": {"Item": {"id": {"S": str(number)}, "s": {"S": "x" * 390_000}}}}
            for number in range(25)
        ]
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connect(url) as db, pytest.raises(OutcomeUnknownError, match="the connection broke"):
            db.call("BatchWriteItem", {"RequestItems": {"people": items}})
        peer.join(10)


@pytest.mark.parametrize("sent", [reply({"Attributes": {"n": {"N": "7"}}}), b""])
def test_early_bytes_on_a_fresh_connection(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer before the request is not its answer, and a close is seen before it is sent."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_at_once() -> None:
            with listener.accept()[0] as taken:
                taken.sendall(sent)
                if not sent:
                    taken.shutdown(socket.SHUT_WR)
                is_there.set()
                with suppress(OSError):
                    requests.append(taken.recv(65536))

        is_there = threading.Event()
        peer = threading.Thread(target=answer_at_once)
        peer.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        real = socket.socket.getpeername

        def getpeername(connected: socket.socket) -> Any:  # called when it is connected
            is_there.wait(10)
            return real(connected)

        monkeypatch.setattr(socket.socket, "getpeername", getpeername)
        with connect(url) as db, pytest.raises(ConnectionNotMadeError):
            db.call("UpdateItem", {**GET, "UpdateExpression": "ADD n :n", **ONE})
        peer.join(10)
    assert not any(requests)


# Credentials


class Keys:
    access_key = "a"
    secret_key = "b"
    token = None


def test_credentials_are_fetched_once() -> None:
    """Of 20 threads one fetches; a failure counts for all, and each waits no longer than it may."""
    fetches: list[int] = []
    go = threading.Event()

    def fetch() -> Keys:
        fetches.append(1)
        go.wait()
        return Keys()

    with Server() as server, connect(server.url, credentials=fetch) as db:
        with pytest.raises(CredentialsError, match="in time"):
            db.call("GetItem", GET, attempt_timeout_s=0.05)
        threads = [threading.Thread(target=get, args=(db, 10.0)) for _ in range(20)]
        for each in threads:
            each.start()
        go.set()
        for each in threads:
            each.join(10)
        assert len(fetches) == 1
        assert len(server.requests) == 20


def test_refused_credentials_are_fetched_once() -> None:
    """Of 20 threads whose credentials are refused, one fetches others; each call is repeated."""
    fetches: list[int] = []
    refused: list[bytes] = []
    lock, barrier = threading.Lock(), threading.Barrier(20)

    class New(Keys):
        access_key = "new"

    def fetch() -> Keys:
        fetches.append(1)
        return Keys() if len(fetches) == 1 else New()

    def answer(connection: socket.socket, body: bytes) -> bool:
        with lock:
            is_refused = len(refused) < 20
            if is_refused:
                refused.append(body)
        if is_refused:
            barrier.wait(10)
        error = {"__type": "com.amazon.coral.service#UnrecognizedClientException"}
        connection.sendall(reply(error, 400) if is_refused else reply())
        return True

    with (
        Server(answer) as server,
        connect(server.url, credentials=fetch, retry=RetryPolicy()) as db,
    ):
        in_threads(20, lambda _: get(db, 20.0))
    assert len(fetches) == 2
    assert len(server.requests) == 40


def test_an_async_function_gives_no_credentials() -> None:
    """An async function for credentials is refused, and the error says what to write."""

    async def fetch() -> Keys:
        return Keys()

    with (
        Server() as server,
        connect(server.url, credentials=fetch) as db,
        pytest.raises(CredentialsError, match="Fix: use `def`"),
    ):
        db.call("GetItem", GET)


def test_credentials_that_fail() -> None:
    """An exception of the function is named, at first and when they are fetched again."""
    found: list[Any] = [Keys(), KeyError("vault")]

    def fetch() -> Keys:
        one = found.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    expired = reply({"__type": "com.amazon.coral.service#ExpiredTokenException"}, 400)

    def answer(connection: socket.socket, body: bytes) -> bool:
        connection.sendall(expired)
        return True

    with Server(answer) as server:
        with (
            connect(server.url, credentials=fetch, retry=RetryPolicy()) as db,
            pytest.raises(ServiceError, match="ExpiredTokenException") as caught,
        ):
            db.call("GetItem", GET)
        assert caught.value.__notes__ == [
            "Its credentials could not be refreshed: KeyError: 'vault'"
        ]
        found.append(KeyError("vault"))
        with (
            connect(server.url, credentials=fetch) as db,
            pytest.raises(CredentialsError, match="KeyError: 'vault'"),
        ):
            db.call("GetItem", GET)


def test_static_credentials_that_are_refused() -> None:
    """Credentials that cannot be fetched again are not asked for twice."""
    expired = reply({"__type": "com.amazon.coral.service#ExpiredTokenException"}, 400)

    def answer(connection: socket.socket, body: bytes) -> bool:
        connection.sendall(expired)
        return True

    with (
        Server(answer) as server,
        connect(server.url, retry=RetryPolicy()) as db,
        pytest.raises(ServiceError, match="ExpiredTokenException"),
    ):
        db.call("GetItem", GET)
    assert len(server.requests) == 1


# Other operations


def test_other_operations_are_checked() -> None:
    """An operation that no table has is checked like all others."""
    tags: dict[str, Any] = {
        "ResourceArn": "arn:aws:dynamodb:us-east-1:1:table/t",
        "Tags": [{"Key": "a", "Value": 3}],
    }
    with Server() as server, connect(server.url) as db:
        with pytest.raises(InvalidRequestError) as caught:
            db.call("TagResource", tags)
        assert [each.where.parameter for each in caught.value.findings] == ["Tags[0].Value"]
        assert server.requests == []
        tags["Tags"][0]["Value"] = "b"
        db.call("TagResource", tags)
    assert len(server.requests) == 1


# Processes and signals


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_has_connections_of_its_own() -> None:
    """The parent's connection is left alone, and locks that were held are free."""
    with Server() as server, connect(server.url) as db:
        db.call("GetItem", GET)
        state = db._executor.state
        state.lock.acquire()  # as another thread might have it at that moment
        child = os.fork()
        if not child:
            code = 1
            try:
                db.call("GetItem", GET)
                code = 0
            finally:
                os._exit(code)
        state.lock.release()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert len(server.connections) == 2
        db.call("GetItem", GET)
        assert len(server.connections) == 2


class TooLongError(Exception):
    """As Celery's SoftTimeLimitExceeded."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers on Windows")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), TooLongError()])
def test_an_exception_from_outside_passes(error: BaseException) -> None:
    """The slot is free, the connection closed, and a write's cause says that it is unknown."""

    def interrupt(*_: object) -> None:
        raise error

    def answer(connection: socket.socket, body: bytes) -> bool:
        os.kill(os.getpid(), signal.SIGUSR1)
        return hanging(connection, body)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with Server(answer) as server, connect(server.url) as db:
            with pytest.raises(type(error)) as interrupted:
                db.call("UpdateItem", {**GET, "UpdateExpression": "ADD n :n", **ONE})
            assert interrupted.value is error
            assert isinstance(error.__cause__, OutcomeUnknownError)
            with pytest.raises(type(error)):
                db.call("GetItem", GET)
            assert db._executor.slots.in_flight == 0
            assert len(server.connections) == 2
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="Windows does not list open files")
def test_nothing_is_left_after_closing() -> None:
    """After closing no socket, file or thread is left, whatever the calls came to."""
    last = iter([ok, closing, cutting, hanging, ok, foreign, unasked] * 3)
    lock = threading.Lock()

    def answer(connection: socket.socket, body: bytes) -> bool:
        with lock:
            behave = next(last)
        return behave(connection, body)

    with Server(answer) as server:
        before = len(os.listdir("/dev/fd"))
        with connect(server.url, attempt_timeout_s=0.1) as db:

            def work(index: int) -> None:
                for _ in range(3):
                    with suppress(DynasafeError):
                        db.call("GetItem", GET)

            in_threads(7, work)
        wait_for(no_threads_left)

        def nothing_left() -> bool:
            for connection in [*server.connections]:  # the server may accept the last one late
                connection.close()
            return len(os.listdir("/dev/fd")) <= before

        wait_for(nothing_left)
    assert server.requests
