"""The tables and views of a file of SQLite's, as SQLite tells of them.

DuckDB's own functions of its catalog are not asked: they look into every database attached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from catalog.database import Row
from catalog.errors import CatalogError, TableUnknown
from catalog.records import SourceRecord
from catalog.sources.kind import (
    Desk,
    IndexColumn,
    Shelf,
    SourceColumn,
    SourceTable,
    attached_as,
    literal,
    quoted,
)
from catalog.sources.sqlite_values import Values, declared_type, fits, looks, made, written
from catalog.suggest import did_you_mean

MAIN = "main"
_TTL = 60.0
"""Seconds for which the types of a table's values are believed, while its definition stays."""
_PORTION = 200
"""Columns that are looked at in one query; SQLite has at most 2,000 in a result."""
_TABLES = (
    "SELECT name, CASE type WHEN 'view' THEN 'VIEW' ELSE 'BASE TABLE' END FROM sqlite_master "
    "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class _Declared:
    """A column as its table declares it; `key` is its place in the primary key, from 1 on, or 0."""

    name: str
    type: str
    nullable: bool
    default: str | None
    key: int


class SQLiteShelf(Shelf):
    """The tables of one file. `sample` rows of each are looked at; -1 is all."""

    def __init__(self, record: SourceRecord, desk: Desk, sample: int) -> None:
        self._record = record
        self._desk = desk
        self._sample = sample
        self._known: dict[str, tuple[float, object, SourceTable]] = {}

    async def tables(self) -> Sequence[Row]:
        """All tables: schema, name, 'BASE TABLE' or 'VIEW', no number of rows."""
        return [(MAIN, *row, None) for row in await self._ask(_TABLES)]

    async def table(self, name: str, schema: str | None) -> SourceTable:
        """A table with its columns. Raises TableUnknown."""
        [(version,)] = await self._ask("SELECT schema_version FROM pragma_schema_version")
        read_at, seen, table = self._known.get(name, (0.0, None, None))
        if table is None or seen != version or monotonic() - read_at > _TTL:
            table = await self._look(*await self._named(name, schema))
            self._known[name] = monotonic(), version, table
        return table

    async def indexes(self, table: SourceTable) -> Sequence[IndexColumn]:
        """The primary key, which need not be an index of SQLite's, and its indexes."""
        declared = await self._declared(table.name)
        keys = [column for column in declared if column.key]
        optional = {column.name: column.nullable and not column.key for column in declared}
        primary = [
            IndexColumn(table.name, True, "PRIMARY", column.key, column.name, nullable=False)
            for column in sorted(keys, key=lambda column: column.key)
        ]
        indexes = await self._indexes(table.name)
        return [*primary, *(replace(i, nullable=optional.get(i.column, True)) for i in indexes)]

    async def _indexes(self, table: str) -> list[IndexColumn]:
        rows = await self._ask(
            'SELECT l.name, l."unique", i.seqno + 1 AS place, i.name AS "column" '
            f"FROM pragma_index_list({literal(table)}) AS l, pragma_index_info(l.name) AS i "
            "WHERE l.origin <> 'pk' AND i.name IS NOT NULL ORDER BY l.seq, i.seqno"
        )
        return [IndexColumn(table, u == "1", name, int(n), column) for name, u, n, column in rows]

    async def _named(self, name: str, schema: str | None) -> tuple[str, bool]:
        """The table's name with its own case, and whether it is a view."""
        there = {row[0]: row[1] == "VIEW" for row in await self._ask(_TABLES)}
        fits_ = [each for each in there if each.casefold() == name.casefold()]
        if not fits_ or (schema or MAIN).casefold() != MAIN:
            hint = did_you_mean(name, there)
            raise TableUnknown(f"Table '{self._record.name}.{name}' doesn't exist{hint}")
        called = name if name in fits_ else fits_[0]
        return called, there[called]

    async def _look(self, name: str, is_view: bool) -> SourceTable:
        declared = await self._declared(name)
        types = await self._types(name, declared)
        keys = _keys(declared, await self._indexes(name))
        columns = tuple(
            SourceColumn(
                column.name,
                type_,
                "",
                nullable=column.nullable and not column.key,
                key=keys.get(column.name, ""),
                default=column.default,
            )
            for column, type_ in zip(declared, types, strict=True)
        )
        table = SourceTable(self._record, MAIN, name, columns)
        if not is_view and await self._scanner_reads(table):
            return table
        return SourceTable(self._record, MAIN, name, columns, self._view(table))

    async def _scanner_reads(self, table: SourceTable) -> bool:
        """Whether DuckDB's own reading of the table is right."""
        names = (attached_as(self._record), MAIN, table.name)
        try:
            fields = await self._desk.fields(f"FROM {'.'.join(map(quoted, names))}")
        except CatalogError:
            return False
        wanted = [(column.name, column.type) for column in table.columns]
        return [(field.name, field.type) for field in fields] == wanted

    def _view(self, table: SourceTable) -> str:
        """All rows as texts of SQLite's, made values of by DuckDB."""
        asked = ", ".join(f"{written(c.name, c.type)} AS {quoted(c.name)}" for c in table.columns)
        items = ", ".join(f"{made(c.name, c.type)} AS {quoted(c.name)}" for c in table.columns)
        rows = ask(self._record, f"SELECT {asked} FROM {quoted(table.name)}")
        return f"SELECT {items} FROM ({rows})"

    async def _declared(self, table: str) -> list[_Declared]:
        rows = await self._ask(
            'SELECT name, type, "notnull", dflt_value, pk '
            f"FROM pragma_table_xinfo({literal(table)}) WHERE hidden <> 1"
        )
        return [
            _Declared(name, type_ or "", required != "1", plain_default(default), int(key))
            for name, type_, required, default, key in rows
        ]

    async def _types(self, table: str, columns: Sequence[_Declared]) -> list[str]:
        """DuckDB's types of a table's columns: as declared where all values fit."""
        declared = {column.name: declared_type(column.type) for column in columns}
        known = [(name, type_) for name, type_ in declared.items() if type_ is not None]
        fit = await self._aggregates(table, [[f"min({fits(*each)})"] for each in known])
        sure = {
            name: type_ for (name, type_), [fine] in zip(known, fit, strict=True) if fine != "0"
        }
        open_ = [column.name for column in columns if column.name not in sure]
        seen = await self._aggregates(table, [looks(name) for name in open_])
        values = (Values(*(flag == "1" for flag in flags)) for flags in seen)
        found = dict(zip(open_, (each.type for each in values), strict=True))
        return [sure.get(c.name) or found.get(c.name) or "BLOB" for c in columns]

    async def _aggregates(self, table: str, asked: Sequence[Sequence[str]]) -> list[list[Any]]:
        """The values of groups of aggregates over the sample."""
        seen: list[list[Any]] = []
        for start in range(0, len(asked), _PORTION):
            portion = asked[start : start + _PORTION]
            items = [
                f"{sql} AS v{n}" for n, sql in enumerate(s for group in portion for s in group)
            ]
            [row] = await self._ask(
                f"SELECT {', '.join(items)} "
                f"FROM (SELECT * FROM {quoted(table)} LIMIT {self._sample})"
            )
            flags = iter(row)
            seen += [[next(flags) for _ in group] for group in portion]
        return seen

    async def _ask(self, query: str) -> list[Row]:
        """The rows of a query of SQLite's; all values are texts."""
        return await self._desk.rows(ask(self._record, query))


def ask(record: SourceRecord, query: str) -> str:
    """DuckDB's SELECT of the rows that a query of SQLite's has."""
    return f"SELECT * FROM sqlite_query({literal(attached_as(record))}, {literal(query)})"


def _keys(columns: Sequence[_Declared], indexes: Sequence[IndexColumn]) -> dict[str, str]:
    """PRI, UNI or MUL of each column that has one of them."""
    long = {each.index for each in indexes if each.position > 1}
    keys: dict[str, str] = {}
    for each in indexes:
        if each.position == 1:
            is_key = each.unique and each.index not in long
            keys[each.column] = "UNI" if is_key else keys.get(each.column, "MUL")
    return {**keys, **{column.name: "PRI" for column in columns if column.key}}


def plain_default(default: str | None) -> str | None:
    """A default as MySQL writes it: a text without its quotes."""
    if default is None or default.upper() == "NULL":
        return None
    if len(default) > 1 and default[0] == default[-1] == "'":
        return default[1:-1].replace("''", "'")
    return default
