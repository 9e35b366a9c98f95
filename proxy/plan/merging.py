"""Views over models, planned as if they were written out: the SELECT of a view becomes part of the
one that reads it, so that conditions, ORDER BY and LIMIT there reach its tables and models.

A view whose rows are not simply those of its FROM (groups, LIMIT, UNION) stays a derived table.
"""

from sqlglot import exp

from catalog.errors import CatalogError
from proxy.errors import ProxyError
from proxy.plan.calls.call import makes_calls, parts_of
from proxy.plan.context import Context
from proxy.plan.ordering import regroups
from proxy.plan.resolve import resolve
from proxy.plan.scope import (
    MERGED,
    Expr,
    Source,
    conjunction,
    items_of,
    join_by_names,
    reads_model,
    sources_of,
)
from proxy.plan.splicing import splice
from proxy.plan.views import shown, view_of

_OWN_ROWS = ("limit", "offset", "with_", "laterals", "pivots")
_ITEMS = (exp.Table, exp.Subquery, exp.Values)


def mark_merged(tree: Expr) -> None:
    """Decide which views of a bound statement merge_views is to merge, inner ones first."""
    for derived in reversed(list(tree.find_all(exp.Subquery))):
        if view_of(derived) is not None and _can_merge(derived):
            derived.meta[MERGED] = True


def keep_apart(tree: Expr) -> None:
    """Decide that none is to be merged."""
    for derived in tree.find_all(exp.Subquery):
        derived.meta.pop(MERGED, None)


def is_merged(node: Expr | None) -> bool:
    """Whether it is a view that merge_views is to merge."""
    return node is not None and bool(node.meta.get(MERGED))


async def merge_views(select: exp.Select, context: Context) -> None:
    """Merge the marked views in the FROM of a SELECT, and those in theirs, in place; the subqueries
    in it are planned already. Raises what resolving names does."""
    while (derived := next(filter(is_merged, items_of(select)), None)) is not None:
        assert isinstance(derived, exp.Subquery)
        inner = derived.this
        await merge_views(inner, context)
        await _resolve(inner, context)
        await _resolve(select, context)
        await _name_in_subqueries(select, derived, context)
        splice(select, derived)


def _can_merge(derived: exp.Subquery) -> bool:
    place, inner = derived.parent, derived.this
    select = place.parent if isinstance(place, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or not isinstance(inner, exp.Select):
        return False
    if not (reads_model(inner) or makes_calls(inner)) or derived.args.get("joins"):
        return False
    return _is_plain(inner) and _takes(select, derived)


def _is_plain(inner: exp.Select) -> bool:
    """Whether the rows of a SELECT are those of its FROM and WHERE, each for itself."""
    if regroups(inner) or any(inner.args.get(name) for name in _OWN_ROWS):
        return False
    stars = any(item.is_star for item in inner.expressions)
    return inner.args.get("from_") is not None and not stars and _is_left_deep(inner)


def _is_left_deep(select: exp.Select) -> bool:
    """Whether FROM is a chain of inner and left joins of items with names."""
    sides = {str(join.args.get("side") or "").upper() for join in select.args.get("joins") or ()}
    known = all(isinstance(i, _ITEMS) and i.alias_or_name for i in items_of(select))
    return sides <= {"", "LEFT"} and known


def _takes(select: exp.Select, derived: exp.Subquery) -> bool:
    """Whether the view means the same as a part of the SELECT."""
    if _constants(derived) & _keys(select):
        return False  # a number there would be a position
    if isinstance(derived.parent, exp.Join) and derived.parent.args.get("side"):
        return _is_bare(derived.this)
    return _is_left_deep(select) and not select.args.get("laterals")


def _is_bare(inner: exp.Select) -> bool:
    """Whether a SELECT is columns of one item and no more: a join may make NULLs of them."""
    values = [item.unalias() for item in inner.expressions]
    if inner.args.get("where") or not all(isinstance(value, exp.Column) for value in values):
        return False
    first, *others = items_of(inner)
    return not others and (not is_merged(first) or _is_bare(first.this))


def _constants(derived: exp.Subquery) -> set[str]:
    """The view's columns, in lower case, that are the same in all rows."""
    merged = [item for item in items_of(derived.this) if isinstance(item, exp.Subquery)]
    below = {name for item in merged if is_merged(item) for name in _constants(item)}
    values = (item.unalias() for item in derived.this.expressions)
    named = zip(shown(derived), values, strict=True)
    return {
        name.casefold()
        for name, value in named
        if all(column.name.casefold() in below for column in value.find_all(exp.Column))
        and value.find(exp.Anonymous) is None
    }


def _keys(select: exp.Select) -> set[str]:
    """What a SELECT groups and sorts by: the names of columns, in lower case."""
    clauses = [select.args[name] for name in ("group", "order") if select.args.get(name)]
    return {c.name.casefold() for clause in clauses for c in clause.find_all(exp.Column)}


async def _resolve(select: exp.Select, context: Context) -> list[Source]:
    """Name the sources of all columns, and write USING and NATURAL as the conditions they are."""
    sources = sources_of(select, context.models)
    for source in sources:
        if source.model is None:
            source.columns = await _columns(source, context)
    join_by_names(sources)
    resolve(select, sources)
    for join, source in zip(select.args.get("joins") or (), sources[1:], strict=True):
        if source.using or source.natural:
            join.set("using", None)
            join.set("method", None)
            join.set("on", conjunction(source.on))
    return sources


async def _columns(source: Source, context: Context) -> tuple[str, ...]:
    if is_merged(source.node):
        return shown(source.node)
    return await context.columns(source)


async def _name_in_subqueries(select: exp.Select, derived: exp.Subquery, context: Context) -> None:
    """Let a column of the view's that a subquery reads without the view's name have it."""
    names = {name.casefold() for name in shown(derived)}
    for part in parts_of(select):
        for column in list(part.find_all(exp.Column)):
            bare = not column.table and column.name.casefold() in names
            if bare and await _is_outer(column, select, context):
                column.set("table", exp.to_identifier(derived.alias, quoted=True))


async def _is_outer(column: exp.Column, select: exp.Select, context: Context) -> bool:
    """Whether a column of a subquery is none of the subquery's own; False in no subquery."""
    around = column.find_ancestor(exp.Select)
    if around is select:
        return False
    while around is not None and around is not select:
        if await _has(around, column.name.casefold(), context):
            return False
        around = around.find_ancestor(exp.Select)
    return True


async def _has(select: exp.Select, name: str, context: Context) -> bool:
    """Whether a SELECT has a column or a label of that name; so it is taken if that is unknown."""
    try:
        sources = sources_of(select, context.models)
        for source in sources:
            source.columns = source.columns or await _columns(source, context)
    except (CatalogError, ProxyError):
        return True
    labels = {label.casefold() for label in select.named_selects}
    return name in labels or any(source.shows(name) for source in sources)
