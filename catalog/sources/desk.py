"""Where SQL about a source is run: inside, on a cursor of its own, or outside, on a line.

It knows nothing of what the SQL asks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from catalog.database import Database, Field, Row
from catalog.sources.outside import Line

_LENT = "__mw_metadata"


@dataclass(frozen=True, slots=True)
class Inside:
    """The instance that runs clients' SQL."""

    database: Database

    async def rows(self, query: str) -> list[Row]:
        """The rows of a query; few are expected."""
        cursor = self.database.cursor()
        try:
            return await cursor.execute(query)
        finally:
            await cursor.close()

    async def fields(self, query: str) -> list[Field]:
        """The columns of a query, without running it."""
        cursor = self.database.cursor()
        try:
            return await cursor.describe(query)
        finally:
            await cursor.close()

    async def run(self, *statements: str) -> None:
        """Run statements that have no rows."""
        cursor = self.database.cursor()
        try:
            await cursor.script([(statement, ()) for statement in statements])
        finally:
            await cursor.close()


@dataclass(frozen=True, slots=True)
class Beyond:
    """The instance that reaches the network, on a line of `line`'s for each call."""

    database: Database
    line: Callable[[], Line]

    async def rows(self, query: str) -> list[Row]:
        """The rows of a query; few are expected."""
        line, cursor = self.line(), self.database.cursor()
        try:
            await cursor.lend(_LENT, await line.stream(query))
            return await cursor.execute(f"FROM {_LENT}")
        finally:
            await cursor.close()
            await line.close()

    async def fields(self, query: str) -> list[Field]:
        """The columns of a query, without running it."""
        line, cursor = self.line(), self.database.cursor()
        try:
            await cursor.lend(_LENT, await line.stream(query))
            return await cursor.describe(f"FROM {_LENT}")
        finally:
            await cursor.close()
            await line.close()

    async def run(self, *statements: str) -> None:
        """Run statements that have no rows."""
        line = self.line()
        try:
            await line.run(*statements)
        finally:
            await line.close()
