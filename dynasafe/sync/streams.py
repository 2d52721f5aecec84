"""Non-blocking sockets: this module waits for them, within a deadline.

A stream has `send`, `recv`, `fileno` and `close`; the first two raise BlockingIOError or one of
ssl's SSLWantReadError and SSLWantWriteError when they would have to wait.

Sources: RFC 8305, for the attempts that overlap; "Notes on non-blocking sockets", Python
documentation, ssl.
"""

from __future__ import annotations

import errno
import math
import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Protocol, TypeVar

from dynasafe.environment.dialing import STAGGER_S, keep_alive

T = TypeVar("T")

READ_BYTES = 64 * 1024
_MOST_MS = 2**31 - 1
"""The longest wait that poll(2) takes."""
_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


class LateError(Exception):
    """The deadline has passed."""


class Stream(Protocol):
    """Bytes in both directions."""

    def send(self, data: Any, /) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


def readiness(descriptor: int, *, is_write: bool = False) -> Callable[[float | None], Any]:
    """A function that waits for some milliseconds, and returns whether the socket is ready."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if is_write else select.POLLIN)
        return poll.poll
    sockets = ([], [descriptor], [descriptor]) if is_write else ([descriptor], [], [])
    return lambda timeout_ms: any(
        select.select(*sockets, None if timeout_ms is None else timeout_ms / 1000)
    )


def left_ms(deadline_s: float) -> float | None:
    """Milliseconds until the deadline, rounded up; None without a limit."""
    if deadline_s == math.inf:
        return None
    left = (deadline_s - monotonic()) * 1000
    return 0 if left <= 0 else int(left) + 1 if left < _MOST_MS else _MOST_MS


def when_ready(stream: Stream, deadline_s: float, function: Callable[[], T]) -> T:
    """The function's result. It is called again when the stream is ready.

    Raises:
        LateError: the stream was not ready in time.
    """
    while True:
        try:
            return function()
        except (BlockingIOError, ssl.SSLWantReadError):
            is_write = False
        except ssl.SSLWantWriteError:
            is_write = True
        if not readiness(stream.fileno(), is_write=is_write)(left_ms(deadline_s)):
            raise LateError


def send_all(stream: Stream, data: bytes, deadline_s: float) -> None:
    """Hand all bytes over.

    Raises:
        LateError: they were not accepted in time.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[stream.send(rest) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            is_write = True
        except ssl.SSLWantReadError:
            is_write = False
        else:
            continue
        if not readiness(stream.fileno(), is_write=is_write)(left_ms(deadline_s)):
            raise LateError


def dial(addresses: Sequence[tuple[Any, ...]], deadline_s: float) -> socket.socket:
    """A connection to the first address that accepts one.

    Args:
        addresses: as `getaddrinfo` returns them.

    Raises:
        OSError: none did; this is the last one's error.
        LateError: none did in time.
    """
    waiting = deque(addresses)
    trying: dict[int, socket.socket] = {}
    error: OSError = OSError("it has no address")
    next_at_s = -math.inf
    poll = select.poll() if hasattr(select, "poll") else None
    try:
        while waiting or trying:
            now_s = monotonic()
            if waiting and (not trying or now_s >= next_at_s):
                next_at_s = now_s + STAGGER_S
                family, kind, protocol, _, address = waiting.popleft()
                try:
                    attempt = socket.socket(family, kind, protocol)
                except OSError as caught:  # no IPv6 here
                    error = caught
                    continue
                descriptor = attempt.fileno()
                trying[descriptor] = attempt
                attempt.setblocking(False)
                code = attempt.connect_ex(address)
                if code == 0:
                    return _made(trying.pop(descriptor))
                if code not in _IN_PROGRESS:
                    error = OSError(code, os.strerror(code))
                    trying.pop(descriptor).close()
                elif poll is not None:
                    poll.register(descriptor, select.POLLOUT)
                continue
            until_s = min(deadline_s, next_at_s) if waiting else deadline_s
            for descriptor in _connected(poll, trying, left_ms(until_s)):
                attempt = trying.pop(descriptor)
                if poll is not None:
                    poll.unregister(descriptor)
                code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return _made(attempt)
                attempt.close()
                error = OSError(code, os.strerror(code))
            if monotonic() >= deadline_s:
                raise LateError
        raise error
    finally:
        for attempt in trying.values():
            attempt.close()


def _connected(poll: Any, trying: dict[int, socket.socket], timeout_ms: float | None) -> list[int]:
    if poll is not None:
        return [descriptor for descriptor, _ in poll.poll(timeout_ms)]
    sockets = list(trying)
    timeout_s = None if timeout_ms is None else timeout_ms / 1000
    _, made, failed = select.select([], sockets, sockets, timeout_s)
    return [*{*made, *failed}]


def _made(made: socket.socket) -> socket.socket:
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(made)
    except OSError:
        made.close()
        raise
    return made


def plain_name(host: str) -> str | bytes:
    """The host's name as bytes if it is ASCII: for text, Python would load its IDNA tables."""
    return host.encode() if host.isascii() else host


def over_tls(
    stream: Any, context: ssl.SSLContext, host: str, deadline_s: float
) -> ssl.SSLSocket | TlsInTls:
    """TLS over a stream, after the handshake.

    Raises:
        OSError: it failed.
        LateError: it was not done in time.
    """
    tls: ssl.SSLSocket | TlsInTls
    if isinstance(stream, ssl.SSLSocket):
        tls = TlsInTls(stream, context, plain_name(host))
    else:
        tls = context.wrap_socket(
            stream, server_hostname=plain_name(host), do_handshake_on_connect=False
        )
    try:
        when_ready(tls, deadline_s, tls.do_handshake)
    except BaseException:
        tls.close()
        raise
    return tls


class TlsInTls:
    """TLS to a host within TLS to a proxy, which `ssl` alone does not wrap."""

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str | bytes) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unsent = b""
        self._taken: int | None = None

    def do_handshake(self) -> None:
        self._step(self._tls.do_handshake)

    def recv(self, size: int, /) -> bytes:
        return self._step(lambda: self._tls.read(size))

    def send(self, data: Any, /) -> int:
        """If it would have to wait, call it again with the same bytes."""
        if self._taken is None:
            self._taken = self._tls.write(data)
        self._flush()
        taken, self._taken = self._taken, None
        return taken

    def fileno(self) -> int:
        return self._outer.fileno()

    def shutdown(self, how: int) -> None:
        socket.socket.shutdown(self._outer, how)

    def close(self) -> None:
        self._outer.close()

    def _step(self, function: Callable[[], T]) -> T:
        while True:
            try:
                result = function()
            except ssl.SSLWantReadError:
                self._flush()
                received = self._outer.recv(READ_BYTES)
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        while self._unsent or self._outgoing.pending:
            if not self._unsent:
                self._unsent = self._outgoing.read()
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
