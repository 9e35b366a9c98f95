"""A plan tried over empty relations before a model is asked: what DuckDB refuses costs no call."""

from proxy.execute.constant import constant_row
from proxy.plan.nodes import Node, Passthrough, Predict, Residual, Scan, Write, children
from proxy.sql.mysql_to_duckdb import to_duckdb

_Statement = tuple[str, tuple[()]]


def rehearsal(plan: Node) -> tuple[list[str], list[_Statement]]:
    """The names of the empty relations that stand in for a plan's own until these replace them, and
    the statements that make them and bind the root; they read nothing.

    A plan whose prompts are constants is not rehearsed: one call is not worth the time.
    """
    nodes = below(plan)
    if not any(isinstance(node, Scan) and not constant_row(node.sql) for node in nodes):
        return [], []
    relations = [node for node in nodes if isinstance(node, Scan | Predict | Residual)]
    statements = [*map(_empty, relations), f"EXPLAIN {_root(plan)}"]
    return [node.name for node in relations], [(statement, ()) for statement in statements]


def below(node: Node) -> list[Node]:
    """All nodes under `node`, each after those that it reads."""
    return [n for child in children(node) for n in (*below(child), child)]


def _empty(node: Scan | Predict | Residual) -> str:
    head = f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT'
    if isinstance(node, Predict):
        assert isinstance(node.child, Scan | Predict | Residual)
        return f'{head} *, CAST(NULL AS TEXT) AS {node.target} FROM "{node.child.name}"'
    return f"{head} * FROM ({to_duckdb(node.sql.copy())}) LIMIT 0"


def _root(plan: Node) -> str:
    assert isinstance(plan, Passthrough | Residual | Write)
    tree = plan.tree if isinstance(plan, Write) else plan.sql
    return to_duckdb(tree.copy())
