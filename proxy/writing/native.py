"""UPDATE and DELETE of one table that a source understands as they are: they run there whole."""

from sqlglot import exp

from catalog.errors import ColumnUnknown
from catalog.sources.kind import NativeKind, SourceTable
from catalog.suggest import did_you_mean
from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.dialects import dialect_of
from proxy.plan.remote.relations import outputs_of
from proxy.plan.remote.scope import Scope, Unlike, item_of
from proxy.plan.remote.tables import RemoteTable
from proxy.writing.change import column_of

_MORE = ("from_", "order", "limit", "tables", "returning", "with_")
"""What makes it more than a change of one table's rows by what they say themselves."""


def native_change(tree: exp.Expr, table: SourceTable, kind: NativeKind) -> str | None:
    """The statement in the source's words, or None where it may mean something else there, or needs
    more than the one table. Raises ColumnUnknown."""
    if not isinstance(tree, exp.Update | exp.Delete) or not _is_of_one_table(tree):
        return None
    _know_columns(tree, table)
    remote = RemoteTable("", table)
    dialect, scope = dialect_of(table.source, {}), Scope()
    scope.add(item_of(tree.this.alias_or_name, outputs_of(remote)))
    try:
        return _said(tree, table, dialect, scope, kind)
    except Unlike:
        return None


def _said(
    tree: exp.Update | exp.Delete,
    table: SourceTable,
    dialect: Dialect,
    scope: Scope,
    kind: NativeKind,
) -> str:
    alias = kind.quoted(tree.this.alias_or_name)
    named = f"{kind.quoted(table.schema)}.{kind.quoted(table.name)}"
    where = ""
    if tree.args.get("where"):
        where = f" WHERE {dialect.text(dialect.condition(tree.args['where'].this, scope))}"
    if isinstance(tree, exp.Delete):
        return f"{kind.writer.delete_from(named, alias)}{where}"
    made = []
    for assignment in tree.expressions:
        column = column_of(table, assignment.this.name)
        value = "DEFAULT"
        if not _is_default(assignment.expression):
            said, _ = dialect.value(assignment.expression, scope)
            value = kind.writer.assigned(dialect.text(said), column.native_type)
        made.append(f"{kind.quoted(column.name)} = {value}")
    return f"UPDATE {named} AS {alias} SET {', '.join(made)}{where}"


def _is_default(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.sql().upper() == "DEFAULT"


def _is_of_one_table(tree: exp.Expr) -> bool:
    tables = sum(isinstance(node, exp.Table) for node in tree.walk())
    return (
        isinstance(tree.this, exp.Table)
        and tables == 1
        and not tree.find(exp.Query)
        and not any(tree.args.get(part) for part in _MORE)
    )


def _know_columns(tree: exp.Expr, table: SourceTable) -> None:
    names = [column.name for column in table.columns]
    known = {name.casefold() for name in names}
    for column in tree.find_all(exp.Column):
        if column.name.casefold() not in known and not _is_default(column):
            place = "where clause" if column.find_ancestor(exp.Where) else "field list"
            hint = did_you_mean(column.name, names)
            raise ColumnUnknown(f"Unknown column '{column.name}' in '{place}'{hint}")
