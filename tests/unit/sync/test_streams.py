"""Waiting for sockets, with poll and without it."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from dynasafe.sync.streams import LateError, dial, readiness, send_all, when_ready


@pytest.fixture(params=["poll", "select"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no poll."""
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)
    elif not hasattr(select, "poll"):
        pytest.skip("there is no poll here")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


Pair = tuple[socket.socket, socket.socket]


def test_readiness(way: None, pair: Pair) -> None:
    """An end is ready to be written to, and to be read once something was sent."""
    one, other = pair
    assert readiness(one.fileno(), is_write=True)(None)
    assert not readiness(one.fileno())(0)
    other.sendall(b"x")
    assert readiness(one.fileno())(None)


class Stream:
    """A stream that wants something first, in the order of a script."""

    def __init__(self, end: socket.socket, *wants: Exception) -> None:
        self.end = end
        self.wants = list(wants)

    def send(self, data: Any, /) -> int:
        if self.wants:
            raise self.wants.pop(0)
        return self.end.send(data[:2])

    def recv(self, size: int, /) -> bytes:
        if self.wants:
            raise self.wants.pop(0)
        return self.end.recv(size)

    def fileno(self) -> int:
        return self.end.fileno()

    def close(self) -> None:
        self.end.close()


def test_tls_that_reads_to_write(pair: Pair) -> None:
    """While it sends, TLS may have to read, and the other way round."""
    one, other = pair
    other.sendall(b"y")
    send_all(Stream(one, ssl.SSLWantReadError(), BlockingIOError()), b"abcde", monotonic() + 5)
    stream = Stream(one, ssl.SSLWantWriteError(), ssl.SSLWantReadError())

    assert when_ready(stream, monotonic() + 5, lambda: stream.recv(9)) == b"y"
    assert other.recv(9) == b"abcde"


def test_late(pair: Pair) -> None:
    """What is not ready at the deadline is late."""
    one, _ = pair
    stream = Stream(one, ssl.SSLWantReadError())
    with pytest.raises(LateError):
        send_all(stream, b"a", monotonic())
    stream = Stream(one, BlockingIOError())
    with pytest.raises(LateError):
        when_ready(stream, monotonic(), lambda: stream.recv(1))


def addresses(port: int) -> Any:
    tcp = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    return [
        (-5, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),  # a family that is not here
        (*tcp, ("127.0.0.1", 1)),  # where nothing listens
        (*tcp, ("127.0.0.1", port)),
    ]


def test_dial(way: None) -> None:
    """The first address that accepts is taken; without one, the last error is raised."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with dial(addresses(port), monotonic() + 5) as made:
            assert made.getpeername() == ("127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):
            dial(addresses(port)[:2], monotonic() + 5)
    with pytest.raises(OSError, match="it has no address"):
        dial([], monotonic() + 5)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets here")
def test_dial_that_fails_at_once(tmp_path: Path) -> None:
    """An address may be wrong at once."""
    kind = (socket.AF_UNIX, socket.SOCK_STREAM, 0, "")
    with pytest.raises(FileNotFoundError):
        dial([(*kind, str(tmp_path / "none"))], monotonic() + 5)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets here")
def test_dial_that_cannot_be_set_up(tmp_path: Path) -> None:
    """A connection whose options cannot be set is closed."""
    path = str(tmp_path / "here")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(OSError, match=r"not (supported|available)"):
            dial([(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path)], monotonic() + 5)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(1) == b""
