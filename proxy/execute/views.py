"""The rows of information_schema.VIEWS, under MySQL's names of their columns."""

from collections.abc import Sequence

from catalog.database import Cursor
from catalog.views import ViewRecord
from proxy.variables import Value

VIEWS = (
    "TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, IS_UPDATABLE, "
    "DEFINER, SECURITY_TYPE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION"
)
_OLD = (
    "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal AND NOT temporary "
    "AND database_name = current_database() ORDER BY 1, 2"
)


async def view_rows(cursor: Cursor, views: Sequence[ViewRecord]) -> list[tuple[Value, ...]]:
    """A row for each view, those that DuckDB keeps since earlier versions too, with its text of
    them. Raises CatalogError."""
    own = [_row(v.project, v.name, v.query, f"{v.definer}@%") for v in views]
    old = [_row(project, name, text, "") for project, name, text in await cursor.execute(_OLD)]
    return [*own, *old]


def _row(project: str, name: str, text: str, definer: str) -> tuple[Value, ...]:
    stated = ("NONE", "NO", definer, "DEFINER", "utf8mb4", "utf8mb4_0900_ai_ci")
    return ("def", project, name, text, *stated)
