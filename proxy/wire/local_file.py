"""A file that the client sends: asked for by name, read packet by packet up to an empty one.

What is in it is the statement's business; that all of it is read, so that the next packet is a
command again, is this module's.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html
"""

from collections.abc import AsyncIterator

from proxy.wire.channel import PeerGone
from proxy.wire.stream import PacketStream

_REQUEST = b"\xfb"


class LocalFile:
    """One file on its way, an iterator over its pieces. Whoever stops reading it early calls `skip`
    before anything else goes to the client; both may be cancelled and gone on with.

    Both raise PeerGone, for a client that pauses for longer than `patience` seconds too, and what
    PacketStream.read raises; then there is no file any more.
    """

    def __init__(self, stream: PacketStream, patience: float) -> None:
        self._stream = stream
        self._patience = patience
        self._done = True

    async def ask(self, name: bytes) -> None:
        """Ask for the file. From here on the client sends it, were it empty."""
        self._stream.write(_REQUEST + name)
        self._done = False
        await self._stream.drain()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = b"" if self._done else await self._read()
        if not piece:
            self._done = True
            raise StopAsyncIteration
        return piece

    async def skip(self) -> None:
        """Read and forget what is left."""
        if not self._stream.lost:
            async for _ in self:
                pass

    async def _read(self) -> bytes:
        try:
            return await self._stream.read(self._patience)
        except TimeoutError as error:
            raise PeerGone("a file was not sent to its end in time") from error
