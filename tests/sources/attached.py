"""Data sources without a proxy: a database with folders open to it, and what is attached there."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cryptography.fernet import Fernet

from catalog.database import Cursor, Database, Row
from catalog.records import SourceRecord
from catalog.secrets import Vault
from catalog.sources.kind import SourceTable, attached_as, quoted
from catalog.sources.outside import Outside
from catalog.sources.sources import Sources
from catalog.store import Store

T = TypeVar("T")


@dataclass(slots=True)
class Room:
    """A database and the sources attached to it. `folder` is open to them; the server's own
    directory is `own`."""

    store: Store
    database: Database
    sources: Sources
    folder: Path
    own: Path
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The end of a coroutine."""
        return self.loop.run_until_complete(work)

    def attach(
        self, name: str, engine: str, secrets: Mapping[str, Any] | None = None, **given: Any
    ) -> None:
        """CREATE DATABASE name WITH ENGINE = engine, PARAMETERS = given."""
        record = SourceRecord(name, engine, given, secrets or {}, datetime(2026, 1, 1, tzinfo=UTC))
        self.run(self.sources.check(record))
        self.run(self.store.put_source(record))
        self.run(self.sources.forget(record))
        self.run(self.sources.reach(record))

    def record(self, name: str) -> SourceRecord:
        """The source of that name."""
        found = self.sources.find(name)
        assert found is not None
        return found

    def tables(self, name: str) -> list[str]:
        """The names of its tables, those of a schema with it."""
        rows = self.run(self.sources.tables(self.record(name)))
        return [row[1] if row[0] == "main" else f"{row[0]}.{row[1]}" for row in rows]

    def table(self, source: str, name: str, schema: str | None = None) -> SourceTable:
        """A table of a source."""
        return self.run(self.sources.table(self.record(source), name, schema))

    def columns(self, source: str, name: str) -> dict[str, str]:
        """The columns of a table, and DuckDB's types of them."""
        return {column.name: column.type for column in self.table(source, name).columns}

    def rows(self, source: str, name: str, schema: str | None = None, rest: str = "") -> list[Row]:
        """SELECT * FROM source.name, as whoever binds it lets it stand."""
        table = self.table(source, name, schema)
        return self.run(self._select(table, rest))

    def execute(self, *statements: str) -> list[Row]:
        """Statements on one cursor; the rows of the last."""

        async def work() -> list[Row]:
            cursor = self.database.cursor()
            try:
                return await cursor.script([(sql, ()) for sql in statements])
            finally:
                await cursor.close()

        return self.run(work())

    async def _select(self, table: SourceTable, rest: str) -> list[Row]:
        cursor = self.database.cursor()
        try:
            return await cursor.execute(f"SELECT * FROM {await stand(cursor, table)} {rest}")
        finally:
            await cursor.close()


async def stand(cursor: Cursor, table: SourceTable) -> str:
    """What the table is called on that cursor."""
    if table.view is None:
        names = (attached_as(table.source), table.schema, table.name)
        return ".".join(map(quoted, names))
    await cursor.execute(f"CREATE OR REPLACE TEMP VIEW __mw_src_1 AS {table.view}")
    return "__mw_src_1"


@contextmanager
def room(directory: Path) -> Iterator[Room]:
    """A room with a folder `shared` that is open."""
    folder, own = directory / "shared", directory / "own"
    folder.mkdir()
    own.mkdir()
    store = Store(own / "catalog.duckdb", Vault(Fernet.generate_key().decode()))
    database = Database(
        own / "data.duckdb",
        spill_dir=own / "spill",
        memory_limit="300MB",
        threads=2,
        source_dirs=(folder,),
    )
    outside = Outside()
    loop = asyncio.new_event_loop()
    try:
        yield Room(store, database, Sources(store, database, outside), folder, own, loop)
    finally:
        outside.close()
        database.close()
        store.close()
        loop.close()
