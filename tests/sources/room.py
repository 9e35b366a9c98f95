"""The rooms of data sources without a proxy: both instances of DuckDB, one source."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlglot import parse_one

from catalog.database import Database, Row
from catalog.records import SourceRecord
from catalog.secrets import Vault
from catalog.sources.kind import NativeKind, SourceColumn, SourceTable
from catalog.sources.outside import Outside
from catalog.sources.sources import Sources
from catalog.store import Store
from proxy.execute.columns import as_text
from tests.catalog.rooms import KEY
from tests.support.servers import server

ROWS = "__rows"


def record(database: server.Database, name: str = "shop", /, **changed: str | int) -> SourceRecord:
    """The definition of a source over a test's database."""
    names = {**database.names, **changed}
    password = str(names.pop("password"))
    parameters = {**names, "port": int(names["port"]), "connect_timeout": 2}
    engine = database.server.kind
    return SourceRecord(name, engine, parameters, {"password": password}, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Room:
    """A source, and what reads it."""

    record: SourceRecord
    sources: Sources
    database: Database

    @property
    def kind(self) -> NativeKind:
        """Its kind."""
        kind = self.sources.kind(self.record)
        assert isinstance(kind, NativeKind)
        return kind

    async def ask(self, native: str) -> list[Row]:
        """The rows of a native query, streamed as a client's are."""
        await self.sources.reach(self.record)
        line, cursor = self.sources.line(self.record), self.database.cursor()
        try:
            await cursor.lend(ROWS, await line.stream(self.kind.ask(self.record, native)))
            return await cursor.execute(f"FROM {ROWS}")
        finally:
            await cursor.close()
            await line.close()

    async def run(self, native: str) -> None:
        """Run a native statement in a transaction, and keep what it does."""
        await self.sources.reach(self.record)
        line = self.sources.line(self.record)
        try:
            await line.run("BEGIN TRANSACTION", self.kind.call(self.record, native), "COMMIT")
        finally:
            await line.close()

    async def texts(self, table: SourceTable, column: SourceColumn) -> tuple[str, list[Any]]:
        """DuckDB's type of a column, and its values as MySQL's clients see them, in the order of
        the table's column `n`."""
        quoted = self.kind.quoted
        relation = f"{quoted(table.schema)}.{quoted(table.name)} ORDER BY n"
        native = self.kind.select([column], relation)
        line, cursor = self.sources.line(self.record), self.database.cursor()
        try:
            await cursor.lend(ROWS, await line.stream(self.kind.ask(self.record, native)))
            fields = await cursor.describe(f"FROM {ROWS}")
            query = parse_one(f"SELECT * FROM {ROWS}", dialect="duckdb")
            text = as_text(query, fields).sql("duckdb")  # type: ignore[arg-type]
            return fields[0].type, [row[0] for row in await cursor.execute(text)]
        finally:
            await cursor.close()
            await line.close()


@asynccontextmanager
async def room(directory: Path, source: SourceRecord) -> AsyncIterator[Room]:
    """The rooms, opened and closed."""
    store = Store(directory / "catalog.duckdb", Vault(KEY))
    database = Database(directory / "d", spill_dir=directory / "s", memory_limit="500MB")
    outside = Outside()
    sources = Sources(store, database, outside)
    try:
        yield Room(source, sources, database)
    finally:
        await sources.forget(source)
        outside.close()
        database.close()
        store.close()


def over(directory: Path, source: SourceRecord, work: Callable[[Room], Awaitable[Any]]) -> Any:
    """What `work` gives, over rooms of its own, within a minute."""

    async def run() -> Any:
        async with asyncio.timeout(60), room(directory, source) as opened:
            return await work(opened)

    return asyncio.run(run())
