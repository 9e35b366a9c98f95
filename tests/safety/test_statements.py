"""Every kind of statement: none reads or writes a file, the environment or DuckDB's own, whatever
stands in it.
"""

from collections.abc import Iterator

import pytest

from tests.jobs.support import Scene
from tests.safety.attempts import SECRET, Intruder
from tests.support.endpoint import Endpoint

CALLS = [
    "getenv('{planted}')",
    "GETENV('{planted}')",
    "`getenv`('{planted}')",
    "main.getenv('{planted}')",
    "getvariable('x')",
    "CURRENT_SETTING('secret_directory')",
    "system.main.current_setting('temp_directory')",
    "set_config('memory_limit', '1TB', true)",
    "read_text('{file}')",
    "glob('*')",
    "query('SELECT 1')",
    "load_file('{file}')",
    "pg_get_viewdef(1)",
    "current_database(1)",
    "json_serialize_sql('SELECT 1')",
    "postgres_query('x', 'SELECT 1')",
    "sqlite_scan('{file}', 'x')",
    "nextval('s')",
    "list_aggregate([1], 'sum')",
    "RANGE(1000000000)",
]
PLACES = [
    "SELECT {call}",
    "(SELECT {call})",
    "SELECT id FROM demo.reviews WHERE product = {call}",
    "SELECT id FROM demo.reviews ORDER BY {call}",
    "SELECT MAX(id) FROM demo.reviews GROUP BY {call}",
    "SELECT MAX(id) FROM demo.reviews HAVING MAX({call}) = 1",
    "SELECT SUM(id) OVER (PARTITION BY {call}) FROM demo.reviews",
    "SELECT (SELECT {call})",
    "SELECT 1 WHERE EXISTS (SELECT {call})",
    "SELECT id FROM demo.reviews WHERE id IN (SELECT {call})",
    "SELECT id FROM demo.reviews LIMIT {call}",
    "WITH a AS (SELECT {call} AS x) SELECT * FROM a",
    "WITH getenv AS (SELECT 1 AS x) SELECT {call} FROM getenv",
    "WITH getenv(x) AS (SELECT 1) SELECT {call} FROM getenv",
    "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT {call} FROM a) SELECT x FROM a",
    "SELECT 1 UNION SELECT {call}",
    "SELECT 'x' UNION ALL SELECT {call} UNION ALL SELECT 'y'",
    "SELECT * FROM (VALUES ROW({call})) AS t",
    "SELECT * FROM demo.reviews r JOIN demo.reviews s ON r.id = {call}",
    "SELECT * REPLACE ({call} AS id) FROM demo.reviews",
    "SELECT LIST_TRANSFORM(['x'], x -> {call})",
    "SELECT CASE WHEN 1 = 2 THEN {call} END",
    "SELECT COALESCE(1, {call})",
    "SELECT CAST({call} AS CHAR)",
    "SELECT INTERVAL {call} DAY + NOW()",
    "SELECT 1 /* x */, {call}",
    "SELECT /*+ MAX_EXECUTION_TIME(1000) */ {call}",
    "EXPLAIN SELECT {call}",
    "EXPLAIN ANALYZE SELECT {call}",
    "SET @x = {call}",
    "SET @x = (SELECT {call})",
    "SET autocommit = {call}",
    "SHOW TABLES WHERE 1 = {call}",
    "SHOW PROCESSLIST WHERE Id = {call}",
    "CREATE TABLE t (x TEXT DEFAULT ({call}))",
    "CREATE TABLE t (x TEXT, y TEXT GENERATED ALWAYS AS ({call}))",
    "CREATE TABLE t (x TEXT CHECK ({call} = 'x'))",
    "CREATE TABLE t AS SELECT {call} AS x",
    "CREATE VIEW v AS SELECT {call} AS x",
    "INSERT INTO demo.reviews (product) SELECT {call}",
    "INSERT INTO demo.reviews (product) VALUES ({call})",
    "UPDATE demo.reviews SET product = {call}",
    "DELETE FROM demo.reviews WHERE product = {call}",
    "ALTER TABLE demo.reviews ADD COLUMN x TEXT DEFAULT ({call})",
    "SELECT sentiment FROM mood WHERE text = {call}",
    "SELECT mood({call})",
    "SELECT r.id, m.sentiment FROM demo.reviews r JOIN mood m ON m.text = {call}",
    "SELECT m.sentiment, {call} FROM demo.reviews r JOIN mood m ON m.text = r.review",
    "EVALUATE accuracy FROM (SELECT {call} AS actual, 'x' AS prediction)",
    "EVALUATE accuracy FROM (SELECT 'x' AS actual, sentiment AS prediction "
    "FROM mood WHERE text = {call})",
    "FINETUNE mood FROM demo (SELECT {call} AS question, 'x' AS answer FROM reviews)",
    "CREATE MODEL made FROM modelwire (SELECT {call} AS a, 'x' AS b) PREDICT b "
    "USING engine = 'e', model_name = 'm', prompt_template = '{{a}}'",
]
UNOFFERED = [
    "VALUES ROW({call})",
    "KILL {call}",
    "DO {call}",
    "CALL {call}",
    "REPLACE INTO demo.reviews (product) VALUES ({call})",
    "CREATE MODEL made PREDICT b USING engine = 'e', model_name = {call}, prompt_template = 'x'",
]
"""Statements that take no such expression, or are none here."""
STATEMENTS = [
    "SELECT * FROM '{file}'",
    "SELECT * FROM `{file}`",
    'SELECT * FROM "{file}"',
    "FROM '{file}'",
    "FROM `{file}`",
    "TABLE `{file}`",
    "SELECT * FROM modelwire.`{file}`",
    "SELECT * FROM demo.`{file}`",
    "SELECT * FROM `{file}`.`x`",
    "SELECT * FROM `x.csv`",
    "SELECT * FROM `x.parquet`",
    "SELECT * FROM `s3://bucket/x.parquet`",
    "SELECT * FROM `https://example.com/x.csv`",
    "SELECT 1 UNION SELECT * FROM `{file}`",
    "SELECT * FROM demo.reviews JOIN `{file}` AS t",
    "SELECT * FROM (SELECT * FROM `{file}`) AS t",
    "DESCRIBE `{file}`",
    "SHOW COLUMNS FROM `{file}`",
    "SHOW CREATE TABLE `{file}`",
    "SUMMARIZE demo.reviews",
    "WITH RECURSIVE `{file}` AS (SELECT * FROM `{file}`) SELECT * FROM `{file}`",
    "WITH RECURSIVE `x.csv` AS (SELECT * FROM `x.csv`) SELECT * FROM `x.csv`",
    "SELECT * FROM (DESCRIBE demo.reviews)",
    "SELECT (DESCRIBE demo.reviews)",
    "SELECT * FROM (SHOW TABLES)",
    "WITH a AS (INSERT INTO demo.reviews SELECT 1) SELECT 1",
    "WITH a AS (CREATE TABLE x (a INT)) SELECT 1",
    "WITH a AS (DELETE FROM demo.reviews) SELECT 1",
    "SELECT * FROM (PRAGMA database_list)",
    "PIVOT demo.reviews ON stars",
    "SELECT * FROM main.sqlite_master",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_settings",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM system.main.duckdb_settings",
    "SELECT * FROM temp.__mw_1",
    "SELECT * FROM __mw_1",
    "SELECT * FROM __mw_src_1",
    "SELECT * FROM catalog.main.engines",
    "SELECT * FROM information_schema.duckdb_settings",
    "SELECT * FROM ROWS FROM (read_text('{file}'))",
    "SELECT * FROM (read_text('{file}'))",
    "SELECT * FROM demo.reviews LATERAL VIEW read_text('{file}') t",
    "SELECT * FROM read_text('{file}') WITH ORDINALITY",
    "SELECT * FROM JSON_TABLE('{file}', '$[*]' COLUMNS (a TEXT PATH '$.a')) AS t",
    "COPY demo.reviews TO '{file}.out'",
    "COPY demo.reviews FROM '{file}'",
    "COPY (SELECT 1) TO '{file}.out'",
    "COPY FROM DATABASE data TO x",
    "SELECT 1 INTO OUTFILE '{file}.out'",
    "SELECT 1 INTO DUMPFILE '{file}.out'",
    "SELECT 1 INTO @x",
    "SELECT * FROM demo.reviews INTO OUTFILE '{file}.out' FIELDS TERMINATED BY ','",
    "LOAD DATA INFILE '{file}' INTO TABLE demo.reviews",
    "LOAD XML INFILE '{file}' INTO TABLE demo.reviews",
    "EXPORT DATABASE '{file}.out'",
    "IMPORT DATABASE '{file}.out'",
    "ATTACH '{file}.out' AS x",
    "ATTACH DATABASE '{file}.out' AS x",
    "ATTACH 'host=127.0.0.1' AS x (TYPE postgres)",
    "DETACH data",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{file}'",
    "INSTALL PLUGIN x SONAME '{file}'",
    "UPDATE EXTENSIONS",
    "SET memory_limit = '1TB'",
    "SET enable_external_access = 1",
    "SET GLOBAL enable_external_access = 1",
    "SET GLOBAL temp_directory = 'x'",
    "SET SESSION search_path = 'main'",
    "SET lock_configuration = 0",
    "SET VARIABLE x = 1",
    "SET SCHEMA main",
    "SET PERSIST memory_limit = '1TB'",
    "SELECT @@memory_limit",
    "SELECT @@global.secret_directory",
    "SELECT @@enable_external_access",
    "RESET memory_limit",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE demo.reviews",
    "USE main",
    "USE temp",
    "USE pg_catalog",
    "USE data",
    "USE system",
    "CREATE TABLE main.t (x INT)",
    "CREATE TABLE temp.t (x INT)",
    "CREATE TABLE system.main.t (x INT)",
    "CREATE TEMPORARY TABLE t (x INT)",
    "CREATE DATABASE main",
    "CREATE DATABASE temp",
    "CREATE SCHEMA pg_catalog",
    "DROP DATABASE main",
    "DROP DATABASE information_schema",
    "CREATE SECRET s (TYPE S3)",
    "CREATE PERSISTENT SECRET s (TYPE S3)",
    "DROP SECRET s",
    "CREATE MACRO f(x) AS x",
    "CREATE FUNCTION f(x) AS x",
    "CREATE FUNCTION f(x INT) RETURNS INT RETURN x",
    "CREATE FUNCTION f RETURNS STRING SONAME '{file}'",
    "CREATE PROCEDURE f() SELECT 1",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM ('a')",
    "CREATE TYPE t AS INTEGER",
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
    "PREPARE x AS SELECT 1",
    "PREPARE x FROM 'COPY demo.reviews TO ''{file}.out'''",
    "EXECUTE x",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "DEALLOCATE x",
    "HANDLER demo.reviews OPEN",
    "SELECT 1; COPY demo.reviews TO '{file}.out'",
    "SELECT 1; SELECT getenv('{planted}')",
    "/*! COPY demo.reviews TO '{file}.out' */",
    "/*!50000 SELECT */ getenv('{planted}')",
    "SELECT /*! getenv('{planted}') */",
    "SELECT 1 /*!50000 , getenv('{planted}') */",
    "SELECT 1 -- \n, getenv('{planted}')",
    "SELECT 1 # \n, getenv('{planted}')",
    "CREATE TABLE t (x INT) AS COPY demo.reviews TO '{file}.out'",
    "CREATE VIEW v AS COPY demo.reviews TO '{file}.out'",
    "EXPLAIN COPY demo.reviews TO '{file}.out'",
    "EXPLAIN ANALYZE COPY demo.reviews TO '{file}.out'",
    "CREATE ML_ENGINE x FROM openai USING openai_api_key = file('{file}')",
    "CREATE ML_ENGINE x FROM openai USING openai_api_key = env('{planted}')",
]
HARMLESS = [
    "SELECT 1 /* getenv('{planted}') */",
    "SELECT /*+ getenv('{planted}') */ 1",
    "SELECT 'getenv(''{planted}'')'",
    "SELECT 1 AS `getenv('{planted}')`",
    "SELECT * FROM demo.reviews AS read_text WHERE id < 0",
    "WITH read_text (getenv) AS (SELECT 1) SELECT getenv FROM read_text",
]
TABLES = ["csv", "parquet", "json", "xlsx", "db", "duckdb"]


@pytest.fixture(scope="module", autouse=True)
def model(intruder: Intruder) -> Iterator[Endpoint]:
    """A model that the statements may name, and that none of them asks."""
    with Endpoint() as endpoint:
        engine = f"FROM openai USING api_base = '{endpoint.url}', openai_api_key = 'sk-1'"
        assert intruder.attempt(f"CREATE ML_ENGINE e {engine}").code == 0
        made = intruder.attempt(
            "CREATE MODEL mood PREDICT sentiment USING engine = 'e', model_name = 'm', "
            "prompt_template = 'Mood of {{text}}'"
        )
        assert made.code == 0
        yield endpoint
        assert endpoint.calls == 0


def allowed(intruder: Intruder, statements: list[str]) -> list[str]:
    """Those of the statements that are not refused with an error that is meant for the client."""
    outcomes = {sql: intruder.attempt(sql) for sql in statements}
    assert intruder.is_alive()
    return [f"{sql} → {o}" for sql, o in outcomes.items() if o.leaks or not o.is_refusal]


@pytest.mark.parametrize("place", PLACES)
def test_a_refused_call_is_refused_by_its_name(place: str, intruder: Intruder) -> None:
    outcome = intruder.attempt(place.replace("{call}", CALLS[0]))
    assert outcome.code == 1305
    assert "FUNCTION getenv does not exist" in outcome.text


@pytest.mark.parametrize("place", [*PLACES, *UNOFFERED])
def test_a_refused_call_is_refused_wherever_it_stands(place: str, intruder: Intruder) -> None:
    assert allowed(intruder, [place.replace("{call}", call) for call in CALLS]) == []


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_that_reaches_out_is_refused(sql: str, intruder: Intruder) -> None:
    assert allowed(intruder, [sql]) == []


@pytest.mark.parametrize("sql", [*STATEMENTS, *(p.replace("{call}", CALLS[0]) for p in PLACES)])
def test_a_prepared_statement_is_refused_as_any(sql: str, intruder: Intruder) -> None:
    outcome = intruder.attempt_prepared(sql)
    assert outcome.is_refusal, outcome
    assert not outcome.leaks
    assert intruder.is_alive()


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_name_or_text_that_looks_like_a_call_is_none(sql: str, intruder: Intruder) -> None:
    assert intruder.attempt(sql).code == 0


@pytest.mark.parametrize("table", TABLES)
def test_no_database_is_called_like_a_file(table: str, intruder: Intruder) -> None:
    database = f"`{intruder.file.with_suffix('')}`"
    assert intruder.attempt(f"CREATE DATABASE {database}").code == 1102
    assert allowed(intruder, [f"SELECT * FROM {database}.{table}"]) == []
    assert allowed(intruder, [f"INSERT INTO {database}.{table} VALUES (1)"]) == []


def test_a_job_is_refused_what_a_client_is(intruder: Intruder, model: Endpoint) -> None:
    scene = Scene(intruder.proxy, model)
    intruder.attempt("CREATE TABLE told (x TEXT)")
    for number, call in enumerate(CALLS):
        made = intruder.attempt(f"CREATE JOB j{number} (INSERT INTO told SELECT {call})")
        if made.code == 1064:  # GLOB is an operator
            continue
        assert made.code == 0, call
        scene.until_runs(1, job=f"j{number}")
        assert scene.history("status", job=f"j{number}") == ["error"]
    assert intruder.attempt("SELECT * FROM told").text == "()"


@pytest.mark.parametrize("sql", ["COPY demo.reviews TO '/tmp/x'", "ATTACH 'x' AS y", "LOAD httpfs"])
def test_a_job_of_no_statement_of_a_clients_is_not_made(sql: str, intruder: Intruder) -> None:
    assert (
        allowed(intruder, [f"CREATE JOB made ({sql})", f"CREATE JOB made (SELECT 1; {sql})"]) == []
    )


@pytest.mark.parametrize("value", ["getenv('HOME')", "'; SELECT getenv('HOME'); -- ", "x' OR '1"])
def test_a_parameter_is_never_sql(value: str, intruder: Intruder) -> None:
    with intruder.proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s AS x", [value])
        assert cursor.fetchall() == ((value,),)


def test_the_sessions_functions_are_served(intruder: Intruder) -> None:
    outcome = intruder.attempt("SELECT DATABASE(), VERSION(), USER(), CONNECTION_ID()")
    assert outcome.text.startswith("(('modelwire', '8.0.")


def test_a_column_that_is_called_like_a_function_is_a_column(intruder: Intruder) -> None:
    sql = "SELECT user, current_schema FROM (SELECT 'a' AS `user`, 'b' AS current_schema) AS t"
    assert intruder.attempt(sql).text == "(('a', 'b'),)"


def test_nothing_was_written_and_nothing_logged(intruder: Intruder) -> None:
    names = {path.name for path in intruder.proxy.data_dir.parent.iterdir()}
    assert names == {"data", intruder.file.name}
    assert SECRET not in "\n".join(intruder.proxy.log)
