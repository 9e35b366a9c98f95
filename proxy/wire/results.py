"""The rows of a result on their way to the client, batch by batch, never faster than it reads.

What ends a result, and what else an answer holds, is `conversation.py`'s business.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

from mysql_mimic.types import ServerStatus, uint_len

from proxy.result import Batch, Cell, Column, Rows
from proxy.wire.answers import eof
from proxy.wire.charsets import Charset
from proxy.wire.columns import column_definition
from proxy.wire.dialect import Dialect
from proxy.wire.rows import binary_rows, text_rows
from proxy.wire.stream import PacketStream

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
    """Sends columns and rows, without the packet that ends them. However it leaves, `rows.batches`
    is closed. Raises PeerGone and what the batches raise."""
    charset = dialect.charset
    try:
        stream.write(uint_len(len(rows.columns)))
        stream.write_many(column_definition(column, charset) for column in rows.columns)
        if not dialect.deprecates_eof:
            stream.write(eof(status))
        async for batch in rows.batches:
            for start in range(0, len(batch), _SLICE):
                stream.write_many(encode(batch[start : start + _SLICE], rows.columns, charset))
                await stream.drain()
                await asyncio.sleep(0)
    finally:
        await _close(rows.batches)


async def _close(batches: AsyncIterator[Batch]) -> None:
    if aclose := getattr(batches, "aclose", None):
        await aclose()
