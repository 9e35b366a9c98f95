"""The rows of information_schema.STATISTICS: the columns of all indexes.

Of our own tables it knows the keys, which DuckDB has indexes for.
"""

from collections.abc import Sequence

from catalog.database import Cursor
from catalog.sources.kind import IndexColumn
from proxy.variables import Value

STATISTICS = (
    "TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, NON_UNIQUE BIGINT, INDEX_SCHEMA, INDEX_NAME, "
    "SEQ_IN_INDEX BIGINT, COLUMN_NAME, COLLATION, CARDINALITY BIGINT, SUB_PART BIGINT, PACKED, "
    "NULLABLE, INDEX_TYPE, COMMENT, INDEX_COMMENT, IS_VISIBLE, EXPRESSION"
)
_OWN = (
    "WITH keys AS (SELECT schema_name, table_name, constraint_type = 'UNIQUE' AS second, "
    "CASE constraint_type WHEN 'UNIQUE' THEN constraint_name ELSE 'PRIMARY' END AS name, "
    "unnest(range(1, len(constraint_column_names) + 1)) AS position, "
    "unnest(constraint_column_names) AS column_name FROM duckdb_constraints() "
    "WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND database_name = current_database()) "
    "SELECT k.schema_name, k.table_name, k.name, k.position, k.column_name, c.is_nullable "
    "FROM keys AS k JOIN duckdb_columns() AS c USING (schema_name, table_name, column_name) "
    "WHERE c.database_name = current_database() ORDER BY 1, 2, k.second, 3, 4"
)


async def own_index_rows(cursor: Cursor) -> list[tuple[Value, ...]]:
    """A row for each column of a key of our own tables. Raises CatalogError."""
    return [
        _row(schema, IndexColumn(table, True, name, position, column, bool(nullable), "ART"))
        for schema, table, name, position, column, nullable in await cursor.execute(_OWN)
    ]


def index_rows(columns: Sequence[tuple[str, IndexColumn]]) -> list[tuple[Value, ...]]:
    """The same of data sources, each with what its table's database is called."""
    return [_row(database, column) for database, column in columns]


def _row(database: str, column: IndexColumn) -> tuple[Value, ...]:
    return (
        "def",
        database,
        column.table,
        int(not column.unique),
        database,
        column.index,
        column.position,
        column.column,
        "A",
        None,
        None,
        None,
        "YES" if column.nullable else "",
        column.type,
        "",
        "",
        "YES",
        None,
    )
