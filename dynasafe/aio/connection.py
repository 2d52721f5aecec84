"""Connections to one endpoint: HTTP/1.1 keep-alive, one request at a time on each.

A connection is reused only if it is in a clean state, and a request that was handed to it is not
sent a second time. So a failure before the handover is `NotSent`, and a later one `Lost`.

Sources: RFC 9110, 9.2.2, and RFC 9112, 9; httpcore, for the check of an idle socket; the AWS SDKs'
"standard" defaults, for the connect bound; "NAT gateways", Amazon VPC User Guide, for silent
connections that are dropped after 350 s.
"""

from __future__ import annotations

import asyncio
import math
import os
import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

from dynasafe.aio.patience import patient_timeout
from dynasafe.environment.dialing import (
    CONNECT_TIMEOUT_S,
    MAX_IDLE_S,
    TUNNEL_CLOSED,
    drawn_age_s,
    failure_words,
    is_address,
    is_tunnel_open,
    keep_alive,
    tunnel_request,
)
from dynasafe.environment.proxies import Proxy
from dynasafe.environment.trust import Trust
from dynasafe.http.endpoint import Endpoint
from dynasafe.http.exchange import AnswerReader
from dynasafe.resilience.boundary import Lost, NotSent, client_closed

_BUFFER_BYTES: Final = 64 * 1024


class Connection(asyncio.BufferedProtocol):
    """One connection. It reads into the buffer of its pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool: Final = pool
        # All connections read into one buffer: its contents are consumed before any other code
        # runs.
        self.buffer: Final = pool.buffer
        self.reader: Final = AnswerReader()
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self.waiter: asyncio.Future[None] | None = None
        self.deadline_s: float = math.inf
        self.timeout_s: float | None = None
        self.is_closed: bool = False
        self.reads: int = 0
        self._poll: Any = None
        now_s = pool.loop.time()
        self.idle_since_s = now_s
        self.old_at_s: Final = now_s + drawn_age_s()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = made = cast(asyncio.Transport, transport)
        self.write = made.write

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.reads += 1
        reader = self.reader
        fault = reader.feed(self.buffer[:nbytes])
        if fault is not None:
            self.fail(fault)
        elif reader.is_complete:
            waiter = self.waiter
            if waiter is not None:
                self.waiter = None
                if not waiter.done():
                    waiter.set_result(None)

    def eof_received(self) -> bool:
        self.is_closed = True
        return False  # closes it

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self.pool.forget(self)
        self._give_up(
            "the connection was closed before the answer"
            if exc is None
            else f"the connection broke before the answer ({type(exc).__name__})"
        )

    # Called by the pool.

    async def opened(self) -> None:
        """Wait until the connection can take a request."""

    def hand_over(
        self, request: bytes, timeout_s: float | None, deadline_s: float
    ) -> asyncio.Future[None]:
        """Send a request. Returns a future that is done when the reader has the answer.

        It raises Lost if no complete answer comes.

        Args:
            timeout_s: for the text of an error; the deadline decides.

        Raises:
            NotSent: the connection was closed before it took a byte.
        """
        if self.is_closed:
            raise NotSent("the connection was closed as soon as it was made")
        pool = self.pool
        self.reader.begin()
        self.timeout_s = timeout_s
        self.waiter = waiter = pool.loop.create_future()
        pool.watch(self, deadline_s)
        self.write(request)
        if self.transport.is_closing():  # the first send failed, so no byte was taken
            self.waiter = None
            if not waiter.cancel():
                waiter.exception()
            raise NotSent("the connection broke before the request was sent")
        return waiter

    def is_usable(self, now_s: float) -> bool:
        """Whether the connection can take a request."""
        if self.is_closed or self.transport.is_closing():
            return False
        if now_s - self.idle_since_s > MAX_IDLE_S:
            return False
        # Detects a close by the peer that the loop has not handled yet, in half a microsecond.
        return not self._is_readable()

    def _is_readable(self) -> bool:
        try:
            poll = self._poll
            if poll is None:
                descriptor = self.transport.get_extra_info("socket").fileno()
                if not hasattr(select, "poll"):  # Windows
                    return bool(select.select([descriptor], [], [], 0)[0])
                self._poll = poll = select.poll()
                poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError, AttributeError):
            return True

    def fail(self, reason: str) -> None:
        """Give up the awaited answer, and the connection."""
        self._give_up(reason)
        self.abort()

    def _give_up(self, reason: str) -> None:
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_exception(Lost(reason))

    def abort(self) -> None:
        """Close without TLS shutdown."""
        self.is_closed = True
        self.transport.abort()

    def drop(self) -> None:
        """Close this process's copy of the socket, but not that of its parent.

        The event loop's registrations may belong to the parent too.
        """
        self.is_closed = True
        _left_behind.append(self)
        with suppress(OSError, AttributeError):
            copy = self.transport.get_extra_info("socket")
            getattr(copy, "_sock", copy).close()


# A parent's transports in the child, kept because a collected transport warns on stderr.
_left_behind: list[Connection] = []


class Pool:
    """The connections to one endpoint. The last used one is taken first.

    Args:
        trust: the certificates for TLS.
        proxy: the proxy to use.
        max_idle: how many unused connections are kept.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        loop: asyncio.AbstractEventLoop,
        trust: Callable[[], Trust],
        proxy: Proxy | None,
        max_idle: int,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self.endpoint: Final = endpoint
        self.loop: Final = loop
        self.pid: Final = os.getpid()
        self.buffer: Final = memoryview(bytearray(_BUFFER_BYTES))
        self.is_closed: bool = False
        self._trust: Final = trust
        self._proxy: Final = proxy
        self._max_idle: Final = max_idle
        self._connect_timeout_s: Final = connect_timeout_s
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._addresses: list[str] = []  # of the last connections
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = math.inf
        self._renewal: asyncio.Task[None] | None = None
        # Each connection that is being made, with the future that its caller waits for.
        self._connecting: dict[asyncio.Task[Connection], asyncio.Future[Connection]] = {}
        self._surplus = 0

    # --- Taking and giving back

    def take(self, now_s: float) -> Connection | None:
        """An idle connection that can take a request, or None."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_usable(now_s):
                if now_s >= connection.old_at_s and self._renewal is None:
                    self._renewal = self.loop.create_task(self._renew())
                return connection
            connection.abort()
        return None

    def release(self, connection: Connection) -> None:
        """Give back a connection after a complete answer."""
        self._busy.discard(connection)
        now_s = self.loop.time()
        if not connection.reader.is_reusable:
            connection.abort()
        elif self._surplus and now_s >= connection.old_at_s:
            self._surplus -= 1
            connection.abort()
        else:
            self._keep(connection, now_s)

    def keep(self, connection: Connection) -> None:
        """Keep a new connection for the next request."""
        self._keep(connection, self.loop.time())

    def _keep(self, connection: Connection, now_s: float) -> None:
        connection.idle_since_s = now_s
        if connection.is_closed or self.is_closed or len(self._idle) >= self._max_idle:
            connection.abort()
            return
        self._idle.append(connection)
        if self._timer is None:
            self._arm(now_s + MAX_IDLE_S)

    def discard(self, connection: Connection) -> None:
        """Close the connection; it is not used again."""
        self._busy.discard(connection)
        connection.abort()

    def forget(self, connection: Connection) -> None:
        """Forget a connection that was closed."""
        self._busy.discard(connection)
        with suppress(ValueError):
            self._idle.remove(connection)

    def close(self) -> None:
        """Close all connections. Requests that wait for an answer are lost."""
        self.is_closed = True
        if self._renewal is not None:
            self._renewal.cancel()
        for task in self._connecting:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in [*self._idle, *self._busy]:
            connection.fail("the client was closed before the answer")
        self._idle.clear()
        self._busy.clear()

    def drop(self) -> None:
        """In a child process: drop the parent's connections."""
        self.is_closed = True
        for connection in [*self._idle, *self._busy]:
            connection.drop()
        self._idle.clear()
        self._busy.clear()

    # --- Time

    def watch(self, connection: Connection, deadline_s: float) -> None:
        """Give the connection up at its deadline."""
        connection.deadline_s = deadline_s
        self._busy.add(connection)
        if deadline_s < self._timer_at_s:
            self._arm(deadline_s)

    def _arm(self, at_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self.loop.call_at(at_s, self._tick)

    def _tick(self) -> None:
        """The only timer of all requests. It runs at most a few times in a second."""
        self._timer = None
        self._timer_at_s = math.inf
        now_s = self.loop.time()
        next_s = math.inf
        for connection in self._busy:
            if connection.deadline_s <= now_s:
                connection.deadline_s = math.inf
                if connection.waiter is not None:
                    self._turn(connection, connection.waiter, connection.reads, 2)
            else:
                next_s = min(next_s, connection.deadline_s)
        idle = self._idle
        while idle and idle[0].idle_since_s + MAX_IDLE_S <= now_s:
            idle.pop(0).abort()
        if idle:
            next_s = min(next_s, idle[0].idle_since_s + MAX_IDLE_S)
        if next_s < math.inf:
            self._arm(next_s)

    def _turn(
        self, connection: Connection, waiter: asyncio.Future[None], reads: int, turns: int
    ) -> None:
        # If the loop was blocked, the answer may be in the socket, so it gets turns to be read.
        if waiter.done():
            return
        if connection.reads != reads:
            reads, turns = connection.reads, 2
        if turns:
            self.loop.call_soon(self._turn, connection, waiter, reads, turns - 1)
        elif connection.waiter is waiter:
            connection.fail(f"no answer within {connection.timeout_s:g} s")

    # --- Making connections

    async def connect(self, timeout_s: float | None) -> Connection:
        """A new connection, with TLS and through the proxy as set.

        Raises:
            NotSent: no connection could be made.
        """
        # A separate task: if the caller is cancelled, others can use the connection.
        made: asyncio.Future[Connection] = self.loop.create_future()
        task = self.loop.create_task(self._connect_in_time())
        self._connecting[task] = made
        task.add_done_callback(self._connected)
        try:
            async with patient_timeout(timeout_s):
                connection = await made
        except TimeoutError as error:
            self._leave(made)
            raise NotSent(
                f"no connection to {self._where} within {timeout_s:g} s", limit="attempt_timeout_s"
            ) from error
        except asyncio.CancelledError:
            self._leave(made)
            raise
        if self.is_closed:  # in the turn in which the connection was made
            connection.abort()
            raise client_closed()
        return connection

    def _leave(self, made: asyncio.Future[Connection]) -> None:
        """Keep a connection that was made in the turn in which its caller gave up."""
        if not made.cancel() and not made.cancelled() and made.exception() is None:
            self.keep(made.result())

    def _connected(self, task: asyncio.Task[Connection]) -> None:
        made = self._connecting.pop(task)
        if task.cancelled():
            if self.is_closed and not made.done():
                made.set_exception(client_closed())
            else:
                made.cancel()
        elif (error := task.exception()) is not None:
            if not made.done():
                made.set_exception(client_closed() if self.is_closed else error)
        elif not made.done():
            made.set_result(task.result())
        else:  # its caller gave up
            self.keep(task.result())

    async def _connect_in_time(self) -> Connection:
        where, bound_s = self._where, self._connect_timeout_s
        try:
            async with patient_timeout(bound_s):
                return await self._connect()
        except TimeoutError as error:
            raise NotSent(
                f"no connection to {where} within {bound_s:g} s", limit="connect_timeout_s"
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise NotSent(
                f"the certificate of {where} was not accepted: {error.verify_message}",
                is_retryable=False,
            ) from error
        except OSError as error:
            raise NotSent(f"no connection to {where}: {failure_words(error)}") from error

    @property
    def _where(self) -> str:
        return self.endpoint.host_header if self._proxy is None else f"{self._proxy}"

    async def _connect(self) -> Connection:
        if not self.endpoint.is_tls:
            return await self._open(None)
        trust = self._trust()
        context = trust.context(is_aws=self.endpoint.is_aws)
        try:
            return await self._open(context)
        except ssl.SSLCertVerificationError:
            if trust.is_full(context):
                raise
        # The host's certificate is not from Amazon's own roots, for example behind a proxy that
        # decrypts.
        return await self._open(await in_thread(self.loop, trust.full))

    async def _open(self, context: ssl.SSLContext | None) -> Connection:
        endpoint = self.endpoint
        if self._proxy is not None:
            return await self._open_through(self._proxy, context)
        try:
            connection = await self._dial(endpoint.host, endpoint.port, context)
        except socket.gaierror:
            # The name server is down, but the earlier addresses may still work.
            for address in reversed(self._addresses):
                with suppress(OSError):
                    return await self._dial(address, endpoint.port, context)
            raise
        peer = connection.transport.get_extra_info("peername")
        if peer and peer[0] != endpoint.host:
            self._addresses = [each for each in self._addresses[-3:] if each != peer[0]]
            self._addresses.append(peer[0])
        return connection

    async def _dial(self, host: str, port: int, context: ssl.SSLContext | None) -> Connection:
        connection: Connection
        transport, connection = await self._create(self._factory(context), host, port, {})
        _keep_alive(transport)
        await connection.opened()
        return connection

    def _factory(self, context: ssl.SSLContext | None) -> Callable[[], Connection]:
        if context is None:
            return lambda: Connection(self)
        from dynasafe.aio.tls import TlsConnection

        return lambda: TlsConnection(self, context)

    async def _create(
        self, factory: Callable[[], Any], host: str, port: int, options: dict[str, Any]
    ) -> tuple[Any, Any]:
        # uvloop has no such argument; one IP address has no alternative.
        if isinstance(self.loop, asyncio.BaseEventLoop) and not is_address(host):
            options = {**options, "happy_eyeballs_delay": 0.25}
        return await self.loop.create_connection(factory, host, port, **options)

    async def _open_through(self, proxy: Proxy, context: ssl.SSLContext | None) -> Connection:
        options: dict[str, Any] = {}
        if proxy.is_tls:
            full = await in_thread(self.loop, self._trust().full)
            options = {"ssl": full, "server_hostname": proxy.host}
        if context is None:
            connection: Connection
            transport, connection = await self._create(
                self._factory(None), proxy.host, proxy.port, options
            )
            _keep_alive(transport)
            return connection
        transport, tunnel = await self._create(
            lambda: _Tunnel(self.loop), proxy.host, proxy.port, options
        )
        try:
            _keep_alive(transport)
            transport.write(tunnel_request(self.endpoint, proxy))
            await tunnel.opened
            connection = self._factory(context)()
            transport.set_protocol(connection)
            connection.connection_made(transport)
            await connection.opened()
        except BaseException:
            transport.abort()
            raise
        return connection

    async def _renew(self) -> None:
        """Make a new connection before an old one is dropped."""
        try:
            connection = await self.connect(None)
        except NotSent:
            return  # the old ones stay in use; the next call tries again
        finally:
            self._renewal = None
        now_s = self.loop.time()
        old = next((each for each in self._idle if now_s >= each.old_at_s), None)
        if old is None:
            self._surplus += 1
        else:
            self._idle.remove(old)
            old.abort()
        self.keep(connection)


class _Tunnel(asyncio.Protocol):
    """Waits for a proxy's answer to CONNECT."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.opened: asyncio.Future[None] = loop.create_future()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        if self.opened.done():
            return
        self._received += data
        try:
            if is_tunnel_open(self._received):
                self.opened.set_result(None)
        except NotSent as refusal:
            self.opened.set_exception(refusal)

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.opened.done():
            self.opened.set_exception(NotSent(TUNNEL_CLOSED))


def _keep_alive(transport: Any) -> None:
    # TCP_NODELAY is set by the event loops themselves.
    taken = transport.get_extra_info("socket")
    if taken is not None:
        keep_alive(taken)


async def in_thread(loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> Any:
    """The result of a blocking function, run in a thread that does not delay the interpreter's
    exit."""
    import threading

    future: asyncio.Future[Any] = loop.create_future()

    def finish(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = function()
        except Exception as caught:
            error = caught
        with suppress(RuntimeError):  # the loop has closed
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, daemon=True, name="dynasafe").start()
    return await future
