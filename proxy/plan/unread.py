"""Columns of a view over models that nobody reads: they are NULL in a view that stays a derived
table, so that no model is asked for them.

Rows stay as they are: what tells them apart, or sorts them, is kept.
"""

from collections.abc import Iterator

from sqlglot import exp

from proxy.plan.ordering import regroups
from proxy.plan.scope import MERGED, Expr, reads_model
from proxy.plan.views import asks, shown, view_of

_CLAUSES = ("group", "having", "qualify", "order")


def leave_out_unread(tree: Expr) -> None:
    """Make the unread columns NULL in the views of a bound statement that are not merged, the outer
    views first, so that what these do not read is unread in views of views."""
    for derived in list(tree.find_all(exp.Subquery)):
        place = derived.parent
        select = place.parent if isinstance(place, exp.From | exp.Join) else None
        if view_of(derived) is None or derived.meta.get(MERGED) or not asks(derived):
            continue
        if isinstance(select, exp.Select) and not _reads_all(select, derived):
            _leave_out(derived, _read(select, derived))


def _leave_out(derived: exp.Subquery, read: set[str]) -> None:
    branches = _branches(derived.this)
    names = [name.casefold() for name in shown(derived)]
    if any(not _may_change(branch, len(names)) for branch in branches):
        return
    ordered = derived.this.args.get("order")
    kept = {at for branch in branches for at in _sorted_out(branch)}
    kept |= _named_in(ordered, branches[0]) if branches and ordered is not None else set()
    unread = [at for at, name in enumerate(names) if name not in read and at not in kept]
    for branch in branches:
        for at in unread:
            name = branch.expressions[at].alias_or_name
            branch.expressions[at].replace(exp.alias_(exp.null(), name, quoted=True))


def _reads_all(select: exp.Select, derived: exp.Subquery) -> bool:
    """Whether a star, a join by all common names, or a model that looks for its inputs may read any
    column."""
    natural = any(join.args.get("method") for join in select.args.get("joins") or ())
    owners = ("", derived.alias.casefold())
    stars = (item for item in select.expressions if item.is_star)
    starred = any(getattr(star, "table", "").casefold() in owners for star in stars)
    return natural or starred or reads_model(select)


def _read(select: exp.Select, derived: exp.Subquery) -> set[str]:
    """The names, in lower case, of all columns that the SELECT mentions, whosever they are."""
    nodes = select.walk(prune=lambda node: node is derived)
    names = {node.name.casefold() for node in nodes if isinstance(node, exp.Column)}
    joins = select.args.get("joins") or ()
    return names | {name.name.casefold() for join in joins for name in join.args.get("using") or ()}


def _branches(query: Expr) -> list[exp.Select]:
    """The SELECTs whose rows are all those of a query; none where others decide which are."""
    if isinstance(query, exp.Select):
        return [query]
    if not isinstance(query, exp.Union) or query.args.get("distinct"):
        return []
    sides = _side(query.this), _side(query.expression)
    return [*sides[0], *sides[1]] if all(sides) else []


def _side(query: Expr) -> list[exp.Select]:
    """The SELECTs of a side of a UNION, none where a LIMIT picks among the rows of several."""
    while isinstance(query, exp.Subquery) and not query.args.get("limit"):
        query = query.this
    picks = not isinstance(query, exp.Select) and query.args.get("limit")
    return [] if picks else _branches(query)


def _may_change(branch: exp.Select, width: int) -> bool:
    """Whether a SELECT of so many columns has the same rows whatever its columns are."""
    one_row = regroups(branch) and branch.args.get("group") is None
    stars = any(item.is_star for item in branch.expressions)
    same_width = len(branch.expressions) == width
    return same_width and not (one_row or stars or branch.args.get("distinct"))


def _sorted_out(branch: exp.Select) -> Iterator[int]:
    """The positions of the items that the SELECT's own clauses mention."""
    for name in _CLAUSES:
        clause = branch.args.get(name)
        if clause is not None:
            yield from _named_in(clause, branch)


def _named_in(clause: Expr, branch: exp.Select) -> set[int]:
    numbers = {int(n.name) - 1 for n in clause.find_all(exp.Literal) if n.is_int}
    names = {column.name.casefold() for column in clause.find_all(exp.Column)}
    items = enumerate(branch.expressions)
    return numbers | {at for at, item in items if item.alias_or_name.casefold() in names}
