"""A session's transaction as MySQL's rules have it: BEGIN, autocommit, implicit commits.

DuckDB carries it out; its one isolation level is a snapshot.
"""

from catalog.database import Cursor


class Transactions:
    """The transaction state of one session."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.open = False
        self._autocommit = True

    @property
    def autocommit(self) -> bool:
        """Whether every statement is a transaction of its own."""
        return self._autocommit

    async def set_autocommit(self, on: bool) -> None:
        """SET autocommit: switching it on commits what is open."""
        if on and not self._autocommit:
            await self.commit()
        self._autocommit = on

    async def begin(self) -> None:
        """START TRANSACTION commits the one before."""
        await self.commit()
        await self._cursor.execute("BEGIN TRANSACTION")
        self.open = True

    async def commit(self) -> None:
        """COMMIT; nothing to do is no error."""
        if self.open:
            self.open = False
            await self._cursor.execute("COMMIT")

    async def rollback(self) -> None:
        """ROLLBACK; nothing to do is no error."""
        if self.open:
            self.open = False
            await self._cursor.execute("ROLLBACK")

    async def before_change(self) -> None:
        """Rows are about to change: without autocommit that opens a transaction."""
        if not self._autocommit and not self.open:
            await self.begin()

    async def before_definition(self) -> None:
        """A table is about to be made or dropped: MySQL commits first."""
        await self.commit()
