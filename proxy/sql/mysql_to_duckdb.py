"""MySQL's SQL as DuckDB's: tree to tree, then text. SQL is never edited as text.

What sqlglot's dialects already translate is left to them; here is the rest.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from proxy.errors import Unsupported

_DROPPED_PROPERTIES = (
    exp.EngineProperty,
    exp.CharacterSetProperty,
    exp.CollateProperty,
    exp.SchemaCommentProperty,
    exp.AutoIncrementProperty,
    exp.RowFormatProperty,
)
_DROPPED_CONSTRAINTS = (
    exp.CommentColumnConstraint,
    exp.CharacterSetColumnConstraint,
    exp.CollateColumnConstraint,
)


def to_duckdb(tree: exp.Expr) -> str:
    """DuckDB's text of a bound MySQL tree. Raises Unsupported for what it cannot say."""
    for node in list(tree.walk()):
        rewrite = _REWRITES.get(type(node))
        if rewrite is not None:
            rewrite(node)
    return tree.sql(dialect="duckdb", comments=False)


def _create(node: exp.Create) -> None:
    """Storage clauses say nothing to DuckDB."""
    properties = node.args.get("properties")
    if properties is not None:
        kept = [p for p in properties.expressions if not isinstance(p, _DROPPED_PROPERTIES)]
        node.set("properties", exp.Properties(expressions=kept) if kept else None)


def _column(node: exp.ColumnDef) -> None:
    constraints = node.args.get("constraints") or []
    kinds = [type(c.args.get("kind")) for c in constraints]
    if exp.AutoIncrementColumnConstraint in kinds:
        raise Unsupported(f"AUTO_INCREMENT (column '{node.name}') is not supported yet")
    node.set(
        "constraints",
        [c for c in constraints if not isinstance(c.args.get("kind"), _DROPPED_CONSTRAINTS)],
    )


def _schema(node: exp.Schema) -> None:
    """A plain KEY is a hint to MySQL's planner; DuckDB needs none."""
    kept = [e for e in node.expressions if not isinstance(e, exp.IndexColumnConstraint)]
    node.set("expressions", kept)


def _select(node: exp.Select) -> None:
    """SQL_NO_CACHE, HIGH_PRIORITY and optimizer hints ask for nothing that DuckDB has."""
    node.set("operation_modifiers", None)
    node.set("hint", None)
    node.set("locks", None)


_REWRITES: dict[type[exp.Expr], Callable[[Any], None]] = {
    exp.Create: _create,
    exp.ColumnDef: _column,
    exp.Schema: _schema,
    exp.Select: _select,
}
