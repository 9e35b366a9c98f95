"""DuckDB as the rest of the house sees it: files, cursors, threads, interrupts.

One place where blocking calls leave the event loop. It knows nothing of what the SQL means.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from catalog.duckdb_errors import translated
from catalog.errors import StatementRejected
from catalog.whole import whole

T = TypeVar("T")

Row = tuple[Any, ...]
BATCH_ROWS = 2048
_THREADS = 64


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation: its name and DuckDB's name of its type."""

    name: str
    type: str


class Database:
    """One DuckDB file, opened for us alone, with DuckDB's reach into the machine closed.

    `memory_limit` is DuckDB's text form ('1GB'); what is more spills to `spill_dir`.
    """

    def __init__(
        self, path: Path, *, spill_dir: Path, memory_limit: str, threads: int | None = None
    ) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(spill_dir),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            # hands what was freed back to the system, within seconds
            "allocator_background_threads": "true",
        }
        if threads is not None:
            config["threads"] = str(threads)
        with translated():
            self._root = duckdb.connect(str(path), config=config)
            self._root.execute("SET enable_external_access = false")
            self._root.execute("SET lock_configuration = true")
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="duckdb")

    def cursor(self) -> "Cursor":
        """A connection of its own: transaction, temporary tables."""
        return Cursor(self._root.cursor(), self._pool)

    def close(self) -> None:
        """Write everything down and close the file. Blocks; call when no cursor runs."""
        self._pool.shutdown()
        self._root.execute("CHECKPOINT")
        self._root.close()


class Cursor:
    """One DuckDB connection. Calls take turns; each may be cancelled, which interrupts DuckDB and
    returns only when its thread is free again."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, pool: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._pool = pool
        self._turn = asyncio.Lock()

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement and fetch all of its rows."""
        return await self._run(lambda: self._connection.execute(sql, parameters).fetchall())

    async def script(self, statements: Sequence[tuple[str, Sequence[object]]]) -> list[Row]:
        """Run several statements in one trip to the thread; the rows of the last."""

        def work() -> list[Row]:
            rows: list[Row] = []
            for sql, parameters in statements:
                rows = self._connection.execute(sql, parameters).fetchall()
            return rows

        return await self._run(work)

    async def describe(self, query: str) -> list[Field]:
        """The columns that a query has, without running it. Raises StatementRejected for what is no
        query."""
        return await self._run(lambda: self._fields(query))

    async def open(
        self, query: str, shape: Callable[[list[Field]], str]
    ) -> tuple[list[Field], list[Row]]:
        """Begin a query: its columns, and the first batch of what `shape` makes of it, in one trip
        to the thread. A batch has BATCH_ROWS rows, the last one fewer."""

        def work() -> tuple[list[Field], list[Row]]:
            fields = self._fields(query)
            return fields, self._connection.execute(shape(fields)).fetchmany(BATCH_ROWS)

        return await self._run(work)

    async def start(self, query: str) -> list[Row]:
        """Begin a query: its first batch, as `open` without the columns."""

        def work() -> list[Row]:
            return self._connection.execute(query).fetchmany(BATCH_ROWS)

        return await self._run(work)

    async def more(self) -> list[Row]:
        """The next batch of the query that was opened or started last."""
        return await self._run(lambda: self._connection.fetchmany(BATCH_ROWS))

    async def close(self) -> None:
        """Roll back what is open and let go."""
        await self._run(self._connection.close)

    def _fields(self, query: str) -> list[Field]:
        # A relation is bound and not run, in a fifth of the time that DESCRIBE takes; what is no
        # SELECT would be run.
        statements = self._connection.extract_statements(query)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise StatementRejected("Only a SELECT has columns")
        relation = self._connection.sql(statements[0])
        columns = zip(relation.columns, relation.types, strict=True)
        return [Field(name, str(type_)) for name, type_ in columns]

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._turn:
            return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        job = self._pool.submit(work)
        future = asyncio.wrap_future(job)
        with translated():
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                if not job.cancel():  # it has a thread already
                    await self._interrupt(future)
                raise

    @whole
    async def _interrupt(self, future: "asyncio.Future[T]") -> None:
        """Interrupt until the thread is back: one interrupt can come before the call began."""
        while not future.done():
            self._connection.interrupt()
            await asyncio.wait([future], timeout=0.02)
        if not future.cancelled():
            future.exception()  # seen: an interrupted call ends in an error that nobody needs
