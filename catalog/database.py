"""DuckDB as the rest of the house sees it: files, cursors, threads, interrupts.

It knows nothing of what the SQL means.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb

from catalog.duckdb_errors import translated
from catalog.errors import CatalogError, StatementRejected
from catalog.sources.extensions import extension_file
from catalog.sources.folders import Folders
from catalog.thread import Turns

T = TypeVar("T")

Row = tuple[Any, ...]
BATCH_ROWS = 2048
_THREADS = 64
_FOLDER_EXTENSIONS = ("sqlite_scanner",)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation: its name and DuckDB's name of its type."""

    name: str
    type: str


class Lent(Protocol):
    """Rows from outside, an Arrow stream: catalog/sources/outside.py has one."""

    def __arrow_c_schema__(self) -> object:
        """Their columns, without reading them."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows, from the first on."""

    def failure(self, message: str) -> CatalogError | None:
        """What an error that reading them raised says of their source, or None."""

    def interrupt(self) -> None:
        """End what is read; may be called from any thread."""


class Database:
    """One DuckDB file, opened for us alone, with DuckDB's reach into the machine closed but for
    the folders `source_dirs`, which may not hold the file's own.

    `memory_limit` is DuckDB's text form ('1GB'); what is more spills to `spill_dir`.
    """

    def __init__(
        self,
        path: Path,
        *,
        spill_dir: Path,
        memory_limit: str,
        threads: int | None = None,
        source_dirs: Sequence[Path] = (),
    ) -> None:
        self.folders = Folders(tuple(each.resolve() for each in source_dirs), path.parent.resolve())
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(spill_dir),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_unsigned_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            # hands what was freed back to the system, within seconds
            "allocator_background_threads": "true",
        }
        if threads is not None:
            config["threads"] = str(threads)
        with translated():
            self._root = duckdb.connect(str(path), config=config)
            self._open_folders()
            self._root.execute("SET enable_external_access = false")
            self._root.execute("SET lock_configuration = true")
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="duckdb")

    def cursor(self) -> "Cursor":
        """A connection of its own: transaction, temporary tables."""
        return Cursor(self._root.cursor(), self._pool, self.folders)

    def close(self) -> None:
        """Write everything down and close the file. Blocks; call when no cursor runs."""
        self._pool.shutdown()
        self._root.execute("CHECKPOINT")
        self._root.close()

    def _open_folders(self) -> None:
        """Whoever has no folders has no extension for them in memory."""
        if not self.folders.allowed:
            return
        for name in _FOLDER_EXTENSIONS:
            self._root.load_extension(str(extension_file(name)))
        allowed = [f"{folder}/" for folder in self.folders.allowed]
        self._root.execute("SET allowed_directories = ?", [allowed])


class Cursor(Turns):
    """One DuckDB connection. Calls take turns; each may be cancelled, which interrupts DuckDB and
    returns only when its thread is free again."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, pool: ThreadPoolExecutor, folders: Folders
    ) -> None:
        super().__init__(pool)
        self._connection = connection
        self._folders = folders
        self._lent: dict[str, Lent] = {}

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

    async def lend(self, name: str, stream: "Lent") -> None:
        """Let `name` stand for the rows of a stream from outside, until `give_back`. They are read
        once, by one mention of one statement."""
        self._lent[name] = stream
        await self._run(lambda: self._connection.register(name, stream))

    async def give_back(self, name: str) -> None:
        """Let a lent stream go; one that was not lent is no error."""
        if self._lent.pop(name, None) is not None:
            await self._run(lambda: self._connection.unregister(name))

    def rows_of(self, query: str) -> object:
        """The rows of a query as an Arrow stream, for a `put` outside. Blocks: call in a thread,
        and have them read before this cursor is used again."""
        return self._connection.sql(query)

    def interrupt(self) -> None:
        """End what runs now, and what it reads from outside."""
        self._connection.interrupt()
        for stream in self._lent.values():
            stream.interrupt()

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
        with self._told():
            return await super()._run(work)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """DuckDB's errors as the catalog's, and those of a lent stream as its source's."""
        with translated(self._folders):
            try:
                yield
            except duckdb.Error as error:
                told = (stream.failure(str(error)) for stream in self._lent.values())
                failure = next(filter(None, told), None)
                if failure is None:
                    raise
                raise failure from error
