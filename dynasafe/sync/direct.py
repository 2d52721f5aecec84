"""System calls that keep the interpreter's lock, on Linux.

Each method of a socket gives the lock up, even for a microsecond. If other threads wait for it, one
of them takes it, and this one has to wait for its next turn: four times in each request. So where
threads share a pool, only the wait for an answer gives the lock up. That takes a third off the CPU
time of a call.

Sources: "ctypes", Python documentation, for PyDLL; send(2) and recv(2).
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Final

_BUFFER_BYTES: Final = 16 * 1024
_MOST_BYTES: Final = 64 * 1024
"""The kernel takes longer to copy more, so others may run meanwhile."""


class Direct:
    """Sends and receives on one non-blocking socket."""

    __slots__ = ("_address", "_get_errno", "_receive", "_send", "_socket", "_view")

    def __init__(self, connected: socket.socket, library: Any) -> None:
        send, receive, buffer, self._get_errno = library
        self._socket: Final = connected
        self._send: Final[Callable[..., int]] = send
        self._receive: Final[Callable[..., int]] = receive
        data, self._address = buffer()
        self._view: Final = memoryview(data)

    def send(self, data: bytes) -> int:
        """The number of bytes that were sent.

        Raises:
            BlockingIOError: the socket takes none now.
        """
        if len(data) > _MOST_BYTES:
            return self._socket.send(data)
        sent = self._send(self._socket.fileno(), data, len(data), _NO_SIGNAL)
        if sent < 0:
            raise self._error()
        return sent

    def recv(self, size: int) -> memoryview:
        """Some bytes, which are valid until the next call; none at the end.

        Raises:
            BlockingIOError: there are none now.
        """
        most = min(size, _BUFFER_BYTES)
        count = self._receive(self._socket.fileno(), self._address, most, 0)
        if count < 0:
            raise self._error()
        return self._view[:count]

    def is_silent(self) -> bool:
        """Whether the peer neither sent anything nor closed the connection."""
        count = self._receive(self._socket.fileno(), self._address, 1, socket.MSG_PEEK)
        return count < 0 and self._get_errno() == errno.EAGAIN

    def _error(self) -> OSError:
        code = self._get_errno()
        return OSError(code, os.strerror(code))  # a BlockingIOError or another, by the code


def direct(stream: object) -> Direct | None:
    """The direct calls of a stream; None of TLS, of gevent's sockets, and where there are none."""
    if type(stream) is not socket.socket or socket.socket.__module__ != "socket":
        return None
    library = _library()
    return None if library is None else Direct(stream, library)


_NO_SIGNAL: Final = getattr(socket, "MSG_NOSIGNAL", 0)


@cache
def _library() -> Any:
    """The functions of the C library, one that makes a buffer, and one that tells the error."""
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return None
    try:
        import ctypes  # late: it takes milliseconds, and a single thread does without

        library = ctypes.PyDLL(None, use_errno=True)
        send, receive = library.send, library.recv
    except (ImportError, OSError, AttributeError):  # as in a Python that is linked statically
        return None
    send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    send.restype = receive.restype = ctypes.c_ssize_t

    def buffer() -> tuple[Any, int]:
        data = ctypes.create_string_buffer(_BUFFER_BYTES)
        return data, ctypes.addressof(data)

    return send, receive, buffer, ctypes.get_errno
