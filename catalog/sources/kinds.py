"""The kinds of data sources that are known, by the names of `WITH ENGINE`.

Each is imported when it is first named: most servers need none of them, or one.
"""

from functools import cache
from importlib import import_module

from catalog.errors import SourceUnknown
from catalog.sources.kind import Kind
from catalog.suggest import did_you_mean

_SYNONYMS = {"postgresql": "postgres", "sqlite3": "sqlite"}
_KINDS = {
    "postgres": ("postgres", "Postgres"),
    "mysql": ("mysql", "MySQL"),
    "mariadb": ("mysql", "MariaDB"),
    "files": ("files", "Files"),
    "sqlite": ("sqlite", "SQLite"),
    "duckdb": ("duckdb_file", "DuckDBFile"),
    "s3": ("s3", "S3"),
}
"""The module in this room, and the class, of each."""


def find_kind(engine: str) -> Kind:
    """The kind of that name, without case. Raises SourceUnknown."""
    name = _SYNONYMS.get(engine.lower(), engine.lower())
    if name not in _KINDS:
        hint = did_you_mean(name, _KINDS)
        raise SourceUnknown(f"Unknown engine '{engine}' of a data source{hint}")
    return _kind(name)


def all_kinds() -> list[Kind]:
    """All of them, by name."""
    return [_kind(name) for name in sorted(_KINDS)]


@cache
def _kind(name: str) -> Kind:
    module, kind = _KINDS[name]
    made: Kind = getattr(import_module(f"catalog.sources.{module}"), kind)()
    return made
