"""PostgreSQL's types: how each is read without loss, and what it is called in MySQL's words.

Types are named as pg_catalog.format_type writes them; those that the columns query of postgres.py
marks itself are `enum(…)` with its labels and `record(…)` for a composite one. It runs nothing.
"""

import re

from catalog.sources.kind import literal

_NUMERIC = re.compile(r"numeric(?:\((?P<precision>\d+),(?P<scale>-?\d+)\))?")
_LENGTH = re.compile(r"(?P<name>[a-z ]+)\((?P<length>\d+)\)(?P<rest>[a-z ]*)")
_QUOTED = re.compile(r"'(?P<text>(?:[^']|'')*)'(?:::.*)?", re.DOTALL)
_NUMBER = re.compile(r"\(?(?P<number>-?[\d.]+)\)?(?:::.*)?")
_DEFAULTS = {
    "true": "1",
    "false": "0",
    "now()": "CURRENT_TIMESTAMP",
    "current_timestamp": "CURRENT_TIMESTAMP",
    "transaction_timestamp()": "CURRENT_TIMESTAMP",
    "localtimestamp": "CURRENT_TIMESTAMP",
}
WIDTH = 38
"""The digits of the widest DECIMAL that DuckDB has."""
FRACTION = 18
"""Digits behind the point of a NUMERIC whose type names none."""

# As DuckDB's scanner has them, to the last bit.
_PLAIN = {
    "boolean": "tinyint(1)",
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    "real": "float",
    "double precision": "double",
    "text": "text",
    "character varying": "text",
    "bytea": "longblob",
    "date": "date",
    "time without time zone": "time(6)",
    "timestamp without time zone": "datetime(6)",
    "timestamp with time zone": "timestamp(6)",
    "uuid": "char(36)",
}
_VALUES = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "bytea": "BLOB",
    "date": "DATE",
    "time without time zone": "TIME",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
}
_LENGTHY = {
    "character varying": "varchar({length})",
    "time without time zone": "time({length})",
    "timestamp without time zone": "datetime({length})",
    "timestamp with time zone": "timestamp({length})",
}
# What is read as text, and has a name of its own in MySQL.
_TEXTS = {
    '"char"': "char(1)",
    "character": "char({length})",
    "bit": "varchar({length})",
    "bit varying": "varchar({length})",
    "name": "varchar(63)",
    "json": "json",
    "jsonb": "json",
    "inet": "varchar(43)",
    "cidr": "varchar(43)",
    "macaddr": "varchar(17)",
    "macaddr8": "varchar(23)",
}
# MONEY has whatever fractions the server's lc_monetary has.
_CASTS = {"money": "numeric(23,4)", "oid": "bigint"}


def read(column: str, type_: str) -> str:
    """The expression that reads a quoted column of that type; not a number, and the infinities of
    NUMERIC, are NULL."""
    name, _ = _split(type_)
    if match := _NUMERIC.fullmatch(type_):
        return _read_numeric(column, match)
    if name in _PLAIN:
        return column
    if type_ in _CASTS:
        return f"{column}::{_CASTS[type_]}"
    if type_ == "inet":
        return f"pg_catalog.abbrev({column})"  # its text has a mask that nobody wrote
    if type_.endswith("[]") or type_.startswith("record("):
        return f"pg_catalog.to_json({column})::text"
    return f"{column}::text"


def value_type(type_: str) -> str:
    """DuckDB's type in which what `read` reads comes in."""
    name, _ = _split(type_)
    if match := _NUMERIC.fullmatch(type_):
        fitting = _fitting(match)
        return "DECIMAL({},{})".format(*fitting) if fitting else "VARCHAR"
    if type_ in _CASTS:
        return _CASTS[type_].upper().replace("NUMERIC", "DECIMAL")
    return _VALUES.get(name, "VARCHAR")


def mysql_type(type_: str) -> str:
    """The type as SHOW COLUMNS prints it."""
    name, length = _split(type_)
    if match := _NUMERIC.fullmatch(type_):
        fitting = _fitting(match)
        return "decimal({},{})".format(*fitting) if fitting else "text"
    if type_ in _CASTS:
        return _CASTS[type_].replace("numeric", "decimal")
    if type_.endswith("[]") or type_.startswith("record("):
        return "json"
    if type_.startswith("enum("):
        return type_
    if length is not None:
        pattern = _LENGTHY.get(name) or _TEXTS.get(name, "text")
        return _mysql_length(pattern.format(length=length), length)
    return _PLAIN.get(type_) or _TEXTS.get(type_, "text").format(length=1)


def default(text: str | None) -> str | None:
    """A default, as pg_get_expr writes it, as MySQL's catalog does: a value plainly, no NULL."""
    if text is None or text.startswith(("nextval(", "NULL::")):
        return None
    if match := _QUOTED.fullmatch(text):
        return match["text"].replace("''", "'")
    if match := _NUMBER.fullmatch(text):
        return match["number"]
    return _DEFAULTS.get(text.lower(), text)


def _mysql_length(type_: str, length: int) -> str:
    """MySQL's CHAR has 255 characters at most, its VARCHAR what 65,535 bytes hold."""
    if type_.startswith("char(") and length > 255:
        type_ = f"varchar({length})"
    return "text" if type_.startswith("varchar(") and length > 16_383 else type_


def _split(type_: str) -> tuple[str, int | None]:
    """A type's name, and the length in brackets, if it has one."""
    match = _LENGTH.fullmatch(type_)
    return (match["name"] + match["rest"], int(match["length"])) if match else (type_, None)


def _read_numeric(column: str, match: re.Match[str]) -> str:
    fitting = _fitting(match)
    if fitting is None:
        return f"NULLIF({column}, 'NaN')::text"
    width, fraction = fitting
    if match["precision"] is not None:
        return f"NULLIF({column}, 'NaN')::numeric({width},{fraction})"
    name = column.removeprefix('"').removesuffix('"').replace('""', '"')
    text = literal(f"Out of range value for column '{name}': ")
    return (
        f"CASE WHEN {column} - {column} <> 0 THEN NULL "
        f"WHEN round({column}, {fraction}) = {column} "
        f"AND abs({column}) < 1e{width - fraction} THEN {column} "
        # no number at all: PostgreSQL ends the query, and quotes the text
        f"ELSE ({text} || {column})::numeric END::numeric({width},{fraction})"
    )


def _fitting(match: re.Match[str]) -> tuple[int, int] | None:
    """Precision and scale of the DECIMAL that it is read as; None for what is wider than any."""
    if match["precision"] is None:
        return WIDTH, FRACTION
    precision, scale = int(match["precision"]), int(match["scale"])
    if scale < 0:  # rounded to tens, hundreds, …
        precision, scale = precision - scale, 0
    # DuckDB writes a DECIMAL whose digits are all behind the point without a 0 in front of it.
    width = max(precision, min(scale + 1, WIDTH), scale)
    return (width, scale) if width <= WIDTH else None
