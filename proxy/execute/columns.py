"""DuckDB's types as MySQL's: column definitions, and every value as MySQL's text, by DuckDB.

https://duckdb.org/docs/stable/sql/data_types/overview
"""

import re
from dataclasses import dataclass

from sqlglot import exp, parse_one

from catalog.database import Field
from engines.types import Type
from proxy.plan.types import labels_of
from proxy.result import Column, FieldType

_VALUE = "__value"
_PLAIN = f"CAST({_VALUE} AS TEXT)"
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_TEXT_LENGTH = 16_383  # characters of a VARCHAR that fill MySQL's 65,535 bytes


@dataclass(frozen=True, slots=True)
class _Kind:
    """A MySQL type, and the DuckDB expression that makes text of a value."""

    type: FieldType
    length: int
    decimals: int = 0
    unsigned: bool = False
    text: str = _PLAIN


# DuckDB writes 1.0, 1e+20 and 1e-07 where MySQL writes 1, 1e20 and 1e-7; what is no number, or no
# point in time, is NULL to MySQL.
_TIME_TEXT = f"CASE WHEN isfinite({_VALUE}) THEN CAST({_VALUE} AS TEXT) END"
_FLOAT_TEXT = (
    f"CASE WHEN isfinite({_VALUE}) THEN "
    f"regexp_replace(regexp_replace(CAST({_VALUE} AS TEXT), '\\.0$', ''), "
    "'e[+]?(-?)0*', 'e\\1') END"
)
_JSON = _Kind(FieldType.JSON, 4_294_967_295, text=f"CAST(to_json({_VALUE}) AS TEXT)")
# to_json writes a FLOAT with the digits of a DOUBLE; the list's own text is JSON but for its NULLs
_VECTOR = _Kind(
    FieldType.JSON, 4_294_967_295, text=f"replace(CAST({_VALUE} AS TEXT), 'NULL', 'null')"
)
_KINDS = {
    "BOOLEAN": _Kind(FieldType.TINY, 1, text=f"CAST(CAST({_VALUE} AS TINYINT) AS TEXT)"),
    "TINYINT": _Kind(FieldType.TINY, 4),
    "UTINYINT": _Kind(FieldType.TINY, 3, unsigned=True),
    "SMALLINT": _Kind(FieldType.SHORT, 6),
    "USMALLINT": _Kind(FieldType.SHORT, 5, unsigned=True),
    "INTEGER": _Kind(FieldType.LONG, 11),
    "UINTEGER": _Kind(FieldType.LONG, 10, unsigned=True),
    "BIGINT": _Kind(FieldType.LONGLONG, 20),
    "UBIGINT": _Kind(FieldType.LONGLONG, 20, unsigned=True),
    "HUGEINT": _Kind(FieldType.NEWDECIMAL, 40),
    "UHUGEINT": _Kind(FieldType.NEWDECIMAL, 39, unsigned=True),
    "FLOAT": _Kind(FieldType.FLOAT, 12, 31, text=_FLOAT_TEXT),
    "DOUBLE": _Kind(FieldType.DOUBLE, 22, 31, text=_FLOAT_TEXT),
    "VARCHAR": _Kind(FieldType.VAR_STRING, _TEXT_LENGTH, text=_VALUE),
    "UUID": _Kind(FieldType.VAR_STRING, 36),
    "DATE": _Kind(FieldType.DATE, 10, text=_TIME_TEXT),
    "TIME": _Kind(FieldType.TIME, 17, 6),
    "TIMESTAMP": _Kind(FieldType.DATETIME, 26, 6, text=_TIME_TEXT),
    "TIMESTAMP_S": _Kind(FieldType.DATETIME, 19, text=_TIME_TEXT),
    "TIMESTAMP_MS": _Kind(FieldType.DATETIME, 23, 3, text=_TIME_TEXT),
    "TIMESTAMP_NS": _Kind(
        FieldType.DATETIME, 26, 6, text=f"CAST(CAST({_VALUE} AS TIMESTAMP) AS TEXT)"
    ),
    "TIMESTAMP WITH TIME ZONE": _Kind(
        FieldType.TIMESTAMP,
        26,
        6,
        text=f"CASE WHEN isfinite({_VALUE}) THEN CAST({_VALUE} AT TIME ZONE 'UTC' AS TEXT) END",
    ),
    "BLOB": _Kind(FieldType.BLOB, 4_294_967_295, text=_VALUE),
    "JSON": _Kind(FieldType.JSON, 4_294_967_295, text=f"CAST({_VALUE} AS TEXT)"),
    "FLOAT[]": _VECTOR,
    '"NULL"': _Kind(FieldType.NULL, 0),
}
_OTHER = _Kind(FieldType.VAR_STRING, _TEXT_LENGTH)
_EXPRESSIONS: dict[str, exp.Expr] = {}


def column_of(field: Field) -> Column:
    """The column definition of a DuckDB column."""
    kind = _kind(field.type)
    return Column(field.name, kind.type, kind.length, kind.decimals, kind.unsigned)


def is_mysql_text(type_: str) -> bool:
    """Whether DuckDB's text of every value of that type is MySQL's."""
    return _kind(type_).text in (_VALUE, _PLAIN)


def is_text(fields: list[Field]) -> bool:
    """Whether all values are in MySQL's text form as they are."""
    return all(_kind(field.type).text == _VALUE for field in fields)


def as_text(query: exp.Query, fields: list[Field]) -> exp.Query:
    """The query with every value in MySQL's text form; rows and their order stay."""
    names = [exp.to_identifier(f"v{n}") for n in range(len(fields))]
    items = [
        text_of(exp.column(name.copy()), field.type)
        for name, field in zip(names, fields, strict=True)
    ]
    alias = exp.TableAlias(this=exp.to_identifier("__r"), columns=names)
    return exp.select(*items).from_(exp.Subquery(this=query.copy(), alias=alias))


def mysql_type_name(type_: str) -> str:
    """The type as SHOW COLUMNS prints it."""
    if match := _DECIMAL.fullmatch(type_):
        return f"decimal({match[1]},{match[2]})"
    if _is_enum(type_):
        return str(Type("enum", labels=labels_of(type_)))
    return _NAMES.get(type_, "json" if _is_nested(type_) else type_.lower())


_NAMES = {
    "BOOLEAN": "tinyint(1)",
    "TINYINT": "tinyint",
    "UTINYINT": "tinyint unsigned",
    "SMALLINT": "smallint",
    "USMALLINT": "smallint unsigned",
    "INTEGER": "int",
    "UINTEGER": "int unsigned",
    "BIGINT": "bigint",
    "UBIGINT": "bigint unsigned",
    "HUGEINT": "decimal(39,0)",
    "UHUGEINT": "decimal(39,0) unsigned",
    "BIT": "text",
    "INTERVAL": "text",
    "VARCHAR": "text",
    "UUID": "char(36)",
    "TIMESTAMP": "datetime(6)",
    "TIMESTAMP_S": "datetime",
    "TIMESTAMP_MS": "datetime(3)",
    "TIMESTAMP_NS": "datetime(6)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(6)",
    "BLOB": "longblob",
}


def _kind(type_: str) -> _Kind:
    if match := _DECIMAL.fullmatch(type_):
        precision, scale = int(match[1]), int(match[2])
        return _Kind(FieldType.NEWDECIMAL, precision + 1 + (scale > 0), scale)
    if _is_enum(type_):
        return _Kind(FieldType.ENUM, max(map(len, labels_of(type_))))
    return _KINDS.get(type_, _JSON if _is_nested(type_) else _OTHER)


def _is_enum(type_: str) -> bool:
    return type_.startswith("ENUM(") and not _is_nested(type_)


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("STRUCT(", "MAP(", "UNION("))


def text_of(value: exp.Expr, type_: str) -> exp.Expr:
    """The value, of that DuckDB type, in MySQL's text form."""
    text = _kind(type_).text
    if text not in _EXPRESSIONS:
        _EXPRESSIONS[text] = parse_one(text, dialect="duckdb")
    holder = exp.Paren(this=_EXPRESSIONS[text].copy())
    for column in list(holder.find_all(exp.Column)):
        column.replace(value.copy())
    inner: exp.Expr = holder.this
    return inner
