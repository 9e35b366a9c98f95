"""Tables of sources in FROM, in their sources' words: each column is read without loss."""

from collections.abc import Collection

import sqlglot
from sqlglot import exp

from catalog.sources.kind import RemoteKind, SourceTable
from catalog.sources.kinds import find_kind
from proxy.plan.remote.scope import Output, Unlike
from proxy.plan.remote.tables import RemoteTable


def outputs_of(remote: RemoteTable) -> list[Output]:
    """A table's columns."""
    columns = remote.table.columns
    return [Output(c.name, c.type, c.nullable, c.native_type) for c in columns]


def used_in(tree: exp.Expr, alias: str) -> set[str]:
    """The columns, in lower case, that a tree whose names are resolved has of the item of that
    alias."""
    merged = [name for join in tree.find_all(exp.Join) for name in join.args.get("using") or ()]
    columns = [column for column in tree.find_all(exp.Column) if column.table == alias]
    return {named.name.casefold() for named in (*columns, *merged)}


def rows_of(table: SourceTable, used: Collection[str]) -> str:
    """A table: by its name where the columns that are used are read as they are, else a SELECT."""
    kind = find_kind(table.source.engine)
    assert isinstance(kind, RemoteKind)
    name = f"{kind.quoted(table.schema)}.{kind.quoted(table.name)}"
    columns = [column for column in table.columns if column.name.casefold() in used]
    if all(column.read in {"", kind.quoted(column.name)} for column in columns):
        return name
    items = ", ".join(f"{column.read} AS {kind.quoted(column.name)}" for column in columns)
    return f"(SELECT {items} FROM {name})"


def rows_of_query(remote: RemoteTable, dialect: str) -> str:
    """A query in the source's own words. Raises Unlike where it can only stand alone: it is no
    SELECT, or has an order or a comment, or something behind it."""
    native = remote.native or ""
    try:
        parsed = sqlglot.parse(native, read=dialect)
    except sqlglot.errors.SqlglotError as error:
        raise Unlike from error
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query) or native.endswith(";"):
        raise Unlike
    told = any(node.comments for node in parsed[0].walk())
    if told or parsed[0].args.get("order") or "--" in native or "#" in native:
        raise Unlike
    return f"({remote.table.native or native})"
