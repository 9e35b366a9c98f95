"""A file of SQLite's, attached by DuckDB's sqlite_scanner.

https://duckdb.org/docs/stable/core_extensions/sqlite
"""

from collections.abc import Sequence

from catalog.records import SourceRecord
from catalog.sources.kind import (
    Desk,
    LocalKind,
    Parameter,
    Shelf,
    attached_as,
    given,
    literal,
    quoted,
)
from catalog.sources.sqlite_shelf import MAIN, SQLiteShelf, ask


class SQLite(LocalKind):
    """A database that is one file."""

    name = "sqlite"
    title = "SQLite"
    writes = True
    extension = "sqlite_scanner"
    parameters = (
        Parameter(
            "path", "File under one of source_dirs", required=True, aliases=("db_file", "database")
        ),
        Parameter("read_only", "Whether nobody may write to it", value_type=bool, default=False),
        Parameter(
            "sample_size",
            "Rows whose values tell a column's type; -1 is all",
            value_type=int,
            default=100_000,
        ),
    )

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """The file, and a look into it: SQLite opens files later. Python's own look at its first
        bytes would take SQLite's locks off it (https://sqlite.org/howtocorrupt.html, 2.2)."""
        values = given(record, self.parameters)
        options = "TYPE sqlite, READ_ONLY" if values["read_only"] else "TYPE sqlite"
        return (
            f"ATTACH {literal(str(values['path']))} AS {quoted(attached_as(record))} ({options})",
            ask(record, "SELECT count(*) FROM sqlite_master"),
        )

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The catalog."""
        return (f"DETACH DATABASE IF EXISTS {quoted(attached_as(record))}",)

    def default_schema(self, record: SourceRecord) -> str:
        """SQLite's only one."""
        return MAIN

    def shelf(self, record: SourceRecord, desk: Desk) -> Shelf:
        """Its tables and views."""
        return SQLiteShelf(record, desk, int(given(record, self.parameters)["sample_size"]))
