"""A session's transaction as MySQL's rules have it: BEGIN, autocommit, implicit commits.

DuckDB carries it out, with two differences: its one isolation level is a snapshot, and an error in
a transaction ends it. Then nothing but ROLLBACK goes on, so that no COMMIT loses rows silently.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from catalog.database import Cursor
from catalog.errors import TransactionFailed
from catalog.whole import whole
from proxy.errors import ReadOnlyTransaction


class Transactions:
    """The transaction state of one session."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
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
            await self._cursor.execute("COMMIT")

    @whole
    async def rollback(self) -> None:
        """ROLLBACK; nothing to do is no error."""
        if self.open:
            self.open = False
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

    async def before_change(self) -> None:
        """Rows are about to change: without autocommit that opens a transaction. Raises
        ReadOnlyTransaction."""
        if self.open and self._read_only:
            raise ReadOnlyTransaction("Cannot execute statement in a READ ONLY transaction.")
        if not self._autocommit and not self.open:
            await self.begin()

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

    async def before_definition(self) -> None:
        """A table is about to be made or dropped: MySQL commits first."""
        await self.commit()
