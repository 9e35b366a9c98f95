"""Arithmetic, casts and rounding that PostgreSQL does as DuckDB does them."""

from sqlglot import exp

from proxy.plan.remote.families import Family, digits, family, postgres_type, wider
from proxy.plan.remote.postgres import (
    PostgresDialect,
    Said,
    as_text,
    bare,
    cast,
    count_of,
    double,
    of_text,
)
from proxy.plan.remote.scope import Scope, Unlike

F = Family


def arithmetic(dialect: PostgresDialect, node: exp.Binary, scope: Scope) -> Said:
    """Sums, differences and products: exact but for DOUBLEs."""
    left, right, a, b = _operands(dialect, node, scope)
    made = type(node)(this=left, expression=right)
    if {family(a), family(b)} == {F.INTEGER}:
        return made, wider(a, b)
    if F.DOUBLE in {family(a), family(b)}:
        return type(node)(this=double(left, a), expression=double(right, b)), "DOUBLE"
    (p, s), (q, t) = digits(a), digits(b)
    if isinstance(node, exp.Mul):
        return made, _decimal(p + q, s + t)
    return made, _decimal(max(p - s, q - t) + max(s, t) + 1, max(s, t))


def _decimal(precision: int, scale: int) -> str:
    if scale > WIDEST:
        raise Unlike
    return f"DECIMAL({min(precision, WIDEST)},{scale})"


WIDEST = 38


def _operands(
    dialect: PostgresDialect, node: exp.Binary, scope: Scope
) -> tuple[exp.Expr, exp.Expr, str, str]:
    (left, a), (right, b) = (dialect.value(side, scope) for side in (node.this, node.expression))
    if not {family(a), family(b)} <= {F.INTEGER, F.DECIMAL, F.DOUBLE}:
        raise Unlike
    return bare(left), bare(right), a, b


def division(dialect: PostgresDialect, node: exp.Div, scope: Scope) -> Said:
    """A quotient is a DOUBLE, and NULL where the divisor is 0."""
    left, right, a, b = _operands(dialect, node, scope)
    divisor = exp.Nullif(this=double(right, b), expression=exp.Literal.number(0))
    return exp.Div(this=double(left, a), expression=divisor, typed=True), "DOUBLE"


def whole(dialect: PostgresDialect, node: exp.Binary, scope: Scope) -> Said:
    """DIV and % of integers, NULL where the divisor is 0."""
    left, right, a, b = _operands(dialect, node, scope)
    if {family(a), family(b)} != {F.INTEGER}:
        raise Unlike
    divisor = exp.Nullif(this=right, expression=exp.Literal.number(0))
    kind = exp.Mod if isinstance(node, exp.Mod) else exp.Div
    made = kind(this=left, expression=divisor)
    if kind is exp.Div:
        made.set("typed", True)
    return made, wider(a, b)


def negative(dialect: PostgresDialect, node: exp.Neg, scope: Scope) -> Said:
    """A number with the other sign."""
    tree, type_ = dialect.value(node.this, scope)
    if family(type_) not in {F.INTEGER, F.DECIMAL, F.DOUBLE}:
        raise Unlike
    return exp.Neg(this=bare(tree)), type_


def cast_to(dialect: PostgresDialect, node: exp.Cast, scope: Scope) -> Said:
    """CAST and CONVERT where both round alike and write the same text."""
    wanted = _duckdb_type(node.to)
    if family(wanted) in {F.DATE, F.MOMENT} and isinstance(node.this, exp.Literal):
        return _date_literal(node.this, wanted)
    tree, type_ = dialect.value(node.this, scope)
    if family(wanted) == F.TEXT:
        return as_text(tree, type_), "VARCHAR"
    if family(type_) not in _CASTS.get(family(wanted), frozenset()):
        raise Unlike
    if family(wanted) == F.DOUBLE:
        return double(tree, type_), wanted
    if family(wanted) == F.INTEGER and family(type_) == F.BOOLEAN:
        tree = cast(tree, "integer")
    return cast(tree, postgres_type(wanted) or ""), wanted


def _date_literal(node: exp.Literal, wanted: str) -> Said:
    return of_text(node, family(wanted)), wanted


def _duckdb_type(node: exp.DataType) -> str:
    """The type that CAST's type is to DuckDB."""
    name = _TYPES.get(node.this)
    if node.this == exp.DType.DECIMAL:
        given = [int(parameter.name) for parameter in node.expressions]
        precision, scale = (*given, *(18, 3)[len(given) :])[:2] if given else (18, 3)
        scale = scale if len(given) != 1 else 0
        return f"DECIMAL({precision},{scale})"
    if name is None:
        raise Unlike
    return name


_TYPES = {
    exp.DType.BIGINT: "BIGINT",
    exp.DType.INT: "INTEGER",
    exp.DType.SMALLINT: "SMALLINT",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.TEXT: "VARCHAR",
    exp.DType.VARCHAR: "VARCHAR",
    exp.DType.CHAR: "VARCHAR",
    exp.DType.DATE: "DATE",
    exp.DType.DATETIME: "TIMESTAMP",
    exp.DType.TIMESTAMP: "TIMESTAMP",
}


_CASTS = {
    F.INTEGER: frozenset({F.INTEGER, F.DECIMAL, F.DOUBLE, F.BOOLEAN}),
    F.DECIMAL: frozenset({F.INTEGER, F.DECIMAL}),
    F.DOUBLE: frozenset({F.INTEGER, F.DECIMAL, F.DOUBLE}),
    F.DATE: frozenset({F.DATE, F.MOMENT}),
    F.MOMENT: frozenset({F.DATE, F.MOMENT}),
}


def absolute(dialect: PostgresDialect, node: exp.Abs, scope: Scope) -> Said:
    """ABS."""
    tree, type_ = dialect.value(node.this, scope)
    if family(type_) not in {F.INTEGER, F.DECIMAL, F.DOUBLE}:
        raise Unlike
    return exp.Abs(this=tree), type_


def rounded(dialect: PostgresDialect, node: exp.Round, scope: Scope) -> Said:
    """Halves of decimals go away from zero; those of doubles do not everywhere."""
    tree, type_ = dialect.value(node.this, scope)
    if family(type_) != F.DECIMAL:
        raise Unlike
    decimals = node.args.get("decimals")
    count = count_of(decimals, 0) if decimals is not None else exp.Literal.number(0)
    precision, scale = digits(type_)
    made = exp.Anonymous(this="round", expressions=[tree, count])
    return made, f"DECIMAL({precision},{min(scale, int(count.name))})"


def next_whole(dialect: PostgresDialect, node: exp.Floor | exp.Ceil, scope: Scope) -> Said:
    """FLOOR and CEIL; an integer stays with DuckDB, which makes a DOUBLE of it."""
    tree, type_ = dialect.value(node.this, scope)
    if family(type_) not in {F.DECIMAL, F.DOUBLE} or node.args.get("decimals"):
        raise Unlike
    precision, _ = digits(type_)
    type_ = f"DECIMAL({precision},0)" if family(type_) == F.DECIMAL else type_
    return type(node)(this=tree), type_
