"""Calls in statements that change rows: each statement is rewritten over a SELECT that makes them.

INSERT reads its VALUES from one, UPDATE and DELETE the numbers of their rows and what is new in
them.
"""

from collections.abc import Awaitable, Callable

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.plan.calls.call import calls_in, has_call, is_call
from proxy.plan.context import Describe
from proxy.plan.scope import Expr

_ROW, _NEW, _VALUES = "__row", "__new", "__values"
_ROWID = "rowid"
_PARTS = ("this", "db", "catalog")


async def ask_for_change(tree: Expr, describe: Describe) -> None:
    """Rewrite a statement that changes rows and calls models, in place.

    Raises Unsupported where no SELECT can make the calls."""
    change = _CHANGES.get(type(tree))
    if change is not None and has_call(tree):
        await change(tree, describe)


def ask_values(tree: Expr) -> None:
    """Put a SELECT in the place of each call in a VALUES, in place."""
    for values in list(tree.find_all(exp.Values)):
        for call in list(_direct_calls(values)):
            call.replace(exp.Subquery(this=exp.select(call.copy())))


async def _insert(tree: exp.Insert, _: Describe) -> None:
    values = tree.expression
    if isinstance(values, exp.Values):
        select = _one_select(values)
        if select is not None:
            tree.set("expression", select)
    ask_values(tree)


async def _update(tree: exp.Update, describe: Describe) -> None:
    """UPDATE … FROM a SELECT of the rows' numbers and new values."""
    table = tree.this
    _refuse_joins(tree, table.args.get("joins"))
    assigned = [e for e in tree.expressions if has_call(e)]
    values = [
        exp.alias_(assignment.expression, f"{_NEW}{n}", quoted=True, copy=False)
        for n, assignment in enumerate(assigned)
    ]
    rows = await _rows(tree, table, values, describe)
    for n, assignment in enumerate(assigned):
        assignment.set("expression", _column(f"{_NEW}{n}", _NEW))
    tree.set("from_", exp.From(this=exp.Subquery(this=rows, alias=_alias(_NEW))))
    same = exp.EQ(
        this=exp.column(_ROWID, table=_identifier(table.alias_or_name)),
        expression=_column(_ROW, _NEW),
    )
    tree.set("where", exp.Where(this=same))


async def _delete(tree: exp.Delete, describe: Describe) -> None:
    """DELETE of the rows whose numbers a SELECT finds."""
    table = tree.this
    _refuse_joins(tree, tree.args.get("tables") or tree.args.get("using"))
    rows = await _rows(tree, table, [], describe)
    number = exp.column(_ROWID, table=_identifier(table.alias_or_name))
    tree.set("where", exp.Where(this=exp.In(this=number, query=exp.Subquery(this=rows))))


async def _rows(tree: Expr, table: exp.Table, values: list[Expr], describe: Describe) -> exp.Select:
    """The SELECT over the rows that the statement changes; it takes WHERE, ORDER BY and LIMIT from
    it. DuckDB numbers the rows of a table in a column that a star does not show."""
    bare = exp.Table(**{part: table.args[part].copy() for part in _PARTS if table.args.get(part)})
    columns = await describe(exp.select("*").from_(bare))
    if any(column.casefold() == _ROWID for column in columns):
        raise Unsupported(
            f"{tree.key.upper()} with a model of a table with a column '{_ROWID}' is not supported"
        )
    numbered = exp.select("*", exp.alias_(exp.column(_ROWID), _ROW, quoted=True)).from_(bare)
    source = exp.Subquery(this=numbered, alias=_alias(table.alias_or_name))
    rows = exp.select(_column(_ROW, table.alias_or_name), *values, copy=False).from_(source)
    for clause in ("where", "order", "limit"):
        rows.set(clause, tree.args.get(clause))
        tree.set(clause, None)
    return rows


def _refuse_joins(tree: Expr, others: object) -> None:
    if others:
        raise Unsupported(f"{tree.key.upper()} of several tables at once is not supported")


def _one_select(values: exp.Values) -> exp.Select | None:
    """VALUES of many rows that call the same models in the same places as one SELECT over their
    constants, so that all rows are asked at once; None for any other."""
    rows = [row for row in values.expressions if isinstance(row, exp.Tuple)]
    if len(rows) < 2 or len(rows) < len(values.expressions) or values.find(exp.Select):
        return None
    shapes = [_Shape(row) for row in rows]
    if not shapes[0].calls or any(shape.text != shapes[0].text for shape in shapes):
        return None
    if any(isinstance(constant, exp.Var) for shape in shapes for constant in shape.constants):
        return None  # DEFAULT
    constants = [exp.Tuple(expressions=shape.constants) for shape in shapes]
    names = [_identifier(f"v{n}") for n in range(len(shapes[0].constants))]
    alias = exp.TableAlias(this=_identifier(_VALUES), columns=names)
    items = [
        exp.alias_(item, f"c{n}", quoted=True, copy=False) for n, item in enumerate(shapes[0].items)
    ]
    return exp.select(*items, copy=False).from_(exp.Values(expressions=constants, alias=alias))


class _Shape:
    """A row of VALUES: `items` with a column in the place of each constant, and the constants."""

    def __init__(self, row: exp.Tuple) -> None:
        self.constants: list[Expr] = []
        self.items = [self._shaped(item.copy()) for item in row.expressions]
        self.calls = any(map(has_call, self.items))
        self.text = " ".join(item.sql() for item in self.items)

    def _shaped(self, item: Expr) -> Expr:
        if not has_call(item):
            self.constants.append(item)
            return _column(f"v{len(self.constants) - 1}", _VALUES)
        if is_call(item):
            item.set("expressions", [self._shaped(argument) for argument in item.expressions])
            return item
        for call in list(calls_in(item)):
            call.replace(self._shaped(call.copy()))
        return item


def _direct_calls(values: exp.Values) -> list[Expr]:
    """The calls in a VALUES that stand in no SELECT inside it."""
    return [
        call for call in calls_in(values) if call.find_ancestor(exp.Select, exp.Values) is values
    ]


def _column(name: str, table: str) -> exp.Column:
    return exp.column(_identifier(name), table=_identifier(table))


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=_identifier(name))


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


_CHANGES: dict[type[Expr], Callable[..., Awaitable[None]]] = {
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
}
