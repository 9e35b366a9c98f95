"""A plan tried over empty relations before a model is asked: what DuckDB refuses costs no call."""

from proxy.execute.constant import constant_row
from proxy.plan.nodes import Node, Passthrough, Predict, Residual, Scan, Write, children
from proxy.sql.mysql_to_duckdb import to_duckdb

_Statement = tuple[str, tuple[()]]


def rehearsal(plan: Node) -> tuple[list[str], list[_Statement]]:
    """The names of the empty relations that stand in for a plan's own until these replace them, and
    the statements that make them and bind the root; they read nothing.

    A plan of one prompt that is a constant is not rehearsed: one call is not worth the time.
    """
    nodes = below(plan)
    relations = [node for node in nodes if isinstance(node, Scan | Predict | Residual)]
    if not any(isinstance(node, Residual) or _reads(node) for node in relations):
        return [], []
    statements = [*map(_empty, relations), f"EXPLAIN {_root(plan)}"]
    return [node.name for node in relations], [(statement, ()) for statement in statements]


def _reads(node: Scan | Predict) -> bool:
    return isinstance(node, Scan) and constant_row(node.sql) is None


def below(node: Node) -> list[Node]:
    """All nodes under `node`, each after those that it reads."""
    return [n for child in children(node) for n in (*below(child), child)]


def _empty(node: Scan | Predict | Residual) -> str:
    head = f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT'
    if isinstance(node, Predict):
        assert isinstance(node.child, Scan | Predict | Residual)
        made = "".join(f', CAST(NULL AS {o.part.type}) AS "{o.name}"' for o in node.outputs)
        return f'{head} *{made} FROM "{node.child.name}"'
    return f"{head} * FROM ({to_duckdb(node.sql.copy())}) LIMIT 0"


def _root(plan: Node) -> str:
    assert isinstance(plan, Passthrough | Residual | Write)
    tree = plan.tree if isinstance(plan, Write) else plan.sql
    return to_duckdb(tree.copy())
