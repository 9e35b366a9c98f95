"""The columns of an answer as the client learns of them: as DuckDB has them, and a bit more."""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from catalog.database import Field
from engines.types import parse_type
from proxy.execute.columns import column_of
from proxy.plan.nodes import Node, Part, Predict, Residual, chain
from proxy.result import Column


def columns_of(plan: Node, fields: Sequence[Field]) -> tuple[Column, ...]:
    """The definitions of the columns of a query's answer; a predicted VARCHAR has its length."""
    columns = tuple(column_of(field) for field in fields)
    lengths = _lengths(plan) if isinstance(plan, Residual) else {}
    if not lengths:
        return columns
    assert isinstance(plan, Residual)
    items = (item.unalias() for item in plan.sql.expressions)
    return tuple(
        replace(column, length=lengths[item.name])
        if isinstance(item, exp.Column) and item.name in lengths
        else column
        for item, column in zip(items, columns, strict=True)
    )


def _lengths(root: Residual) -> dict[str, int]:
    """The most characters of what Predicts below `root` make, where there is a most."""
    made = [
        (output.name, parse_type(node.model.targets[output.target].type).length)
        for node in chain(root)
        if isinstance(node, Predict)
        for output in node.outputs
        if output.part is Part.VALUE and output.type == "TEXT"
    ]
    return {name: length for name, length in made if length is not None}
