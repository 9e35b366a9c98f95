"""The tables of data sources that a statement names.

What is behind a name, the session asks of the sources before the statement is bound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlglot import exp

from catalog.database import Field
from catalog.errors import CatalogError
from catalog.sources.kind import SourceTable

RELATION = "__mw_src_"
"""What the names of their stand-ins start with."""
Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class SourceName:
    """A table of a source, as a statement names it; or a query in the source's own words."""

    source: str
    name: str
    schema: str | None = None
    native: str | None = None

    @property
    def key(self) -> Key:
        """What is the same for all spellings of the name."""
        schema = (self.schema or "").casefold()
        return self.source.casefold(), schema, self.name.casefold(), self.native or ""


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """A table of a source, for which an empty temporary table, `relation`, stands while a statement
    is planned. `native` is the query whose rows it has, where it is no table of the source's."""

    relation: str
    table: SourceTable
    native: str | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its columns, of DuckDB's types."""
        return tuple(Field(column.name, column.type) for column in self.table.columns)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a statement may name of sources: `is_source` knows their names, `tables` what was found
    behind the names that the statement and its views have, by their keys, or what went wrong."""

    is_source: Callable[[str], bool]
    tables: Mapping[Key, SourceTable | CatalogError] = field(default_factory=dict)

    def table(self, name: SourceName) -> RemoteTable:
        """What is behind a name. Raises what was raised where it was looked for: only now is it
        known that the name means a table, no model and no CTE."""
        found = self.tables[name.key]
        if isinstance(found, CatalogError):
            raise found
        number = list(self.tables).index(name.key) + 1
        return RemoteTable(f"{RELATION}{number}", found, found.native or name.native)


NOTHING = Reach(lambda _: False)
"""Where no data source is in reach."""


def source_name(
    table: exp.Table, is_source: Callable[[str], bool], current: str | None
) -> SourceName | None:
    """What a table's name means of a source, where `current` is the current database, or None:
    `source.table`, `source.schema.table`, and below USE source `table` and `schema.table`."""
    native = table.meta.get("native")
    if native is not None:
        return SourceName(table.name, "", native=native)
    parts = [part.name for part in table.parts]
    if len(parts) > 1 and is_source(parts[0]):
        return SourceName(parts[0], parts[-1], parts[1] if len(parts) == 3 else None)
    if len(parts) == 1 and current is not None and is_source(current):
        return SourceName(current, parts[0])
    return None


def source_names(
    tree: exp.Expr, is_source: Callable[[str], bool], current: str | None
) -> dict[Key, SourceName]:
    """All names of a tree's that may mean tables of sources, by their keys."""
    tables = (t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier))
    found = (source_name(table, is_source, current) for table in tables)
    return {name.key: name for name in found if name is not None}
