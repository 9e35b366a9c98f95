"""Calls above the groups of a SELECT: `m(GROUP_CONCAT(body))` is asked once for each group.

What is below such calls becomes a SELECT in FROM, and the calls stand above it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.errors import AggregateMisplaced
from proxy.plan.calls.call import is_call
from proxy.plan.scope import Expr, conjunction, conjuncts

_KEPT = ("from_", "joins", "where", "group", "windows")
_GONE = ("joins", "where", "group", "having", "windows")
_PARTS = (exp.Alias, exp.Ordered, exp.Order, exp.Tuple, exp.Distinct, exp.DataType)
"""What is part of an expression and has no value of its own."""


def split_groups(select: exp.Select, name: Callable[[], str]) -> exp.Subquery | None:
    """Move all that is below calls of whole groups, or of window functions' values, into a SELECT
    of its own, which is what `select` reads afterwards under a new `name`. None where no call is
    so.

    The SELECT's columns are resolved. Raises AggregateMisplaced for a call of an aggregate where
    there are only rows.
    """
    _refuse_misplaced(select)
    if not _Upper(select).calls:
        return None
    _write_out_labels(select)
    below = _Below(_Upper(select), name())
    conditions = _having(select, below)
    _regroup(select, below)
    select.set("expressions", [below.lifted(item) for item in select.expressions])
    order = select.args.get("order")
    if order is not None:
        select.set("order", below.lifted(order))
    return _put_below(select, below, conditions)


class _Upper:
    """Which calls of a SELECT are of groups, or of windows, and which of single rows."""

    def __init__(self, select: exp.Select) -> None:
        self._grouped = _is_grouped(select)
        self._keys = {call.sql() for key in _keys(select) for call in _calls(key)}
        self.calls = {
            id(call)
            for part in _above(select)
            for call in _calls(part)
            if self._is_upper(call, part)
        }

    def inside(self, node: Expr) -> bool:
        """Whether such a call is in the tree."""
        return any(id(call) in self.calls for call in _calls(node))

    def _is_upper(self, call: Expr, part: Expr) -> bool:
        if not self._grouped:
            return _own(call, exp.Window)
        node = call
        while node is not part and node.parent is not None:
            node = node.parent
            if isinstance(node, exp.AggFunc):
                return False
        return call.sql() not in self._keys


@dataclass(slots=True)
class _Below:
    """The columns of the SELECT below, by the texts of what they are made of."""

    upper: _Upper
    alias: str
    columns: dict[str, Expr] = field(default_factory=dict)

    def lifted(self, node: Expr) -> Expr:
        """The tree with every part that no upper call is in as a column of the SELECT below; it is
        changed in place."""
        if not self.upper.inside(node) and _has_value(node):
            return self._column(node) if _is_computed(node) else node
        if isinstance(node, exp.Query):
            return node
        for child in list(node.iter_expressions()):
            lifted = self.lifted(child)
            if lifted is not child:
                child.replace(lifted)
        return node

    def number(self, value: Expr) -> int:
        """The position of a column, which is made if it is new."""
        self._column(value)
        return list(self.columns).index(value.sql()) + 1

    def _column(self, value: Expr) -> exp.Column:
        text = value.sql()
        self.columns.setdefault(text, value.copy())
        name = f"g{list(self.columns).index(text)}"
        return exp.column(
            exp.to_identifier(name, quoted=True), table=exp.to_identifier(self.alias, quoted=True)
        )


def _refuse_misplaced(select: exp.Select) -> None:
    joins = [join.args.get("on") for join in select.args.get("joins") or ()]
    rows = [select.args.get("where"), *joins, *_keys(select)]
    for part in rows:
        if part is not None and any(_own(c, exp.AggFunc, exp.Window) for c in _calls(part)):
            raise AggregateMisplaced("Invalid use of group function")


def _having(select: exp.Select, below: _Below) -> list[Expr]:
    """The conditions on groups that calls decide; the others stay, and go below."""
    having = select.args.get("having")
    conditions = conjuncts(having.this) if having is not None else []
    kept = [c for c in conditions if not below.upper.inside(c)]
    select.set("having", exp.Having(this=conjunction(kept)) if kept else None)
    return [below.lifted(c) for c in conditions if below.upper.inside(c)]


def _regroup(select: exp.Select, below: _Below) -> None:
    """The positions in GROUP BY as those of the SELECT below."""
    group = select.args.get("group")
    for key in list(group.expressions) if group is not None else []:
        if isinstance(key, exp.Literal) and key.is_int:
            item = _item(select, key).unalias()
            key.replace(exp.Literal.number(below.number(item)))


def _put_below(select: exp.Select, below: _Below, conditions: list[Expr]) -> exp.Subquery:
    items = [
        exp.alias_(value, f"g{n}", quoted=True) for n, value in enumerate(below.columns.values())
    ]
    inner = exp.select(*items or [exp.alias_(exp.Literal.number(1), "g0", quoted=True)])
    for name in (*_KEPT, "having"):
        inner.set(name, select.args.get(name))
    for name in _GONE:
        select.set(name, None)
    alias = exp.TableAlias(this=exp.to_identifier(below.alias, quoted=True))
    held = exp.Subquery(this=inner, alias=alias)
    select.set("from_", exp.From(this=held))
    if conditions:
        select.where(conjunction(conditions), copy=False)
    return held


def _write_out_labels(select: exp.Select) -> None:
    """Labels in HAVING, and those in ORDER BY that are part of an expression, as what they mean."""
    items = {item.alias.casefold(): item for item in select.expressions}
    parts = [select.args[name] for name in ("having", "order") if select.args.get(name) is not None]
    for part in parts:
        for column in list(part.find_all(exp.Column)):
            item = items.get(column.name.casefold())
            whole = isinstance(column.parent, exp.Ordered | exp.Order)
            if item is not None and not column.table and not whole:
                column.replace(exp.Paren(this=item.unalias().copy()))


def _is_grouped(select: exp.Select) -> bool:
    if select.args.get("group") is not None:
        return True
    return any(_own(part, exp.AggFunc, in_window=False) for part in _above(select))


def _keys(select: exp.Select) -> list[Expr]:
    """What GROUP BY groups by, positions as what they mean."""
    group = select.args.get("group")
    keys = group.expressions if group is not None else []
    return [
        _item(select, key) if isinstance(key, exp.Literal) and key.is_int else key for key in keys
    ]


def _item(select: exp.Select, position: Expr) -> Expr:
    at = int(position.name)
    items: list[Expr] = select.expressions
    return items[at - 1] if 0 < at <= len(items) else position


def _above(select: exp.Select) -> list[Expr]:
    clauses = [select.args.get("having"), select.args.get("order")]
    return [*select.expressions, *(clause for clause in clauses if clause is not None)]


def _calls(tree: Expr) -> list[Expr]:
    """The calls outside of subqueries, those inside others too."""
    return [node for node in tree.walk(prune=_is_query) if is_call(node)]


def _own(tree: Expr, *kinds: type[Expr], in_window: bool = True) -> bool:
    """Whether such a node is in the tree, outside of its subqueries; `in_window` counts those that
    are the function of a window, too."""
    found = (node for node in tree.walk(prune=_is_query) if isinstance(node, kinds))
    return any(in_window or not isinstance(node.parent, exp.Window) for node in found)


def _is_query(node: Expr) -> bool:
    return isinstance(node, exp.Query)


def _has_value(node: Expr) -> bool:
    parent = node.parent
    if isinstance(parent, exp.Case) and node.arg_key == "ifs":
        return False
    if isinstance(node, exp.Query):
        return isinstance(node, exp.Subquery) and not isinstance(parent, exp.Predicate)
    if isinstance(parent, exp.Window) and node is parent.this:
        return False
    return not isinstance(node, _PARTS)


def _is_computed(node: Expr) -> bool:
    """Whether rows decide its value; a label alone is not a row's."""
    if isinstance(node, exp.Column) and not node.table:
        return False
    return node.find(exp.Column, exp.AggFunc, exp.Window) is not None
