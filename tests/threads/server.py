"""A small HTTP server on loopback that a test scripts: what it answers, and when."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from zlib import crc32

Answer = Callable[[socket.socket, bytes], bool]
"""Answers one request on a connection; whether the connection is kept."""


def reply(answer: object = None, status: int = 200) -> bytes:
    body = json.dumps({} if answer is None else answer).encode()
    head = (
        f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\nx-amz-crc32: {crc32(body)}\r\n"
        "x-amzn-RequestId: R\r\n\r\n"
    )
    return head.encode() + body


def ok(connection: socket.socket, request: bytes) -> bool:
    connection.sendall(reply())
    return True


class Server:
    """Each connection is served by a thread."""

    def __init__(self, answer: Answer = ok) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        with suppress(OSError):
            while True:
                while b"\r\n\r\n" not in received:
                    data = connection.recv(65536)
                    if not data:
                        return
                    received += data
                head, _, rest = received.partition(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                while len(rest) < length:
                    rest += connection.recv(65536)
                received = rest[length:]
                with self._lock:
                    self.requests.append(rest[:length])
                if not self.answer(connection, rest[:length]):
                    connection.close()
                    return
