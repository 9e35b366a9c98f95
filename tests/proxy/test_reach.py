"""What a client's SQL can reach: its databases, and nothing of the machine or of DuckDB's own."""

from collections.abc import Iterator

import duckdb
import pymysql
import pytest

from tests.support.proxy import ProxyProcess

SECRET = "do not read this"
# Of these DuckDB has scalar functions and aggregates, too, or MySQL has functions of that name.
HARMLESS = {"histogram", "unnest", "version", "generate_series", "range", "repeat", "repeat_row"}
WAYS = [
    "SELECT * FROM {name}('{argument}')",
    "SELECT * FROM {name}()",
    "SELECT * FROM `{name}`('{argument}') AS t",
    "SELECT r.id FROM demo.reviews r, LATERAL {name}('{argument}') AS t",
    "SELECT r.id FROM demo.reviews r JOIN LATERAL {name}() AS t",
    "SELECT {name}('{argument}')",
    "CALL {name}('{argument}')",
    "PRAGMA {name}",
    "PRAGMA {name}('{argument}')",
]
SCALARS = [
    "getenv('HOME')",
    "GETENV('HOME')",
    "`getenv`('HOME')",
    "main.getenv('HOME')",
    "system.main.getenv('HOME')",
    "getvariable('x')",
    "current_setting('memory_limit')",
    "CURRENT_SETTING('secret_directory')",
    "main.current_setting('temp_directory')",
    "system.main.current_setting('temp_directory')",
    "set_config('memory_limit', '1TB', true)",
    "read_text('{argument}')",
    "read_blob('{argument}')",
    "glob('*')",
    "query('SELECT 1')",
    "load_file('{argument}')",
    "pg_read_file('{argument}')",
    "pg_get_viewdef(1)",
    "has_table_privilege('a', 'b')",
    "current_database()",
    "current_schemas(true)",
    "current_query()",
    "in_search_path('a', 'b')",
    "json_serialize_sql('SELECT 1')",
    "json_deserialize_sql('{{}}')",
    "json_serialize_plan('SELECT 1')",
    "json_execute_serialized_sql('{{}}')",
    "write_log('x')",
    "parse_duckdb_log_message('a', 'b')",
    "sleep_ms(1)",
    "nextval('s')",
    "txid_current()",
]
PLACES = [
    "SELECT {call}",
    "SELECT id FROM demo.reviews WHERE product = {call}",
    "SELECT id FROM demo.reviews ORDER BY {call}",
    "SELECT MAX(id) FROM demo.reviews GROUP BY {call}",
    "SELECT (SELECT {call})",
    "WITH a AS (SELECT {call} AS x) SELECT * FROM a",
    "SELECT 1 UNION SELECT {call}",
    "SELECT * REPLACE ({call} AS id) FROM demo.reviews",
    "SELECT LIST_TRANSFORM(['x'], x -> {call})",
    "EXPLAIN SELECT {call}",
    "SET @x = {call}",
    "SHOW TABLES WHERE 1 = {call}",
    "CREATE TABLE t (x TEXT DEFAULT ({call}))",
    "CREATE TABLE t AS SELECT {call} AS x",
    "CREATE VIEW v AS SELECT {call} AS x",
    "INSERT INTO demo.reviews (product) SELECT {call}",
    "UPDATE demo.reviews SET product = {call}",
    "DELETE FROM demo.reviews WHERE product = {call}",
]
STATEMENTS = [
    "SELECT * FROM '{argument}'",
    "SELECT * FROM `{argument}`",
    "SELECT * FROM modelwire.`{argument}`",
    "SELECT * FROM `x.csv`",
    "SELECT * FROM `x.parquet`",
    "SELECT * FROM main.sqlite_master",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_settings",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM system.main.duckdb_settings",
    "SELECT * FROM temp.__mw_1",
    "SELECT * FROM __mw_1",
    "SELECT * FROM catalog.main.engines",
    "SELECT * FROM information_schema.duckdb_settings",
    "SELECT * FROM ROWS FROM (read_text('{argument}'))",
    "SELECT * FROM (read_text('{argument}'))",
    "SELECT * FROM demo.reviews LATERAL VIEW read_text('{argument}') t",
    "COPY demo.reviews TO '{argument}.out'",
    "COPY (SELECT 1) TO '{argument}.out'",
    "SELECT 1 INTO OUTFILE '{argument}.out'",
    "LOAD DATA INFILE '{argument}' INTO TABLE demo.reviews",
    "EXPORT DATABASE '{argument}.out'",
    "IMPORT DATABASE '{argument}.out'",
    "ATTACH '{argument}.out' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '1TB'",
    "SET enable_external_access = 1",
    "SET GLOBAL temp_directory = 'x'",
    "SELECT @@memory_limit",
    "SELECT @@global.secret_directory",
    "RESET memory_limit",
    "CHECKPOINT",
    "VACUUM",
    "USE main",
    "USE temp",
    "USE pg_catalog",
    "CREATE TABLE main.t (x INT)",
    "CREATE TABLE temp.t (x INT)",
    "CREATE DATABASE main",
    "DROP DATABASE main",
    "DROP DATABASE information_schema",
    "CREATE SECRET s (TYPE S3)",
    "CREATE MACRO f(x) AS x",
    "CREATE FUNCTION f(x) AS x",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM ('a')",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "DO getenv('HOME')",
]


def table_functions() -> list[str]:
    """What DuckDB itself says that it has: table functions, their macros and pragmas."""
    rows = duckdb.sql(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type IN ('table', 'table_macro', 'pragma') ORDER BY ALL"
    ).fetchall()
    return [name for (name,) in rows]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    directory = tmp_path_factory.mktemp("reach")
    with ProxyProcess(directory / "data") as process:
        (directory / "secret.txt").write_text(SECRET)
        yield process


@pytest.fixture(scope="module")
def argument(proxy: ProxyProcess) -> str:
    """A file that is there to be read."""
    return str(proxy.data_dir.parent / "secret.txt")


def outcome(proxy: ProxyProcess, sql: str) -> str:
    """The error of a statement as its code and text; `allowed` and the rows if there is none."""
    connection = proxy.connect(database="modelwire", autocommit=True)
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(sql)
        except pymysql.MySQLError as error:
            return f"{error.args[0]} {error.args[1]}"
        return f"allowed {cursor.fetchall()!r}"


def allowed(proxy: ProxyProcess, statements: list[str]) -> list[str]:
    """Those of the statements that are not refused with a MySQL error that is meant for them."""
    connection = proxy.connect(database="modelwire", autocommit=True)
    found = []
    with connection, connection.cursor() as cursor:
        for sql in statements:
            try:
                cursor.execute(sql)
            except pymysql.MySQLError as error:
                if error.args[0] in (1105, 2006, 2013) or SECRET in str(error.args[1]):
                    found.append(f"{sql} → {error.args}")
            else:
                found.append(f"{sql} → {cursor.fetchall()!r}")
    return found


@pytest.mark.parametrize("way", WAYS)
def test_none_of_duckdbs_table_functions_is_served(
    way: str, proxy: ProxyProcess, argument: str
) -> None:
    names = [n for n in table_functions() if n not in HARMLESS]
    assert len(names) > 100
    statements = [way.replace("{name}", n).replace("{argument}", argument) for n in names]
    assert allowed(proxy, statements) == []


@pytest.mark.parametrize("name", sorted(HARMLESS - {"unnest"}))
def test_a_harmless_name_is_no_table_function_either(name: str, proxy: ProxyProcess) -> None:
    assert outcome(proxy, f"SELECT * FROM {name}(3)").startswith(("1235 ", "1064 "))


@pytest.mark.parametrize("call", SCALARS)
def test_function_that_reaches_out_is_refused_wherever_it_stands(
    call: str, proxy: ProxyProcess, argument: str
) -> None:
    call = call.replace("{argument}", argument).replace("{{}}", "{}")
    assert allowed(proxy, [place.replace("{call}", call) for place in PLACES]) == []


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statement_that_reaches_out_is_refused(
    sql: str, proxy: ProxyProcess, argument: str
) -> None:
    assert allowed(proxy, [sql.replace("{argument}", argument)]) == []


def test_nothing_was_written(proxy: ProxyProcess) -> None:
    names = {path.name for path in proxy.data_dir.parent.iterdir()}
    assert names == {"data", "secret.txt"}


@pytest.mark.parametrize("value", ["getenv('HOME')", "'; SELECT getenv('HOME'); -- ", "x' OR '1"])
def test_a_parameter_is_never_sql(value: str, proxy: ProxyProcess) -> None:
    connection = proxy.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s AS x", [value])
        assert cursor.fetchall() == ((value,),)


def test_a_clients_own_names_are_served(proxy: ProxyProcess) -> None:
    assert outcome(proxy, "WITH pg_x AS (SELECT 1 AS getenv) SELECT getenv FROM pg_x").startswith(
        "allowed "
    )


def test_the_sessions_functions_are_served(proxy: ProxyProcess) -> None:
    assert outcome(proxy, "SELECT DATABASE(), VERSION(), USER(), CONNECTION_ID()").startswith(
        "allowed (('modelwire', '8.0."
    )
