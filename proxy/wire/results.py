"""The rows of a result on their way to the client, batch by batch, never faster than it reads.

What ends a result, and what else an answer holds, is `conversation.py`'s business.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from mysql_mimic.types import ServerStatus, uint_len

from proxy.deadline import limited
from proxy.result import Cell, Column, Rows
from proxy.wire.answers import eof
from proxy.wire.charsets import Charset
from proxy.wire.columns import column_definition
from proxy.wire.dialect import Dialect
from proxy.wire.rows import binary_rows, text_rows
from proxy.wire.stream import HIGH_WATER, PacketStream

RowEncoder: TypeAlias = Callable[
    [Sequence[tuple[Cell, ...]], Sequence[Column], Charset], list[bytes]
]

_SLICE = 256
"""Rows that are encoded before the client may catch up and other clients get their turn."""


def as_text(
    rows: Sequence[tuple[Cell, ...]], columns: Sequence[Column], charset: Charset
) -> list[bytes]:
    """Rows for COM_QUERY, whose columns do not matter."""
    return text_rows(rows, charset)


as_binary = binary_rows


async def send_rows(
    stream: PacketStream,
    rows: Rows,
    encode: RowEncoder,
    dialect: Dialect,
    status: ServerStatus,
) -> None:
    """Sends columns and rows, without the packet that ends them. A row is on its way as soon as the
    next one must be waited for. However it leaves, `rows.batches` is closed. Raises PeerGone,
    TimedOut and what the batches raise."""
    charset = dialect.charset
    async with aclosing(rows.batches):
        stream.write(uint_len(len(rows.columns)))
        stream.write_many(column_definition(column, charset) for column in rows.columns)
        if not dialect.deprecates_eof:
            stream.write(eof(status))
        stream.flush_soon()
        room = _SLICE
        async for batch in rows.batches:
            for start in range(0, len(batch), _SLICE):
                part = batch[start : start + _SLICE]
                stream.write_many(encode(part, rows.columns, charset))
                stream.flush_soon()
                room -= len(part)
                if room <= 0 or stream.waiting >= HIGH_WATER:
                    await _catch_up(stream, rows.deadline)
                    room = _SLICE


async def _catch_up(stream: PacketStream, deadline: float | None) -> None:
    """Until the client has read enough of the rows, and others had their turn."""
    async with limited(deadline):
        await stream.drain()
        await asyncio.sleep(0)
