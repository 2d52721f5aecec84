"""TLS on a connection, spoken over memory: what the event loop's own does in more turns and copies.

All that stands between the socket and the answer's reader is one `SSLObject` with a buffer on each
side. What arrives is decrypted, and read, in the turn of the loop that brings it.

Source: "Memory BIO Support", Python's documentation of `ssl`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from dynasafe.aio.connection import Connection

if TYPE_CHECKING:
    from dynasafe.aio.connection import Pool

_CLOSED: Final = "the connection was closed during the handshake"


class TlsConnection(Connection):
    """A connection to a host that proves who it is."""

    def __init__(self, pool: Pool, context: ssl.SSLContext) -> None:
        super().__init__(pool)
        self._incoming: Final = ssl.MemoryBIO()
        self._outgoing: Final = ssl.MemoryBIO()
        # What it reads into a buffer is typed as what it returns otherwise.
        self._tls: Final[Any] = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=pool.endpoint.host
        )
        self._is_open = False
        self._failure: Exception | None = None
        self._opened: asyncio.Future[None] | None = None

    async def opened(self) -> None:
        """Wait until the host has proved who it is.

        Raises:
            OSError: it has not, or it speaks no TLS, or the connection broke.
        """
        if self._failure is not None:
            raise self._failure
        if self._is_open:
            return
        self._opened = self.pool.loop.create_future()
        try:
            await self._opened
        except BaseException:
            self.abort()
            raise

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.write: Callable[[bytes], None] = self._write
        self._shake_hands()

    def buffer_updated(self, nbytes: int) -> None:
        self._incoming.write(self.buffer[:nbytes])
        if not self._is_open:
            self._shake_hands()
        if self._is_open:
            self._read()

    def eof_received(self) -> bool:
        self._stop(ConnectionResetError(_CLOSED))
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(exc or ConnectionResetError(_CLOSED))
        self.write = self.transport.write  # no method of its own: a cycle less for the collector
        super().connection_lost(exc)

    # Within

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:  # a certificate that is not accepted is one, too
            self._flush()  # an alert says why
            self._stop(error)
            self.abort()
        else:
            self._flush()
            self._is_open = True
            if self._opened is not None and not self._opened.done():
                self._opened.set_result(None)

    def _stop(self, error: Exception) -> None:
        if self._is_open:
            return
        self._failure = error
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(error)

    def _read(self) -> None:
        incoming, tls, buffer = self._incoming, self._tls, self.buffer
        try:
            # What has arrived of a record that is not whole stays inside.
            while incoming.pending or tls.pending():
                # The pool's buffer is free again: its bytes have been copied.
                count = tls.read(len(buffer), buffer)
                if not count:  # the peer says that nothing more will come
                    self.is_closed = True
                    self.transport.close()
                    return
                super().buffer_updated(count)
                if self.is_closed:
                    return
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._flush()
            self.fail(f"TLS failed ({error.reason or type(error).__name__})")
            return
        if self._outgoing.pending:  # an update of the keys is answered
            self._flush()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]  # a record at a time
        except ssl.SSLError as error:
            self.fail(f"TLS failed ({error.reason or type(error).__name__})")
            return
        self._flush()

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self.transport.write(data)
