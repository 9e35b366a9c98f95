"""Conditions on a view over models, moved into the view: fewer rows there, fewer calls.

A condition goes where it means the same: to a SELECT whose rows are those of its FROM, or, if it is
about nothing but what that SELECT groups by, or makes distinct, below its groups.
"""

from sqlglot import exp

from proxy.plan.ordering import regroups
from proxy.plan.scope import Expr, items_of, set_where, where_of
from proxy.plan.views import asks, shown, view_of
from proxy.plan.wiring import wrapped

_OPEN = (exp.Query, exp.Anonymous, exp.Rand, exp.Uuid)
"""What may be another value where it is asked again, or reads more than the view."""

_NEVER = ("limit", "offset", "qualify", "windows", "laterals", "pivots")
_SETS = ("rollup", "cube", "grouping_sets", "totals", "all")


def push_conditions(tree: Expr) -> None:
    """Move conditions of a bound statement into the views over models that they are about, the
    outer ones first, so that they go on into views of views."""
    for derived in list(tree.find_all(exp.Subquery)):
        place, inner = derived.parent, derived.this
        select = place.parent if isinstance(place, exp.From | exp.Join) else None
        if view_of(derived) is None or not isinstance(select, exp.Select):
            continue
        if isinstance(inner, exp.Select) and asks(derived) and _keeps_rows(select, derived):
            _push(select, derived, inner)


def _keeps_rows(select: exp.Select, derived: exp.Subquery) -> bool:
    """Whether a row of the view that fails a condition of WHERE makes no row of the SELECT."""
    joins = select.args.get("joins") or ()
    sides = {str(join.args.get("side") or "").upper() for join in joins}
    own = str(getattr(derived.parent, "side", "") or "").upper()
    return not own and sides <= {"", "LEFT"}


def _push(select: exp.Select, derived: exp.Subquery, inner: exp.Select) -> None:
    values, conditions = _values(derived, inner), where_of(select)
    moved = [c for c in conditions if _is_about(c, select, derived, values)]
    if moved:
        set_where(select, [condition for condition in conditions if condition not in moved])
        set_where(inner, [*where_of(inner), *(_inside(c, values) for c in moved)])


def _values(derived: exp.Subquery, inner: exp.Select) -> dict[str, Expr]:
    """What those columns of the view are made of, by their names in lower case, that may be looked
    at before the rows of the view are made."""
    if any(inner.args.get(name) for name in _NEVER) or any(i.is_star for i in inner.expressions):
        return {}
    named = list(zip(shown(derived), inner.expressions, strict=True))
    if not regroups(inner):
        return {name.casefold(): item.unalias() for name, item in named}
    return _keys(inner, named)


def _keys(inner: exp.Select, named: list[tuple[str, Expr]]) -> dict[str, Expr]:
    """The columns that are the same in all rows that the SELECT makes one of."""
    group, distinct = inner.args.get("group"), inner.args.get("distinct")
    if inner.find(exp.Window) is not None:
        return {}
    if group is not None:
        listed = not any(group.args.get(name) for name in _SETS)
        keys = group.expressions if listed else []
        items = enumerate(named, 1)
        return {
            name.casefold(): item.unalias()
            for at, (name, item) in items
            if any(_is_key(key, item, at) for key in keys)
        }
    if distinct is None or distinct.args.get("on") or any(i.find(exp.AggFunc) for _, i in named):
        return {}
    return {name.casefold(): item.unalias() for name, item in named}


def _is_key(key: Expr, item: Expr, position: int) -> bool:
    """Whether an item is what GROUP BY names: by its text, its label or its position."""
    if isinstance(key, exp.Literal):
        return bool(key.is_int) and int(key.name) == position
    label = key.name.casefold() if isinstance(key, exp.Column) and not key.table else None
    return key.sql() == item.unalias().sql() or label == item.alias_or_name.casefold()


def _is_about(
    condition: Expr, select: exp.Select, derived: exp.Subquery, values: dict[str, Expr]
) -> bool:
    columns = list(condition.find_all(exp.Column))
    alone = len(items_of(select)) == 1
    own = derived.alias.casefold()
    named = all(c.table.casefold() == own or (alone and not c.table) for c in columns)
    known = all(c.name.casefold() in values for c in columns)
    return bool(columns) and named and known and condition.find(*_OPEN) is None


def _inside(condition: Expr, values: dict[str, Expr]) -> Expr:
    holder = exp.Paren(this=condition.copy())
    for column in list(holder.find_all(exp.Column)):
        column.replace(wrapped(values[column.name.casefold()]))
    inner: Expr = holder.this
    return inner
