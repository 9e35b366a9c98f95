"""MySQL's and MariaDB's types: how each is read without loss.

Types are named as information_schema's COLUMN_TYPE writes them, with ` collate …` behind a text's
whose collation compares bytes. It runs nothing.
"""

import re

_TYPE = re.compile(r"(?P<name>[a-z0-9]+)(?:\((?P<arguments>.*?)\))?(?P<rest>.*)", re.DOTALL)
_COLLATION = " collate "
WIDTH = 38
"""The digits of the widest DECIMAL that DuckDB has."""
_INTEGERS = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "mediumint": "INTEGER",
    "int": "INTEGER",
    "bigint": "BIGINT",
}
_TYPES = {
    "bit": "UBIGINT",
    "year": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
    "varbinary": "BLOB",
    "tinyblob": "BLOB",
    "blob": "BLOB",
    "mediumblob": "BLOB",
    "longblob": "BLOB",
    "vector": "BLOB",
}
_GEOMETRIES = {
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
}


def read(column: str, type_: str) -> str:
    """The expression that reads a quoted column of that type."""
    match = _TYPE.fullmatch(type_)
    name = match["name"] if match else type_
    if name == "decimal" and match:
        return _read_decimal(column, match["arguments"])
    if name in ("bit", "year"):
        return f"({column} | 0)"  # a BIGINT UNSIGNED, however few bits
    if name in _GEOMETRIES:
        return f"ST_AsText({column})"
    if name in ("uuid", "inet4", "inet6"):
        return f"CAST({column} AS CHAR)"
    if _COLLATION in type_:  # DuckDB's scanner takes what compares bytes for bytes
        return f"CONVERT({column} USING utf8mb4)"
    return column


def value_type(type_: str) -> str:
    """DuckDB's type in which what `read` reads comes in."""
    match = _TYPE.fullmatch(type_)
    name, rest = (match["name"], match["rest"]) if match else (type_, "")
    if name == "decimal" and match:
        fitting = _fitting(match["arguments"])
        return "DECIMAL({},{})".format(*fitting) if fitting else "VARCHAR"
    if name in _INTEGERS:
        return ("U" if "unsigned" in rest or "zerofill" in rest else "") + _INTEGERS[name]
    return _TYPES.get(name, "VARCHAR")


def mysql_type(type_: str) -> str:
    """The type as SHOW COLUMNS prints it."""
    return type_.partition(_COLLATION)[0]


def mariadb_default(text: str | None) -> str | None:
    """A default, an expression of MariaDB's, as MySQL's catalog has it."""
    if text is None or text == "NULL":
        return None
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1].replace("''", "'")
    return text.replace("current_timestamp()", "CURRENT_TIMESTAMP").replace(
        "current_timestamp(", "CURRENT_TIMESTAMP("
    )


def _read_decimal(column: str, arguments: str | None) -> str:
    """A DECIMAL to DuckDB's scanner, which takes a digit off where none is behind the point, and
    one where there is no sign (1.5.5; tests/sources/test_types.py)."""
    fitting = _fitting(arguments)
    if fitting is None:
        return f"CAST({column} AS CHAR)"
    width, scale = fitting
    return f"CAST({column} AS DECIMAL({width + (scale == 0)},{scale}))"


def _fitting(arguments: str | None) -> tuple[int, int] | None:
    """Precision and scale of the DECIMAL that it is read as; None for what is wider than any."""
    digits, _, behind = (arguments or "10").partition(",")
    precision, scale = int(digits), int(behind or 0)
    # DuckDB writes a DECIMAL whose digits are all behind the point without a 0 in front of it.
    width = max(precision, min(scale + 1, WIDTH))
    return (width, scale) if width <= WIDTH else None
