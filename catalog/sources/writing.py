"""How rows are written into a source: the statements, in the source's own words.

Rows travel as one JSON text a page, an array of arrays of texts and nulls (binary values in
hexadecimal), which the server itself takes apart: no type is lost on the way, each is read by the
type of its column, and the server counts what it changed. Nothing here runs a statement.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from catalog.database import Field


@dataclass(frozen=True, slots=True)
class Target:
    """A column that is written: its name, its type as the source writes it, and whether its values
    come in hexadecimal."""

    name: str
    type: str
    binary: bool = False


class OnDuplicate(StrEnum):
    """What becomes of a row whose key is there already."""

    FAIL = "fail"
    IGNORE = "ignore"


class Writer(ABC):
    """One source's statements; `table` is a table's name in the source's dialect, quoted. Methods
    that change rows answer statements to run in their order, after which `counted` has the number
    of rows that they changed."""

    counted: str
    """The native query of that number."""

    table_options: str = ""
    """What stands behind the columns of a CREATE TABLE."""

    commits_definitions: bool = False
    """Whether CREATE and DROP end a transaction."""

    @abstractmethod
    def type_of(self, field: Field) -> str:
        """The source's type for values of one of DuckDB's."""

    @abstractmethod
    def is_binary(self, type_: str) -> bool:
        """Whether a column of that type of the source's holds bytes."""

    @abstractmethod
    def count(self, change: str) -> list[str]:
        """An UPDATE or DELETE of the source's own, so that its rows are counted."""

    @abstractmethod
    def insert(
        self, table: str, columns: Sequence[Target], rows: str, on_duplicate: OnDuplicate
    ) -> list[str]:
        """Add rows: a value for each column."""

    @abstractmethod
    def update(
        self, table: str, columns: Sequence[Target], keys: Sequence[Target], rows: str
    ) -> list[str]:
        """Give columns new values: rows have these, then the keys of the rows that are meant."""

    @abstractmethod
    def delete(self, table: str, keys: Sequence[Target], rows: str) -> list[str]:
        """Delete the rows that have these keys."""

    @abstractmethod
    def delete_from(self, table: str, alias: str) -> str:
        """A DELETE of one table, as far as its WHERE."""

    @abstractmethod
    def assigned(self, value: str, type_: str) -> str:
        """An expression as the new value of a column of that type."""

    @abstractmethod
    def rename(self, schema: str, old: str, new: str, away: str | None) -> list[str]:
        """Let table `old` be `new`, at one moment; what was `new` before is called `away`."""
