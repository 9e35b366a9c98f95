"""A file of DuckDB's own, attached to the instance that runs clients' SQL.

https://duckdb.org/docs/stable/sql/statements/attach
"""

from collections.abc import Sequence

from catalog.database import Row
from catalog.errors import TableUnknown
from catalog.records import SourceRecord
from catalog.sources.kind import (
    Desk,
    IndexColumn,
    LocalKind,
    Parameter,
    Shelf,
    SourceColumn,
    SourceTable,
    attached_as,
    given,
    literal,
    quoted,
)
from catalog.sources.sqlite_shelf import plain_default
from catalog.suggest import did_you_mean

_MAIN = "main"


class DuckDBFile(LocalKind):
    """A database that is one file."""

    name = "duckdb"
    title = "DuckDB"
    writes = True
    parameters = (
        Parameter(
            "path", "File under one of source_dirs", required=True, aliases=("db_file", "database")
        ),
        Parameter("read_only", "Whether nobody may write to it", value_type=bool, default=False),
        Parameter("schema", "Schema of tables that are named without one", default=_MAIN),
    )

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """The file."""
        values = given(record, self.parameters)
        options = "TYPE duckdb, READ_ONLY" if values["read_only"] else "TYPE duckdb"
        return (
            f"ATTACH {literal(str(values['path']))} AS {quoted(attached_as(record))} ({options})",
        )

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The catalog."""
        return (f"DETACH DATABASE IF EXISTS {quoted(attached_as(record))}",)

    def default_schema(self, record: SourceRecord) -> str:
        """Its parameter, main where none is given."""
        return str(given(record, self.parameters)["schema"])

    def shelf(self, record: SourceRecord, desk: Desk) -> Shelf:
        """Its tables and views."""
        return _Tables(record, desk, self.default_schema(record))


class _Tables(Shelf):
    """As DuckDB's functions of its catalog tell of them now."""

    def __init__(self, record: SourceRecord, desk: Desk, schema: str) -> None:
        self._record = record
        self._desk = desk
        self._schema = schema
        self._ours = f"database_name = {literal(attached_as(record))} AND NOT internal"

    async def tables(self) -> Sequence[Row]:
        """All tables: schema, name, 'BASE TABLE' or 'VIEW', estimated rows."""
        return await self._desk.rows(
            "SELECT schema_name, table_name, 'BASE TABLE', estimated_size FROM duckdb_tables() "
            f"WHERE {self._ours} UNION ALL "
            "SELECT schema_name, view_name, 'VIEW', NULL FROM duckdb_views() "
            f"WHERE {self._ours} ORDER BY 1, 2"
        )

    async def table(self, name: str, schema: str | None) -> SourceTable:
        """A table with its columns. Raises TableUnknown."""
        wanted = schema or self._schema
        rows = await self._desk.rows(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default "
            f"FROM duckdb_columns() WHERE {self._ours} "
            f"AND lower(schema_name) = lower({literal(wanted)}) "
            f"AND lower(table_name) = lower({literal(name)}) ORDER BY column_index"
        )
        if not rows:
            near = [row[1] for row in await self.tables() if row[0].lower() == wanted.lower()]
            hint = did_you_mean(name, near)
            raise TableUnknown(f"Table '{self._record.name}.{name}' doesn't exist{hint}")
        schema, name = rows[0][:2]
        keys = await self._keys(schema, name)
        columns = (
            SourceColumn(
                column,
                type_,
                "",
                nullable=nullable,
                key=keys.get(column, ""),
                default=plain_default(default),
            )
            for _, _, column, type_, nullable, default in rows
        )
        return SourceTable(self._record, schema, name, tuple(columns))

    async def indexes(self, table: SourceTable) -> Sequence[IndexColumn]:
        """Its keys, and what CREATE INDEX made."""
        nullable = {column.name: column.nullable for column in table.columns}
        return [
            IndexColumn(table.name, unique, name, n, column, nullable.get(column, True))
            for unique, name, columns in await self._indexes(table.schema, table.name)
            for n, column in enumerate(columns, 1)
        ]

    async def _keys(self, schema: str, table: str) -> dict[str, str]:
        """PRI, UNI or MUL of each column that has one of them."""
        keys: dict[str, str] = {}
        for unique, name, columns in reversed(await self._indexes(schema, table)):
            if name == "PRIMARY":
                keys.update(dict.fromkeys(columns, "PRI"))
            else:
                keys[columns[0]] = "UNI" if unique and len(columns) == 1 else "MUL"
        return keys

    async def _indexes(self, schema: str, table: str) -> list[tuple[bool, str, list[str]]]:
        """Of each index: whether it is unique, its name, its columns. The primary key is first."""
        here = (
            f"WHERE database_name = {literal(attached_as(self._record))} "
            f"AND schema_name = {literal(schema)} AND table_name = {literal(table)} "
        )
        rows = await self._desk.rows(
            "SELECT true, CASE constraint_type WHEN 'PRIMARY KEY' THEN 'PRIMARY' "
            "ELSE array_to_string(constraint_column_names, '_') END, constraint_column_names "
            f"FROM duckdb_constraints() {here}"
            "AND constraint_type IN ('PRIMARY KEY', 'UNIQUE') UNION ALL "
            "SELECT is_unique, index_name, "
            "list_transform(CAST(expressions AS VARCHAR[]), lambda c: trim(c, '\"')) "
            f"FROM duckdb_indexes() {here}"
        )
        return sorted(((u, n, list(c)) for u, n, c in rows), key=lambda row: row[1] != "PRIMARY")
