"""DuckDB's types in families: what may be compared, joined and put together without a change.

It knows types by DuckDB's names for them.
"""

import re
from enum import StrEnum

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


class Family(StrEnum):
    """Types that one rule fits."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    DOUBLE = "double"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    ZONED = "zoned"
    BLOB = "blob"
    UUID = "uuid"
    ENUM = "enum"
    NULL = "null"
    OTHER = "other"


_RANKS = ("TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT")
_INTEGERS = (*_RANKS, "UBIGINT", "HUGEINT")
_FAMILIES = {
    **dict.fromkeys(_INTEGERS, Family.INTEGER),
    "FLOAT": Family.FLOAT,
    "DOUBLE": Family.DOUBLE,
    "VARCHAR": Family.TEXT,
    "BOOLEAN": Family.BOOLEAN,
    "DATE": Family.DATE,
    "TIME": Family.TIME,
    "TIMESTAMP": Family.MOMENT,
    "TIMESTAMP WITH TIME ZONE": Family.ZONED,
    "BLOB": Family.BLOB,
    "UUID": Family.UUID,
    '"NULL"': Family.NULL,
}
_POSTGRES = {
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TINYINT": "smallint",
}
EXACT_DIGITS = 15
"""Digits of a decimal that a DOUBLE holds, whoever makes one of the other."""


def family(type_: str) -> Family:
    """The family of one of DuckDB's types."""
    if _DECIMAL.fullmatch(type_):
        return Family.DECIMAL
    if type_.startswith("ENUM(") and not type_.endswith("]"):
        return Family.ENUM
    return _FAMILIES.get(type_, Family.OTHER)


def digits(type_: str) -> tuple[int, int]:
    """Precision and scale of a DECIMAL, or of what an integer type is as one."""
    match = _DECIMAL.fullmatch(type_)
    if match:
        return int(match[1]), int(match[2])
    return {"BIGINT": 19, "UBIGINT": 20, "HUGEINT": 38}.get(type_, 10), 0


def wider(left: str, right: str) -> str:
    """The wider one of two integer types."""
    return max(left, right, key=_INTEGERS.index)


def postgres_type(type_: str) -> str | None:
    """PostgreSQL's type of the same values, if there is one."""
    match = _DECIMAL.fullmatch(type_)
    return f"numeric({match[1]},{match[2]})" if match else _POSTGRES.get(type_)
