"""The rows of information_schema.COLUMNS: of tables and views as DuckDB knows them, of models as
they were made.

What a type is called here, and how long its values may be, is read off its MySQL text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.database import Cursor
from catalog.records import ModelRecord
from engines.types import parse_type
from proxy.execute.columns import mysql_type_name
from proxy.variables import Value

COLUMNS = (
    "TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION BIGINT, "
    "COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH BIGINT, "
    "CHARACTER_OCTET_LENGTH BIGINT, NUMERIC_PRECISION BIGINT, NUMERIC_SCALE BIGINT, "
    "DATETIME_PRECISION BIGINT, CHARACTER_SET_NAME, COLLATION_NAME, "
    "COLUMN_TYPE, COLUMN_KEY, EXTRA, PRIVILEGES, COLUMN_COMMENT"
)
_TABLES = (
    "SELECT c.schema_name, c.table_name, c.column_name, c.column_index, c.data_type, "
    "c.column_default, c.is_nullable, "
    "EXISTS (SELECT 1 FROM duckdb_constraints() AS k WHERE k.constraint_type = 'PRIMARY KEY' "
    "AND k.schema_name = c.schema_name AND k.table_name = c.table_name "
    "AND list_contains(k.constraint_column_names, c.column_name)) "
    "FROM duckdb_columns() AS c WHERE NOT c.internal "
    "AND c.database_name = current_database() ORDER BY 1, 2, 4"
)
_TEXT_BYTES = 65_535
_CHARACTER_BYTES = 4
_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 7, "int": 10, "bigint": 19}
_SIZED = re.compile(r"\w+\((\d+)(?:,(\d+))?\)")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column, of that MySQL type."""

    schema: str
    table: str
    name: str
    position: int
    type: str
    default: str | None = None
    nullable: bool = True
    primary: bool = False
    extra: str = ""


async def column_rows(cursor: Cursor, models: Sequence[ModelRecord]) -> list[tuple[Value, ...]]:
    """A row for each column that there is, under the names of COLUMNS. Raises CatalogError."""
    tables = [
        _Column(schema, table, name, position, mysql_type_name(type_), *facts)
        for schema, table, name, position, type_, *facts in await cursor.execute(_TABLES)
    ]
    return [_row(column) for column in (*tables, *(c for m in models for c in _columns_of(m)))]


def model_columns(model: ModelRecord) -> list[tuple[str, str]]:
    """Names and MySQL types of the columns that `SELECT * FROM model` has."""
    targets = [(target.name, target.type) for target in model.targets]
    return [*((name, "text") for name in model.inputs), *targets]


def _columns_of(model: ModelRecord) -> Iterator[_Column]:
    for position, (name, type_) in enumerate(model_columns(model), 1):
        extra = "prediction" if position > len(model.inputs) else "input"
        yield _Column(model.project, model.name, name, position, type_, extra=extra)


def _row(column: _Column) -> tuple[Value, ...]:
    data_type = re.split(r"[( ]", column.type, maxsplit=1)[0]
    characters, octets = _length(data_type, column.type)
    is_text = characters is not None
    return (
        "def",
        column.schema,
        column.table,
        column.name,
        column.position,
        column.default,
        "YES" if column.nullable else "NO",
        data_type,
        characters,
        octets,
        *_precision(data_type, column.type),
        _fraction(data_type, column.type),
        "utf8mb4" if is_text else None,
        "utf8mb4_0900_ai_ci" if is_text else None,
        column.type,
        "PRI" if column.primary else "",
        column.extra,
        "select,insert,update",
        "",
    )


def _length(data_type: str, type_: str) -> tuple[int | None, int | None]:
    """The most characters and bytes of a text."""
    if data_type == "text":
        return _TEXT_BYTES, _TEXT_BYTES
    if data_type == "enum":
        longest = max(map(len, parse_type(type_).labels))
    elif data_type in ("char", "varchar") and (size := _SIZED.match(type_)):
        longest = int(size[1])
    else:
        return None, None
    return longest, longest * _CHARACTER_BYTES


def _precision(data_type: str, type_: str) -> tuple[int | None, int | None]:
    """A number's digits, and those behind its point."""
    if data_type in _DIGITS:
        return _DIGITS[data_type] + (type_ == "bigint unsigned"), 0
    if data_type == "decimal" and (size := _SIZED.match(type_)):
        return int(size[1]), int(size[2] or 0)
    return {"float": 12, "double": 22}.get(data_type), None


def _fraction(data_type: str, type_: str) -> int | None:
    """Digits of a second."""
    if data_type not in ("datetime", "timestamp", "time"):
        return None
    size = _SIZED.match(type_)
    return int(size[1]) if size else 0
