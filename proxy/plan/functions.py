"""Table functions: none is served, wherever one may stand; tables and subqueries are.

Which other functions there are, proxy/sql/functions.py says.
"""

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.plan.scope import Expr


def refuse_table_function(node: Expr) -> None:
    """Raises Unsupported for a LATERAL that calls a function."""
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        raise Unsupported(f"Table function {node.this.name or node.sql()} is not supported")
