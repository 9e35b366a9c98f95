"""A view's SELECT put into the one that reads it: its items, what its columns are made of, its
conditions and its order. Both SELECTs are resolved; whether this may be done, merging.py says.
"""

from sqlglot import exp

from proxy.plan.calls.call import has_call, parts_of
from proxy.plan.ordering import regroups
from proxy.plan.scope import (
    Expr,
    aliases_around,
    aliases_in,
    aliases_of,
    columns_in,
    conjunction,
    conjuncts,
    items_of,
    set_where,
    where_of,
)
from proxy.plan.views import shown
from proxy.plan.wiring import wrapped


def splice(select: exp.Select, derived: exp.Subquery) -> None:
    """Make the SELECT of a view part of the one that reads it, in place."""
    _rename(select, derived)
    _put_in(select, derived)
    _join(select, derived)
    alone = len(select.args.get("joins") or ()) == len(derived.this.args.get("joins") or ())
    if alone and not regroups(select) and not select.args.get("order"):
        select.set("order", _order_of(derived.this))


def _rename(select: exp.Select, derived: exp.Subquery) -> None:
    """Give the view's items names that no other item has, nor one of a subquery; its only item has
    the view's own."""
    inner: exp.Select = derived.this
    items = items_of(inner)
    inside = _aliases(inner)
    others = aliases_of(select) - {derived.alias.casefold()}
    taken = inside | _aliases(select) | others | aliases_around(select)
    if len(items) == 1:
        taken -= {derived.alias.casefold()} - inside
    for item in items:
        old = item.alias_or_name
        wanted = derived.alias if len(items) == 1 else old
        new = _free(wanted, derived.alias, taken | (aliases_of(inner) - {old.casefold()}))
        if new != old:
            _alias(item, new)
            columns = [c for part in parts_of(inner) for c in columns_in(part) if c.table == old]
            for column in columns:
                column.set("table", exp.to_identifier(new, quoted=True))


def _aliases(select: exp.Select) -> set[str]:
    """The names of all items in the subqueries of a SELECT, in lower case."""
    items = (i for p in parts_of(select) for i in p.find_all(exp.Table, exp.Subquery, exp.CTE))
    return {item.alias_or_name.casefold() for item in items}


def _free(wanted: str, view: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{view}_{wanted}" if number == 2 else f"{view}_{wanted}_{number}"
    return name


def _alias(item: Expr, name: str) -> None:
    alias = item.args.get("alias") or exp.TableAlias()
    alias.set("this", exp.to_identifier(name, quoted=True))
    item.set("alias", alias)


def _put_in(select: exp.Select, derived: exp.Subquery) -> None:
    """Put what the view's columns are made of in their places."""
    values = [item.unalias() for item in derived.this.expressions]
    made = dict(zip(shown(derived), values, strict=True))
    for part in parts_of(select):
        for column in list(columns_in(part)):
            if column.table == derived.alias and column.name in made:
                value = made[column.name]
                whole = isinstance(column.parent, exp.Alias | exp.Ordered)
                column.replace(value.copy() if whole else wrapped(value))


def _join(select: exp.Select, derived: exp.Subquery) -> None:
    """Put the view's FROM and WHERE in its place."""
    inner: exp.Select = derived.this
    joins, own = list(select.args.get("joins") or ()), list(inner.args.get("joins") or ())
    set_where(select, [*where_of(inner), *where_of(select)])
    first = inner.args["from_"].this
    if isinstance(derived.parent, exp.Join):
        join = derived.parent
        at = joins.index(join) + 1
        join.set("this", first)
        _spread(select, [join, *own])
    else:
        at = 0
        select.set("from_", exp.From(this=first))
    select.set("joins", [*joins[:at], *own, *joins[at:]])


def _spread(select: exp.Select, joins: list[exp.Join]) -> None:
    """Put each condition under which the view was joined to the first of its items that knows all
    that it reads; where this is one of a left join, it is a condition on all rows."""
    if len(joins) == 1:
        return
    conditions = conjuncts(joins[0].args.get("on"))
    joins[0].set("on", None)
    for condition in conditions:
        read = {alias.casefold() for alias in aliases_in(condition)}
        places = [n for n, join in enumerate(joins) if join.this.alias_or_name.casefold() in read]
        join = joins[max(places, default=0)]
        if join.args.get("side"):
            set_where(select, [*where_of(select), condition])
        else:
            join.set("on", conjunction([*conjuncts(join.args.get("on")), condition]))


def _order_of(inner: exp.Select) -> exp.Order | None:
    """The view's ORDER BY over its FROM; a key that is the same for all rows is left out."""
    order = inner.args.get("order")
    if order is None:
        return None
    items = inner.expressions
    labels = {item.alias.casefold(): item for item in items}
    keys = [key.copy() for key in order.expressions]
    for key in keys:
        for column in list(key.find_all(exp.Column)):
            if not column.table and column.name.casefold() in labels:
                column.replace(exp.Paren(this=labels[column.name.casefold()].unalias().copy()))
        place = key.this if isinstance(key, exp.Ordered) else key
        if isinstance(place, exp.Literal) and place.is_int and 0 < int(place.name) <= len(items):
            place.replace(items[int(place.name) - 1].unalias().copy())
    kept = [key for key in keys if key.find(exp.Column) is not None or has_call(key)]
    return exp.Order(expressions=kept) if kept else None
