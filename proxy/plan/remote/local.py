"""Tables of files and folders, which DuckDB reads inside: by names of its own, or as views."""

from sqlglot import exp

from catalog.errors import SourceReadOnly
from catalog.records import SourceRecord
from catalog.sources.kind import LocalKind, attached_as
from catalog.sources.kinds import find_kind
from proxy.plan.remote.tables import RELATION as STAND_IN
from proxy.plan.remote.tables import RemoteTable

RELATION = "__mw_file_"
"""What the names of the views start with."""


def is_local(source: SourceRecord) -> bool:
    """Whether DuckDB reads a source's tables inside."""
    return isinstance(find_kind(source.engine), LocalKind)


def require_writer(source: SourceRecord) -> None:
    """Raises SourceReadOnly for a source whose tables are files."""
    if not find_kind(source.engine).writes:
        raise SourceReadOnly(f"Files are only read: '{source.name}' takes no tables or rows")


def name_local(
    table: exp.Table, remote: RemoteTable, files: dict[str, str], *, target: bool
) -> None:
    """Let a table name what DuckDB has of it; `files` has the SELECTs of the views that are to
    stand for tables, by their names. Raises SourceReadOnly."""
    found = remote.table
    if target:
        require_writer(found.source)
    if found.view is not None and not target:
        relation = remote.relation.replace(STAND_IN, RELATION)
        files[relation] = found.view
        _rename(table, relation)
    else:
        _rename(table, found.name, found.schema, attached_as(found.source))


def _rename(table: exp.Table, *names: str) -> None:
    for part, name in zip(("this", "db", "catalog"), (*names, None, None), strict=False):
        table.set(part, exp.to_identifier(name, quoted=True) if name is not None else None)
