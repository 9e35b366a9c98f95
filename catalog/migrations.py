"""The shape of the catalog's tables, as an append-only list of steps.

Step n brings a catalog from shape n-1 to n; a step that was released is never edited.
"""

import duckdb

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE engines (
        name VARCHAR PRIMARY KEY, handler VARCHAR NOT NULL, arguments VARCHAR NOT NULL,
        secrets VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
    CREATE TABLE models (
        project VARCHAR NOT NULL, name VARCHAR NOT NULL, version INTEGER NOT NULL,
        engine VARCHAR NOT NULL, target VARCHAR NOT NULL, labels VARCHAR NOT NULL,
        inputs VARCHAR NOT NULL, options VARCHAR NOT NULL, select_data_query VARCHAR,
        created_at TIMESTAMP NOT NULL, training_seconds DOUBLE NOT NULL,
        PRIMARY KEY (project, name));
    CREATE TABLE users (name VARCHAR PRIMARY KEY, verifiers VARCHAR NOT NULL);
    """,
)


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the catalog to the newest shape, each step in a transaction of its own."""
    connection.execute("CREATE TABLE IF NOT EXISTS shape (step INTEGER NOT NULL)")
    (done,) = connection.execute("SELECT count(*) FROM shape").fetchall()[0]
    for number, step in enumerate(STEPS[done:], start=done + 1):
        connection.execute("BEGIN")
        connection.execute(step)
        connection.execute("INSERT INTO shape VALUES (?)", [number])
        connection.execute("COMMIT")
