"""A proxy on loopback that injects faults between a client and an engine, by a seeded plan.

    plan = FaultPlan(seed=1, rates={Fault.RESET_AFTER: 0.02, Fault.THROTTLE: 0.05})
    async with FaultProxy(engine.endpoint_url, plan) as proxy:
        async with AsyncDynamoDB.connect(endpoint_url=proxy.endpoint_url, ...) as db:
            ...
    proxy.log  # what was injected into which request, and whether the engine had applied it

The faults are those that a service meets in production: the dangerous ones come after the engine
has applied the request. It speaks HTTP/1.1 without TLS, and forwards to loopback only.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Set
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from zlib import crc32

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.operations import OPERATIONS, suggestion


class Fault(Enum):
    """What happens to a request. "After" means after the engine has applied it."""

    NONE = "none"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    CLOSE_BEFORE = "close before"
    CLOSE_AFTER = "close after"
    """The connection is closed without a byte of an answer."""
    CUT_BODY = "cut body"
    """After: the answer ends in the middle of its body."""
    WRONG_CRC32 = "wrong crc32"
    """After: the answer does not have the checksum that it names."""
    HANG = "hang"
    """After: there is no answer until the client goes."""
    ERROR_500_BEFORE = "500 before"
    ERROR_500_AFTER = "500 after"
    ERROR_503_BEFORE = "503 before"
    ERROR_503_AFTER = "503 after"
    THROTTLE = "throttle"
    DUPLICATE = "duplicate"
    """The request is delivered twice; the client gets the second answer."""
    SLOW = "slow"
    """After: the answer comes byte by byte."""
    UNPROCESSED = "unprocessed"
    """Half of a batch is handed back as unprocessed; other requests are left alone."""


BEFORE = frozenset(
    {
        Fault.RESET_BEFORE,
        Fault.CLOSE_BEFORE,
        Fault.ERROR_500_BEFORE,
        Fault.ERROR_503_BEFORE,
        Fault.THROTTLE,
    }
)
_READ_LIMIT = 1 << 20
_NOTICE_S = 0.05


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Which request gets which fault. The same seed gives the same plan.

    Args:
        seed: of the plan.
        rates: the share of requests that get each fault; their sum is from 0.0 to 1.0.
        operations: the operations that get faults, such as {"UpdateItem"}; None: all.
        script: instead of rates, the faults of the first requests, in order.

    Raises:
        UnsupportedTypeError: a fault is not a `Fault`, or the operations are not a set.
        ValueOutOfRangeError: the rates are not from 0 to 1, or an operation is unknown.
    """

    seed: int = 0
    rates: Mapping[Fault, float] = field(default_factory=dict)
    operations: frozenset[str] | None = None
    script: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        for fault in (*self.rates, *self.script):
            if not isinstance(fault, Fault):
                raise UnsupportedTypeError("fault", _no_fault(fault))
        total = sum(self.rates.values())
        if any(not rate >= 0 for rate in self.rates.values()) or not total <= 1 + 1e-9:
            raise ValueOutOfRangeError("rates", f"are from 0 to 1 together, not {total}")
        if self.operations is None:
            return
        if not isinstance(self.operations, Set):
            given = type(self.operations).__name__
            raise UnsupportedTypeError("operations", f"a set of names is expected, not {given}")
        for name in self.operations:
            if name not in OPERATIONS:
                raise ValueOutOfRangeError(
                    "operations", f"DynamoDB has no operation {name!r}. Fix: {suggestion(name)}"
                )

    def fault(self, index: int, operation: str) -> Fault:
        """The fault of the request that is number `index` of those with faults, from 0."""
        if index < len(self.script):
            return self.script[index]
        draw = Random(f"{self.seed}:{index}").random()
        for fault, rate in self.rates.items():
            draw -= rate
            if draw < 0:
                return fault
        return Fault.NONE


def _no_fault(given: object) -> str:
    word = str(given).lower().replace("_", " ")
    known = {fault.value: fault.name for fault in Fault}
    nearest = get_close_matches(word, known, n=1)
    fix = f"did you mean Fault.{known[nearest[0]]}?" if nearest else "give a member of Fault"
    return f"a Fault is expected, not {given!r}. Fix: {fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One request, as the proxy saw it.

    `is_applied`: whether the engine answered it with success, at least once.
    """

    index: int
    operation: str
    fault: Fault
    is_applied: bool
    status: int | None
    """The engine's own answer, or None where it was not asked."""


@dataclass(frozen=True, slots=True)
class _Request:
    head: bytes
    body: bytes
    operation: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def encode(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Injected"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body

    def with_body(self, body: bytes) -> _Answer:
        kept = tuple(each for each in self.headers if each[0].lower() != "x-amz-crc32")
        return _Answer(self.status, (*kept, ("x-amz-crc32", str(crc32(body)))), body)

    def with_crc32(self, checksum: int) -> _Answer:
        kept = tuple(each for each in self.headers if each[0].lower() != "x-amz-crc32")
        return _Answer(self.status, (*kept, ("x-amz-crc32", str(checksum))), self.body)


class FaultProxy:
    """A proxy that runs inside `async with`; or inside `with`, on an event loop of its own.

    Args:
        upstream_url: the engine's endpoint on loopback, as in "http://127.0.0.1:8000".
        plan: which request gets which fault.
        recognises_tokens: for an engine that does not know a ClientRequestToken, as moto: the proxy
            answers a repeated transaction as DynamoDB does, and the engine does not see it.
    """

    def __init__(
        self, upstream_url: str, plan: FaultPlan, *, recognises_tokens: bool = False
    ) -> None:
        parts = urlsplit(upstream_url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(f"the proxy forwards to loopback only, not to {parts.hostname}")
        self._host: str = parts.hostname
        self._port: int = parts.port or 80
        self.plan: FaultPlan = plan
        self.log: list[FaultRecord] = []
        self._answers: dict[bytes, _Answer] | None = {} if recognises_tokens else None
        """By the body of a transaction with a token, which is the same in each repeat."""
        self._count = 0
        self._server: asyncio.Server | None = None
        self._listen_port = 0
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._idle: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint_url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self._listen_port}"

    def count(self, *faults: Fault) -> int:
        """How many requests got one of these faults."""
        return sum(record.fault in faults for record in self.log)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop_listening()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __enter__(self) -> Self:
        self._loop = loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="dynasafe-fault-proxy")
        self._thread.start()
        self._on_loop(self._listen())
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        loop, thread = self._loop, self._thread
        assert loop is not None
        assert thread is not None
        try:
            self._on_loop(self.__aexit__(None, None, None))
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuse connections within the block, and drop those without a request in progress."""
        await self._stop_listening()
        for task in list(self._idle):
            self._connections[task].transport.abort()
        # A client learns that its idle connections are gone when its event loop looks.
        await asyncio.sleep(_NOTICE_S)
        try:
            yield
        finally:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._listen_port, limit=_READ_LIMIT, reuse_address=True
        )
        self._listen_port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        upstream = _Upstream(self._host, self._port)
        try:
            while True:
                self._idle.add(task)
                request = await _read_request(reader)
                self._idle.discard(task)
                if request is None or not await self._serve(request, reader, writer, upstream):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or the proxy stops
        finally:
            self._idle.discard(task)
            del self._connections[task]
            upstream.close()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(
        self,
        request: _Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: _Upstream,
    ) -> bool:
        """Answer one request; whether the connection goes on."""
        index, fault = self._next_fault(request.operation)
        answer: _Answer | None = None
        is_applied = False
        if fault not in BEFORE:
            handed_back: Callable[[_Answer], _Answer] | None = None
            if fault is Fault.UNPROCESSED:
                request, handed_back = _split_batch(request)
            answer = await self._send(request, upstream)
            is_applied = answer.status == 200
            if fault is Fault.DUPLICATE:
                answer = await self._send(request, upstream)
                is_applied = is_applied or answer.status == 200
            if handed_back is not None and answer.status == 200:
                answer = handed_back(answer)
        self.log.append(
            FaultRecord(
                index=index,
                operation=request.operation,
                fault=fault,
                is_applied=is_applied,
                status=None if answer is None else answer.status,
            )
        )
        return await _respond(fault, answer, reader, writer)

    async def _send(self, request: _Request, upstream: _Upstream) -> _Answer:
        if self._answers is None or request.operation != "TransactWriteItems":
            return await upstream.send(request)
        kept = self._answers.get(request.body)
        if kept is not None:
            return kept
        answer = await upstream.send(request)
        if answer.status == 200 and "ClientRequestToken" in json.loads(request.body):
            self._answers[request.body] = answer
        return answer

    def _next_fault(self, operation: str) -> tuple[int, Fault]:
        if self.plan.operations is not None and operation not in self.plan.operations:
            return -1, Fault.NONE
        index = self._count
        self._count += 1
        return index, self.plan.fault(index, operation)


async def _respond(
    fault: Fault,
    answer: _Answer | None,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    match fault:
        case Fault.RESET_BEFORE | Fault.RESET_AFTER:
            connection = writer.get_extra_info("socket")
            # Lingering for 0 seconds makes closing a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        case Fault.CLOSE_BEFORE | Fault.CLOSE_AFTER:
            return False
        case Fault.HANG:
            await reader.read()  # until the client goes
            return False
        case Fault.ERROR_500_BEFORE | Fault.ERROR_500_AFTER:
            answer = _error(500, "InternalServerError", "injected")
        case Fault.ERROR_503_BEFORE | Fault.ERROR_503_AFTER:
            answer = _error(503, "ServiceUnavailable", "injected")
        case Fault.THROTTLE:
            answer = _error(
                400,
                "ThrottlingException",
                "injected",
                throttlingReasons=[
                    {
                        "reason": "TableWriteKeyRangeThroughputExceeded",
                        "resource": "arn:aws:dynamodb:us-east-1:000000000000:table/injected",
                    }
                ],
            )
        case _:
            pass
    assert answer is not None
    data = answer.encode()
    if fault is Fault.CUT_BODY:
        writer.write(data[: len(data) - max(1, len(answer.body) // 2)])
        await writer.drain()
        return False
    if fault is Fault.WRONG_CRC32:
        data = answer.with_crc32(crc32(answer.body) ^ 1).encode()
    if fault is Fault.SLOW:
        for at in range(len(data)):
            writer.write(data[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        return True
    writer.write(data)
    await writer.drain()
    return True


def _error(status: int, code: str, message: str, **members: Any) -> _Answer:
    body = json.dumps(
        {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **members}
    ).encode()
    headers = (
        ("Content-Type", "application/x-amz-json-1.0"),
        ("x-amzn-RequestId", "INJECTED"),
        ("x-amz-crc32", str(crc32(body))),
    )
    return _Answer(status, headers, body)


def _split_batch(request: _Request) -> tuple[_Request, Callable[[_Answer], _Answer] | None]:
    """The first half of a batch, and what adds the rest to its answer as unprocessed."""
    if request.operation not in ("BatchWriteItem", "BatchGetItem"):
        return request, None
    params = json.loads(request.body)
    sent, kept = halves(params["RequestItems"])
    member = "UnprocessedItems" if request.operation == "BatchWriteItem" else "UnprocessedKeys"
    body = json.dumps({**params, "RequestItems": sent}).encode()

    def hand_back(answer: _Answer) -> _Answer:
        content = json.loads(answer.body)
        return answer.with_body(json.dumps({**content, member: kept}).encode())

    return _Request(request.head, body, request.operation), hand_back


def halves(tables: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The RequestItems of a batch: those that are processed, and those that are handed back."""
    sent: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for table, entries in tables.items():
        listed = entries["Keys"] if isinstance(entries, Mapping) else entries
        middle = (len(listed) + 1) // 2
        for part, half in ((sent, listed[:middle]), (kept, listed[middle:])):
            if half:
                part[table] = {**entries, "Keys": half} if isinstance(entries, Mapping) else half
    return sent, kept


_MOST_DIGITS = 9
"""Of a length: a request has 16 MB at most."""


async def _read_request(reader: asyncio.StreamReader) -> _Request | None:
    """The next request; None at the end, and for bytes that are not a request."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    headers = _headers(head)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS):
        return None
    body = await reader.readexactly(int(length))
    return _Request(head, body, headers.get("x-amz-target", "").rpartition(".")[2])


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class _Upstream:
    """One connection to the engine, kept while the engine keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: _Request) -> _Answer:
        is_reused = self._streams is not None
        try:
            return await self._send(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if not is_reused:
                raise
            # The engine had closed the idle connection, so it did not read the request.
            return await self._send(request)

    async def _send(self, request: _Request) -> _Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=_READ_LIMIT)
        reader, writer = self._streams
        lines = request.head.split(b"\r\n")
        lines = [line for line in lines if not line.lower().startswith(b"content-length:")]
        lines.insert(1, b"Content-Length: %d" % len(request.body))
        writer.write(b"\r\n".join(lines) + request.body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status_line = head.split(b"\r\n", 1)[0].decode("latin-1")
        headers = _headers(head)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await _read_chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        is_last = headers.get("connection", "").lower() == "close"
        if is_last or status_line.startswith("HTTP/1.0"):
            self.close()
        kept = tuple(
            (name, value)
            for name, value in headers.items()
            if name not in ("content-length", "transfer-encoding", "connection", "keep-alive")
        )
        return _Answer(int(status_line.split(" ")[1]), kept, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += chunk[:-2]
