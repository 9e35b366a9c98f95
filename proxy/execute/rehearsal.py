"""A plan tried over empty relations before a model is asked: what DuckDB refuses costs no call."""

from collections.abc import Container

from sqlglot import exp

from catalog.sources.kind import quoted
from proxy.execute.constant import constant_row
from proxy.plan.nodes import Node, Passthrough, Predict, Remote, Residual, Scan, Write, children
from proxy.sql.mysql_to_duckdb import to_duckdb

_Statement = tuple[str, tuple[()]]
_PLAIN = (
    *(exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier),
    *(exp.Literal, exp.Null, exp.Cast, exp.DataType, exp.DataTypeParam),
)


def rehearsal(plan: Node, kept: Container[str] = frozenset()) -> tuple[list[str], list[_Statement]]:
    """The names of the empty relations that stand in for a plan's own until these replace them, and
    the statements that make them and bind the root; they read nothing. Relations that are `kept`
    are there already.

    A plan over constants alone whose root is their bare columns is not rehearsed: there is nothing
    to refuse, and it is worth the time.
    """
    relations = _relations(plan)
    reads = any(isinstance(node, Residual) or _reads(node) for node in relations)
    if not reads and all(isinstance(part, _PLAIN) for part in _tree(plan).walk()):
        return [], []
    names, statements = stand_ins(plan, kept)
    return names, [*statements, (f"EXPLAIN {_root(plan)}", ())]


def stand_ins(plan: Node, kept: Container[str] = frozenset()) -> tuple[list[str], list[_Statement]]:
    """The names of a plan's empty relations, and the statements that make them."""
    relations = [node for node in _relations(plan) if node.name not in kept]
    return [node.name for node in relations], [(_empty(node), ()) for node in relations]


def _relations(plan: Node) -> list[Remote | Scan | Predict | Residual]:
    return [node for node in below(plan) if isinstance(node, Remote | Scan | Predict | Residual)]


def _reads(node: Remote | Scan | Predict) -> bool:
    return isinstance(node, Remote) or (isinstance(node, Scan) and constant_row(node.sql) is None)


def below(node: Node) -> list[Node]:
    """All nodes under `node`, each after those that it reads."""
    return [n for child in children(node) for n in (*below(child), child)]


def _empty(node: Remote | Scan | Predict | Residual) -> str:
    head = f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT'
    if isinstance(node, Remote):
        items = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in node.columns)
        return f"{head} {items} LIMIT 0"
    if isinstance(node, Predict):
        assert isinstance(node.child, Scan | Predict | Residual)
        made = "".join(f', CAST(NULL AS {o.type}) AS "{o.name}"' for o in node.outputs)
        return f'{head} *{made} FROM "{node.child.name}"'
    return f"{head} * FROM ({to_duckdb(node.sql.copy())}) LIMIT 0"


def _root(plan: Node) -> str:
    return to_duckdb(_tree(plan).copy())


def _tree(plan: Node) -> exp.Expr:
    assert isinstance(plan, Passthrough | Residual | Write)
    return plan.tree if isinstance(plan, Write) else plan.sql
