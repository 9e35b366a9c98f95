"""A session's transaction as MySQL's rules have it: BEGIN, autocommit, implicit commits.

DuckDB carries it out, with two differences: its one isolation level is a snapshot, and an error in
a transaction ends it. Then nothing but ROLLBACK goes on, so that no COMMIT loses rows silently.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from catalog.database import Cursor
from catalog.errors import TransactionFailed
from catalog.sources.outside import Line
from catalog.whole import whole
from proxy.errors import ReadOnlyTransaction, Unsupported


class Transactions:
    """The transaction state of one session. Beside DuckDB's it has one of each data source that was
    written into; only one of them all may have changes, for they could not be committed together.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._lines: dict[str, Line] = {}
        self._changed: str | None = None
        self.open = False
        self._autocommit = True
        self._failed = False
        self._read_only = False

    @property
    def autocommit(self) -> bool:
        """Whether every statement is a transaction of its own."""
        return self._autocommit

    @property
    def failed(self) -> bool:
        """Whether an error ended the open transaction."""
        return self.open and self._failed

    async def set_autocommit(self, on: bool) -> None:
        """SET autocommit: switching it on commits what is open. Raises TransactionFailed."""
        if on and not self._autocommit:
            await self.commit()
        self._autocommit = on

    @whole
    async def begin(self, *, read_only: bool = False) -> None:
        """START TRANSACTION commits the one before. Raises TransactionFailed."""
        await self.commit()
        await self._cursor.execute("BEGIN TRANSACTION")
        self.open, self._failed, self._read_only = True, False, read_only
        self._changed = None

    @whole
    async def commit(self) -> None:
        """COMMIT; nothing to do is no error. Raises TransactionFailed, and has rolled back, where
        an error ended the transaction."""
        if self.failed:
            await self.rollback()
            raise TransactionFailed(
                "The transaction was rolled back: a statement in it had failed; start it again"
            )
        if self.open:
            self.open = False
            try:
                await self._end_lines("COMMIT")
            except BaseException:
                await self._cursor.execute("ROLLBACK")
                raise
            await self._cursor.execute("COMMIT")

    @whole
    async def rollback(self) -> None:
        """ROLLBACK; nothing to do is no error."""
        if self.open:
            self.open = False
            try:
                await self._end_lines("ROLLBACK")
            finally:
                await self._cursor.execute("ROLLBACK")

    async def look(self) -> None:
        """After an error: see whether DuckDB has ended the transaction; COMMIT would not say."""
        if self.open and not self._failed:
            try:
                await self._cursor.execute("SELECT 1")
            except TransactionFailed:
                self._failed = True

    def require_sound(self) -> None:
        """Raises TransactionFailed where an error ended the transaction."""
        if self.failed:
            raise TransactionFailed(
                "A statement of this transaction failed: ROLLBACK, then start it again"
            )

    async def before_change(self, source: str = "") -> None:
        """Rows of a source, or of our own tables, are about to change: without autocommit that
        opens a transaction. Raises ReadOnlyTransaction, and Unsupported where this transaction has
        changed another's."""
        if self.open and self._read_only:
            raise ReadOnlyTransaction("Cannot execute statement in a READ ONLY transaction.")
        if not self._autocommit and not self.open:
            await self.begin()
        if self.open and self._changed not in {None, source}:
            raise Unsupported(
                f"This transaction has changed {_place(self._changed)}, and cannot change "
                f"{_place(source)} too: COMMIT first"
            )
        self._changed = source

    def line(self, source: str) -> Line | None:
        """The open transaction's line to a source, if it has one."""
        return self._lines.get(source.casefold())

    async def begin_line(self, source: str, line: Line) -> None:
        """Make a line part of the open transaction, which closes it."""
        await line.run("BEGIN TRANSACTION")
        self._lines[source.casefold()] = line

    def fail(self) -> None:
        """A statement of the open transaction failed in a source: it can only be rolled back."""
        self._failed = True

    async def _end_lines(self, how: str) -> None:
        while self._lines:
            _, line = self._lines.popitem()
            try:
                await line.run(how)
            finally:
                await line.close()

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        """One statement's own transaction, where none is open: an error undoes all of it."""
        if self.open:
            yield
            return
        await self.begin()
        try:
            yield
        except BaseException:
            await self.rollback()
            raise
        await self.commit()

    @asynccontextmanager
    async def in_parts(self) -> AsyncIterator[None]:
        """As `around`, for a statement that changes rows portion by portion: DuckDB has no
        savepoint to go back to in a transaction that is open, so this ends it."""
        try:
            async with self.around():
                yield
        except BaseException:
            self._failed = True
            raise

    async def before_definition(self) -> None:
        """A table is about to be made or dropped: MySQL commits first."""
        await self.commit()


def _place(source: str | None) -> str:
    return f"data source '{source}'" if source else "tables of this server"
