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
    # Versions of models, the definition as JSON: what it says grows with what models can do.
    """
    CREATE TABLE model_versions (
        project VARCHAR NOT NULL, name VARCHAR NOT NULL, version INTEGER NOT NULL,
        active BOOLEAN NOT NULL, definition VARCHAR NOT NULL);
    INSERT INTO model_versions
    SELECT project, name, version, true, to_json({
        project: project, name: name, version: version, engine: engine,
        targets: [{name: target, type: 'text', labels: from_json(labels, '["VARCHAR"]')}],
        inputs: from_json(inputs, '["VARCHAR"]'), options: options::JSON,
        select_data_query: select_data_query,
        created_at: strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f'),
        training_seconds: training_seconds})
    FROM models;
    DROP TABLE models;
    """,
    """
    CREATE TABLE evaluations (
        project VARCHAR NOT NULL, model VARCHAR NOT NULL, version INTEGER NOT NULL,
        scores STRUCT(
            metric VARCHAR, actual VARCHAR, prediction VARCHAR, value DOUBLE, rows BIGINT,
            skipped BIGINT)[] NOT NULL,
        query VARCHAR NOT NULL, evaluated_at TIMESTAMP NOT NULL, evaluated_by VARCHAR NOT NULL);
    """,
    # No key either: jobs are found in memory, and a run's row is changed while it runs.
    """
    CREATE TABLE jobs (
        id BIGINT NOT NULL, project VARCHAR NOT NULL, name VARCHAR NOT NULL,
        owner VARCHAR NOT NULL, "database" VARCHAR NOT NULL, query VARCHAR NOT NULL,
        if_query VARCHAR, every BIGINT, unit VARCHAR, cron VARCHAR, start_at TIMESTAMP NOT NULL,
        end_at TIMESTAMP, created_at TIMESTAMP NOT NULL, enabled BOOLEAN NOT NULL,
        next_run_at TIMESTAMP, last_run_at TIMESTAMP, completed_run_at TIMESTAMP);
    CREATE TABLE job_runs (
        id BIGINT NOT NULL, project VARCHAR NOT NULL, name VARCHAR NOT NULL,
        query VARCHAR NOT NULL, run_start TIMESTAMP NOT NULL, run_end TIMESTAMP,
        status VARCHAR NOT NULL, statement VARCHAR, error VARCHAR, warnings BIGINT NOT NULL);
    """,
    # Fine-tuning jobs, each as JSON, like versions.
    """
    CREATE TABLE tunings (number INTEGER NOT NULL, definition VARCHAR NOT NULL);
    """,
    """
    CREATE TABLE sources (
        name VARCHAR PRIMARY KEY, engine VARCHAR NOT NULL, parameters VARCHAR NOT NULL,
        secrets VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
    """,
    # Views, each as JSON, too.
    """
    CREATE TABLE views (
        project VARCHAR NOT NULL, name VARCHAR NOT NULL, definition VARCHAR NOT NULL);
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
