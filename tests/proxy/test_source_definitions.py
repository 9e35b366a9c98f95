"""What CREATE DATABASE keeps is kept whole, and its password is shown nowhere."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.proxy.test_keys import contents, error, text
from tests.support.proxy import ProxyProcess
from tests.support.servers.server import Database

HIDDEN = "4f6a8c0e"
WRONG = f"pw-{HIDDEN}-wrong"
ROLE = "keyed"
PASSWORD = f"pw-{HIDDEN}"
MEMBERS = ("host", "port", "user", "password", "database")
LOOKS = [
    "SHOW CREATE DATABASE pg",
    "SHOW DATABASES",
    "SHOW FULL DATABASES",
    "SHOW DATA SOURCES",
    "SELECT * FROM information_schema.databases",
    "SELECT * FROM information_schema.data_sources",
    "SELECT * FROM information_schema.schemata",
    "SELECT * FROM information_schema.handlers",
    "SHOW FULL PROCESSLIST",
    "SELECT a FROM pg.t",
    "EXPLAIN SELECT a FROM pg.t",
    "SELECT * FROM pg (SELECT 1 AS x)",
]


def using(names: dict[str, str], /, **other: str) -> str:
    values = {name: names[name] for name in MEMBERS} | other
    return "USING " + ", ".join(f"{name} = '{value}'" for name, value in values.items())


def create(name: str, database: Database, engine: str = "postgres", /, **other: str) -> str:
    return f"CREATE DATABASE {name} ENGINE '{engine}' {using(database.names, **other)}"


@pytest.fixture
def keyed(postgres: Database) -> Iterator[Database]:
    """A database with a table t (a), and a role whose password tells itself apart."""
    postgres.native("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)")
    postgres.native(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON ALL TABLES IN SCHEMA public "
        f"TO {ROLE}; GRANT USAGE ON SCHEMA public TO {ROLE}",
        admin=True,
    )
    try:
        yield postgres
    finally:
        postgres.native(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}", admin=True)


def test_password_is_told_to_the_source_alone(keyed: Database, tmp_path: Path) -> None:
    data = tmp_path / "data"
    login = {"user": ROLE, "password": PASSWORD}
    with ProxyProcess(data, {"MODELWIRE_LOG_LEVEL": "DEBUG"}) as proxy:
        connection = proxy.connect()
        told = [text(connection, create("pg", keyed, **login))]
        told += [text(connection, sql) for sql in LOOKS]
        assert "******" in told[1]
        wrong = {**login, "password": WRONG}
        told += [
            error(connection, create("x", keyed, **wrong)),
            error(connection, create("x", keyed, hots=PASSWORD, **login)),
            error(connection, create("x", keyed, **login) + " oops"),
            error(connection, create("x", keyed, **login, schema="s") + f", password = '{WRONG}'"),
            error(connection, create("x", keyed, "postgers", **login)),
            error(connection, create("x", keyed, **{**login, "host": "127.0.0.9"})),
            error(connection, create("pg", keyed, **login)),
            error(connection, f"ALTER DATABASE pg PARAMETERS = {{\"password\": '{WRONG}'}}"),
            error(connection, f'ALTER DATABASE pg PARAMETERS = {{"password": {PASSWORD}}}'),
            error(connection, f'ALTER DATABASE pg PARAMETRS {{"password": {PASSWORD}}}'),
            error(connection, f"CREATE JOB j ({create('x', keyed, **login)}) EVERY 1 hour"),
        ]
        running = contents(data)
        log = list(proxy.log)
    assert not [each for each in (*told, *log) if HIDDEN in each]
    files = {**running, **{f"{name} at the end": each for name, each in contents(data).items()}}
    assert not [name for name, each in files.items() if HIDDEN.encode() in each]


def test_process_list_shows_no_password(proxy: ProxyProcess, silent: tuple[str, int]) -> None:
    host, port = silent
    sql = (
        f"CREATE DATABASE pg ENGINE 'postgres' USING host = '{host}', port = {port}, user = 'u', "
        f"password = '{PASSWORD}', database = 'd'"
    )
    waiting = threading.Thread(target=_fails, args=(proxy, sql), daemon=True)
    waiting.start()
    shown = _until(proxy, "CREATE DATABASE pg")
    assert HIDDEN not in shown


def test_of_many_who_make_one_name_one_does(keyed: Database, proxy: ProxyProcess) -> None:
    login = {"user": ROLE, "password": PASSWORD}
    outcomes: list[int] = []

    def make(sql: str) -> None:
        with proxy.connect() as connection, connection.cursor() as cursor:
            try:
                cursor.execute(sql)
                outcomes.append(0)
            except pymysql.MySQLError as failure:
                outcomes.append(failure.args[0])

    wanted = [create("pg", keyed, **login) if n % 2 else "CREATE DATABASE pg" for n in range(8)]
    threads = [threading.Thread(target=make, args=(sql,)) for sql in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0] + [1007] * 7


def test_rows_that_are_read_outlive_their_source(keyed: Database, proxy: ProxyProcess) -> None:
    keyed.native("INSERT INTO t SELECT 1 FROM generate_series(1, 200000)")
    reading = proxy.connect(cursorclass=pymysql.cursors.SSCursor)
    other = proxy.connect()
    text(other, create("pg", keyed))
    with reading.cursor() as cursor:
        cursor.execute("SELECT a FROM pg.t")
        cursor.fetchone()
        text(other, "DROP DATABASE pg")
        assert "1049" in error(other, "SELECT a FROM pg.t")
        assert 1 + sum(1 for _ in cursor.fetchall_unbuffered()) == 200_002


def test_what_was_replaced_is_read_where_it_is_now(
    keyed: Database, mariadb: Database, proxy: ProxyProcess
) -> None:
    mariadb.native("CREATE TABLE t (a INT); INSERT INTO t VALUES (9)")
    connection = proxy.connect()
    text(connection, create("db", keyed))
    assert "1" in text(connection, "SELECT min(a) AS a FROM db.t")
    replacing = create("db", mariadb, "mariadb").replace("CREATE", "CREATE OR REPLACE", 1)
    text(connection, replacing)
    assert "9" in text(connection, "SELECT min(a) AS a FROM db.t")


def test_two_results_leave_no_locks(mariadb: Database, proxy: ProxyProcess) -> None:
    mariadb.native("CREATE TABLE t (a INT); INSERT INTO t VALUES (9)")
    mariadb.native("CREATE PROCEDURE p() BEGIN UPDATE t SET a = 1; SELECT 1; SELECT 2; END")
    connection = proxy.connect()
    text(connection, create("my", mariadb, "mariadb"))
    assert "rows more than once" in error(connection, "EXECUTE my (CALL p())")
    mariadb.native("SET innodb_lock_wait_timeout = 2; UPDATE t SET a = a + 1")
    assert mariadb.native("SELECT a FROM t").rows == [["10"]]
    text(connection, "EXECUTE my (UPDATE t SET a = 3)")
    assert mariadb.native("SELECT a FROM t").rows == [["3"]]


def test_source_is_there_after_kill_9(keyed: Database, tmp_path: Path) -> None:
    with ProxyProcess(tmp_path / "data") as proxy:
        connection = proxy.connect()
        text(connection, create("pg", keyed))
        text(connection, "ALTER DATABASE pg USING schema = 'pg_catalog'")
        proxy.kill()
    with ProxyProcess(tmp_path / "data") as proxy:
        connection = proxy.connect()
        assert "pg_catalog" in text(connection, "SHOW CREATE DATABASE pg")
        assert "2" in text(connection, "SELECT count(*) AS n FROM pg.public.t")


def test_statement_is_executed_once(keyed: Database, proxy: ProxyProcess) -> None:
    connection = proxy.connect()
    text(connection, create("pg", keyed))
    keyed.statements()
    text(connection, "EXECUTE pg (INSERT INTO t VALUES (3))")
    inserted = [each for each in keyed.statements() if "INSERT" in each]
    assert inserted == ["INSERT INTO t VALUES (3)"]


def test_it_commits_what_is_open(keyed: Database, proxy: ProxyProcess) -> None:
    connection = proxy.connect()
    text(connection, create("pg", keyed))
    text(connection, "CREATE TABLE ours (a INT)")
    connection.begin()
    text(connection, "INSERT INTO ours VALUES (1)")
    text(connection, "EXECUTE pg (INSERT INTO t VALUES (3))")
    connection.rollback()
    assert "1" in text(connection, "SELECT count(*) AS n FROM ours")


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """Where somebody takes connections and says nothing, until it is shut."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[:2]


def _fails(proxy: ProxyProcess, sql: str) -> None:
    with proxy.connect() as connection, connection.cursor() as cursor:
        try:
            cursor.execute(sql)
        except pymysql.MySQLError:
            return


def _until(proxy: ProxyProcess, part: str, patience: float = 10.0) -> str:
    connection: Any = proxy.connect()
    deadline = time.monotonic() + patience
    while part not in (shown := text(connection, "SHOW FULL PROCESSLIST")):
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)
    return shown


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(60)", "LOCK t; SELECT pg_sleep(60)"])
def test_statement_that_is_killed_ends_in_the_source(
    statement: str, keyed: Database, proxy: ProxyProcess
) -> None:
    text(proxy.connect(), create("pg", keyed))
    _killed(proxy, f"EXECUTE pg ({statement})", patience=5.0)
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
    assert keyed.native(f"{running} AND state = 'active' AND pid <> pg_backend_pid()").rows == [
        ["0"]
    ]


def test_statement_that_is_killed_ends_in_mariadb(mariadb: Database, proxy: ProxyProcess) -> None:
    text(proxy.connect(), create("my", mariadb, "mariadb"))
    _killed(proxy, "EXECUTE my (DO SLEEP(60))", patience=5.0)
    running = mariadb.native("SHOW PROCESSLIST", admin=True).rows
    assert not [row for row in running if "SLEEP(60)" in str(row)]


def test_definition_that_is_killed_keeps_nothing(
    proxy: ProxyProcess, silent: tuple[str, int]
) -> None:
    host, port = silent
    sql = (
        f"CREATE DATABASE my ENGINE 'mysql' USING host = '{host}', port = {port}, user = 'u', "
        f"password = '{PASSWORD}', database = 'd'"
    )
    _killed(proxy, sql, patience=5.0)
    connection = proxy.connect()
    assert "'my'" not in text(connection, "SHOW DATABASES")
    assert "1007" not in text(connection, "CREATE DATABASE my")


def _killed(proxy: ProxyProcess, sql: str, patience: float) -> None:
    """Run a statement, kill it, and see that it ends in time."""
    victim, killer = proxy.connect(), proxy.connect()
    codes: list[int] = []

    def run() -> None:
        with victim.cursor() as cursor:
            try:
                cursor.execute(sql)
            except pymysql.MySQLError as failure:
                codes.append(failure.args[0])

    running = threading.Thread(target=run)
    running.start()
    time.sleep(0.5)  # it waits in the source by then, or as long as it lasts
    text(killer, f"KILL QUERY {victim.thread_id()}")
    running.join(patience)
    assert codes == [1317]


SMUGGLED = [
    " host={host} port={port}",
    "' host='{host}' port='{port}",
    "\\' host={host} port={port} x='",
    '" host={host} port={port} x="',
    " hostaddr={host} port={port}",
    "postgresql://{host}:{port}/x",
]


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_no_value_leads_to_another_host(
    engine: str, request: pytest.FixtureRequest, proxy: ProxyProcess
) -> None:
    """A password by reference may be meant for one address alone."""
    database: Database = request.getfixturevalue(engine)
    connection = proxy.connect()
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        for name in ("user", "password", "database", "sslmode"):
            for smuggled in SMUGGLED:
                host, port = other.getsockname()
                value = database.names.get(name, "require") + smuggled.format(host=host, port=port)
                sql = create("x", database, engine, **{name: value.replace("'", "''")})
                error(connection, sql.replace("\\", "\\\\"))
        with pytest.raises(BlockingIOError):
            other.accept()
