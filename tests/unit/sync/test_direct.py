"""System calls that keep the interpreter's lock do what a socket's methods do."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.resilience.boundary import Lost
from dynasafe.sync import direct as module
from dynasafe.sync.connection import Connection
from dynasafe.sync.direct import Direct, direct

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.implementation.name != "cpython",
    reason="there are no direct calls here",
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket that does not wait, and its peer."""
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        yield ours, peer


@contextmanager
def pair_of_direct() -> Iterator[tuple[Direct, socket.socket]]:
    with pair() as (ours, peer):
        calls = direct(ours)
        assert calls is not None
        yield calls, peer


@given(data=st.binary(min_size=1, max_size=100_000))
def test_bytes_arrive(data: bytes) -> None:
    """What is sent is what is received, in pieces of any size."""
    with pair_of_direct() as (calls, peer):
        assert calls.send(data) == len(data)
        assert peer.recv(len(data) + 1, socket.MSG_DONTWAIT) == data
        peer.sendall(data)
        received = b""
        while len(received) < len(data):
            received += calls.recv(64 * 1024)
        assert received == data


def test_nothing_to_read() -> None:
    """Without bytes, a read would have to wait; at the end, it gives none."""
    with pair_of_direct() as (calls, peer):
        with pytest.raises(BlockingIOError):
            calls.recv(10)
        peer.close()
        assert bytes(calls.recv(10)) == b""


def test_no_room() -> None:
    """If the kernel takes no more bytes, a write would have to wait."""
    with pair_of_direct() as (calls, peer):
        sent = 0
        with suppress(BlockingIOError):
            while True:
                sent += calls.send(b"x" * 60_000)
        received = 0
        while received < sent:
            received += len(peer.recv(1_000_000))
        assert 0 < received == sent


def test_failures() -> None:
    """A peer that is gone, and a socket that is closed, raise the errors of a socket."""
    with pair() as (ours, peer):
        calls = direct(ours)
        assert calls is not None
        peer.close()
        with pytest.raises(BrokenPipeError):
            calls.send(b"x")
        ours.close()
        for call in (lambda: calls.send(b"x"), lambda: calls.recv(1)):
            with pytest.raises(OSError, match="Bad file descriptor"):
                call()
        assert not calls.is_silent()


def test_silence() -> None:
    """A peer is silent if it neither sent anything nor closed; what it sent stays to be read."""
    with pair_of_direct() as (calls, peer):
        assert calls.is_silent()
        peer.sendall(b"x")
        assert not calls.is_silent()
        assert bytes(calls.recv(10)) == b"x"
        assert calls.is_silent()
        peer.close()
        assert not calls.is_silent()


class Other(socket.socket):
    """A socket with methods of its own, as gevent's are."""


def test_other_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS, sockets of other classes, patched modules and other systems have no direct calls."""
    assert direct(ssl.MemoryBIO()) is None
    with pair() as (ours, _), Other() as other:
        assert direct(other) is None
        with monkeypatch.context() as patched:
            patched.setattr(socket.socket, "__module__", "gevent._socket3")
            assert direct(ours) is None
        with monkeypatch.context() as patched:
            patched.setattr(sys, "platform", "darwin")
            module._library.cache_clear()
            assert direct(ours) is None
        module._library.cache_clear()
        assert direct(ours) is not None


def outcome(data: bytes, *, is_closed: bool, is_shared: bool) -> tuple[str, bytes, bool]:
    """What one exchange comes to, if the peer has sent this much."""
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(ours)
    with peer:
        if is_shared:
            connection.share()
        peer.sendall(data)
        if is_closed:
            peer.shutdown(socket.SHUT_WR)
        reader = connection.reader
        try:
            connection.exchange(b"POST / HTTP/1.1\r\n\r\n", 0.0, monotonic())
        except Lost as lost:
            found = str(lost)
        else:
            found = f"{reader.status}"
        body = bytes(reader.body) if found.isdigit() else b""
        usable = connection.is_usable(monotonic())
        connection.close()
    return found, body, usable


@given(
    data=st.one_of(
        st.just(ANSWER),
        st.integers(0, len(ANSWER)).map(lambda end: ANSWER[:end]),
        st.binary(max_size=60),
        st.tuples(st.just(ANSWER), st.binary(max_size=9)).map(b"".join),
        st.integers(0, 70_000).map(
            lambda size: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        ),
    ),
    is_closed=st.booleans(),
)
def test_same_outcome(data: bytes, is_closed: bool) -> None:
    """Whatever the peer sends, an exchange has the same outcome with direct calls."""
    plain = outcome(data, is_closed=is_closed, is_shared=False)
    assert outcome(data, is_closed=is_closed, is_shared=True) == plain
