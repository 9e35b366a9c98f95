"""Bytes to and from the peer, plain or through TLS; packets are `stream.py`'s business.

TLS runs over memory buffers instead of the transport, so that bytes which came with the SSLRequest
are TLS bytes and nothing else: a ClientHello in the same segment works, plaintext cannot pass.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress

READ_SIZE = 64 * 1024

_RECORDS = 1024 * 1024
"""OpenSSL takes less than 2 GiB at a time."""


class PeerGone(ConnectionError):
    """The peer closed the connection, broke it, or let it time out. No client reads this."""


class PeerReader(asyncio.StreamReader):
    """A StreamReader that calls `on_gone` the moment that the peer closes, read or not.

    asyncio tells of a closed peer only those who read; a running query does not. (A peer that sends
    more than 128 KB ahead of its answers is not watched: reading pauses to bound memory.)
    """

    on_gone: Callable[[], object] | None = None
    gone = False
    """The peer has closed; bytes that came before may still wait to be read."""

    def feed_eof(self) -> None:
        """The peer sends no more."""
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: Exception) -> None:
        """The connection broke."""
        super().set_exception(exc)
        self._tell()

    def _tell(self) -> None:
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()


class Channel:
    """Plain bytes. `read` and `drain` raise PeerGone; they may be cancelled without loss."""

    secure = False

    def __init__(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self) -> bytes:
        """Some bytes, at most READ_SIZE."""
        try:
            data = await self.reader.read(READ_SIZE)
        except OSError as error:
            raise PeerGone("connection broken") from error
        if not data:
            raise PeerGone("connection closed")
        return data

    def write(self, data: bytes | bytearray) -> None:
        """Queues bytes; `drain` bounds the queue."""
        self.writer.write(data)

    def finish(self) -> None:
        """Says that no more bytes follow."""
        if self.writer.can_write_eof():
            self.writer.write_eof()

    async def drain(self) -> None:
        """Waits until the queue is short enough."""
        try:
            await self.writer.drain()
        except OSError as error:
            raise PeerGone("connection broken") from error


class TlsChannel(Channel):
    """TLS over a plain channel; `received` are the bytes that came already."""

    secure = True

    def __init__(self, plain: Channel, context: ssl.SSLContext, received: bytes) -> None:
        super().__init__(plain.reader, plain.writer)
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._incoming.write(received)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self) -> None:
        """Raises PeerGone when the peer does not speak TLS, or not ours."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                self._incoming.write(await self._plain.read())
            except ssl.SSLError as error:
                self._send_records()
                raise PeerGone("TLS handshake failed") from error
            else:
                return await self._flush()

    async def read(self) -> bytes:
        """Some decrypted bytes."""
        while True:
            try:
                data = self._tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                await self._flush()
                self._incoming.write(await self._plain.read())
            except ssl.SSLError as error:
                raise PeerGone("TLS connection broken") from error
            else:
                if not data:
                    raise PeerGone("TLS connection closed")
                return data

    def write(self, data: bytes | bytearray) -> None:
        """Encrypts and queues."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._tls.write(rest[:_RECORDS]) :]
        self._send_records()

    def finish(self) -> None:
        """Says so inside TLS first, and does not wait for the peer's own good-bye."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._send_records()
        self._plain.finish()

    async def _flush(self) -> None:
        self._send_records()
        await self._plain.drain()

    def _send_records(self) -> None:
        if self._outgoing.pending:
            self._plain.write(self._outgoing.read())
