"""The databases that clients see: one DuckDB schema each, in one DuckDB file.

Tables and views live in the schemas; models, which live beside them, are the store's.
"""

import asyncio
import csv
import json
from importlib import resources

from catalog.database import Cursor, Database
from catalog.errors import DatabaseExists, DatabaseProtected, DatabaseUnknown
from catalog.suggest import did_you_mean
from catalog.whole import whole

DEFAULT_PROJECT = "modelwire"
DEMO = "demo"
INFORMATION_SCHEMA = "information_schema"
_RESERVED = frozenset(
    {
        INFORMATION_SCHEMA,
        "mysql",
        "performance_schema",
        "sys",
        # DuckDB's own: a client's name must never reach them
        "main",
        "temp",
        "system",
        "pg_catalog",
    }
)


class Projects:
    """The names of all databases, and how to make and drop one. Whoever drops one, or puts into one
    what is not a table, holds `changing` meanwhile."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.changing = asyncio.Lock()
        self._names: dict[str, str] = {}

    async def open(self) -> None:
        """Read the names; make the default project and the demo at first start."""
        cursor = self.database.cursor()
        rows = await cursor.execute(
            "SELECT schema_name FROM duckdb_schemas() "
            "WHERE database_name = current_database() AND NOT internal"
        )
        self._names = {name.casefold(): name for (name,) in rows if name != "main"}
        if not self._names:
            await cursor.execute("BEGIN")  # a server that dies here has not started
            await self._make(cursor, DEFAULT_PROJECT)
            await self._make(cursor, DEMO)
            await _fill_demo(cursor)
            await cursor.execute("COMMIT")
        await cursor.close()

    @property
    def names(self) -> list[str]:
        """All databases with tables of their own, by name."""
        return sorted(self._names.values())

    def resolve(self, name: str) -> str:
        """The name as it was made. Raises DatabaseUnknown."""
        if name.casefold() == INFORMATION_SCHEMA:
            return INFORMATION_SCHEMA
        try:
            return self._names[name.casefold()]
        except KeyError:
            hint = did_you_mean(name, self._names.values())
            raise DatabaseUnknown(f"Unknown database '{name}'{hint}") from None

    @whole
    async def create(self, name: str) -> None:
        """Make a database. Raises DatabaseExists, DatabaseProtected."""
        if name.casefold() in self._names:
            raise DatabaseExists(f"Can't create database '{name}'; database exists")
        if name.casefold() in _RESERVED:
            raise DatabaseProtected(f"Database name '{name}' is reserved")
        cursor = self.database.cursor()
        await self._make(cursor, name)
        await cursor.close()

    @whole
    async def drop(self, name: str) -> None:
        """Drop a database with all its tables. Raises DatabaseUnknown, DatabaseProtected."""
        if name.casefold() in _RESERVED or name.casefold() == DEFAULT_PROJECT:
            raise DatabaseProtected(f"Database '{name}' cannot be dropped")
        made = self.resolve(name)
        cursor = self.database.cursor()
        await cursor.execute(f"DROP SCHEMA {_quoted(made)} CASCADE")
        await cursor.close()
        del self._names[made.casefold()]

    async def _make(self, cursor: Cursor, name: str) -> None:
        await cursor.execute(f"CREATE SCHEMA {_quoted(name)}")
        self._names[name.casefold()] = name


async def _fill_demo(cursor: Cursor) -> None:
    text = resources.files("catalog").joinpath("demo/reviews.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    await cursor.script(
        [
            (
                "CREATE TABLE demo.reviews (id INTEGER PRIMARY KEY, product VARCHAR NOT NULL, "
                "stars TINYINT NOT NULL, review VARCHAR NOT NULL, reviewed_on DATE NOT NULL)",
                (),
            ),
            (
                "INSERT INTO demo.reviews SELECT unnest(from_json($1, "
                '\'[{"id": "INTEGER", "product": "VARCHAR", "stars": "TINYINT", '
                '"review": "VARCHAR", "reviewed_on": "DATE"}]\'), recursive := true)',
                (json.dumps(rows),),
            ),
        ]
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
