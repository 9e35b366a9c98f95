"""Aggregates and windows that PostgreSQL computes as DuckDB does, and of the same types."""

from sqlglot import exp

from proxy.plan.remote.families import Family, digits, family, postgres_type
from proxy.plan.remote.postgres import (
    PostgresDialect,
    Said,
    cast,
    collated,
)
from proxy.plan.remote.scope import Scope, Unlike

F = Family


def count(dialect: PostgresDialect, node: exp.Count, scope: Scope) -> Said:
    """COUNT of rows, of values and of distinct values."""
    counted = node.this
    if node.expressions or counted is None:
        raise Unlike
    if isinstance(counted, exp.Star):
        return exp.Count(this=exp.Star()), "BIGINT"
    return exp.Count(this=_aggregated(dialect, counted, scope)[0]), "BIGINT"


def _aggregated(dialect: PostgresDialect, node: exp.Expr, scope: Scope) -> Said:
    if not isinstance(node, exp.Distinct):
        return dialect.value(node, scope)
    if len(node.expressions) != 1 or node.args.get("on"):
        raise Unlike
    tree, type_ = dialect.value(node.expressions[0], scope)
    if family(type_) in {F.OTHER, F.NULL}:
        raise Unlike
    return exp.Distinct(expressions=[tree]), type_


def total(dialect: PostgresDialect, node: exp.Sum, scope: Scope) -> Said:
    """SUM. PostgreSQL makes numerics without bounds of it: it gets the type that DuckDB has."""
    tree, type_ = _aggregated(dialect, node.this, scope)
    made = exp.Sum(this=tree)
    match family(type_):
        case F.INTEGER:
            return cast(made, "numeric(38,0)"), "HUGEINT"
        case F.DECIMAL:
            type_ = f"DECIMAL(38,{digits(type_)[1]})"
            return cast(made, postgres_type(type_) or ""), type_
        case F.DOUBLE:
            return made, type_
    raise Unlike


def average(dialect: PostgresDialect, node: exp.Avg, scope: Scope) -> Said:
    """AVG, a DOUBLE."""
    tree, type_ = _aggregated(dialect, node.this, scope)
    if family(type_) not in {F.INTEGER, F.DECIMAL, F.DOUBLE}:
        raise Unlike
    return cast(exp.Avg(this=tree), "double precision"), "DOUBLE"


def extreme(dialect: PostgresDialect, node: exp.Min | exp.Max, scope: Scope) -> Said:
    """MIN and MAX; texts by their bytes."""
    tree, type_ = _aggregated(dialect, node.this, scope)
    if node.expressions or family(type_) not in _EXTREMES or isinstance(tree, exp.Distinct):
        raise Unlike
    return type(node)(this=collated(tree, type_)), type_


_EXTREMES = frozenset({F.INTEGER, F.DECIMAL, F.DOUBLE, F.FLOAT, F.TEXT, F.DATE, F.TIME, F.MOMENT})


def window(dialect: PostgresDialect, node: exp.Window, scope: Scope) -> Said:
    """A function over rows in an order; frames other than the usual one stay with DuckDB."""
    if any(v for k, v in node.args.items() if k not in {"this", "partition_by", "order", "over"}):
        raise Unlike
    tree, type_ = _windowed(dialect, node.this, scope)
    keys = [dialect.group(key, scope) for key in node.args.get("partition_by") or ()]
    order = node.args.get("order")
    over = exp.Window(this=tree, partition_by=keys, over="OVER")
    if order is not None:
        over.set("order", exp.Order(expressions=[dialect.key(k, scope) for k in order.expressions]))
    is_cast = isinstance(node.this, exp.Sum | exp.Avg)
    return cast(over, postgres_type(type_) or "") if is_cast else over, type_


def _windowed(dialect: PostgresDialect, node: exp.Expr, scope: Scope) -> Said:
    if isinstance(node, exp.RowNumber | exp.Rank | exp.DenseRank):
        return type(node)(), "BIGINT"
    if not isinstance(node, exp.Count | exp.Sum | exp.Avg | exp.Min | exp.Max):
        raise Unlike
    tree, type_ = dialect.value(node, scope)
    while isinstance(tree, exp.Cast):  # stands around the window instead
        tree = tree.this
    return tree, type_
