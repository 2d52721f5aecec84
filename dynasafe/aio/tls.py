"""TLS on a connection, over memory buffers, with fewer turns and copies than the event loop's own.

Between the socket and the answer's reader is only one `SSLObject` with a buffer on each side.
Received data is decrypted and read in the same turn of the loop.

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
    """A TLS connection to a host whose certificate is checked."""

    def __init__(self, pool: Pool, context: ssl.SSLContext) -> None:
        super().__init__(pool)
        self._incoming: Final = ssl.MemoryBIO()
        self._outgoing: Final = ssl.MemoryBIO()
        # With a buffer, its return value is typed as without one.
        self._tls: Final[Any] = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=pool.endpoint.host
        )
        self._is_open = False
        self._failure: Exception | None = None
        self._opened: asyncio.Future[None] | None = None

    async def opened(self) -> None:
        """Wait for the end of the handshake.

        Raises:
            OSError: the certificate is not accepted, the host does not use TLS, or the connection
                broke.
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
        self.write = self.transport.write  # a bound method would make a cycle
        super().connection_lost(exc)

    # Within

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:  # a certificate error is one, too
            self._flush()  # an alert tells the peer why
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
            # An incomplete record stays inside.
            while incoming.pending or tls.pending():
                # The pool's buffer is free again: its bytes have been copied.
                count = tls.read(len(buffer), buffer)
                if not count:  # the peer announced the end of its data
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
        if self._outgoing.pending:  # a key update needs an answer
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
