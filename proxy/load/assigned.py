"""What SET says of columns, bound: variables of the file as columns of its rows, all else as in any
statement. What it evaluates to is DuckDB's business.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.load.rows import Assigned
from proxy.load.target import TargetColumn
from proxy.plan.binder import Binder
from proxy.sql.mysql_to_duckdb import to_duckdb

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg)


def bind_assigned(
    assigned: Iterable[tuple[TargetColumn, exp.Expr]],
    variables: Sequence[str],
    binder: Binder,
) -> list[Assigned]:
    """Each column with its expression as DuckDB's SQL; `variables` are the file's, by the names
    that rows have them under. Raises Unsupported for a model, and what the binder raises."""
    pairs = list(assigned)
    if not pairs:
        return []
    items = [_over_rows(value, variables) for _, value in pairs]
    bound = binder.bind(exp.select(*items))
    if bound.models or bound.snapshots:
        raise Unsupported(
            "SET of LOAD DATA reads neither a model nor information_schema: load the rows, then "
            "UPDATE them"
        )
    return [
        Assigned(column, column.default if _is_default(item) else to_duckdb(item))
        for (column, _), item in zip(pairs, bound.tree.expressions, strict=True)
    ]


def variable(name: str) -> str:
    """The name that a variable of the file has among the columns of a row."""
    return f"@{name.lower()}"


def _over_rows(value: exp.Expr, variables: Sequence[str]) -> exp.Expr:
    holder = exp.Paren(this=value.copy())
    for parameter in list(holder.find_all(exp.Parameter)):
        if variable(parameter.name) in variables:
            parameter.replace(_read(parameter))
    inner: exp.Expr = holder.this
    return inner


def _read(node: exp.Parameter) -> exp.Expr:
    """The variable's column: a text, which MySQL reckons with as a number."""
    column: exp.Expr = exp.column(exp.to_identifier(variable(node.name), quoted=True))
    return exp.cast(column, exp.DType.DOUBLE) if isinstance(node.parent, _ARITHMETIC) else column


def _is_default(item: exp.Expr) -> bool:
    return isinstance(item, exp.Column) and item.sql("mysql").upper() == "DEFAULT"
