"""A Scan that reads nothing, one row of literals: it needs no temporary table.

`SELECT … FROM model WHERE input = 'x'` is such a one; that keeps a single prediction fast.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlglot import exp

from proxy.plan.nodes import Output
from proxy.result import Cell

Tree = TypeVar("Tree", bound=exp.Expr)

Row = dict[str, exp.Expr]
"""The columns of a one-row relation, each a literal."""


def constant_row(query: exp.Query) -> Row | None:
    """The row that a SELECT of literals makes; None for any other query."""
    if not isinstance(query, exp.Select):
        return None
    if any(value for name, value in query.args.items() if name != "expressions"):
        return None
    row = {item.alias: item.unalias() for item in query.expressions}
    return row if all(_is_literal(value) for value in row.values()) else None


def text_of(value: exp.Expr) -> str | None:
    """The literal as text."""
    if isinstance(value, exp.Cast):
        return text_of(value.this)
    return None if isinstance(value, exp.Null) else value.name


def literals(outputs: Sequence[Output], values: Mapping[str, Cell]) -> Row:
    """The columns that a prediction adds to a row."""
    return {
        output.name: exp.cast(
            exp.convert(values[output.name]),
            exp.DataType.build(output.type, dialect="duckdb"),
            copy=False,
        )
        for output in outputs
    }


def inline(query: Tree, rows: Mapping[str, Row]) -> Tree:
    """The query with these relations written out in it, where it names them."""
    if not rows:
        return query
    query = query.copy()
    for table in list(query.find_all(exp.Table)):
        row = rows.get(table.name)
        if row is not None and not table.db:
            items = [exp.alias_(value, name, quoted=True) for name, value in row.items()]
            alias = exp.to_identifier(table.alias_or_name, quoted=True)
            table.replace(
                exp.Subquery(this=exp.select(*items, copy=False), alias=exp.TableAlias(this=alias))
            )
    return query


def _is_literal(value: exp.Expr) -> bool:
    if isinstance(value, exp.Cast):
        value = value.this
    if isinstance(value, exp.Literal):
        return bool(value.is_string or value.is_int)
    return isinstance(value, exp.Null)
