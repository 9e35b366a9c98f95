"""Rows as packets: text rows for COM_QUERY, binary rows for COM_STMT_EXECUTE. No I/O here.

Cells are MySQL's text form already; a binary row turns them back into what the column's type says.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
"""

import re
import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from mysql_mimic.types import uint_len

from proxy.result import Cell, Column, FieldType
from proxy.wire.charsets import UTF8MB4, Charset

_NULL = b"\xfb"
_SHORT = [bytes([size]) for size in range(251)]
"""The length bytes of values below 251 bytes."""

Encoder: TypeAlias = Callable[[str], bytes]


def text_rows(rows: Sequence[tuple[Cell, ...]], charset: Charset = UTF8MB4) -> list[bytes]:
    """One payload for each row."""
    codec = charset.codec
    return [_text_row(row, codec) for row in rows]


def _text_row(row: tuple[Cell, ...], codec: str) -> bytes:
    parts: list[bytes] = []
    for cell in row:
        if cell is None:
            parts.append(_NULL)
            continue
        data = cell.encode(codec, "replace") if isinstance(cell, str) else cell
        size = len(data)
        parts.append(_SHORT[size] if size < 251 else uint_len(size))
        parts.append(data)
    return b"".join(parts)


def binary_rows(
    rows: Sequence[tuple[Cell, ...]], columns: Sequence[Column], charset: Charset = UTF8MB4
) -> list[bytes]:
    """One payload for each row. Raises ValueError for a cell that is not of its column's type."""
    encoders = [binary_encoder(column) for column in columns]
    return [_binary_row(row, encoders, charset.codec) for row in rows]


def _binary_row(row: tuple[Cell, ...], encoders: list[Encoder | None], codec: str) -> bytes:
    nulls = bytearray((len(row) + 9) // 8)
    parts: list[bytes | bytearray] = [b"\0", nulls]
    for at, (cell, encoder) in enumerate(zip(row, encoders, strict=True)):
        if cell is None:
            nulls[(at + 2) // 8] |= 1 << (at + 2) % 8
        elif encoder is not None:
            parts.append(encoder(cell if isinstance(cell, str) else cell.decode()))
        else:
            data = cell.encode(codec, "replace") if isinstance(cell, str) else cell
            parts.append(uint_len(len(data)) + data)
    return b"".join(parts)


def binary_encoder(column: Column) -> Encoder | None:
    """What turns a text cell into the column's binary form; None where that is the text itself."""
    if column.type in _INTEGERS:
        size = _INTEGERS[column.type]
        signed = not column.unsigned
        return lambda text: int(text).to_bytes(size, "little", signed=signed)
    return _ENCODERS.get(column.type)


_INTEGERS = {FieldType.TINY: 1, FieldType.SHORT: 2, FieldType.LONG: 4, FieldType.LONGLONG: 8}

_DATETIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")
_TIME = re.compile(r"(-?)(\d{1,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?")


def _datetime(text: str) -> bytes:
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date: {text!r}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micro = _micro(match[7])
    date = struct.pack("<HBB", year, month, day)
    time = bytes((hour, minute, second))
    if micro:
        return b"\x0b" + date + time + struct.pack("<I", micro)
    if any(time):
        return b"\x07" + date + time
    return b"\x04" + date if any(date) else b"\0"


def _time(text: str) -> bytes:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    days, hour = divmod(int(match[2]), 24)
    minute, second, micro = int(match[3]), int(match[4]), _micro(match[5])
    if not (days or hour or minute or second or micro):
        return b"\0"
    body = struct.pack("<BIBBB", bool(match[1]), days, hour, minute, second)
    return b"\x0c" + body + struct.pack("<I", micro) if micro else b"\x08" + body


def _micro(fraction: str | None) -> int:
    return int(fraction.ljust(6, "0")) if fraction else 0


_ENCODERS: dict[FieldType, Encoder] = {
    FieldType.FLOAT: lambda text: struct.pack("<f", float(text)),
    FieldType.DOUBLE: lambda text: struct.pack("<d", float(text)),
    FieldType.YEAR: lambda text: struct.pack("<H", int(text)),
    FieldType.DATE: _datetime,
    FieldType.DATETIME: _datetime,
    FieldType.TIMESTAMP: _datetime,
    FieldType.TIME: _time,
}
