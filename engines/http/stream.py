"""One TCP or TLS connection as bytes in and bytes out, on asyncio's own transports.

It knows no HTTP; what goes wrong is raised as httpx names it. anyio's streams, which httpx would
use, cost 0.1 ms of CPU per call more.
"""

import asyncio
import os
import socket
from asyncio.staggered import staggered_race
from collections.abc import Sequence
from functools import partial
from ssl import SSLContext
from typing import Any

import httpx

_MOST_UNREAD = 1 << 20
_NEXT_ADDRESS = 0.25
"""Seconds until the next of a host's addresses is tried too, see RFC 8305."""


async def connect(host: str, port: int, tls: SSLContext | None, seconds: float) -> "Stream":
    """Connect within `seconds`. Raises httpx.ConnectTimeout, ConnectError; cancellable."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            sock = await _first_to_answer(await _addresses(host, port))
            name = host if tls is not None else None
            _, stream = await loop.create_connection(
                Stream, sock=sock, ssl=tls, server_hostname=name
            )
    except TimeoutError as error:
        raise httpx.ConnectTimeout(f"no connection in {seconds:g} seconds") from error
    except OSError as error:
        raise httpx.ConnectError(_said(error)) from error
    return stream


class Stream(asyncio.Protocol):
    """One connection. Reads are for one task at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: Exception | None = None
        self._paused = False

    @property
    def quiet(self) -> bool:
        """Whether it is open and nothing came that was not read."""
        return not (self._ended or self._received)

    def write(self, data: bytes) -> None:
        """Send; what the peer does not take yet waits in memory. Lost where the peer is gone."""
        self._transport.write(data)

    async def read(self, seconds: float) -> bytes:
        """Return what came, b"" at the end.

        Raises httpx.ReadTimeout after `seconds` of silence, httpx.ReadError.
        """
        if not (self._received or self._ended):
            await self._wait(seconds)
        data = bytes(self._received)
        self._received.clear()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if not data and self._error is not None:
            raise httpx.ReadError(_said(self._error)) from self._error
        return data

    def close(self) -> None:
        """Close at once. Idempotent."""
        self._ended = True
        self._transport.abort()

    async def _wait(self, seconds: float) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._expire, self._waiter)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _expire(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            waiter.set_exception(httpx.ReadTimeout("no answer in time"))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol, as for the next three."""
        self._transport: asyncio.Transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._received += data
        if len(self._received) > _MOST_UNREAD and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:  # noqa: D102
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102
        self._ended, self._error = True, error
        self._wake()


async def _addresses(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """Resolve a name in a thread, a numeric address here: that waits for nobody."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _first_to_answer(found: Sequence[tuple[Any, ...]]) -> socket.socket:
    """Connect to the addresses of a host, each a little after the one before: the first counts."""
    if len(found) == 1:
        return await _connected(found[0][0], found[0][4])
    sock, _, errors = await staggered_race(
        [partial(_connected, family, address) for family, _, _, _, address in found], _NEXT_ADDRESS
    )
    if sock is None:
        raise next(error for error in errors if error is not None)
    assert isinstance(sock, socket.socket)
    return sock


async def _connected(family: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _said(error: Exception) -> str:
    """The system's own words for an error number, without the address: messages name that."""
    number = error.errno if isinstance(error, ConnectionError) else None
    return os.strerror(number) if number else str(error)
