"""SHOW CREATE TABLE: a statement made of what SHOW COLUMNS and SHOW INDEX say of a table.

It would make the table again as far as those tell.
"""

import re
from itertools import groupby

from proxy.result import Batch, Cell

_OWN = "DuckDB"
_PLAIN = re.compile(
    r"-?\d+(\.\d+)?|NULL|CURRENT_TIMESTAMP(\(\d*\))?|[bx]'[^']*'|.*\(.*\).*",
    re.IGNORECASE | re.DOTALL,
)
"""Defaults that are no text: numbers, expressions."""


def show_create_table(name: str, columns: Batch, indexes: Batch, source: str | None = None) -> str:
    """The statement, of the rows of SHOW COLUMNS and of SHOW INDEX. `source` is the kind of the
    data source that has the table, whose defaults are values rather than expressions."""
    lines = [_column(row, bool(source)) for row in columns]
    lines += (_key(list(parts)) for _, parts in groupby(indexes, key=lambda row: row[2]))
    body = ",\n".join(f"  {line}" for line in lines)
    return f"CREATE TABLE {_named(name)} (\n{body}\n) ENGINE={source or _OWN}"


def _column(row: tuple[Cell, ...], of_source: bool) -> str:
    field, type_, null, _, default, extra = (None if c is None else str(c) for c in row)
    generated = f" {extra}" if of_source and extra == "auto_increment" else ""
    nullable = "" if null == "YES" else " NOT NULL"
    return (
        f"{_named(field or '')} {type_}{nullable}{_default(default, of_source)}{generated.upper()}"
    )


def _default(text: str | None, of_source: bool) -> str:
    if text is None:
        return ""
    return f" DEFAULT {text if not of_source or _PLAIN.fullmatch(text) else _quoted(text)}"


def _key(rows: list[tuple[Cell, ...]]) -> str:
    _, repeats, index, *_ = rows[0]
    parts = ",".join(_part(str(row[4])) for row in rows)
    if index == "PRIMARY":
        return f"PRIMARY KEY ({parts})"
    return f"{'KEY' if str(repeats) == '1' else 'UNIQUE KEY'} {_named(str(index))} ({parts})"


def _part(column: str) -> str:
    """A column, or an expression, which MySQL has in brackets of its own."""
    return f"({column})" if "(" in column else _named(column)


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
