"""PostgreSQL: expressions that mean there what they mean to DuckDB, each with DuckDB's type.

What has no rule in postgres_rules.py stays with DuckDB. Texts are
compared by bytes, as DuckDB does: whatever depends on their order has COLLATE "C".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sqlglot import exp

from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.families import EXACT_DIGITS, Family, digits, family, postgres_type, wider
from proxy.plan.remote.scope import Output, Scope, Unlike

F = Family
_ORDERED = frozenset(
    {F.INTEGER, F.DECIMAL, F.FLOAT, F.DOUBLE, F.TEXT, F.BOOLEAN, F.DATE, F.TIME, F.MOMENT, F.ZONED}
)
"""Families whose order PostgreSQL has as DuckDB has it."""
_EQUAL = _ORDERED | {F.BLOB, F.UUID}
_NUMBERS = frozenset({F.INTEGER, F.DECIMAL})
_LITERALS = {
    F.INTEGER: re.compile(r"-?\d{1,9}"),
    F.DECIMAL: re.compile(r"-?\d{1,15}(\.\d{1,10})?"),
    F.DATE: re.compile(r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|[1-9]\d{3}-\d\d-\d\d"),
    F.MOMENT: re.compile(r"[1-9]\d{3}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?"),
    F.TIME: re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"),
    F.UUID: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    F.TEXT: re.compile(r"[^\0]*"),
    F.ENUM: re.compile(r"[^\0]*"),
}
"""Texts that mean the same value of a family to both."""


class PostgresDialect(Dialect):
    """Its `rules` are functions from this, a node and its scope to a tree and a type."""

    name = "postgres"
    rules: ClassVar[Mapping[type[exp.Expr], "Rule"]]

    def value(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, str]:
        """By the rule for its kind of node."""
        rule = self.rules.get(type(node))
        if rule is None:
            raise Unlike
        return rule(self, node, scope)

    def condition(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """A number is true unless it is 0."""
        tree, type_ = self.value(node, scope)
        match family(type_):
            case F.BOOLEAN | F.NULL:
                return tree
            case F.INTEGER | F.DECIMAL:
                zero = exp.Literal.number(0)
                return exp.Paren(this=exp.NEQ(this=exp.Paren(this=tree), expression=zero))
        raise Unlike

    def key(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """With MySQL's place of NULL: before all in ascending order. What is never NULL is ordered
        as its index is."""
        tree, type_ = self.value(node.this, scope)
        if isinstance(node.this, exp.Literal) or family(type_) not in _ORDERED:
            raise Unlike
        made = exp.Ordered(this=collated(tree, type_), desc=node.args.get("desc"))
        never = isinstance(tree, exp.Column) and not scope.may_be_null(tree)
        made.set("nulls_first", bool(node.args.get("desc" if never else "nulls_first")))
        return made

    def group(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """What is equal to one is equal to the other."""
        tree, type_ = self.value(node, scope)
        if isinstance(tree, exp.Literal) or family(type_) not in {*_EQUAL, F.ENUM}:
            raise Unlike
        return tree

    def output(self, value: exp.Expr, known: Output, wanted: str) -> exp.Expr:
        """A cast where PostgreSQL may have another type, above all numerics without bounds."""
        if isinstance(value, exp.Column) or (known.type == wanted and is_typed(value, wanted)):
            return value
        type_ = postgres_type(wanted)
        if type_ is None:
            raise Unlike
        return cast(value, type_)

    def alike(self, outputs: Sequence[Any], others: Sequence[Any]) -> bool:
        """The same families; what the type is then, DuckDB says."""
        return all(
            family(a.type) == family(b.type) != F.OTHER
            for a, b in zip(outputs, others, strict=True)
        )

    def same(self, left: exp.Expr, right: exp.Expr, scope: Scope) -> tuple[exp.Expr, exp.Expr]:
        """Two operands that can be said to be equal or not."""
        (one, a), (other, b) = self.pair(left, right, scope)
        if F.ENUM in {family(a), family(b)}:
            return as_text(one, a), as_text(other, b)
        return one, other

    def ordered(self, left: exp.Expr, right: exp.Expr, scope: Scope) -> tuple[exp.Expr, exp.Expr]:
        """Two operands of which one may be less than the other."""
        (one, a), (other, b) = self.pair(left, right, scope)
        if not {family(a), family(b)} <= {*_ORDERED, F.NULL}:
            raise Unlike
        return collated(one, a), other

    def pair(
        self, left: exp.Expr, right: exp.Expr, scope: Scope
    ) -> tuple[tuple[exp.Expr, str], tuple[exp.Expr, str]]:
        """Two operands that both compare as the same type."""
        if is_text(left) and not is_text(right):
            (other, b), (one, a) = self.pair(right, left, scope)
            return (one, a), (other, b)
        one, a = self.value(left, scope)
        if is_text(right) and family(a) not in {F.TEXT, F.NULL}:
            return (one, a), (of_text(right, family(a)), a)
        other, b = self.value(right, scope)
        return (_comparable(one, a, b), a), (_comparable(other, b, a), b)

    def common(self, nodes: Sequence[exp.Expr], scope: Scope) -> tuple[list[exp.Expr], str]:
        """Values one of which is taken, and their type."""
        found = [self.value(node, scope) for node in nodes]
        types = [type_ for _, type_ in found if family(type_) != F.NULL]
        families = {family(type_) for type_ in types}
        if not types or families & {F.ENUM, F.OTHER, F.FLOAT}:
            raise Unlike
        if families == {F.INTEGER}:
            type_ = types[0]
            for other in types[1:]:
                type_ = wider(type_, other)
        elif families <= _NUMBERS:
            scale = max(digits(type_)[1] for type_ in types)
            type_ = f"DECIMAL(38,{scale})"
        elif len(families) == 1:
            type_ = types[0]
        else:
            raise Unlike
        return [tree for tree, _ in found], type_


def _comparable(tree: exp.Expr, own: str, other: str) -> exp.Expr:
    """An operand of type `own` that is compared with one of type `other`."""
    mine, theirs = family(own), family(other)
    if F.NULL in {mine, theirs} and F.OTHER not in {mine, theirs}:
        return tree
    if mine == theirs and mine in {*_EQUAL, F.ENUM}:
        return tree
    if {mine, theirs} == _NUMBERS:
        return _within(tree, own, other)
    if {mine, theirs} <= {F.DATE, F.MOMENT}:
        return tree
    if {mine, theirs} == {F.BOOLEAN, F.INTEGER}:
        return cast(tree, "integer") if mine == F.BOOLEAN else tree
    if F.DOUBLE in {mine, theirs} and {mine, theirs} <= {F.DOUBLE, *_NUMBERS}:
        return double(tree, own)
    raise Unlike


def is_typed(tree: exp.Expr, type_: str) -> bool:
    """Whether PostgreSQL has the bounds of that type from what it is told."""
    return family(type_) != F.DECIMAL or isinstance(tree, exp.Cast)


def _within(tree: exp.Expr, own: str, other: str) -> exp.Expr:
    (p, s), (q, t) = digits(own), digits(other)
    if max(p - s, q - t) + max(s, t) > 38:
        raise Unlike
    return tree


def is_text(node: exp.Expr) -> bool:
    """Whether it is a text, written out."""
    return isinstance(node, exp.Literal) and bool(node.is_string)


def of_text(node: exp.Expr, wanted: Family) -> exp.Expr:
    """A text, written out, as the value that it is compared as."""
    pattern = _LITERALS.get(wanted)
    if pattern is None or not pattern.fullmatch(node.name):
        raise Unlike
    if wanted in {F.INTEGER, F.DECIMAL}:
        return exp.Literal.number(node.name)
    type_ = {F.DATE: "date", F.MOMENT: "timestamp", F.TIME: "time", F.UUID: "uuid"}.get(wanted)
    text = text_literal(node.name)
    return cast(text, type_) if type_ else text


def text_literal(text: str) -> exp.Expr:
    """A text, whatever standard_conforming_strings is."""
    if "\0" in text:
        raise Unlike
    if "\\" not in text:
        return exp.Literal.string(text)
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return exp.Var(this=f"E'{escaped}'")


def cast(tree: exp.Expr, type_: str) -> exp.Expr:
    """CAST to one of PostgreSQL's types."""
    return exp.Cast(this=tree, to=exp.DataType.build(type_, dialect="postgres"))


def double(tree: exp.Expr, type_: str) -> exp.Expr:
    """A number as DOUBLE, if that is the same one for all."""
    match family(type_):
        case F.DOUBLE | F.NULL:
            return tree
        case F.INTEGER if type_ != "HUGEINT":
            return cast(tree, "double precision")
        case F.DECIMAL if digits(type_)[0] <= EXACT_DIGITS:
            return cast(tree, "double precision")
    raise Unlike


def collated(tree: exp.Expr, type_: str) -> exp.Expr:
    """A value whose order is asked for: texts by their bytes."""
    if family(type_) != F.TEXT:
        return tree
    inner = tree if isinstance(tree, exp.Column | exp.Paren | exp.Func) else exp.Paren(this=tree)
    return exp.Collate(this=inner, expression=exp.to_identifier("C", quoted=True))


def as_text(tree: exp.Expr, type_: str) -> exp.Expr:
    """A value in the text form that DuckDB gives it."""
    match family(type_):
        case F.TEXT | F.NULL:
            return tree
        case F.INTEGER | F.BOOLEAN | F.UUID | F.ENUM:
            return cast(tree, "text")
        case F.DECIMAL:
            return cast(cast(tree, postgres_type(type_) or ""), "text")
    raise Unlike


Rule = Callable[[PostgresDialect, Any, Scope], tuple[exp.Expr, str]]
Said = tuple[exp.Expr, str]


def bare(tree: exp.Expr) -> exp.Expr:
    """An operand, in parentheses where it needs them."""
    plain = isinstance(tree, exp.Column | exp.Literal | exp.Paren | exp.Func)
    return tree if plain else exp.Paren(this=tree)


def count_of(node: exp.Expr | None, least: int) -> exp.Expr:
    """A number of characters, written out."""
    if not isinstance(node, exp.Literal) or not node.is_int or int(node.name) < least:
        raise Unlike
    return node.copy()
