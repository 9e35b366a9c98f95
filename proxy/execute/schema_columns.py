"""The rows of information_schema.COLUMNS: of tables and views as DuckDB knows them, of models as
they were made.

What a type is called here, and how long its values may be, is read off its MySQL text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.database import Cursor
from catalog.records import ModelRecord
from catalog.sources.kind import SourceColumn, SourceTable
from catalog.views import ViewRecord
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
    "CASE WHEN EXISTS (SELECT 1 FROM duckdb_constraints() AS k "
    "WHERE k.constraint_type = 'PRIMARY KEY' "
    "AND k.database_name = c.database_name "
    "AND k.schema_name = c.schema_name AND k.table_name = c.table_name "
    "AND list_contains(k.constraint_column_names, c.column_name)) THEN 'PRI' ELSE '' END "
    "FROM duckdb_columns() AS c WHERE NOT c.internal "
    "AND c.database_name = current_database() ORDER BY 1, 2, 4"
)
_TEXT_BYTES = {"tinytext": 255, "text": 65_535, "mediumtext": 2**24 - 1, "longtext": 2**32 - 1}
_BLOB_BYTES = {name.replace("text", "blob"): size for name, size in _TEXT_BYTES.items()}
_CHARACTER_BYTES = 4
_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 7, "int": 10, "bigint": 19}
_LABEL = re.compile(r"'((?:[^']|'')*)'")
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
    key: str = ""
    extra: str = ""


async def column_rows(cursor: Cursor, models: Sequence[ModelRecord]) -> list[tuple[Value, ...]]:
    """A row for each column that there is, under the names of COLUMNS. Raises CatalogError."""
    tables = [
        _Column(schema, table, name, position, mysql_type_name(type_), *facts)
        for schema, table, name, position, type_, *facts in await cursor.execute(_TABLES)
    ]
    return [_row(column) for column in (*tables, *(c for m in models for c in _columns_of(m)))]


def view_column_rows(views: Sequence[ViewRecord]) -> list[tuple[Value, ...]]:
    """As column_rows, for each column of these views."""
    return [
        _row(_Column(view.project, view.name, name, position, type_))
        for view in views
        for position, (name, type_) in enumerate(zip(view.columns, view.types, strict=True), 1)
    ]


def source_column_rows(tables: Sequence[tuple[str, SourceTable]]) -> list[tuple[Value, ...]]:
    """The same rows of tables of data sources, each with what its database is called."""
    return [
        _row(_of_source(database, table, position, column))
        for database, table in tables
        for position, column in enumerate(table.columns, 1)
    ]


def _of_source(database: str, table: SourceTable, position: int, column: SourceColumn) -> _Column:
    return _Column(
        database,
        table.name,
        column.name,
        position,
        column.mysql_type or mysql_type_name(column.type),
        column.default,
        column.nullable,
        column.key,
        column.extra,
    )


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
    is_text = characters is not None and data_type not in (*_BLOB_BYTES, "binary", "varbinary")
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
        column.key,
        column.extra,
        "select,insert,update",
        "",
    )


def _length(data_type: str, type_: str) -> tuple[int | None, int | None]:
    """The most characters and bytes of a text or a binary string."""
    size = _SIZED.match(type_)
    if data_type in _TEXT_BYTES:
        return _TEXT_BYTES[data_type], _TEXT_BYTES[data_type]
    if data_type in _BLOB_BYTES:
        return _BLOB_BYTES[data_type], _BLOB_BYTES[data_type]
    if data_type in ("binary", "varbinary"):
        width = int(size[1]) if size else 1
        return width, width
    longest = _longest(data_type, type_, size)
    return longest, None if longest is None else longest * _CHARACTER_BYTES


def _longest(data_type: str, type_: str, size: re.Match[str] | None) -> int | None:
    labels = [len(label.replace("''", "'")) for label in _LABEL.findall(type_)]
    if data_type == "enum":
        return max(labels, default=0)
    if data_type == "set":
        return sum(labels) + max(len(labels) - 1, 0)
    return int(size[1]) if data_type in ("char", "varchar") and size else None


def _precision(data_type: str, type_: str) -> tuple[int | None, int | None]:
    """A number's digits, and those behind its point."""
    if data_type in _DIGITS:
        return _DIGITS[data_type] + (data_type == "bigint" and "unsigned" in type_), 0
    if data_type == "decimal" and (size := _SIZED.match(type_)):
        return int(size[1]), int(size[2] or 0)
    return {"float": 12, "double": 22}.get(data_type), None


def _fraction(data_type: str, type_: str) -> int | None:
    """Digits of a second."""
    if data_type not in ("datetime", "timestamp", "time"):
        return None
    size = _SIZED.match(type_)
    return int(size[1]) if size else 0
