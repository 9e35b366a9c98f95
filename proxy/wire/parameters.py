"""The parameters of a prepared statement, from the bytes of COM_STMT_EXECUTE to typed values.

mysql-mimic 3.0.5 pastes them into the SQL unescaped; here they never meet SQL
(tests/wire/test_prepared.py::test_a_quote_in_a_parameter_stays_a_value).
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from mysql_mimic.types import ColumnType

from proxy.errors import InvalidText, WrongParameters
from proxy.wire.charsets import Charset
from proxy.wire.handler import Parameter
from proxy.wire.reader import Reader

_LONGEST_DECIMAL = 255
_DECIMAL = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class ParameterType:
    """The type that a client declares for one `?`."""

    type: int
    unsigned: bool


@dataclass(frozen=True, slots=True)
class Parameters:
    """`types` serve the next execution, whose client may leave them out."""

    types: tuple[ParameterType, ...]
    values: tuple[Parameter, ...]


def parse_parameters(
    reader: Reader,
    count: int,
    known: Sequence[ParameterType],
    long_data: Mapping[int, bytes],
    charset: Charset,
) -> Parameters:
    """Reads `count` parameters. `known` are the types of the execution before, () at the first;
    `long_data` came ahead, by index. Raises MalformedPacket and WrongParameters."""
    if not count:
        return Parameters((), ())
    nulls = reader.fixed((count + 7) // 8)
    types = _types(reader, count) if reader.unsigned(1) else tuple(known)
    if len(types) != count:
        raise WrongParameters("Incorrect arguments to EXECUTE: parameters without types")
    values = []
    for at, declared in enumerate(types):
        if at in long_data:
            values.append(_long_value(declared, long_data[at], charset))
        elif nulls[at // 8] >> at % 8 & 1:
            values.append(None)
        else:
            values.append(_value(reader, declared, charset))
    return Parameters(types, tuple(values))


def _types(reader: Reader, count: int) -> tuple[ParameterType, ...]:
    pairs = reader.fixed(2 * count)
    return tuple(
        ParameterType(pairs[at], bool(pairs[at + 1] & 0x80)) for at in range(0, 2 * count, 2)
    )


def _value(reader: Reader, declared: ParameterType, charset: Charset) -> Parameter:
    if declared.type in _INTEGERS:
        size = _INTEGERS[declared.type]
        return reader.unsigned(size) if declared.unsigned else reader.signed(size)
    if declared.type in _READERS:
        return _READERS[declared.type](reader)
    return _long_value(declared, reader.prefixed(), charset)


def _long_value(declared: ParameterType, data: bytes, charset: Charset) -> Parameter:
    if declared.type in _BINARY:
        return data
    if declared.type in _DECIMALS:
        return _decimal(data)
    if declared.type in _TEXT:
        return _text(data, charset)
    raise WrongParameters(f"Incorrect arguments to EXECUTE: no parameter type {declared.type}")


def _text(data: bytes, charset: Charset) -> str | bytes:
    """Some drivers (Go's) declare binary values as strings too: what is no text stays bytes."""
    try:
        return charset.decode(data)
    except InvalidText:
        return data


def _decimal(data: bytes) -> Decimal:
    if len(data) > _LONGEST_DECIMAL or not _DECIMAL.fullmatch(data):
        raise WrongParameters("Incorrect DECIMAL value in a parameter")
    return Decimal(data.decode("ascii"))


def _date(reader: Reader) -> date | str:
    value = _datetime(reader)
    return value.date() if isinstance(value, datetime) else value[:10]


def _datetime(reader: Reader) -> datetime | str:
    """A zero date, which Python has no value for, becomes text."""
    parts = _sized(reader, (0, 4, 7, 11))
    year, month, day = parts.unsigned(2), parts.unsigned(1), parts.unsigned(1)
    hour, minute, second = parts.unsigned(1), parts.unsigned(1), parts.unsigned(1)
    micro = parts.unsigned(4)
    if not (year or month or day):
        return "0000-00-00 00:00:00"
    try:
        return datetime(year, month, day, hour, minute, second, micro)
    except ValueError as error:
        raise WrongParameters("Incorrect DATETIME value in a parameter") from error


def _time(reader: Reader) -> timedelta:
    parts = _sized(reader, (0, 8, 12))
    negative, days = parts.unsigned(1), parts.unsigned(4)
    hours, minutes, seconds = parts.unsigned(1), parts.unsigned(1), parts.unsigned(1)
    try:
        value = timedelta(days, seconds, parts.unsigned(4), 0, minutes, hours)
    except OverflowError as error:
        raise WrongParameters("Incorrect TIME value in a parameter") from error
    return -value if negative else value


def _sized(reader: Reader, sizes: tuple[int, ...]) -> Reader:
    """A value behind its size byte; fields that are left out are zero."""
    size = reader.unsigned(1)
    if size not in sizes:
        raise WrongParameters(f"Incorrect temporal value in a parameter: {size} bytes")
    return Reader(reader.fixed(size).ljust(sizes[-1], b"\0"))


_INTEGERS: dict[int, int] = {
    ColumnType.TINY: 1,
    ColumnType.BOOL: 1,
    ColumnType.SHORT: 2,
    ColumnType.YEAR: 2,
    ColumnType.INT24: 4,
    ColumnType.LONG: 4,
    ColumnType.LONGLONG: 8,
}

_READERS: dict[int, Callable[[Reader], Parameter]] = {
    ColumnType.NULL: lambda reader: None,
    ColumnType.FLOAT: lambda reader: reader.real(4),
    ColumnType.DOUBLE: lambda reader: reader.real(8),
    ColumnType.DATE: _date,
    ColumnType.NEWDATE: _date,
    ColumnType.DATETIME: _datetime,
    ColumnType.TIMESTAMP: _datetime,
    ColumnType.TIME: _time,
}

_DECIMALS = frozenset({ColumnType.DECIMAL, ColumnType.NEWDECIMAL})

_BINARY = frozenset(
    {
        ColumnType.TINY_BLOB,
        ColumnType.MEDIUM_BLOB,
        ColumnType.LONG_BLOB,
        ColumnType.BLOB,
        ColumnType.BIT,
        ColumnType.GEOMETRY,
    }
)

_TEXT = frozenset(
    {
        ColumnType.VARCHAR,
        ColumnType.VAR_STRING,
        ColumnType.STRING,
        ColumnType.ENUM,
        ColumnType.SET,
        ColumnType.JSON,
    }
)
