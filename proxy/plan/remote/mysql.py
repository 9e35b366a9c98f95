"""MySQL and MariaDB: the client's text is theirs already, functions, collations and all.

What the server itself refuses, DuckDB does; only what sqlglot would say differently is said here.
"""

from collections.abc import Callable, Collection

from sqlglot import exp

from catalog.sources.mysql import MySQL
from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.families import Family, family
from proxy.plan.remote.scope import Output, Scope, Unlike
from proxy.plan.remote.tables import RemoteTable

KIND = MySQL()
_STAY = (exp.Parameter, exp.SessionParameter, exp.Placeholder, exp.Command, exp.Lambda)
"""What the proxy has bound already, or only DuckDB knows."""


class MySQLDialect(Dialect):
    """Names are resolved, for those of tables depend on their case; all else stays."""

    name = "mysql"
    own_types = True
    table_options = frozenset({"hints", "partition"})

    def value(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, str]:
        """As it is."""
        return self._said(node, scope), ""

    def condition(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """As it is."""
        return self._said(node, scope)

    def key(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """As it is."""
        made = exp.Ordered(this=self._said(node.this, scope), desc=node.args.get("desc"))
        made.set("nulls_first", not node.args.get("desc"))
        return made

    def group(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """As it is."""
        return self._said(node, scope)

    def alike(self, outputs: object, others: object) -> bool:
        """The server decides."""
        return True

    def relation(self, remote: RemoteTable, used: Collection[str]) -> str:
        """By its name: conditions are about the columns themselves, their collation and indexes."""
        if remote.native is not None:
            return super().relation(remote, used)
        return f"{KIND.quoted(remote.table.schema)}.{KIND.quoted(remote.table.name)}"

    def output(self, value: exp.Expr, known: Output, wanted: str) -> exp.Expr:
        """Columns are read without loss. A text whose collation compares bytes comes as bytes, as
        brought.py sees: CONVERT would give it another collation, by which DISTINCT looks."""
        compares_bytes = family(known.type) == Family.TEXT and " collate " in known.native_type
        is_column = isinstance(value, exp.Column) and not compares_bytes
        return self.reading(value, known) if is_column else value

    def reading(self, column: exp.Expr, known: Output) -> exp.Expr:
        """By its type."""
        text = column.sql(dialect="mysql")
        read = KIND.read(text, known.native_type) if known.native_type else text
        return column if read == text else exp.Var(this=read)

    def _said(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        if isinstance(node, _STAY):
            raise Unlike
        if isinstance(node, exp.Query):
            return self._inner(node, scope)
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        made = type(node)()
        for name, argument in node.args.items():
            made.set(name, self._argument(argument, scope))
        return _SAID.get(type(made), _same)(made)

    def _argument(self, argument: object, scope: Scope) -> object:
        if isinstance(argument, list):
            return [self._argument(one, scope) for one in argument]
        return self._said(argument, scope) if isinstance(argument, exp.Expr) else argument

    def _inner(self, node: exp.Query, scope: Scope) -> exp.Expr:
        query, _ = self.query(node, scope)
        return exp.Subquery(this=query) if isinstance(node, exp.Subquery) else query

    def _column(self, column: exp.Column, scope: Scope) -> exp.Expr:
        if isinstance(column.this, exp.Star):
            raise Unlike
        if scope.column(column) is None and not column.table:
            label = scope.labels.get(column.name.casefold())
            if label is None:
                raise Unlike
            return exp.Paren(this=self._said(label, scope))
        return self.resolved(column, scope)[0]


def _same(node: exp.Expr) -> exp.Expr:
    return node


def _literal(node: exp.Expr) -> exp.Expr:
    """A text means the same whatever the server's sql_mode says of backslashes."""
    if not node.args.get("is_string") or not ("\\" in node.name or not node.name.isprintable()):
        return node
    text = exp.HexString(this=node.name.encode().hex())
    return exp.Introducer(this=exp.Var(this="_utf8mb4"), expression=text)


def _matches(node: exp.Expr) -> exp.Expr:
    """REGEXP: sqlglot says REGEXP_LIKE, which MariaDB does not know."""
    if node.args.get("flag"):
        return node
    call = exp.Anonymous(this="REGEXP_INSTR", expressions=[node.this, node.expression])
    return exp.Paren(this=exp.GT(this=call, expression=exp.Literal.number(0)))


_SAID: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Literal: _literal,
    exp.RegexpLike: _matches,
}
