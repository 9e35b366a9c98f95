"""The databases that clients see: one DuckDB schema each, in one DuckDB file.

Tables and views live in the schemas; models, which live beside them, are the store's.
"""

import asyncio
import csv
import json
from collections.abc import Callable, Iterable
from importlib import resources

from catalog.database import Cursor, Database
from catalog.errors import DatabaseExists, DatabaseMisnamed, DatabaseProtected, DatabaseUnknown
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


def is_path(name: str) -> bool:
    """Whether a name could be a folder's. Where a table `csv` of the schema `/folder/x` is missing,
    DuckDB 1.5.5 reads the file /folder/x.csv instead, if it is one of its allowed directories
    (tests/safety/test_instance.py)."""
    return "/" in name or "\\" in name


class Projects:
    """The names of all databases, and how to make and drop one. Whoever drops one, or puts into one
    what is not a table, holds `changing` meanwhile. `elsewhere` names the data sources."""

    def __init__(self, database: Database, elsewhere: Callable[[], Iterable[str]] = tuple) -> None:
        self.database = database
        self._elsewhere = elsewhere
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
            raise self._unknown(name) from None

    def resolve_any(self, name: str) -> str:
        """The name of a database or a data source as it was made. Raises DatabaseUnknown."""
        source = self._source(name)
        return self.resolve(name) if source is None else source

    def require_free(self, name: str) -> None:
        """Raises DatabaseExists, DatabaseProtected, DatabaseMisnamed for a name that no new one
        may have."""
        if is_path(name):
            raise DatabaseMisnamed(f"Incorrect database name '{name}'")
        if name.casefold() in self._names:
            raise DatabaseExists(f"Can't create database '{name}'; database exists")
        if name.casefold() in _RESERVED:
            raise DatabaseProtected(f"Database name '{name}' is reserved")

    @whole
    async def create(self, name: str) -> None:
        """Make a database. Raises DatabaseExists, DatabaseProtected."""
        self.require_free(name)
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

    def _unknown(self, name: str) -> DatabaseUnknown:
        if self._source(name) is not None:
            return DatabaseUnknown(f"'{name}' is a data source, not a project of this server")
        hint = did_you_mean(name, [*self._names.values(), *self._elsewhere()])
        return DatabaseUnknown(f"Unknown database '{name}'{hint}")

    def _source(self, name: str) -> str | None:
        fits = (each for each in self._elsewhere() if each.casefold() == name.casefold())
        return next(fits, None)

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
