"""Sources that only read their tables: columns, comparisons with literals, and a number of rows.

Files elsewhere are such, which the instance outside reads: no other expression of a client's may
get into its SQL.
"""

from sqlglot import exp

from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.scope import Scope, Unlike

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


class FiltersDialect(Dialect):
    """It speaks DuckDB's SQL."""

    name = "duckdb"

    def value(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, str]:
        """Columns alone."""
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            raise Unlike
        column, output = self.resolved(node, scope)
        return column, output.type

    def condition(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """Comparisons of a column with literals, put together by AND, OR and NOT."""
        match node:
            case exp.And() | exp.Or():
                sides = (self.condition(side, scope) for side in (node.this, node.expression))
                left, right = sides
                return type(node)(this=left, expression=right)
            case exp.Paren() | exp.Not():
                return type(node)(this=self.condition(node.this, scope))
            case exp.Is(expression=exp.Null()):
                return exp.Is(this=self.value(node.this, scope)[0], expression=exp.null())
            case exp.Between() if not node.args.get("symmetric"):
                low, high = (_literal(node.args[side]) for side in ("low", "high"))
                return exp.Between(this=self.value(node.this, scope)[0], low=low, high=high)
            case exp.In() if node.expressions:
                values = [_literal(value) for value in node.expressions]
                return exp.In(this=self.value(node.this, scope)[0], expressions=values)
        if isinstance(node, _COMPARISONS):
            return type(node)(
                this=self.value(node.this, scope)[0], expression=_literal(node.expression)
            )
        raise Unlike

    def key(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """Rows are ordered here."""
        raise Unlike

    def group(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """Rows are grouped here."""
        raise Unlike


def _literal(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return exp.Neg(this=_literal(node.this))
    if not isinstance(node, exp.Literal) or "\0" in node.name:
        raise Unlike
    return node.copy()
