"""The rules of PostgreSQL's dialect: one for each kind of node that means the same there.

A kind of node without a rule stays with DuckDB; a rule raises Unlike where types do not fit.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from sqlglot import exp

from proxy.plan.remote.families import Family, family
from proxy.plan.remote.postgres import (
    PostgresDialect,
    Rule,
    Said,
    cast,
    text_literal,
)
from proxy.plan.remote.postgres_aggregates import average, count, extreme, total, window
from proxy.plan.remote.postgres_numbers import (
    WIDEST,
    absolute,
    arithmetic,
    cast_to,
    division,
    negative,
    next_whole,
    rounded,
    whole,
)
from proxy.plan.remote.postgres_values import (
    character_count,
    concat,
    date,
    days_between,
    end,
    part,
    position,
    replace,
    substring,
    trim,
)
from proxy.plan.remote.scope import Scope, Unlike

F = Family

_BIGGEST = 2**31, 2**63


def _literal(_: PostgresDialect, node: exp.Literal, scope: Scope) -> Said:
    if node.is_string:
        return text_literal(node.name), "VARCHAR"
    if node.is_int:
        value = int(node.name)
        if value >= _BIGGEST[1]:
            raise Unlike
        return node.copy(), "INTEGER" if value < _BIGGEST[0] else "BIGINT"
    whole, __, part = node.name.partition(".")
    if not (whole.isdecimal() and part.isdecimal()) or len(whole + part) > WIDEST:
        return cast(node.copy(), "double precision"), "DOUBLE"
    return node.copy(), f"DECIMAL({len(whole.lstrip('0') + part)},{len(part)})"


def _boolean(_: PostgresDialect, node: exp.Boolean, __: Scope) -> Said:
    return exp.Literal.number(int(bool(node.this))), "INTEGER"


def _null(_: PostgresDialect, __: exp.Null, ___: Scope) -> Said:
    return exp.null(), '"NULL"'


def _column(dialect: PostgresDialect, node: exp.Column, scope: Scope) -> Said:
    if isinstance(node.this, exp.Star):
        raise Unlike
    if scope.column(node) is None and not node.table:
        label = scope.labels.get(node.name.casefold())
        if label is None:
            raise Unlike
        tree, type_ = dialect.value(label, scope)
        return exp.Paren(this=tree), type_
    tree, output = dialect.resolved(node, scope)
    return tree, output.type


def _paren(dialect: PostgresDialect, node: exp.Paren, scope: Scope) -> Said:
    tree, type_ = dialect.value(node.this, scope)
    return exp.Paren(this=tree), type_


def _equality(dialect: PostgresDialect, node: exp.Binary, scope: Scope) -> Said:
    left, right = dialect.same(node.this, node.expression, scope)
    return type(node)(this=left, expression=right), "BOOLEAN"


def _comparison(dialect: PostgresDialect, node: exp.Binary, scope: Scope) -> Said:
    left, right = dialect.ordered(node.this, node.expression, scope)
    return type(node)(this=left, expression=right), "BOOLEAN"


def _between(dialect: PostgresDialect, node: exp.Between, scope: Scope) -> Said:
    if node.args.get("symmetric"):
        raise Unlike
    value, low = dialect.ordered(node.this, node.args["low"], scope)
    _, high = dialect.ordered(node.this, node.args["high"], scope)
    return exp.Between(this=value, low=low, high=high), "BOOLEAN"


def _in(dialect: PostgresDialect, node: exp.In, scope: Scope) -> Said:
    query = node.args.get("query")
    if query is not None:
        return _in_query(dialect, node, query, scope)
    if not node.expressions:
        raise Unlike
    pairs = [dialect.same(node.this, value, scope) for value in node.expressions]
    if len({left.sql("postgres") for left, _ in pairs}) > 1:
        raise Unlike
    return exp.In(this=pairs[0][0], expressions=[right for _, right in pairs]), "BOOLEAN"


def _in_query(dialect: PostgresDialect, node: exp.In, query: exp.Expr, scope: Scope) -> Said:
    value, type_ = dialect.value(node.this, scope)
    inner, outputs = dialect.query(query, scope)
    if len(outputs) != 1 or not _joins(type_, outputs[0].type):
        raise Unlike
    return exp.In(this=value, query=exp.Subquery(this=inner)), "BOOLEAN"


def _joins(left: str, right: str) -> bool:
    """Whether values of two types are equal where DuckDB's are."""
    return family(left) == family(right) and family(left) not in {F.OTHER, F.ENUM}


def _exists(dialect: PostgresDialect, node: exp.Exists, scope: Scope) -> Said:
    return exp.Exists(this=dialect.query(node.this, scope)[0]), "BOOLEAN"


def _scalar(dialect: PostgresDialect, node: exp.Subquery, scope: Scope) -> Said:
    inner, outputs = dialect.query(node, scope)
    if len(outputs) != 1:
        raise Unlike
    return exp.Subquery(this=inner), outputs[0].type


def _connector(dialect: PostgresDialect, node: exp.Connector, scope: Scope) -> Said:
    left, right = (dialect.condition(side, scope) for side in (node.this, node.expression))
    return type(node)(this=left, expression=right), "BOOLEAN"


def _not(dialect: PostgresDialect, node: exp.Not, scope: Scope) -> Said:
    return exp.Not(this=dialect.condition(node.this, scope)), "BOOLEAN"


def _is(dialect: PostgresDialect, node: exp.Is, scope: Scope) -> Said:
    if not isinstance(node.expression, exp.Null):
        raise Unlike
    return exp.Is(this=dialect.value(node.this, scope)[0], expression=exp.null()), "BOOLEAN"


def _like(dialect: PostgresDialect, node: exp.Like, scope: Scope) -> Said:
    """DuckDB's LIKE has no escape unless it names one."""
    (left, a), (right, b) = (dialect.value(side, scope) for side in (node.this, node.expression))
    if {family(a), family(b)} != {F.TEXT}:
        raise Unlike
    like = exp.Like(this=left, expression=right)
    return exp.Escape(this=like, expression=exp.Literal.string("")), "BOOLEAN"


def _escape(dialect: PostgresDialect, node: exp.Escape, scope: Scope) -> Said:
    if not isinstance(node.this, exp.Like) or len(node.expression.name) != 1:
        raise Unlike
    like, _ = _like(dialect, node.this, scope)
    return exp.Escape(this=like.this, expression=text_literal(node.expression.name)), "BOOLEAN"


def _case(dialect: PostgresDialect, node: exp.Case, scope: Scope) -> Said:
    branches = node.args["ifs"]
    values = [branch.args["true"] for branch in branches]
    default = node.args.get("default")
    trees, type_ = dialect.common([*values, *([default] if default else [])], scope)
    made = exp.Case()
    for branch, tree in zip(branches, trees, strict=False):
        if node.this is not None:
            left, right = dialect.same(node.this, branch.this, scope)
            condition: exp.Expr = exp.EQ(this=left, expression=right)
        else:
            condition = dialect.condition(branch.this, scope)
        made.append("ifs", exp.If(this=condition, true=tree))
    made.set("default", trees[-1] if default else None)
    return made, type_


def _if(dialect: PostgresDialect, node: exp.If, scope: Scope) -> Said:
    case = exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])])
    case.set("default", node.args.get("false") or exp.null())
    return _case(dialect, case, scope)


def _coalesce(dialect: PostgresDialect, node: exp.Coalesce, scope: Scope) -> Said:
    (first, *rest), type_ = dialect.common([node.this, *node.expressions], scope)
    return exp.Coalesce(this=first, expressions=rest), type_


def _nullif(dialect: PostgresDialect, node: exp.Nullif, scope: Scope) -> Said:
    left, right = dialect.same(node.this, node.expression, scope)
    _, type_ = dialect.value(node.this, scope)
    return exp.Nullif(this=left, expression=right), type_


_SAME: dict[Callable[..., Said], tuple[type[exp.Expr], ...]] = {
    _literal: (exp.Literal,),
    _boolean: (exp.Boolean,),
    _null: (exp.Null,),
    _column: (exp.Column,),
    _paren: (exp.Paren,),
    _equality: (exp.EQ, exp.NEQ, exp.NullSafeEQ),
    _comparison: (exp.LT, exp.LTE, exp.GT, exp.GTE),
    _between: (exp.Between,),
    _in: (exp.In,),
    _exists: (exp.Exists,),
    _scalar: (exp.Subquery,),
    _connector: (exp.And, exp.Or),
    _not: (exp.Not,),
    _is: (exp.Is,),
    _like: (exp.Like,),
    _escape: (exp.Escape,),
    _case: (exp.Case,),
    _if: (exp.If,),
    _coalesce: (exp.Coalesce,),
    _nullif: (exp.Nullif,),
    arithmetic: (exp.Add, exp.Sub, exp.Mul),
    division: (exp.Div,),
    whole: (exp.IntDiv, exp.Mod),
    negative: (exp.Neg,),
    cast_to: (exp.Cast,),
    count: (exp.Count,),
    total: (exp.Sum,),
    average: (exp.Avg,),
    extreme: (exp.Min, exp.Max),
    window: (exp.Window,),
    date: (exp.Date, exp.TsOrDsToDate),
    days_between: (exp.DateDiff,),
    character_count: (exp.Length,),
    concat: (exp.Concat,),
    substring: (exp.Substring,),
    end("left"): (exp.Left,),
    end("right"): (exp.Right,),
    replace: (exp.Replace,),
    trim: (exp.Trim,),
    position: (exp.StrPosition,),
    absolute: (exp.Abs,),
    rounded: (exp.Round,),
    next_whole: (exp.Floor, exp.Ceil),
    part("year"): (exp.Year,),
    part("month"): (exp.Month,),
    part("day"): (exp.Day, exp.DayOfMonth),
    part("hour"): (exp.Hour,),
    part("minute"): (exp.Minute,),
}


class Postgres(PostgresDialect):
    """PostgreSQL, with all that means the same there."""

    rules: ClassVar[Mapping[type[exp.Expr], Rule]] = {
        kind: rule for rule, kinds in _SAME.items() for kind in kinds
    }
