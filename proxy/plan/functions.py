"""Functions of DuckDB's that reach past a statement: its settings, files, catalogue and log.

A statement that calls one is refused, as if there were none; what else DuckDB has is served.
"""

import re

from sqlglot import exp

from catalog.errors import FunctionUnknown
from proxy.errors import Unsupported
from proxy.plan.scope import Expr

_REFUSED = re.compile(
    r"(pg|duckdb|pragma|parquet|read|write|sniff|icu|inet|txid|arrow|pandas|enable|disable)_.*"
    r"|getenv|getvariable|load_file|current_setting|set_config|query|query_table|glob|checkpoint"
    r"|current_(catalog|database|schemas|query|query_id|connection_id|transaction_id|role)"
    r"|json_(de)?serialize_.*|json_execute_serialized_sql|parse_duckdb_log_message"
    r"|has_.*_privilege|in_search_path|get_block_size|nextval|currval|sleep_ms|stats|vector_type"
)


def refuse_reach(node: Expr) -> None:
    """Raises FunctionUnknown for a call of a refused function, Unsupported for a table function."""
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        raise Unsupported(f"Table function {node.this.name or node.sql()} is not supported")
    name = _called(node)
    if name is not None and _REFUSED.fullmatch(name):
        raise FunctionUnknown(f"FUNCTION {name} does not exist")


def _called(node: Expr) -> str | None:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary):
        return node.sql_name().lower()
    return None
