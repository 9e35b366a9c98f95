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
    # Answers and accounts have no index: DuckDB's would hold every key in memory, and keep a
    # checkpoint from taking back the room of rows that are gone.
    """
    CREATE TABLE answers (
        key UUID NOT NULL, part INTEGER NOT NULL, model VARCHAR NOT NULL, value VARCHAR NOT NULL,
        prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL,
        latency DOUBLE NOT NULL, kept_at TIMESTAMP NOT NULL);
    CREATE TABLE model_usage (
        statement_id BIGINT NOT NULL, "user" VARCHAR NOT NULL, project VARCHAR NOT NULL,
        model VARCHAR NOT NULL, engine VARCHAR NOT NULL, calls BIGINT NOT NULL,
        cached BIGINT NOT NULL, failed BIGINT NOT NULL, prompt_tokens BIGINT NOT NULL,
        completion_tokens BIGINT NOT NULL, estimated_prompt_tokens BIGINT NOT NULL, cost DOUBLE,
        started_at TIMESTAMP NOT NULL, seconds DOUBLE NOT NULL, status VARCHAR NOT NULL);
    CREATE TABLE budgets (
        name VARCHAR PRIMARY KEY, "user" VARCHAR, model VARCHAR, engine VARCHAR,
        max_calls BIGINT, max_tokens BIGINT, max_cost DOUBLE, created_at TIMESTAMP NOT NULL);
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
