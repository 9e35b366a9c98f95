"""A query over the tables of one source as a query of the source's own.

The shape of queries is here, and it is the same for all sources; what their expressions are in its
dialect, each dialect says. Whatever is not known to mean the same raises Unlike.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import sqlglot
from sqlglot import exp

from proxy.plan.remote.relations import outputs_of, rows_of, rows_of_query, used_in
from proxy.plan.remote.scope import Item, Output, Scope, Unlike, item_of
from proxy.plan.remote.tables import RemoteTable

_DROPPED = frozenset({"hint", "locks", "operation_modifiers"})
"""What asks for nothing that changes an answer."""
_CLAUSES = _DROPPED | {
    *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
    *("distinct", "with_"),
}
_SIDES = frozenset({"", "LEFT", "RIGHT"})
_KINDS = frozenset({"", "INNER", "CROSS", "OUTER", "STRAIGHT_JOIN"})


class Dialect(ABC):
    """What one source understands. `remotes` are its tables by the relations that stand for them.
    All methods raise Unlike, and leave the trees that they get as they are."""

    name: ClassVar[str]
    """sqlglot's."""
    own_types: ClassVar[bool] = False
    """Whether its answers keep their own types and meaning."""
    table_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, remotes: Mapping[str, RemoteTable]) -> None:
        self.remotes = remotes

    @abstractmethod
    def value(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, str]:
        """An expression, and DuckDB's type of it."""

    @abstractmethod
    def condition(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """An expression that is true, false or NULL."""

    @abstractmethod
    def key(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """A key of ORDER BY: rows come in the order that DuckDB would give them."""

    @abstractmethod
    def group(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """A key of GROUP BY."""

    def output(self, value: exp.Expr, known: Output, wanted: str) -> exp.Expr:
        """An item of the outermost SELECT, which has to be of a type of DuckDB's."""
        return value

    def reading(self, column: exp.Expr, known: Output) -> exp.Expr:
        """A column as it is read without loss, where its table is not read so already."""
        return column

    def text(self, tree: exp.Expr) -> str:
        """The dialect's text."""
        try:
            return tree.sql(
                dialect=self.name, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE
            )
        except sqlglot.errors.UnsupportedError as error:
            raise Unlike from error

    def answer(
        self, tree: exp.Query, outputs: list[Output], names: Sequence[str], types: Sequence[str]
    ) -> str:
        """The text of a whole statement, of what `query` made: its columns get these names, and
        DuckDB's types, '' where it does not know them."""
        if not isinstance(tree, exp.Select):
            tree, outputs = _wrapped(tree, outputs)
        items = [
            exp.alias_(self.output(item.unalias(), output, wanted), name, quoted=True, copy=False)
            for item, output, name, wanted in zip(
                tree.expressions, outputs, names, types, strict=True
            )
        ]
        tree.set("expressions", items)
        return self.text(tree)

    def query(self, query: exp.Expr, outer: Scope) -> tuple[exp.Query, list[Output]]:
        """A SELECT, or several put together; and its columns."""
        match query:
            case exp.Select():
                return self._select(query, outer)
            case exp.SetOperation():
                return self._set_operation(query, outer)
            case exp.Subquery() if not _given(query, "this"):
                return self.query(query.this, outer)
        raise Unlike

    def relation(self, remote: RemoteTable, used: Collection[str]) -> str:
        """The text of a table in FROM, of which these columns are used."""
        if remote.native is not None:
            return rows_of_query(remote, self.name)
        return rows_of(remote.table, used)

    def fill(self, tree: exp.Expr, tables: Mapping[str, RemoteTable]) -> None:
        """Write tables, by their aliases, where table() has left room for them in a tree."""
        for node in list(tree.find_all(exp.Table)):
            remote = tables.get(node.alias)
            if remote is not None and isinstance(node.this, exp.Placeholder):
                text = self.relation(remote, used_in(tree, node.alias))
                node.set("this", exp.Var(this=text))

    def resolved(self, column: exp.Column, scope: Scope) -> tuple[exp.Column, Output]:
        """A column by its full name."""
        found = scope.column(column)
        if found is None:
            raise Unlike
        item, output = found
        return item.reference(output), output

    def _select(self, select: exp.Select, outer: Scope) -> tuple[exp.Select, list[Output]]:
        if _given(select, *_CLAUSES):
            raise Unlike
        scope = Scope(outer)
        made = exp.Select()
        made.set("with_", self._with(select.args.get("with_"), scope))
        self._from(select, made, scope)
        outputs = self._items(select, made, scope)
        for clause in ("where", "having"):
            if (node := select.args.get(clause)) is not None:
                made.set(clause, type(node)(this=self.condition(node.this, scope)))
        self._distinct(select, made)
        self._group(select, made, scope)
        self._ordered(select, made, scope)
        self.fill(made, scope.tables)
        return made, outputs

    def _with(self, node: exp.With | None, scope: Scope) -> exp.With | None:
        if node is None:
            return None
        if node.recursive:
            raise Unlike
        made = []
        for cte in node.expressions:
            query, outputs = self.query(cte.this, scope)
            outputs = _renamed(outputs, cte.alias_column_names)
            scope.ctes[cte.alias.casefold()] = item_of(cte.alias, outputs)
            made.append(exp.CTE(this=_named(query, outputs), alias=_alias(cte.alias)))
        return exp.With(expressions=made)

    def _from(self, select: exp.Select, made: exp.Select, scope: Scope) -> None:
        from_ = select.args.get("from_")
        if from_ is None:
            raise Unlike
        made.set("from_", exp.From(this=self._item(from_.this, scope)))
        for join in select.args.get("joins") or ():
            made.append("joins", self._join(join, scope))

    def _join(self, join: exp.Join, scope: Scope) -> exp.Join:
        side, kind = join.side.upper(), join.kind.upper()
        if _given(join, "this", "on", "using", "side", "kind"):
            raise Unlike
        if side not in _SIDES or kind not in _KINDS:
            raise Unlike
        before = dict(scope.items)
        made = exp.Join(this=self._item(join.this, scope), side=side or None)
        if side:
            scope.optional |= {k for k in scope.items if (k in before) == (side == "RIGHT")}
        for column in join.args.get("using") or ():
            name = column.name.casefold()
            there = [name in item.columns for item in before.values()]
            (new,) = (item for key, item in scope.items.items() if key not in before)
            if sum(there) != 1 or name not in new.columns:
                raise Unlike
            scope.merged.add(name)
            made.append("using", exp.to_identifier(new.columns[name].name, quoted=True))
        if (on := join.args.get("on")) is not None:
            made.set("on", self.condition(on, scope))
        elif not scope.merged or not join.args.get("using"):
            made.set("kind", "CROSS")
        return made

    def _item(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        if isinstance(node, exp.Subquery):
            if _given(node, "this", "alias") or not node.alias:
                raise Unlike
            query, outputs = self.query(node.this, scope.outer or Scope())
            outputs = _renamed(outputs, node.alias_column_names)
            scope.add(item_of(node.alias, outputs))
            return exp.Subquery(this=_named(query, outputs), alias=_alias(node.alias))
        if not isinstance(node, exp.Table) or node.args.get("db"):
            raise Unlike
        if _given(node, "this", "alias", *self.table_options):
            raise Unlike
        return self._table(node, scope)

    def _table(self, node: exp.Table, scope: Scope) -> exp.Table:
        cte = (scope.outer or Scope()).cte(node.name) or scope.cte(node.name)
        alias = node.alias_or_name
        if node.alias_column_names:
            raise Unlike
        if cte is not None:
            scope.add(Item(alias, cte.columns))
            named = exp.to_identifier(cte.alias, quoted=True)
            return exp.Table(this=named, alias=_alias(alias))
        remote = self.remotes.get(node.name)
        if remote is None:
            raise Unlike
        scope.add(item_of(alias, outputs_of(remote)))
        scope.tables[alias] = remote
        made = room_for(alias)
        for option in self.table_options:
            made.set(option, node.args.get(option))
        return made

    def _items(self, select: exp.Select, made: exp.Select, scope: Scope) -> list[Output]:
        outputs: list[Output] = []
        for item in self._unstarred(select, scope):
            tree, type_ = self.value(item.unalias(), scope)
            name = item.alias_or_name or f"_{len(outputs)}"
            if isinstance(tree, exp.Column) and not item.alias:
                name = tree.name
            scope.labels[name.casefold()] = item.unalias()
            outputs.append(self._column_of(tree, scope, name) or Output(name, type_))
            made.append("expressions", exp.alias_(tree, name, quoted=True, copy=False))
        return outputs

    def _column_of(self, tree: exp.Expr, scope: Scope, name: str) -> Output | None:
        """A column that an item is, by its new name."""
        found = scope.column(tree) if isinstance(tree, exp.Column) else None
        return None if found is None else replace(found[1], name=name, nullable=True)

    def _unstarred(self, select: exp.Select, scope: Scope) -> list[exp.Expr]:
        items: list[exp.Expr] = []
        for item in select.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if not isinstance(star, exp.Star):
                items.append(item)
            elif _given(star):
                raise Unlike
            else:
                items += scope.starred(item.table if isinstance(item, exp.Column) else "")
        return items

    def _distinct(self, select: exp.Select, made: exp.Select) -> None:
        distinct = select.args.get("distinct")
        if distinct is not None:
            if _given(distinct):
                raise Unlike
            made.set("distinct", exp.Distinct())

    def _group(self, select: exp.Select, made: exp.Select, scope: Scope) -> None:
        group = select.args.get("group")
        if group is None:
            return
        if _given(group, "expressions"):
            raise Unlike
        keys = [self.group(_labelled(key, select, scope), scope) for key in group.expressions]
        made.set("group", exp.Group(expressions=keys))

    def _ordered(self, query: exp.Query, made: exp.Query, scope: Scope) -> None:
        order = query.args.get("order")
        if order is not None:
            keys = [self._key(key, query, scope) for key in order.expressions]
            made.set("order", exp.Order(expressions=keys))
        for clause in ("limit", "offset"):
            node = query.args.get(clause)
            if node is not None:
                if not isinstance(node.expression, exp.Literal) or _given(node, "expression"):
                    raise Unlike
                made.set(clause, node.copy())

    def _key(self, key: exp.Expr, query: exp.Query, scope: Scope) -> exp.Expr:
        ordered = key if isinstance(key, exp.Ordered) else exp.Ordered(this=key)
        meant = exp.Ordered(**{**ordered.args, "this": _labelled(ordered.this, query, scope)})
        return self.key(meant, scope)

    def _set_operation(
        self, node: exp.SetOperation, outer: Scope
    ) -> tuple[exp.Query, list[Output]]:
        if _given(node, "this", "expression", "distinct", "with_", "order", "limit", "offset"):
            raise Unlike
        scope = Scope(outer)
        with_ = self._with(node.args.get("with_"), scope)
        left, outputs = self.query(node.this, scope)
        right, others = self.query(node.expression, scope)
        if len(outputs) != len(others) or not self.alike(outputs, others):
            raise Unlike
        made = type(node)(
            this=_branch(left), expression=_branch(right), distinct=node.args.get("distinct")
        )
        made.set("with_", with_)
        if not any(node.args.get(clause) for clause in ("order", "limit", "offset")):
            return made, outputs
        select, outputs = _wrapped(made, outputs)
        around = Scope(outer)
        around.add(item_of(_ALL, outputs))
        around.labels = {
            key: one.unalias()
            for key, one in zip(around.items[_ALL].columns, select.expressions, strict=True)
        }
        self._ordered(node, select, around)
        return select, outputs

    def alike(self, outputs: Sequence[Output], others: Sequence[Output]) -> bool:
        """Whether a UNION of such columns has them in the types that DuckDB would."""
        return [output.type for output in outputs] == [other.type for other in others]


_ALL = "__all"


def room_for(alias: str) -> exp.Table:
    """A table in FROM whose text comes when it is known which of its columns are used."""
    return exp.Table(this=exp.Placeholder(), alias=_alias(alias))


def _wrapped(query: exp.Query, outputs: list[Output]) -> tuple[exp.Select, list[Output]]:
    """A SELECT of all columns of another query."""
    item = item_of(_ALL, outputs)
    references = [item.reference(output) for output in outputs]
    inner = exp.Subquery(this=_named(query, outputs), alias=_alias(_ALL))
    return exp.select(*references).from_(inner), outputs


def _named(query: exp.Query, outputs: list[Output]) -> exp.Query:
    """The query with these names of its columns."""
    first: exp.Expr = query
    while not isinstance(first, exp.Select):
        first = first.this
    items = [
        exp.alias_(item.unalias(), output.name, quoted=True, copy=False)
        for item, output in zip(first.expressions, outputs, strict=True)
    ]
    first.set("expressions", items)
    return query


def _branch(query: exp.Query) -> exp.Query:
    """A branch of a UNION: one with an order or a limit of its own in parentheses."""
    own = any(query.args.get(clause) for clause in ("order", "limit", "offset", "with_"))
    return exp.Subquery(this=query) if own or not isinstance(query, exp.Select) else query


def _labelled(key: exp.Expr, query: exp.Query, scope: Scope) -> exp.Expr:
    """What a key means that is the number of an item, or its label. Raises Unlike where it may
    also mean a column."""
    if isinstance(key, exp.Literal):
        position = int(key.name) if key.is_int else 0
        if not 0 < position <= len(scope.labels) or len(scope.labels) != len(query.selects):
            raise Unlike
        return list(scope.labels.values())[position - 1]
    if not isinstance(key, exp.Column) or key.table or key.name.casefold() not in scope.labels:
        return key
    value = scope.labels[key.name.casefold()]
    column = scope.column(key)
    if column is None:
        return value
    same = isinstance(value, exp.Column) and scope.column(value) == column
    if not same:
        raise Unlike
    return key


def _renamed(outputs: list[Output], names: Sequence[str]) -> list[Output]:
    if not names:
        return outputs
    if len(names) != len(outputs):
        raise Unlike
    return [replace(output, name=name) for name, output in zip(names, outputs, strict=True)]


def _given(node: exp.Expr, *known: str) -> bool:
    """Whether a node says more than what is known."""
    return any(value for name, value in node.args.items() if name not in known)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))
