"""A plan tried over empty relations before a model is asked: what DuckDB refuses costs no call."""

from catalog.database import Cursor
from proxy.execute.constant import constant_row
from proxy.plan.nodes import Node, Passthrough, Predict, Residual, Scan, Write, children
from proxy.sql.mysql_to_duckdb import to_duckdb

_Statement = tuple[str, tuple[()]]


async def rehearse(plan: Node, cursor: Cursor) -> list[str]:
    """Bind every statement of a plan that asks a model; nothing is read. The names of the empty
    relations that this leaves behind for the real ones to replace. Raises CatalogError.

    A plan whose prompts are constants is not rehearsed: one call is not worth the time.
    """
    nodes = below(plan)
    if not any(isinstance(node, Scan) and not constant_row(node.sql) for node in nodes):
        return []
    made: list[str] = []
    statements: list[_Statement] = []
    for node in nodes:
        if not isinstance(node, Scan | Predict | Residual):
            continue
        statements.append((_empty(node), ()))
        made.append(node.name)
    statements.append((f"EXPLAIN {_root(plan)}", ()))
    await cursor.script(statements)
    return made


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
