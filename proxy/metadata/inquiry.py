"""Questions to data sources about what is in them: whom a statement asks, and who did not answer.

A source that fails is left out of what all say, with a warning; asked alone, it is the error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from catalog.errors import CatalogError, SourceUnreachable, TableUnknown
from catalog.records import SourceRecord
from catalog.sources.kind import IndexColumn, SourceTable
from catalog.sources.sources import PRIVATE, Sources
from proxy.errors import code_of
from proxy.plan.asked import Asked
from proxy.warnings import Warnings

_T = TypeVar("_T")
_AT_ONCE = 8
"""Sources that are asked at the same time."""
_FEW = 1
"""Tables that are asked for one by one rather than with all others of their source."""
Listed: TypeAlias = tuple[str, str, str, int | None]
"""Of a table: its schema, name, 'BASE TABLE' or 'VIEW', its estimated rows."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One statement's. `others` are the databases that are no sources."""

    sources: Sources
    asked: Asked
    others: Sequence[str]
    warnings: Warnings

    async def listed(self) -> list[tuple[SourceRecord, str, Listed]]:
        """The tables that are asked about, each with its source and the name of its database.

        Raises CatalogError of a source that is asked alone. May be cancelled."""
        return await self._all(self._listed)

    async def tables(self) -> list[tuple[str, SourceTable]]:
        """The same tables with their columns, each with the name of its database."""
        return await self._all(self._tables)

    async def indexes(self) -> list[tuple[str, IndexColumn]]:
        """The columns of the tables' indexes, each with the name of the table's database."""
        return await self._all(self._indexes)

    async def _all(self, ask: Callable[[SourceRecord], Awaitable[list[_T]]]) -> list[_T]:
        """What the sources say that the statement asks about, in their order."""
        records = [r for r in self.sources.records if self.asked.source(r.name)]
        if len(records) == 1 and not any(map(self.asked.database, self.others)):
            return await ask(records[0])
        gate = asyncio.Semaphore(_AT_ONCE)

        async def told(record: SourceRecord) -> list[_T]:
            async with gate:
                try:
                    return await ask(record)
                except CatalogError as error:
                    self._left_out(record, error)
                    return []

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(told(record)) for record in records]
        return [item for task in tasks for item in task.result()]

    def _left_out(self, record: SourceRecord, error: CatalogError) -> None:
        code = code_of(SourceUnreachable("")).code
        self.warnings.add("Warning", code, f"'{record.name}' is left out: {error}")

    async def _listed(self, record: SourceRecord) -> list[tuple[SourceRecord, str, Listed]]:
        rows = [
            (self.database(record, schema), (str(schema), str(name), str(kind), number))
            for schema, name, kind, number in await self.sources.tables(record)
            if not str(name).startswith(PRIVATE)
        ]
        return [(record, db, row) for db, row in rows if self.asked.table(db, row[1])]

    async def _tables(self, record: SourceRecord) -> list[tuple[str, SourceTable]]:
        wanted = [(row[0], row[1]) for _, _, row in await self._listed(record)]
        if len(wanted) <= _FEW:
            found = await self._few(record, wanted)
        else:
            names = frozenset(wanted)
            tables = await self.sources.all_tables(record)
            found = [table for table in tables if (table.schema, table.name) in names]
        return [(self.database(record, table.schema), table) for table in found]

    async def _indexes(self, record: SourceRecord) -> list[tuple[str, IndexColumn]]:
        wanted = {(row[0], row[1]): db for _, db, row in await self._listed(record)}
        if len(wanted) > _FEW:
            every = await self.sources.all_indexes(record)
        else:
            every = [
                (table.schema, table.name, await self.sources.indexes(table))
                for table in await self._few(record, wanted)
            ]
        return [
            (wanted[schema, name], column)
            for schema, name, columns in every
            for column in columns
            if (schema, name) in wanted
        ]

    async def _few(
        self, record: SourceRecord, names: Iterable[tuple[str, str]]
    ) -> list[SourceTable]:
        """Tables one by one; one that has gone meanwhile is not among them."""
        found = []
        for schema, name in names:
            with suppress(TableUnknown):
                found.append(await self.sources.table(record, name, schema))
        return found

    def database(self, record: SourceRecord, schema: str) -> str:
        """What TABLE_SCHEMA says of a table: `source`, `source.schema` where the schema is not the
        one that need not be named."""
        return database_name(self.sources, record, schema)


def database_name(sources: Sources, record: SourceRecord, schema: str) -> str:
    """What a schema of a source is called as a database."""
    default = sources.kind(record).default_schema(record)
    return record.name if schema.casefold() == default.casefold() else f"{record.name}.{schema}"


def source_of(name: str, sources: Sources) -> tuple[SourceRecord, str | None] | None:
    """The source that a database's name means, and its schema where that is named; or None."""
    whole = sources.find(name)
    if whole is not None:
        return whole, None
    first, _, schema = name.partition(".")
    record = sources.find(first) if schema else None
    return (record, schema) if record is not None else None
