"""Connections to one endpoint for threads: HTTP/1.1 keep-alive, one request at a time on each.

A connection is reused only if it is in a clean state, and a request that was handed to it is not
sent a second time. So a failure before the handover is `NotSent`, and a later one `Lost`.

Sources: RFC 9110, 9.2.2, and RFC 9112, 9; httpcore, for the check of an idle socket.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from dynasafe.environment.dialing import (
    CONNECT_TIMEOUT_S,
    MAX_IDLE_S,
    TUNNEL_CLOSED,
    drawn_age_s,
    failure_words,
    is_address,
    is_tunnel_open,
    tunnel_request,
)
from dynasafe.environment.proxies import Proxy
from dynasafe.environment.trust import Trust
from dynasafe.http.endpoint import Endpoint
from dynasafe.http.exchange import AnswerReader
from dynasafe.resilience.boundary import Lost, NotSent, client_closed
from dynasafe.sync.direct import Direct, direct
from dynasafe.sync.streams import (
    READ_BYTES,
    LateError,
    Stream,
    dial,
    left_ms,
    over_tls,
    plain_name,
    readiness,
    send_all,
    when_ready,
)
from dynasafe.sync.threads import Work

_CLOSED: Final = "the client was closed before the answer"
_RECORD_BYTES: Final = 16_384
"""The longest content of one TLS record."""


class Connection:
    """One connection. One thread uses it at a time."""

    __slots__ = (
        "_calls",
        "_direct",
        "_is_cut",
        "_is_readable",
        "_stream",
        "idle_since_s",
        "is_closed",
        "old_at_s",
        "reader",
    )

    def __init__(self, stream: Stream) -> None:
        self.reader: Final = AnswerReader()
        self.is_closed: bool = False
        now_s = monotonic()
        self.idle_since_s: float = now_s
        self.old_at_s: Final = now_s + drawn_age_s()
        self._stream: Final = stream
        self._calls: Stream | Direct = stream
        self._direct: Direct | None = None
        self._is_readable: Final = readiness(stream.fileno())
        self._is_cut = False

    def share(self) -> None:
        """Prefer calls that are cheaper if several threads run."""
        if self._calls is self._stream:
            self._direct = direct(self._stream)
            self._calls = self._direct or self._stream

    def exchange(self, request: bytes, timeout_s: float | None, deadline_s: float) -> None:
        """Hand a request over, and wait until the reader has the answer.

        Args:
            timeout_s: what an error says; the deadline is what counts.

        Raises:
            NotSent: the connection was closed before it took a byte.
            Lost: no complete answer came.
        """
        calls, reader = self._calls, self.reader
        reader.begin()
        try:
            try:
                sent = calls.send(request)  # the usual case: all of it was sent
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                sent = 0
            except OSError as error:
                raise self._failed_at_once(request, error) from None
            if sent < len(request):
                send_all(self._stream, request[sent:], deadline_s)
            while True:
                if not self._is_readable(left_ms(deadline_s)):
                    raise LateError
                if self._read(calls, reader):
                    return
        except LateError:
            raise Lost(f"no answer within {timeout_s:g} s") from None
        except OSError as error:
            raise Lost(
                _CLOSED
                if self._is_cut
                else f"the connection broke before the answer ({type(error).__name__})"
            ) from None

    def _failed_at_once(self, request: bytes, error: OSError) -> NotSent | Lost:
        """The failure if the first send fails: then no byte of the request was taken."""
        words = f"the connection broke before %s ({type(error).__name__})"
        if self._is_tls() and len(request) > _RECORD_BYTES:
            # One send writes several records. The failing one was not the first, perhaps.
            return Lost(_CLOSED if self._is_cut else words % "the answer")
        # Of a single record, a part may have left, which the peer cannot read.
        return client_closed() if self._is_cut else NotSent(words % "the request was sent")

    def _is_tls(self) -> bool:
        stream = self._stream
        return not isinstance(stream, socket.socket) or isinstance(stream, ssl.SSLSocket)

    def _read(self, calls: Stream | Direct, reader: AnswerReader) -> bool:
        """Read the available bytes. Returns whether the answer is complete."""
        while True:
            try:
                data = calls.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not data:
                raise Lost(
                    _CLOSED if self._is_cut else "the connection was closed before the answer"
                )
            fault = reader.feed(data)
            if fault is not None:
                raise Lost(fault)
            if reader.is_complete:
                return True

    def is_usable(self, now_s: float) -> bool:
        """Whether the connection can take a request."""
        if self.is_closed or now_s - self.idle_since_s > MAX_IDLE_S:
            return False
        # The peer closed the connection, or sent unexpected bytes.
        try:
            if self._direct is not None:
                return self._direct.is_silent()
            if not self._is_readable(0):
                return True
            if self._is_tls():
                self._stream.recv(1)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True  # only session tickets
        except (OSError, ValueError):
            return False
        return False

    def cut(self) -> None:
        """Wake the thread that waits for an answer. That thread closes the connection."""
        self._is_cut = True
        with suppress(OSError):
            stream: Any = self._stream
            # Not SSLSocket's own shutdown, which would remove TLS while a thread reads.
            if isinstance(stream, socket.socket):
                socket.socket.shutdown(stream, socket.SHUT_RDWR)
            else:
                stream.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close without TLS shutdown."""
        self.is_closed = True
        with suppress(OSError):
            self._stream.close()


class Pool:
    """The connections to one endpoint. The last used one is taken first. Threads share the pool.

    Args:
        trust: the certificates for TLS.
        proxy: the proxy to use.
        max_idle: how many unused connections are kept.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        trust: Callable[[], Trust],
        proxy: Proxy | None,
        max_idle: int,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self.endpoint: Final = endpoint
        self.pid: Final = os.getpid()
        self.is_closed: bool = False
        self._trust: Final = trust
        self._proxy: Final = proxy
        self._max_idle: Final = max_idle
        self._connect_timeout_s: Final = connect_timeout_s
        self._lock: Final = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._addresses: list[tuple[Any, ...]] = []  # of the last connections
        self._lookup: Work[list[tuple[Any, ...]]] | None = None
        self._renewal: Work[None] | None = None
        self._surplus = 0

    # --- Taking and giving back

    def take(self, now_s: float) -> Connection | None:
        """An idle connection that can take a request, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
                self._busy.add(connection)
                is_shared = len(self._busy) > 1
            if is_shared:
                connection.share()
            if connection.is_usable(now_s):
                if now_s >= connection.old_at_s:
                    self._begin_renewal()
                return connection
            self.discard(connection)

    def release(self, connection: Connection) -> None:
        """Give back a connection after a complete answer."""
        now_s = monotonic()
        is_old = now_s >= connection.old_at_s
        if connection.reader.is_reusable and not (is_old and self._take_surplus()):
            self._keep(connection, now_s)
        else:
            self.discard(connection)

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        self._keep(connection, monotonic())

    def _keep(self, connection: Connection, now_s: float) -> None:
        connection.idle_since_s = now_s
        with self._lock:
            self._busy.discard(connection)
            idle = self._idle
            fits = not self.is_closed and len(idle) < self._max_idle
            if fits:
                idle.append(connection)
                if now_s - idle[0].idle_since_s <= MAX_IDLE_S:
                    return
            unfit = [] if fits else [connection]
            # The longest unused ones come first.
            while idle and now_s - idle[0].idle_since_s > MAX_IDLE_S:
                unfit.append(idle.pop(0))
        for each in unfit:
            each.close()

    def discard(self, connection: Connection) -> None:
        """Close the connection; it is not used again."""
        with self._lock:
            self._busy.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all connections. Requests that wait for an answer are lost."""
        with self._lock:
            self.is_closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.cut()

    def drop(self) -> None:
        """In a child process: close its copies of the parent's sockets, without sending anything.

        No lock is taken: a thread of the parent that held it does not exist in the child.
        """
        self.is_closed = True
        for connection in [*self._idle, *self._busy]:
            connection.close()

    def _take_surplus(self) -> bool:
        with self._lock:
            if not self._surplus:
                return False
            self._surplus -= 1
            return True

    # --- Making connections

    def connect(self, timeout_s: float | None, deadline_s: float) -> Connection:
        """A new connection, with TLS and through the proxy as set. It counts as taken.

        Args:
            timeout_s: what an error says; the deadline is what counts.

        Raises:
            NotSent: no connection could be made.
        """
        where = self.endpoint.host_header if self._proxy is None else f"{self._proxy}"
        bound_s = monotonic() + self._connect_timeout_s
        try:
            connection = Connection(self._connect(min(bound_s, deadline_s)))
        except LateError as error:
            limit = "attempt_timeout_s" if deadline_s < bound_s else "connect_timeout_s"
            within_s = timeout_s if deadline_s < bound_s else self._connect_timeout_s
            raise NotSent(f"no connection to {where} within {within_s:g} s", limit=limit) from error
        except ssl.SSLCertVerificationError as error:
            raise NotSent(
                f"the certificate of {where} was not accepted: {error.verify_message}",
                is_retryable=False,
            ) from error
        except OSError as error:
            raise NotSent(f"no connection to {where}: {failure_words(error)}") from error
        # As for a reused one: bytes that are there already are no answer to the request.
        if not connection.is_usable(monotonic()):
            connection.close()
            raise NotSent(f"the connection to {where} was closed or answered before a request")
        with self._lock:
            if not self.is_closed:
                self._busy.add(connection)
                return connection
        connection.close()
        raise client_closed()

    def _connect(self, deadline_s: float) -> Stream:
        if not self.endpoint.is_tls:
            return self._open(None, deadline_s)
        trust = self._trust()
        context = trust.context(is_aws=self.endpoint.is_aws)
        try:
            return self._open(context, deadline_s)
        except ssl.SSLCertVerificationError:
            if trust.is_full(context):
                raise
        # The host's certificate is not from Amazon's own roots, for example behind a proxy that
        # decrypts.
        return self._open(trust.full(), deadline_s)

    def _open(self, context: ssl.SSLContext | None, deadline_s: float) -> Stream:
        endpoint, proxy = self.endpoint, self._proxy
        host = endpoint if proxy is None else proxy
        stream: Any = self._dial(host.host, host.port, deadline_s)
        try:
            if proxy is not None and proxy.is_tls:
                stream = over_tls(stream, self._trust().full(), proxy.host, deadline_s)
            if context is None:
                return stream  # type: ignore[no-any-return]
            if proxy is not None:
                _open_tunnel(stream, tunnel_request(endpoint, proxy), deadline_s)
            return over_tls(stream, context, endpoint.host, deadline_s)
        except BaseException:
            stream.close()
            raise

    def _dial(self, host: str, port: int, deadline_s: float) -> socket.socket:
        try:
            addresses = self._resolve(host, port, deadline_s)
        except socket.gaierror:
            # The name server is down, but the earlier addresses may still work.
            if not self._addresses:
                raise
            addresses = list(reversed(self._addresses))
        dialed = dial(addresses, deadline_s)
        peer = dialed.getpeername()
        used = [each for each in addresses if each[4] == peer]
        self._addresses = [*(each for each in self._addresses[-3:] if each not in used), *used]
        return dialed

    def _resolve(self, host: str, port: int, deadline_s: float) -> list[tuple[Any, ...]]:
        """The host's addresses, looked up in another thread, because nothing else can end a
        lookup."""

        def look_up() -> list[tuple[Any, ...]]:
            return list(socket.getaddrinfo(plain_name(host), port, type=socket.SOCK_STREAM))

        if is_address(host):
            return look_up()
        with self._lock:
            lookup = self._lookup
            if lookup is None or lookup.is_done:
                lookup = self._lookup = Work(look_up).start()
        try:
            return lookup.result(None if deadline_s == math.inf else deadline_s - monotonic())
        except TimeoutError:
            raise LateError from None

    def _begin_renewal(self) -> None:
        with self._lock:
            if self._renewal is None or self._renewal.is_done:
                self._renewal = Work(self._renew).start()

    def _renew(self) -> None:
        """Make a new connection before an old one is dropped."""
        try:
            connection = self.connect(None, math.inf)
        except NotSent:
            return  # the old ones stay in use; the next call tries again
        now_s = monotonic()
        with self._lock:
            old = next((each for each in self._idle if now_s >= each.old_at_s), None)
            if old is None:
                self._surplus += 1
            else:
                self._idle.remove(old)
        if old is not None:
            old.close()
        self.keep(connection)


def _open_tunnel(stream: Stream, request: bytes, deadline_s: float) -> None:
    send_all(stream, request, deadline_s)
    received = b""
    while not is_tunnel_open(received):
        data = when_ready(stream, deadline_s, lambda: stream.recv(READ_BYTES))
        if not data:
            raise NotSent(TUNNEL_CLOSED)
        received += data
