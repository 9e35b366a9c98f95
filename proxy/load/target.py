"""Where the rows of a file go: all that loading knows of it.

A table of one's own is own_table.py; whoever has tables elsewhere implements Target for them.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from catalog.errors import CatalogError
from proxy.sql.statements import Duplicates


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column, its DuckDB type, whether it takes NULL, and its default as DuckDB's SQL."""

    name: str
    type: str
    nullable: bool = True
    default: str = "NULL"


@dataclass(frozen=True, slots=True)
class Incoming:
    """Rows to be added: what `query`, DuckDB's SQL with `parameters`, answers on the session's own
    cursor, each column a value of the column that `columns` names, of its type. `count` rows."""

    query: str
    parameters: Sequence[str]
    columns: Sequence[str]
    count: int


@dataclass(frozen=True, slots=True)
class Added:
    """What became of rows: how many are there now, how many had to go for them, and of each that
    was left out, why."""

    stored: int = 0
    deleted: int = 0
    left_out: Sequence[CatalogError] = ()


class Target(Protocol):
    """A table that rows are loaded into. Its coroutines may be cancelled."""

    @property
    def columns(self) -> Sequence[TargetColumn]:
        """Its columns in their order."""

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Around all calls of `add` of one statement: an error inside undoes them, or has the
        transaction that is open take nothing but ROLLBACK."""

    async def add(self, rows: Incoming, duplicates: Duplicates) -> Added:
        """Add rows, all of them unless `duplicates` is 'ignore'. Raises CatalogError."""
