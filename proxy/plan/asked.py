"""Of which databases and tables a statement wants to hear in information_schema: read off its
conditions, so that a data source that it does not ask about is left alone.

It refuses to guess: whatever it does not understand may be wanted.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import TypeAlias

from sqlglot import exp

from proxy.plan.scope import Expr

_SCHEMA, _TABLE = "SCHEMA", "TABLE"
_SUBJECTS = {"TABLE_SCHEMA": _SCHEMA, "TABLE_NAME": _TABLE, "INDEX_SCHEMA": _SCHEMA}
_WILD = {"%": ".*", "_": "."}
_FEEDING = ("", "LEFT")
"""The sides of joins whose ON no row of the joined table gets past."""


@dataclass(frozen=True, slots=True)
class Begins:
    """A name of which only the beginning is known."""

    text: str


_Name: TypeAlias = str | Begins
_Facts: TypeAlias = Mapping[str, _Name]
_Column: TypeAlias = tuple[str, str]
"""A table's alias, '' for a column without one, and the column's name."""
_Known: TypeAlias = Mapping[_Column, _Name]


@dataclass(frozen=True, slots=True)
class Mention:
    """One of a statement's readings of a table: what all its rows have to meet, and which columns
    of those conditions are the table's schema and name, or equal to them."""

    conditions: tuple[Expr, ...]
    columns: Mapping[_Column, str]

    def may(self, facts: _Facts) -> bool:
        """Whether a row of which these facts are known may get past."""
        known = {column: facts[s] for column, s in self.columns.items() if s in facts}
        return all(_truth(condition, known) is not False for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement asks of one table of information_schema: a row is wanted that one of its
    mentions may want."""

    mentions: tuple[Mention, ...]

    def database(self, name: _Name) -> bool:
        """Whether rows may be wanted whose TABLE_SCHEMA is so, or begins so."""
        return self._may({_SCHEMA: name})

    def table(self, database: str, name: str) -> bool:
        """Whether the rows of a table may be wanted."""
        return self._may({_SCHEMA: database, _TABLE: name})

    def source(self, name: str) -> bool:
        """Whether rows of a data source may be wanted, whose other schemas stand behind its
        name."""
        return self.database(name) or self.database(Begins(f"{name}."))

    def _may(self, facts: _Facts) -> bool:
        return any(mention.may(facts) for mention in self.mentions)


NOTHING = Asked(())
"""Where only the columns of a table matter."""
EVERYTHING = Asked((Mention((), {}),))


def asked_of(tree: Expr, relation: str) -> Asked:
    """What a bound statement asks of information_schema's table for which `relation` stands."""
    return Asked(
        tuple(_mention(t) for t in tree.find_all(exp.Table) if t.name == relation and not t.db)
    )


def _mention(table: exp.Table) -> Mention:
    select = table.parent_select
    if not isinstance(select, exp.Select) or not isinstance(table.parent, exp.From | exp.Join):
        return Mention((), {})
    conditions = tuple(_conditions(table, select))
    own = {(alias, name): s for name, s in _SUBJECTS.items() for alias in ("", _alias(table))}
    return Mention(conditions, _with_equals(own, conditions, select))


def _conditions(table: exp.Table, select: exp.Select) -> Iterator[Expr]:
    """The conjuncts that each row of the table has to meet, if it is to be of any use."""
    where = select.args.get("where")
    if where is not None:
        yield from _conjuncts(where.this)
    joins = select.args.get("joins") or []
    inner = all(not join.side and join.kind in ("", "INNER", "CROSS") for join in joins)
    for join in joins:
        on = join.args.get("on")
        if on is not None and (inner or (join.this is table and join.side in _FEEDING)):
            yield from _conjuncts(on)


def _conjuncts(node: Expr) -> Iterator[Expr]:
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _with_equals(
    own: Mapping[_Column, str], conditions: Sequence[Expr], select: exp.Select
) -> Mapping[_Column, str]:
    """The columns, and those of other tables that are equal to them in every row of use."""
    found = dict(own)
    pairs = [*filter(None, map(_pair, conditions)), *_pairs_of_using(select)]
    for _ in pairs:
        for one, other in (*pairs, *((b, a) for a, b in pairs)):
            if one in found:
                found.setdefault(other, found[one])
    return found


def _pair(condition: Expr) -> tuple[_Column, _Column] | None:
    if not isinstance(condition, exp.EQ):
        return None
    sides = (condition.left, condition.right)
    if not all(isinstance(side, exp.Column) for side in sides):
        return None
    return _named(sides[0]), _named(sides[1])


def _pairs_of_using(select: exp.Select) -> Iterator[tuple[_Column, _Column]]:
    """What USING names is one column, under the names of all tables."""
    from_ = select.args.get("from_")
    joins = select.args.get("joins") or []
    aliases = [_alias(item.this) for item in (*([from_] if from_ else []), *joins)]
    for join in joins:
        for name in join.args.get("using") or []:
            yield from ((("", name.name.upper()), (a, name.name.upper())) for a in aliases)


def _named(column: Expr) -> _Column:
    assert isinstance(column, exp.Column)
    return column.table.casefold(), column.name.upper()


def _alias(table: Expr) -> str:
    return table.alias_or_name.casefold()


def _truth(node: Expr, known: _Known) -> bool | None:
    """What a condition says of a row of which so much is known; None where that is not enough."""
    rule = _RULES.get(type(node))
    return rule(node, known) if rule is not None else None


def _of_and(node: Expr, known: _Known) -> bool | None:
    return _and([_truth(side, known) for side in (node.this, node.expression)])


def _of_or(node: Expr, known: _Known) -> bool | None:
    return _not(_and([_not(_truth(side, known)) for side in (node.this, node.expression)]))


def _of_equality(node: Expr, known: _Known) -> bool | None:
    return _equal(_name(node.this, known), _name(node.expression, known))


def _of_in(node: Expr, known: _Known) -> bool | None:
    if node.args.get("query") is not None or not node.expressions:
        return None
    name = _name(node.this, known)
    return _not(_and([_not(_equal(name, _name(item, known))) for item in node.expressions]))


def _of_like(node: Expr, known: _Known) -> bool | None:
    return _like(_name(node.this, known), node.expression, "\\")


def _of_escape(node: Expr, known: _Known) -> bool | None:
    like, sign = node.this, node.expression
    if not isinstance(like, exp.Like | exp.ILike) or not isinstance(sign, exp.Literal):
        return None
    return _like(_name(like.this, known), like.expression, sign.name)


_RULES: Mapping[type[Expr], Callable[[Expr, _Known], bool | None]] = MappingProxyType(
    {
        exp.Paren: lambda node, known: _truth(node.this, known),
        exp.Not: lambda node, known: _not(_truth(node.this, known)),
        exp.And: _of_and,
        exp.Or: _of_or,
        exp.EQ: _of_equality,
        exp.NEQ: lambda node, known: _not(_of_equality(node, known)),
        exp.In: _of_in,
        exp.Like: _of_like,
        exp.ILike: _of_like,
        exp.Escape: _of_escape,
    }
)


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _and(truths: Sequence[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


def _name(node: Expr, known: _Known) -> _Name | None:
    """The text that an operand is, as far as it is known."""
    match node:
        case exp.Paren() | exp.Collate():
            return _name(node.this, known)
        case exp.Column():
            return known.get(_named(node))
        case exp.Literal() if node.is_string:
            return str(node.this)
        case exp.Lower():
            return _changed(_name(node.this, known), str.lower)
        case exp.Upper():
            return _changed(_name(node.this, known), str.upper)
    return None


def _changed(name: _Name | None, change: Callable[[str], str]) -> _Name | None:
    if isinstance(name, Begins):
        return Begins(change(name.text))
    return None if name is None else change(name)


def _equal(one: _Name | None, other: _Name | None) -> bool | None:
    """What differs in case alone may be the same."""
    if one is None or other is None or (isinstance(one, Begins) and isinstance(other, Begins)):
        return None
    if isinstance(other, Begins):
        one, other = other, one
    assert isinstance(other, str)
    if isinstance(one, Begins):
        return None if other.casefold().startswith(one.text.casefold()) else False
    return (True if one == other else None) if one.casefold() == other.casefold() else False


def _like(name: _Name | None, pattern: Expr, escape: str) -> bool | None:
    if name is None or not (isinstance(pattern, exp.Literal) and pattern.is_string):
        return None
    if isinstance(name, Begins):
        start, begun = _start(str(pattern.this), escape).casefold(), name.text.casefold()
        return None if start.startswith(begun) or begun.startswith(start) else False
    text = _regex(str(pattern.this), escape)
    return None if re.fullmatch(text, name, re.IGNORECASE | re.DOTALL) else False


def _start(pattern: str, escape: str) -> str:
    """The characters in front of the first wildcard."""
    plain = takewhile(lambda part: not part[1], _signs(pattern, escape))
    return "".join(sign for sign, _ in plain)


def _regex(pattern: str, escape: str) -> str:
    parts = _signs(pattern, escape)
    return "".join(_WILD[sign] if wild else re.escape(sign) for sign, wild in parts)


def _signs(pattern: str, escape: str) -> Iterator[tuple[str, bool]]:
    """A pattern's characters, and whether each is a wildcard."""
    signs = iter(pattern)
    for sign in signs:
        escaped = bool(escape) and sign == escape
        yield (next(signs, sign), False) if escaped else (sign, sign in _WILD)
