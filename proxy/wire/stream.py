"""Packets to and from one peer: framing, sequence numbers, bounds and timeouts.

It knows no packet's meaning. mysql-mimic 3.0.5's MysqlStream takes a header split over two segments
for garbage, joins continuation packets without bound and buffers whole results, hence this module
(tests/wire/test_packets.py).
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress

from proxy.errors import PacketOutOfOrder, PacketTooLarge
from proxy.wire.channel import Channel, PeerGone, PeerReader, TlsChannel
from proxy.wire.limits import LOGIN_PACKET, Limits

FULL = 0xFFFFFF
"""The payload of a packet that another one continues."""

HIGH_WATER = 256 * 1024
"""A drain waits once that many bytes are queued for the peer."""

LINGER = 0.5
"""Seconds that a refused peer gets to read why, before its unread bytes reset the connection."""


class PacketStream:
    """One peer's packets. `read` and `drain` raise PeerGone. `drain` may be cancelled between
    whole packets, `read` anywhere: the next one goes on where it was.

    Memory is bounded: by `max_packet` while reading, by HIGH_WATER and one write while writing.
    """

    def __init__(self, reader: PeerReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self.max_packet = LOGIN_PACKET
        self._limits = limits
        self._reader = reader
        self._writer = writer
        self._channel = Channel(reader, writer)
        self._received = bytearray()
        self._joined = bytearray()
        self._lost = False
        self._queued = bytearray()
        self._flushing: asyncio.Handle | None = None
        self._sequence = 0
        writer.transport.set_write_buffer_limits(high=HIGH_WATER)

    @property
    def secure(self) -> bool:
        """TLS is on."""
        return self._channel.secure

    @property
    def waiting(self) -> int:
        """Bytes that the peer's system has not taken yet."""
        return len(self._queued) + self._writer.transport.get_write_buffer_size()

    @property
    def gone(self) -> bool:
        """The peer has closed the connection."""
        return self._reader.gone

    @property
    def lost(self) -> bool:
        """A packet made no sense: where the next one begins cannot be known."""
        return self._lost

    def on_gone(self, callback: Callable[[], object] | None) -> None:
        """Calls back when the peer closes the connection; None forgets the callback."""
        self._reader.on_gone = callback

    def restart(self) -> None:
        """A new command begins: sequence numbers start over."""
        self._sequence = 0

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Goes on through TLS. What was received behind the SSLRequest is part of it."""
        received, self._received = bytes(self._received), bytearray()
        channel = TlsChannel(self._channel, context, received)
        await channel.handshake()
        self._channel = channel

    async def read(self, patience: float | None = None) -> bytes:
        """The next payload, its continuations joined. Waits at most `patience` seconds for its
        first byte (TimeoutError). Raises PacketTooLarge and PacketOutOfOrder; after these the
        stream is of no more use."""
        if not self._received:
            async with asyncio.timeout(patience):
                self._received += await self._channel.read()
        payload, more = await self._read_frame()
        if not more and not self._joined:
            return payload
        self._joined += payload
        while more:
            payload, more = await self._read_frame()
            self._joined += payload
        whole, self._joined = bytes(self._joined), bytearray()
        return whole

    async def _read_frame(self) -> tuple[bytes, bool]:
        """A frame's payload, and whether it goes on. Nothing is taken before all of it is there."""
        await self._gather(4)
        size = int.from_bytes(self._received[:3], "little")
        self._check(size, self._received[3])
        await self._gather(4 + size)
        payload = bytes(memoryview(self._received)[4 : 4 + size])
        del self._received[: 4 + size]
        self._sequence = (self._sequence + 1) & 0xFF
        return payload, size == FULL

    def _check(self, size: int, sequence: int) -> None:
        self._lost = True
        if sequence != self._sequence:
            raise PacketOutOfOrder("Got packets out of order")
        if size > self.max_packet - len(self._joined):
            raise PacketTooLarge("Got a packet bigger than 'max_allowed_packet' bytes")
        self._lost = False

    async def _gather(self, size: int) -> None:
        while len(self._received) < size:
            self._received += await self._receive()

    async def _receive(self) -> bytes:
        try:
            async with asyncio.timeout(self._limits.net_read_timeout):
                return await self._channel.read()
        except TimeoutError as error:
            raise PeerGone("a packet was not finished in time") from error

    def write(self, payload: bytes) -> None:
        """Queues one payload, split where it must be."""
        self.write_many((payload,))

    def write_many(self, payloads: Iterable[bytes]) -> None:
        """Queues payloads in order. The caller drains before it queues much more."""
        frames: list[bytes] = []
        sequence = self._sequence
        for payload in payloads:
            size = len(payload)
            if size >= FULL:
                sequence = _split(payload, sequence, frames)
                continue
            frames.append((size | sequence << 24).to_bytes(4, "little"))
            frames.append(payload)
            sequence = (sequence + 1) & 0xFF
        self._sequence = sequence
        self._queued += b"".join(frames)
        if len(self._queued) >= HIGH_WATER:
            self.flush()

    def flush_soon(self) -> None:
        """Sends what is queued when this task next waits for anything: what is written until then
        goes out in one piece, and nothing stays behind."""
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush_late)

    def _flush_late(self) -> None:
        if not self._writer.transport.is_closing():
            self.flush()

    def flush(self) -> None:
        """Sends what is queued, without waiting."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        queued, self._queued = self._queued, bytearray()
        if queued:
            self._channel.write(queued)

    async def drain(self) -> None:
        """Sends what is queued; waits until the peer has read enough of it."""
        self.flush()
        try:
            async with asyncio.timeout(self._limits.net_write_timeout):
                await self._channel.drain()
        except TimeoutError as error:
            raise PeerGone("the answer was not read in time") from error

    async def close(self) -> None:
        """Sends what is queued and closes. Bytes that the peer still sends are thrown away."""
        with suppress(OSError, TimeoutError, RuntimeError):
            self.flush()
            async with asyncio.timeout(LINGER):
                self._channel.finish()
                while await self._reader.read(LOGIN_PACKET):
                    pass
        self.abort()

    def abort(self) -> None:
        """Closes at once; what is queued is lost."""
        self._queued.clear()
        self._writer.transport.abort()


def _split(payload: bytes, sequence: int, frames: list[bytes]) -> int:
    view = memoryview(payload)
    for start in range(0, len(payload) + 1, FULL):
        part = view[start : start + FULL]
        frames.append((len(part) | sequence << 24).to_bytes(4, "little"))
        frames.append(bytes(part))
        sequence = (sequence + 1) & 0xFF
    return sequence
