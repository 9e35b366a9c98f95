"""The server's door: it accepts clients, bounds their number and sees them out at the end.

What happens inside a connection is `connection.py`'s business.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from mysql_mimic.server import MysqlServer

from proxy.errors import ProxyError, ShuttingDown, TooManyConnections
from proxy.wire import answers
from proxy.wire.channel import PeerReader
from proxy.wire.connection import Connection
from proxy.wire.handler import Accounts, Handler
from proxy.wire.handshake import CAPABILITIES
from proxy.wire.house import House
from proxy.wire.limits import LOGIN_PACKET, Limits
from proxy.wire.login import Doorkeeper
from proxy.wire.processes import Processes
from proxy.wire.stream import PacketStream
from proxy.wire.tls import Keys

_LAST_WORDS = 2.0
"""Seconds for cancelled statements to clean up and say so, before their connections are cut."""

_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""The probes of a silent peer, where the platform has them: after so many seconds, each so many
later, so many unanswered. Two minutes of spending for nobody; by default they are more than two
hours."""


class Listener(MysqlServer):
    """A MySQL server that gives each client a Handler.

    mysql-mimic 3.0.5 names its own Connection and MysqlStream in `_client_connected_cb`; that
    method is replaced, and with it all that these two get wrong (tests/wire has a test for each).
    """

    def __init__(
        self,
        make_handler: Callable[[Processes], Handler],
        accounts: Accounts,
        keys: Keys,
        server_version: str,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(capabilities=CAPABILITIES, ssl=keys.tls)
        self.processes = Processes()
        self.limits = limits or Limits()
        self._house = House(
            make_handler,
            Doorkeeper(accounts, keys.rsa_key),
            self.processes,
            self.limits,
            keys.tls,
            server_version,
        )
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port (0 asks for a free one). Raises OSError."""
        await self.start_server(host=host, port=port)
        return int(self.sockets()[0].getsockname()[1])

    async def start_server(self, **kwargs: Any) -> None:
        """Listens as `loop.create_server` does with `kwargs`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, **kwargs)

    async def stop(self, grace: float | None = None) -> None:
        """No new connections; idle ones are told and closed; running statements get `grace` seconds
        (limits.shutdown_grace) and are then cancelled. All Handlers are closed when it returns."""
        self._stopping = True
        self.close()
        reason = ShuttingDown("Server shutdown in progress")
        for connection in self._connections.values():
            connection.finish(reason)
        await self._wait(self.limits.shutdown_grace if grace is None else grace)
        for connection in self._connections.values():
            connection.end(reason)
        await self._wait(_LAST_WORDS)
        for task in self._connections:
            task.cancel()
        await self._wait(_LAST_WORDS)
        await self.wait_closed()
        self._house.doorkeeper.close()

    async def _wait(self, seconds: float) -> None:
        if self._connections:
            await asyncio.wait(self._connections, timeout=seconds)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = PeerReader(limit=LOGIN_PACKET)
        return asyncio.StreamReaderProtocol(reader, self._client_connected_cb)

    async def _client_connected_cb(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert isinstance(reader, PeerReader)
        _keep_alive(writer)
        stream = PacketStream(reader, writer, self.limits)
        refusal = self._refusal()
        if refusal is not None:
            stream.write(answers.early_error(refusal))
            stream.flush()
            writer.close()
            return
        connection = Connection(stream, self._house, _host(writer))
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = connection
        try:
            await connection.run()
        finally:
            del self._connections[task]

    def _refusal(self) -> ProxyError | None:
        if self._stopping:
            return ShuttingDown("Server shutdown in progress")
        if len(self._connections) >= self.limits.max_connections:
            return TooManyConnections("Too many connections")
        return None


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A peer that vanishes without a word is noticed by the kernel, and its statement ends."""
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE.items():
        if hasattr(socket, option):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _host(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else "localhost"
