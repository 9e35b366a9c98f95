"""Functions of texts and dates that PostgreSQL has as DuckDB has them."""

from sqlglot import exp

from proxy.plan.remote.families import Family, family
from proxy.plan.remote.postgres import (
    PostgresDialect,
    Rule,
    Said,
    bare,
    cast,
    count_of,
    is_text,
    of_text,
)
from proxy.plan.remote.scope import Scope, Unlike

F = Family


def part(unit: str) -> Rule:
    """A part of a date, as DuckDB's function of that name."""

    def rule(dialect: PostgresDialect, node: exp.Expr, scope: Scope) -> Said:
        tree, type_ = dialect.value(node.this, scope)
        if family(type_) not in {F.DATE, F.MOMENT}:
            raise Unlike
        part = exp.Extract(this=exp.Var(this=unit), expression=tree)
        return cast(part, "bigint"), "BIGINT"

    return rule


def date(dialect: PostgresDialect, node: exp.Expr, scope: Scope) -> Said:
    """The date of a DATETIME."""
    if node.args.get("zone") or node.expressions:
        raise Unlike
    tree, type_ = dialect.value(node.this, scope)
    if family(type_) not in {F.DATE, F.MOMENT}:
        raise Unlike
    return cast(tree, "date"), "DATE"


def days_between(dialect: PostgresDialect, node: exp.DateDiff, scope: Scope) -> Said:
    """DATEDIFF."""
    if str(node.args.get("unit") or "DAY").upper() != "DAY":
        raise Unlike
    sides = [_day(dialect, side, scope) for side in (node.this, node.expression)]
    if any(family(type_) not in {F.DATE, F.MOMENT} for _, type_ in sides):
        raise Unlike
    left, right = (cast(tree, "date") for tree, _ in sides)
    return cast(exp.Paren(this=exp.Sub(this=left, expression=right)), "bigint"), "BIGINT"


def _day(dialect: PostgresDialect, node: exp.Expr, scope: Scope) -> Said:
    return (of_text(node, F.DATE), "DATE") if is_text(node) else dialect.value(node, scope)


def character_count(dialect: PostgresDialect, node: exp.Length, scope: Scope) -> Said:
    """CHAR_LENGTH. LENGTH counts bytes to MySQL, and what it counts here is DuckDB's to say."""
    if node.args.get("binary"):
        raise Unlike
    (tree,) = _texts(dialect, [node.this], scope)
    return cast(exp.Anonymous(this="char_length", expressions=[tree]), "bigint"), "BIGINT"


def concat(dialect: PostgresDialect, node: exp.Concat, scope: Scope) -> Said:
    """NULL as soon as one of them is."""
    trees = _texts(dialect, node.expressions, scope)
    joined = trees[0]
    for tree in trees[1:]:
        joined = exp.DPipe(this=joined, expression=tree)
    return exp.Paren(this=joined), "VARCHAR"


def _texts(dialect: PostgresDialect, nodes: list[exp.Expr], scope: Scope) -> list[exp.Expr]:
    found = [dialect.value(node, scope) for node in nodes]
    if any(family(type_) != F.TEXT for _, type_ in found):
        raise Unlike
    return [bare(tree) for tree, _ in found]


def substring(dialect: PostgresDialect, node: exp.Substring, scope: Scope) -> Said:
    """From a character on that is counted from 1."""
    (tree,) = _texts(dialect, [node.this], scope)
    arguments = [tree, count_of(node.args.get("start"), 1)]
    if node.args.get("length") is not None:
        arguments.append(count_of(node.args["length"], 0))
    return exp.Anonymous(this="substr", expressions=arguments), "VARCHAR"


def end(name: str) -> Rule:
    """LEFT and RIGHT."""

    def rule(dialect: PostgresDialect, node: exp.Left | exp.Right, scope: Scope) -> Said:
        (tree,) = _texts(dialect, [node.this], scope)
        count = count_of(node.expression, 0)
        return exp.Anonymous(this=name, expressions=[tree, count]), "VARCHAR"

    return rule


def replace(dialect: PostgresDialect, node: exp.Replace, scope: Scope) -> Said:
    """REPLACE."""
    parts = [node.this, node.expression, node.args.get("replacement")]
    if None in parts:
        raise Unlike
    trees = _texts(dialect, [part for part in parts if part is not None], scope)
    return exp.Anonymous(this="replace", expressions=trees), "VARCHAR"


_SPACES = "".join(map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)))
"""What DuckDB's TRIM takes for spaces: Unicode's category Zs."""


def trim(dialect: PostgresDialect, node: exp.Trim, scope: Scope) -> Said:
    """Spaces at the ends, all that Unicode has, or one character."""
    if node.args.get("collation"):
        raise Unlike
    position = str(node.args.get("position") or "BOTH").upper()
    (tree,) = _texts(dialect, [node.this], scope)
    chars: exp.Expr = exp.Literal.string(_SPACES)
    if node.expression is not None:
        if len(node.expression.name) != 1:
            raise Unlike
        (chars,) = _texts(dialect, [node.expression], scope)
    name = {"BOTH": "btrim", "LEADING": "ltrim", "TRAILING": "rtrim"}[position]
    return exp.Anonymous(this=name, expressions=[tree, chars]), "VARCHAR"


def position(dialect: PostgresDialect, node: exp.StrPosition, scope: Scope) -> Said:
    """LOCATE and INSTR, as DuckDB counts."""
    if node.args.get("position") or node.args.get("occurrence"):
        raise Unlike
    trees = _texts(dialect, [node.this, node.args["substr"]], scope)
    return cast(exp.Anonymous(this="strpos", expressions=trees), "bigint"), "BIGINT"
