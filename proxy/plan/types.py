"""MySQL's types, as targets of models have them, as DuckDB's.

The way back, for what clients see of any column, stands in execute/columns.py.
"""

import re

from engines.types import Type, parse_type

_DUCKDB = {
    "text": "TEXT",
    "varchar": "TEXT",
    "mediumint": "INTEGER",
    "int": "INTEGER",
    "datetime": "TIMESTAMP",
    "json": "JSON",
    "vector": "FLOAT[]",
}
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_UNSIGNED = {"mediumint": "UINTEGER", "int": "UINTEGER"}


def duckdb_type(type_: str) -> str:
    """DuckDB's type for one that MySQL writes so. Raises OptionError."""
    read: Type = parse_type(type_)
    if read.name == "enum":
        return f"ENUM({', '.join(map(_quoted, read.labels))})"
    if read.name == "decimal":
        return f"DECIMAL({read.length},{read.scale})"
    if read.unsigned:
        return _UNSIGNED.get(read.name, f"U{read.name.upper()}")
    return _DUCKDB.get(read.name, read.name.upper())


def labels_of(enum: str) -> tuple[str, ...]:
    """The labels of an ENUM as DuckDB writes its type."""
    return tuple(label.replace("''", "'") for label in _LABEL.findall(enum))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
