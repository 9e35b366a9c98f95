"""ORDER BY and LIMIT below the model: fewer rows, fewer calls, where that changes no answer.

Rows keep their order through Predicts and row-local Residuals, so a sort below is a sort above.
"""

from sqlglot import exp

from proxy.plan.scope import Expr, aliases_in


def push_order_and_limit(
    select: exp.Select, scan: exp.Select, models: set[str], kept: list[Expr]
) -> None:
    """Move ORDER BY from `select` to `scan` if nothing above groups or sorts by a prediction, and
    LIMIT and OFFSET with it if nothing filters by one: `kept` are the conditions above. Both
    SELECTs are changed in place."""
    if regroups(select):
        return
    order = select.args.get("order")
    keys = [_plain_key(select, key, models) for key in order.expressions] if order else []
    if any(key is None for key in keys):
        return
    if order is not None:
        scan.set("order", exp.Order(expressions=keys))
        if not any(item.find(exp.Query) for item in [*select.expressions, *kept]):
            select.set("order", None)  # DuckDB joins subqueries in, and loses the order
    if kept:
        return
    for clause in ("limit", "offset"):
        if select.args.get(clause) is not None:
            scan.set(clause, select.args[clause].copy())
            select.set(clause, None)


def regroups(select: exp.Select) -> bool:
    """Whether rows of a SELECT are made of several, or know of each other."""
    if any(select.args.get(a) for a in ("group", "having", "distinct", "qualify", "windows")):
        return True
    return any(_own(e, exp.AggFunc, exp.Window) for e in select.expressions)


def _own(expression: Expr, *kinds: type[Expr]) -> bool:
    """Whether such a node stands in the expression outside of its subqueries."""
    return any(
        isinstance(node, kinds)
        for node in expression.walk(prune=lambda n: isinstance(n, exp.Query))
    )


def _plain_key(select: exp.Select, key: Expr, models: set[str]) -> Expr | None:
    """The sort key over the scan's sources, with labels and positions resolved; None if a
    prediction is in it, or a literal behind a label, which would be a position."""
    value = _meant(select, key.this if isinstance(key, exp.Ordered) else key)
    if value is None or isinstance(value, exp.Literal) or aliases_in(value) & models:
        return None
    key = key.copy()
    if isinstance(key, exp.Ordered):
        key.set("this", value)
        return key
    return value


def _meant(select: exp.Select, value: Expr) -> Expr | None:
    items = select.expressions
    if isinstance(value, exp.Literal) and value.is_int:
        position = int(value.name)
        return items[position - 1].unalias().copy() if 0 < position <= len(items) else None
    if isinstance(value, exp.Column) and not value.table:
        named = [i for i in items if i.alias.casefold() == value.name.casefold()]
        return named[0].unalias().copy() if named else None
    # a label deep inside an expression: leave the whole clause above
    return None if "" in aliases_in(value) else value.copy()
