"""Columns as the client learns of them: column definition packets.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
"""

from mysql_mimic.types import ColumnDefinition, str_len, uint_1, uint_2, uint_4

from proxy.result import Column, FieldType
from proxy.wire.charsets import BINARY, UTF8MB4, Charset

TEXT_TYPES = frozenset({FieldType.VAR_STRING, FieldType.ENUM})

_NUMBERS = frozenset(
    {
        FieldType.TINY,
        FieldType.SHORT,
        FieldType.LONG,
        FieldType.FLOAT,
        FieldType.DOUBLE,
        FieldType.LONGLONG,
        FieldType.YEAR,
        FieldType.NEWDECIMAL,
    }
)
_FLOATS = frozenset({FieldType.FLOAT, FieldType.DOUBLE})
_LONG = frozenset({FieldType.BLOB, FieldType.JSON})

_ANY_SCALE = 31
"""The `decimals` of a float without fixed digits; with 0, libmysqlclient would cut the fraction.

https://dev.mysql.com/doc/c-api/8.0/en/c-api-data-structures.html"""

_STRING = 254
"""What a server sends for an ENUM, with ENUM_FLAG beside it; 247 stands in its own files alone.

https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html"""

_LONGEST_CHARACTER = 4
"""Bytes of a character in utf8mb4; `length` is sent in bytes."""


def column_definition(
    column: Column, charset: Charset = UTF8MB4, *, default: bool = False
) -> bytes:
    """The packet that describes `column`, names and text in `charset`; with `default`, as
    COM_FIELD_LIST wants it, an (unknown) default value follows."""
    name = str_len(charset.encode(column.name))
    table = str_len(charset.encode(column.table))
    is_text = column.type in TEXT_TYPES
    return b"".join(
        (
            b"\x03def",
            str_len(charset.encode(column.schema)),
            table,
            table,
            name,
            name,
            b"\x0c",
            uint_2(charset.collation if is_text else BINARY.collation),
            uint_4(min(column.length * (_LONGEST_CHARACTER if is_text else 1), 0xFFFFFFFF)),
            uint_1(_STRING if column.type is FieldType.ENUM else column.type),
            uint_2(_flags(column)),
            uint_1(_decimals(column)),
            b"\0\0",
            b"\xfb" if default else b"",
        )
    )


def _flags(column: Column) -> int:
    flags = ColumnDefinition(0)
    if column.not_null:
        flags |= ColumnDefinition.NOT_NULL_FLAG
    if column.unsigned:
        flags |= ColumnDefinition.UNSIGNED_FLAG
    if column.type not in TEXT_TYPES:
        flags |= ColumnDefinition.BINARY_FLAG
    if column.type in _NUMBERS:
        flags |= ColumnDefinition.NUM_FLAG
    if column.type in _LONG:
        flags |= ColumnDefinition.BLOB_FLAG
    if column.type is FieldType.ENUM:
        flags |= ColumnDefinition.ENUM_FLAG
    return int(flags)


def _decimals(column: Column) -> int:
    if column.type in _FLOATS:
        return column.decimals or _ANY_SCALE
    return column.decimals
