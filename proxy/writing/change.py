"""What changes a source's table, as the query of the rows that are written.

It knows no source but by its tables' columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from catalog.errors import ColumnCountMismatch, ColumnTwice, ColumnUnknown
from catalog.sources.kind import SourceColumn, SourceTable
from catalog.sources.writing import OnDuplicate
from catalog.suggest import did_you_mean
from proxy.errors import Unsupported

ROWS = "__mw_written"
"""The temporary table of the rows that are written."""


@dataclass(frozen=True, slots=True)
class Change:
    """`query` has a column for each of `columns`, then one for each of `keys`, the columns of the
    primary key by which rows are found."""

    query: exp.Query
    columns: tuple[SourceColumn, ...]
    keys: tuple[SourceColumn, ...] = ()
    on_duplicate: OnDuplicate = OnDuplicate.FAIL


def changed_table(tree: exp.Expr) -> exp.Table | None:
    """The table that a statement changes, makes or drops; the first of several."""
    if isinstance(tree, exp.Drop | exp.TruncateTable):
        tables = tree.args.get("tables") or tree.expressions
        place = tables[0] if tables else tree.this
    else:
        place = tree.this
    if isinstance(place, exp.Schema):
        place = place.this
    return place if isinstance(place, exp.Table) else None


def insertion(tree: exp.Insert, table: SourceTable) -> Change:
    """INSERT … SELECT or VALUES. Raises ColumnUnknown, ColumnTwice, Unsupported."""
    if tree.args.get("conflict"):
        raise Unsupported("ON DUPLICATE KEY UPDATE is not supported in a data source yet")
    named = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    columns = tuple(column_of(table, name.name) for name in named) or table.columns
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ColumnTwice(f"Column '{twice}' specified twice")
    query = tree.expression
    if isinstance(query, exp.Values):
        query = _select_of(query, columns)
    ignore = OnDuplicate.IGNORE if tree.args.get("ignore") else OnDuplicate.FAIL
    return Change(query, columns, (), ignore)


def update(tree: exp.Update, table: SourceTable) -> Change:
    """UPDATE, with FROM (…) or joins, as the SELECT of new values and keys."""
    target = tree.this
    keys = key_of(table)
    columns, values = [], []
    for assignment in tree.expressions:
        columns.append(column_of(table, assignment.this.name))
        values.append(assignment.expression)
    query = _select(values, keys, target)
    if tree.args.get("from_"):
        query = query.join(tree.args["from_"].this, join_type="cross")
    return Change(_filtered(query, tree), tuple(columns), keys)


def deletion(tree: exp.Delete, table: SourceTable) -> Change:
    """DELETE as the SELECT of the keys that go."""
    if tree.args.get("tables") and len(tree.args["tables"]) > 1:
        raise Unsupported("DELETE of several tables at once is not supported")
    keys = key_of(table)
    return Change(_filtered(_select([], keys, tree.this), tree), (), keys)


def column_of(table: SourceTable, name: str) -> SourceColumn:
    """The table's column of that name, without case. Raises ColumnUnknown."""
    for column in table.columns:
        if column.name.casefold() == name.casefold():
            return column
    hint = did_you_mean(name, [column.name for column in table.columns])
    raise ColumnUnknown(f"Unknown column '{name}' in 'field list'{hint}")


def key_of(table: SourceTable) -> tuple[SourceColumn, ...]:
    """The columns of its primary key. Raises Unsupported where it has none."""
    keys = tuple(column for column in table.columns if column.key == "PRI")
    if not keys:
        raise Unsupported(
            f"Table '{table.source.name}.{table.name}' has no primary key by which its rows could "
            f"be found: write EXECUTE {table.source.name} (…) in the source's own SQL"
        )
    return keys


def _select(
    values: Sequence[exp.Expr], keys: Sequence[SourceColumn], target: exp.Table
) -> exp.Select:
    found = [
        exp.column(exp.to_identifier(key.name, quoted=True), table=target.alias_or_name)
        for key in keys
    ]
    items = [exp.alias_(item.copy(), f"c{n}") for n, item in enumerate([*values, *found])]
    table = target.copy()
    joins = table.args.get("joins") or []
    table.set("joins", None)
    query = exp.select(*items).from_(table)
    query.set("joins", joins)
    return query


def _filtered(query: exp.Select, tree: exp.Expr) -> exp.Select:
    for part in ("where", "order", "limit"):
        if tree.args.get(part) is not None:
            query.set(part, tree.args[part].copy())
    return query


def _select_of(values: exp.Values, columns: Sequence[SourceColumn]) -> exp.Query:
    """VALUES as a SELECT: rows of one kind each, whatever is written in them."""
    rows = []
    for row in values.expressions:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        if any(isinstance(item, exp.Column) and item.name.upper() == "DEFAULT" for item in items):
            raise Unsupported("DEFAULT among VALUES is not supported: leave the column out")
        rows.append(items)
    types = ["BLOB" if column.type == "BLOB" else "TEXT" for column in columns]
    if any(len(items) != len(types) for items in rows):
        raise ColumnCountMismatch("Column count doesn't match value count")
    tuples = [
        exp.Tuple(expressions=[exp.cast(i.copy(), t) for i, t in zip(items, types, strict=True)])
        for items in rows
    ]
    names = [exp.to_identifier(f"c{n}") for n in range(len(types))]
    if len(tuples) == 1:  # a SELECT, for a model may be called in it
        only = zip(tuples[0].expressions, names, strict=True)
        return exp.select(*(exp.alias_(item, name) for item, name in only))
    alias = exp.TableAlias(this=exp.to_identifier("v"), columns=names)
    return exp.select("*").from_(exp.Values(expressions=tuples, alias=alias))
