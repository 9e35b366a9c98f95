"""The DuckDB instance that reaches data sources over the network: in memory, without any files.

No SQL of a client's runs in it: what it is told was written by a kind of source. It is driven
through ADBC, for its rows leave it as a stream of Arrow's that another instance of DuckDB reads as
it goes, 2,048 at a time: https://arrow.apache.org/docs/format/CStreamInterface.html
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from secrets import token_hex
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING

import _duckdb

from catalog.errors import CatalogError, SourceFailed
from catalog.sources.cancels import Cancels
from catalog.sources.extensions import extension_file
from catalog.sources.kind import MARK, literal
from catalog.thread import Turns
from catalog.whole import whole

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement

_OPTIONS = {
    # DuckDB's files of secrets; ours are sealed in the catalog.
    "allow_persistent_secrets": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_EXTENSIONS = ("postgres_scanner", "mysql_scanner", "httpfs")
_SETTINGS = (
    "SET http_timeout = 10",  # seconds; DuckDB's 30, four times, would be two minutes
    "SET http_retries = 2",
    "SET disabled_filesystems = 'LocalFileSystem'",
    # DuckDB's scanner of MySQL: -128 to 127 is what a TINYINT(1) holds, and DATEs may be partial.
    "SET GLOBAL mysql_tinyint1_as_boolean = false",
    "SET GLOBAL mysql_bit1_as_boolean = false",
    "SET GLOBAL mysql_incomplete_dates_as_nulls = true",
    "SET GLOBAL mysql_session_time_zone = '+00:00'",
    "SET lock_configuration = true",
)
_THREADS = 64
_PATIENCE = 0.05
"""Seconds for which streams may end by themselves."""
_COMMIT_PATIENCE = 1.0
"""The same, where what functions wrote is committed with it."""
_STATUS = re.compile(r"^[A-Z_]+: ")
_READING = re.compile(
    r"(?:get_next failed\(\)|(?:Programming|Internal|Operational)Error): (?P<text>.*)", re.DOTALL
)
BEGIN = "BEGIN TRANSACTION"
Failure = Callable[[str], CatalogError]
Cancel = Callable[[str], Sequence[str]]
"""Of a line's mark: the statements, for another line, that end what the source runs for it."""


class Outside:
    """The instance, opened when its first line is used. It has the extensions of all kinds, for
    once it is closed to files none could be loaded."""

    def __init__(self) -> None:
        self._database: AdbcDatabase | None = None
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="outside")
        self._opening = Lock()
        self._cancels = Cancels(self._cancel)

    def line(
        self,
        failure: Failure = SourceFailed,
        cancel: Cancel | None = None,
        introduction: Sequence[str] = (),
        opening: Sequence[str] = (),
    ) -> "Line":
        """A connection of its own; `failure` makes errors of what a source says, `cancel` ends what
        the source runs for it, which knows its transactions by `introduction`; it begins with
        `opening`."""
        line = Line(self, self._pool, failure, cancel, introduction)
        line.opening = opening
        return line

    def connect(self) -> "AdbcConnection":
        """Blocks. Raises SourceUnknown where an extension is not installed."""
        with self._opening:
            if self._database is None:
                self._database = self._open()
            connection: AdbcConnection = _adbc().AdbcConnection(self._database)
            return connection

    def close(self) -> None:
        """Blocks; call when no line is open."""
        self._cancels.close()
        self._pool.shutdown()
        if self._database is not None:
            self._database.close()

    def cancel(self, mark: str, statements: Callable[[], Sequence[str]]) -> None:
        """Run, soon and somewhere else, what ends the statement of a line of that mark."""
        self._cancels.ask(mark, statements)

    def _cancel(self, statements: Sequence[str]) -> None:
        with self.connect() as connection:
            for sql in statements:
                _execute(connection, sql)

    def _open(self) -> "AdbcDatabase":
        files = [extension_file(name) for name in _EXTENSIONS]
        driver = _duckdb.__file__
        database: AdbcDatabase = _adbc().AdbcDatabase(
            driver=driver, entrypoint="duckdb_adbc_init", **_OPTIONS
        )
        with _adbc().AdbcConnection(database) as connection:
            for file in files:
                _execute(connection, f"LOAD {literal(str(file))}")
            for setting in _SETTINGS:
                _execute(connection, setting)
        return database


class Line(Turns):
    """One connection of the instance: a transaction of its own. Raises what its `failure` makes of
    an error's text; every coroutine may be cancelled."""

    def __init__(
        self,
        outside: Outside,
        pool: ThreadPoolExecutor,
        failure: Failure,
        cancel: Cancel | None,
        introduction: Sequence[str],
    ) -> None:
        super().__init__(pool)
        self._outside = outside
        self._connection: AdbcConnection | None = None
        self._statements: list[AdbcStatement] = []
        self._cancel = cancel
        self._introduction = introduction
        self._begun = False
        self._reading = False
        self.opening: Sequence[str] = ()
        self.failure = failure
        self.mark = f"modelwire {token_hex(8)}"
        """What the source knows by that it runs something for this line and no other."""

    async def run(self, *statements: str) -> None:
        """Run statements whose rows nobody needs, in one trip to the thread. A line that has read
        is in a transaction."""

        def work() -> None:
            for sql in statements:
                self._execute(sql)

        with self._translated():
            await self._run(work)

    async def stream(self, query: str) -> "Stream":
        """A query, prepared: its columns are known, and it runs when its rows are read."""

        def work() -> Stream:
            if not self._begun:
                # What is prepared runs on the connection to the source that its transaction has;
                # mysql_scanner reads freed memory where that has gone back to its pool.
                self._execute(BEGIN)
                self._reading = True
            statement = _adbc().AdbcStatement(self._connected())
            self._statements.append(statement)
            statement.set_sql_query(query.replace(MARK, self.mark))
            statement.execute_schema()  # what is wrong with it is said now
            return Stream(self, statement)

        with self._translated():
            return await self._run(work)

    async def put(self, rows: Callable[[], object], table: str) -> int:
        """Make `table`, a temporary one of the instance, of the rows of an Arrow stream (an object
        with __arrow_c_stream__, made in the thread); their number."""

        def work() -> int:
            with _adbc().AdbcStatement(self._connected()) as statement:
                statement.set_options(
                    **{
                        "adbc.ingest.target_table": table,
                        "adbc.ingest.mode": "adbc.ingest.mode.replace",
                        "adbc.ingest.temporary": "true",
                    }
                )
                statement.bind_stream(rows())
                return int(statement.execute_update())

        with self._translated():
            return await self._run(work)

    def interrupt(self) -> None:
        """End what runs now, or is read of a stream, here and in the source. Does not block."""
        if self._connection is None:
            return
        with suppress(_adbc().Error):
            self._connection.cancel()
        if self._cancel is not None:
            # A call into the source's client library hears of nothing but the source's own answer.
            self._outside.cancel(self.mark, partial(self._cancel, self.mark))

    @whole
    async def close(self, *, keep: bool = False) -> None:
        """Let go; streams are given back before. What was begun to write is rolled back; what
        queries did, for they may call functions that write, too, unless `keep`."""
        await self._end_within(_PATIENCE, self._drain)
        if keep and self._reading and self._connection is not None:
            await self._end_within(_COMMIT_PATIENCE, lambda: self._try("COMMIT"))
        await self._end_within(_PATIENCE, self._disconnect)

    async def _end_within(self, patience: float, work: Callable[[], None]) -> None:
        """Do what ends a stream, too: the rest of one that nobody read to its end is fetched then,
        unless it is interrupted, after `patience` seconds."""
        ending = asyncio.ensure_future(self._run(work))
        while not (await asyncio.wait([ending], timeout=patience))[0]:
            self.interrupt()
            patience = _PATIENCE
        await ending

    def _drain(self) -> None:
        for statement in self._statements:
            statement.close()
        self._statements.clear()

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Where a source is gone, DuckDB cannot roll back; as a statement that is an error, but
            # as part of closing it ends the process.
            self._try("ROLLBACK")
            self._connection.close()

    def _try(self, sql: str) -> None:
        with suppress(_adbc().Error):
            self._execute(sql)

    def _execute(self, sql: str) -> None:
        """A transaction introduces itself to the source."""
        for statement in (sql, *self._introduction) if sql == BEGIN else (sql,):
            _execute(self._connected(), statement.replace(MARK, self.mark))
        self._begun = _BEGUN.get(sql, self._begun)

    def _connected(self) -> "AdbcConnection":
        if self._connection is None:
            self._connection = self._outside.connect()
            for sql in self.opening:
                _execute(self._connection, sql)
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _adbc().Error as error:
            raise self.failure(_STATUS.sub("", str(error))) from error


class Stream:
    """Rows of a query outside, for `Cursor.lend`. Whoever reads them runs the query; that names its
    columns runs nothing. They are read once: a statement that has run once ends the process when it
    is looked at again (duckdb 1.5; tests/sources/test_streams.py)."""

    def __init__(self, line: Line, statement: "AdbcStatement") -> None:
        self.line = line
        self._statement = statement
        self._taken = False

    def __arrow_c_schema__(self) -> object:
        self._require_unread()
        # A schema that was taken once is gone: taking it twice ends the process.
        return self._statement.execute_schema().__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        self._require_unread()
        self._taken = True
        rows, _ = self._statement.execute_query()
        return rows.__arrow_c_stream__(requested_schema)

    def interrupt(self) -> None:
        """End what is read of it."""
        self.line.interrupt()

    def _require_unread(self) -> None:
        if self._taken:
            raise SourceFailed("The rows of a source were read already")

    def failure(self, message: str) -> CatalogError | None:
        """What an error of whoever reads the rows says of the source, or None."""
        match = _READING.search(message)
        return self.line.failure(match["text"]) if match else None


_BEGUN = {BEGIN: True, "COMMIT": False, "ROLLBACK": False}


def _adbc() -> ModuleType:
    """ADBC, of which a server without sources on the network needs nothing."""
    import adbc_driver_manager  # noqa: PLC0415

    return adbc_driver_manager


def _execute(connection: "AdbcConnection", sql: str) -> None:
    with _adbc().AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()
