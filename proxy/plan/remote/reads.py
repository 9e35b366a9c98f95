"""Tables of sources in a SELECT that DuckDB runs: of each only what the SELECT needs is read.

That is its columns, the conditions that are of that table alone, and, of a SELECT over one table,
its order and its limit. A condition is pushed where it cannot drop a row that an outer join keeps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from proxy.plan.remote.dialect import Dialect, room_for
from proxy.plan.remote.relations import outputs_of
from proxy.plan.remote.scope import Scope, Unlike, item_of
from proxy.plan.remote.tables import RemoteTable
from proxy.plan.scope import conjunction, conjuncts

DICE = (exp.Rand, exp.Uuid)
_REGROUPING = ("group", "having", "distinct", "qualify", "windows", "joins")


@dataclass(slots=True)
class Read:
    """What is read of one table: `columns` by their names, `taken` the conjuncts of the SELECT
    that are left to the source, `conditions` the same in its words."""

    remote: RemoteTable
    table: exp.Table
    columns: list[str]
    taken: list[exp.Expr] = field(default_factory=list)
    conditions: list[exp.Expr] = field(default_factory=list)
    order: exp.Order | None = None
    limit: int | None = None

    def without_conditions(self, select: exp.Select) -> "Read":
        """All rows of the columns that the SELECT needs then."""
        return Read(self.remote, self.table, needed(select, self.table, self.remote))

    def text(self, dialect: Dialect) -> str:
        """The native query. Raises Unlike."""
        alias = self.table.alias_or_name
        item = item_of(alias, outputs_of(self.remote))
        items = [
            exp.alias_(
                dialect.reading(item.reference(output), output), name, quoted=True, copy=False
            )
            for name in self.columns
            if (output := item.columns[name.casefold()])
        ]
        made = exp.select(*items or [exp.alias_(exp.Literal.number(1), "_", quoted=True)])
        made = made.from_(room_for(alias), copy=False)
        for condition in self.conditions:
            made = made.where(exp.Paren(this=condition.copy()), copy=False)
        made.set("order", self.order and self.order.copy())
        dialect.fill(made, {alias: self.remote})
        return dialect.text(made if self.limit is None else made.limit(self.limit, copy=False))


def read_of(select: exp.Select, table: exp.Table, remote: RemoteTable, dialect: Dialect) -> Read:
    """What a SELECT needs of one of the tables in its FROM."""
    read = Read(remote, table, [])
    scope = _scope(table, remote)
    for conjunct in _candidates(select, table):
        if not _is_of(conjunct, table, remote, alone=_is_alone(select)):
            continue
        try:
            condition = dialect.condition(conjunct, scope)
        except Unlike:
            continue
        read.taken.append(conjunct)
        read.conditions.append(condition)
    _limit(read, select, dialect, scope)
    read.columns = needed(select, table, remote, read.taken)
    return read


def needed(
    select: exp.Select, table: exp.Table, remote: RemoteTable, taken: Sequence[exp.Expr] = ()
) -> list[str]:
    """The table's columns that the SELECT, or a query inside it, may mean, the conjuncts that are
    `taken` left out."""
    names = {output.name.casefold(): output.name for output in outputs_of(remote)}
    alias = table.alias_or_name.casefold()
    found: set[str] = set()
    for node in select.walk(prune=lambda n: any(n is one for one in taken)):
        if any(node is one for one in taken):
            continue
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            owner = node.parent.table if isinstance(node.parent, exp.Column) else ""
            if owner.casefold() in {"", alias}:
                return list(names.values())
        elif isinstance(node, exp.Column) and node.table.casefold() in {"", alias}:
            found.add(node.name.casefold())
        elif isinstance(node, exp.Join):
            if node.args.get("method"):
                return list(names.values())
            found |= {column.name.casefold() for column in node.args.get("using") or ()}
    return [name for key, name in names.items() if key in found]


def drop(select: exp.Select, taken: Sequence[exp.Expr]) -> None:
    """Leave out of WHERE and ON what the source does."""
    where = select.args.get("where")
    if where is not None:
        kept = _kept(where.this, taken)
        select.set("where", exp.Where(this=kept) if kept is not None else None)
    for join in select.args.get("joins") or ():
        if (on := join.args.get("on")) is not None:
            join.set("on", _kept(on, taken) or exp.true())


def _kept(condition: exp.Expr, taken: Sequence[exp.Expr]) -> exp.Expr | None:
    parts = list(conjuncts(condition))
    kept = [part for part in parts if not any(part is one for one in taken)]
    if len(kept) == len(parts):
        return condition
    return conjunction([part.copy() for part in kept])


def _scope(table: exp.Table, remote: RemoteTable) -> Scope:
    scope = Scope()
    scope.add(item_of(table.alias_or_name, outputs_of(remote)))
    return scope


def _candidates(select: exp.Select, table: exp.Table) -> Iterator[exp.Expr]:
    """The conjuncts that may go to the table as far as joins are concerned."""
    joins = select.args.get("joins") or []
    sides = [join.side.upper() for join in joins]
    own = next((at for at, join in enumerate(joins) if join.this is table), None)
    if own is None and select.args["from_"].this is not table:
        return
    after = sides if own is None else sides[own + 1 :]
    kept_by_later = not {"RIGHT", "FULL"} & set(after)
    optional = own is not None and sides[own] in {"LEFT", "FULL"}
    if kept_by_later and not optional and (where := select.args.get("where")) is not None:
        yield from conjuncts(where.this)
    for at, join in enumerate(joins):
        on = join.args.get("on")
        if on is None:
            continue
        inner = sides[at] == "" and (own is None or own <= at)
        through = not optional and not {"LEFT", "RIGHT", "FULL"} & set(
            sides[0 if own is None else own + 1 : at]
        )
        if (at == own and sides[at] in {"", "LEFT"}) or (inner and through):
            yield from conjuncts(on)


def _is_alone(select: exp.Select) -> bool:
    return not select.args.get("joins")


def _is_of(conjunct: exp.Expr, table: exp.Table, remote: RemoteTable, *, alone: bool) -> bool:
    """Whether a conjunct is about this table, and no other."""
    if conjunct.find(exp.Query, *DICE) is not None:
        return False
    names = {output.name.casefold() for output in outputs_of(remote)}
    columns = list(conjunct.find_all(exp.Column))
    return bool(columns) and all(
        column.name.casefold() in names
        and column.table.casefold()
        in ({table.alias_or_name.casefold(), ""} if alone else {table.alias_or_name.casefold()})
        for column in columns
    )


def _limit(read: Read, select: exp.Select, dialect: Dialect, scope: Scope) -> None:
    """ORDER BY and LIMIT, where the rows that are read are those of the answer; DuckDB orders and
    cuts them once more."""
    where, limit = select.args.get("where"), select.args.get("limit")
    if limit is None or any(select.args.get(clause) for clause in _REGROUPING):
        return
    parts = list(conjuncts(where.this)) if where is not None else []
    if len(parts) != len(read.taken) or any(_regroups(item) for item in select.expressions):
        return
    bounds = [select.args.get(clause) for clause in ("limit", "offset")]
    counts = [node.expression for node in bounds if node is not None]
    if not all(isinstance(count, exp.Literal) and count.is_int for count in counts):
        return
    labels = {item.alias.casefold() for item in select.expressions if item.alias}
    try:
        order = _order(select, dialect, scope, labels)
    except Unlike:
        return
    read.order, read.limit = order, sum(int(count.name) for count in counts)


def _order(
    select: exp.Select, dialect: Dialect, scope: Scope, labels: set[str]
) -> exp.Order | None:
    order = select.args.get("order")
    if order is None:
        return None
    for key in order.expressions:
        named = {column.name.casefold() for column in key.find_all(exp.Column) if not column.table}
        if named & labels or isinstance(key.this, exp.Literal) or key.find(exp.Query):
            raise Unlike
    return exp.Order(expressions=[dialect.key(key, scope) for key in order.expressions])


def _regroups(item: exp.Expr) -> bool:
    return item.find(exp.AggFunc, exp.Window, exp.UDTF, exp.Unnest) is not None
