"""Tables of one source in a SELECT that DuckDB runs: those that it joins with each other are joined
in the source, and come as one relation.

Only inner joins are; where a name may mean more than one thing, tables are read one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from proxy.plan.remote.dialect import Dialect, room_for
from proxy.plan.remote.reads import DICE
from proxy.plan.remote.relations import outputs_of
from proxy.plan.remote.scope import Output, Scope, Unlike, item_of
from proxy.plan.remote.tables import RemoteTable
from proxy.plan.scope import conjunction, conjuncts


@dataclass(frozen=True, slots=True)
class Joined:
    """What is read of tables that are joined in their source: `conditions` are the conjuncts of the
    SELECT that are left to the source, and the same in its words; `columns` those of the SELECT."""

    tables: tuple[exp.Table, ...]
    conditions: tuple[tuple[exp.Expr, exp.Expr], ...]
    columns: Mapping[tuple[str, str], exp.Column]
    outputs: Mapping[tuple[str, str], Output]
    remotes: Mapping[str, RemoteTable]

    def text(self, dialect: Dialect) -> str:
        """The native query, whose columns are c0, c1 and so on. Raises Unlike."""
        items = [
            exp.alias_(
                dialect.reading(column, self.outputs[key]), f"c{number}", quoted=True, copy=False
            )
            for number, (key, column) in enumerate(self.columns.items())
        ]
        first, *others = (room_for(table.alias_or_name) for table in self.tables)
        made = exp.select(*items or [exp.alias_(exp.Literal.number(1), "c0", quoted=True)])
        made = made.from_(first, copy=False)
        for other in others:
            made.append("joins", exp.Join(this=other, kind="CROSS"))
        conditions = [exp.Paren(this=condition) for _, condition in self.conditions]
        made = made.where(*conditions, copy=False)
        dialect.fill(made, {t.alias_or_name: self.remotes[t.name] for t in self.tables})
        return dialect.text(made)

    def stand(self, select: exp.Select, relation: str) -> None:
        """Let a relation stand for the tables in the SELECT, which is changed in place."""
        taken = [conjunct for conjunct, _ in self.conditions]
        kept = [c.copy() for c in _conditions(select) if not any(c is one for one in taken)]
        places = [select.args["from_"], *(select.args.get("joins") or ())]
        others = [p.this for p in places if not any(p.this is table for table in self.tables)]
        select.set("from_", exp.From(this=exp.Table(this=exp.to_identifier(relation, quoted=True))))
        select.set("joins", [exp.Join(this=other, kind="CROSS") for other in others])
        where = conjunction(kept)
        select.set("where", exp.Where(this=where) if where is not None else None)
        names = {key: f"c{number}" for number, key in enumerate(self.columns)}
        for column in list(select.find_all(exp.Column)):
            key = column.table.casefold(), column.name.casefold()
            if key in names:
                _point(
                    column, exp.column(names[key], table=relation, quoted=True), self.columns[key]
                )


def joined_in(
    select: exp.Select,
    tables: list[exp.Table],
    remotes: Mapping[str, RemoteTable],
    dialect: Dialect,
) -> Joined | None:
    """The most of a SELECT's tables of one source that its conditions join; None where that are
    none, or not sure to be the same."""
    if len(tables) < 2 or not _is_plain(select) or _is_vague(select, tables, remotes):
        return None
    scope = Scope()
    for table in tables:
        scope.add(item_of(table.alias_or_name, outputs_of(remotes[table.name])))
    said = list(_said(select, scope, dialect))
    aliases = _connected(select, tables, said)
    if len(aliases) < 2:
        return None
    conditions = [pair for pair in said if _aliases(pair[0]) <= aliases]
    found = [table for table in tables if table.alias_or_name.casefold() in aliases]
    columns = _columns(select, scope, aliases, [conjunct for conjunct, _ in conditions])
    outputs = {(alias, name): scope.items[alias].columns[name] for alias, name in columns}
    return Joined(tuple(found), tuple(conditions), columns, outputs, remotes)


def _is_plain(select: exp.Select) -> bool:
    """Whether it joins tables and subqueries alone, by inner joins."""
    joins = select.args.get("joins") or []
    places = [select.args["from_"], *joins]
    return all(isinstance(place.this, exp.Table | exp.Subquery) for place in places) and not any(
        join.side or join.args.get("using") or join.args.get("method") for join in joins
    )


def _is_vague(
    select: exp.Select, tables: list[exp.Table], remotes: Mapping[str, RemoteTable]
) -> bool:
    """Whether it has a star, or a column without a table that may be one of theirs, or a query
    inside that has another table of the same alias."""
    aliases = {table.alias_or_name.casefold() for table in tables}
    named = [t.alias_or_name.casefold() for t in select.find_all(exp.Table, exp.Subquery)]
    if any(named.count(alias) > 1 for alias in aliases):
        return True
    names = {o.name.casefold() for table in tables for o in outputs_of(remotes[table.name])}
    return any(
        (isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count))
        or (isinstance(node, exp.Column) and not node.table and node.name.casefold() in names)
        for node in select.walk()
    )


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """All conjuncts of ON and WHERE."""
    where = select.args.get("where")
    yield from conjuncts(where.this if where is not None else None)
    for join in select.args.get("joins") or ():
        yield from conjuncts(join.args.get("on"))


def _said(
    select: exp.Select, scope: Scope, dialect: Dialect
) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The conjuncts over the source's tables alone that it understands, and what it is told."""
    for conjunct in _conditions(select):
        aliases = _aliases(conjunct)
        if aliases and aliases <= set(scope.items) and not conjunct.find(exp.Query, *DICE):
            try:
                yield conjunct, dialect.condition(conjunct, scope)
            except Unlike:
                continue


def _connected(
    select: exp.Select, tables: list[exp.Table], said: list[tuple[exp.Expr, exp.Expr]]
) -> set[str]:
    """The aliases of the most tables that equalities connect."""
    groups = [{table.alias_or_name.casefold()} for table in tables]
    for conjunct, _ in said:
        if isinstance(conjunct, exp.EQ):
            touched = [group for group in groups if group & _aliases(conjunct)]
            groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return max(groups, key=len)


def _aliases(node: exp.Expr) -> set[str]:
    return {column.table.casefold() for column in node.find_all(exp.Column)}


def _columns(
    select: exp.Select, scope: Scope, aliases: set[str], taken: list[exp.Expr]
) -> dict[tuple[str, str], exp.Column]:
    """The columns of those tables that the SELECT needs, by alias and name in lower case."""
    found = {}
    for node in select.walk(prune=lambda n: any(n is one for one in taken)):
        if isinstance(node, exp.Column) and node.table.casefold() in aliases:
            item = scope.items[node.table.casefold()]
            output = item.columns.get(node.name.casefold())
            if output is not None and not any(node is one for one in taken):
                found[item.alias.casefold(), output.name.casefold()] = item.reference(output)
    return found


def _point(column: exp.Column, made: exp.Column, known: exp.Column) -> None:
    """Put a column of the relation in a table's place; an item of the SELECT keeps its name."""
    if isinstance(column.parent, exp.Select) and column.arg_key == "expressions":
        column.replace(exp.alias_(made, known.name, quoted=True, copy=False))
    else:
        column.replace(made)
