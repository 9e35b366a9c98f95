"""The servers that tests of data sources stand on."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pymysql
import pytest

from tests.support.servers import duck, mariadb, postgres, said
from tests.support.servers.fleet import KINDS, Fleet
from tests.support.servers.program import Missing, find
from tests.support.servers.server import Database, NativeError, Server

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(params=["postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database on each of the SQL servers."""
    return request.getfixturevalue(request.param)


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def as_the_proxy(database: Database, sql: str) -> None:
    """Run SQL with the account that the proxy gets."""
    names = database.names
    if database.server.kind == "mariadb":
        with pymysql.connect(
            host=names["host"],
            port=int(names["port"]),
            user=names["user"],
            password=names["password"],
            database=names["database"],
        ) as client:
            client.cursor().execute(sql)
        return
    url = "postgresql://{user}:{password}@{host}:{port}/{database}".format(**names)
    psql = find("psql", "postgresql", postgres.FOLDERS)
    subprocess.run([psql, "-X", "-q", "-c", sql, url], check=True, capture_output=True)


def test_rows_come_back_as_text_with_nulls(database: Database) -> None:
    database.native("CREATE TABLE t (a INT, b VARCHAR(9)); INSERT INTO t VALUES (1, NULL), (2, '')")
    odd = 'x,\r\n"\u2028y'
    database.native(f"INSERT INTO t VALUES (3, '{odd}')")
    header, rows = database.native("SELECT a, b FROM t ORDER BY a")
    assert header == ["a", "b"]
    assert rows == [["1", None], ["2", ""], ["3", odd]]


def test_error_of_the_server_is_told(database: Database) -> None:
    with pytest.raises(NativeError, match="nowhere"):
        database.native("SELECT 1 FROM nowhere")


def test_log_has_what_the_proxys_account_ran_and_nobody_else(database: Database) -> None:
    database.native("CREATE TABLE t (a INT)")
    as_the_proxy(database, "SELECT a\n  FROM t\nWHERE a > 1")
    assert said.told(database.statements()) == ["SELECT a FROM t WHERE a > 1"]
    assert said.told(database.statements()) == []
    as_the_proxy(database, "INSERT INTO t VALUES (2)")
    assert said.told(database.statements()) == ["INSERT INTO t VALUES (2)"]


def test_a_server_that_was_down_comes_back_with_its_data_on_its_port(database: Database) -> None:
    database.native("CREATE TABLE t (a INT); INSERT INTO t VALUES (7)")
    as_the_proxy(database, "SELECT a FROM t")
    database.server.stop()
    assert not listens(database.server.port)
    database.server.start()
    as_the_proxy(database, "SELECT a + 1 FROM t")
    assert database.native("SELECT a FROM t").rows == [["7"]]
    assert said.told(database.statements()) == ["SELECT a FROM t", "SELECT a + 1 FROM t"]


def test_a_server_that_died_starts_again(database: Database) -> None:
    os.kill(database.server.process.pid, signal.SIGKILL)
    while database.server.process.running:
        time.sleep(0.01)
    database.server.start()
    assert database.native("SELECT 1 AS a").rows == [["1"]]


def test_a_wrong_password_is_refused(mariadb: Database) -> None:
    names = mariadb.names
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(
            host=names["host"], port=int(names["port"]), user=names["user"], password="wrong"
        )


def test_a_wrong_password_is_refused_by_postgres(postgres: Database) -> None:
    url = "postgresql://{user}:wrong@{host}:{port}/{database}".format(**postgres.names)
    done = subprocess.run(["psql", url], capture_output=True, text=True, check=False)
    assert "password authentication failed" in done.stderr


def test_what_the_administrator_makes_the_proxys_account_may_not_read(postgres: Database) -> None:
    postgres.native("CREATE TABLE secret (a INT)", admin=True)
    with pytest.raises(NativeError, match="permission denied for table secret"):
        postgres.native("SELECT a FROM secret")


def test_databases_are_fresh_and_dropped(servers: Fleet) -> None:
    with servers.database("mariadb") as first:
        first.native("CREATE TABLE t (a INT)")
    with servers.database("mariadb") as second:
        assert second.native("SHOW TABLES").rows == []
        assert [first.name] not in second.native("SHOW DATABASES").rows


def test_objects_outlive_a_stop_and_signatures_are_checked(s3: Database) -> None:
    s3.native(f"COPY (SELECT 1 AS a) TO 's3://{s3.name}/a/one.csv'")
    read = f"SELECT a FROM 's3://{s3.name}/a/one.csv'"
    assert duck.run(read, s3=s3.names).rows == [["1"]]
    s3.server.stop()
    assert not listens(s3.server.port)
    s3.server.start()
    assert s3.native(read).rows == [["1"]]
    assert f"GET /{s3.name}/a/one.csv" in s3.statements()
    assert s3.statements() == []
    with pytest.raises(NativeError, match="SignatureDoesNotMatch"):
        duck.run(read, s3={**s3.names, "secret": "wrong"})


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "s3"])
def test_a_server_ends_when_the_tests_are_killed(kind: str, servers: Fleet) -> None:
    servers.server(kind)  # or skip
    script = (
        "from tests.support.servers.fleet import KINDS, Fleet\n"
        f"with Fleet() as fleet, fleet.database({kind!r}) as made:\n"
        "    print(made.server.port, made.server.process.folder, flush=True)\n"
        "    input()\n"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert tests.stdout is not None
    port, folder = tests.stdout.readline().split()
    assert listens(int(port))
    os.kill(tests.pid, signal.SIGKILL)
    tests.communicate()
    deadline = time.monotonic() + 10
    while listens(int(port)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not listens(int(port))
    while Path(folder.decode()).exists() and time.monotonic() < deadline:
        shutil.rmtree(folder.decode(), ignore_errors=True)  # it may still be writing the last of it


def test_a_program_that_is_not_here_is_missing_with_the_package_that_has_it() -> None:
    with pytest.raises(Missing, match=r"no-such-server is not here; .*apt-get install no-such"):
        find("no-such-server", "no-such")


def test_a_server_that_is_not_here_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent(Server):
        looks = 0

        def __enter__(self) -> Self:
            Absent.looks += 1
            raise Missing("absentd is not here; on Debian: apt-get install absent")

    monkeypatch.setitem(KINDS, "absent", Absent)
    Absent.__abstractmethods__ = frozenset()
    with Fleet() as fleet:
        for _ in range(2):
            with pytest.raises(Missing, match="absentd"):
                fleet.server("absent")
    assert Absent.looks == 1


def test_lines_of_postgres_log_are_put_together() -> None:
    log = (
        "<reader> LOG:  statement: SELECT 1,\n\t  2\n"
        "<keeper> LOG:  statement: SELECT 3\n"
        "<reader> ERROR:  relation t\n<reader> STATEMENT:  SELECT 4\n"
        "<reader> LOG:  execute <unnamed>: SELECT $1\n<reader> DETAIL:  parameters: $1 = '5'\n"
    )
    assert postgres.statements(log, "reader") == ["SELECT 1,\n  2", "SELECT $1"]


def test_numbers_of_mariadb_connections_are_given_to_others_after_a_restart() -> None:
    log = (
        b"/usr/sbin/mariadbd, Version: 10.11. started with:\nTcp port: 1  Unix socket: s\n"
        b"Time\t\t    Id Command\tArgument\n"
        b"261123 14:26:05\t     3 Connect\treader@127.0.0.1 on shop1 using TCP/IP\n"
        b"\t\t     3 Query\tSELECT 'a\n\tb'\n"
        b"/usr/sbin/mariadbd, Version: 10.11. started with:\nTcp port: 1  Unix socket: s\n"
        b"Time\t\t    Id Command\tArgument\n"
        b"261123 14:26:06\t     3 Connect\tkeeper@127.0.0.1 on shop1 using TCP/IP\n"
        b"\t\t     3 Query\tSELECT 2\n"
    )
    assert mariadb.statements(log, "reader") == ["SELECT 'a\n\tb'"]
    assert mariadb.statements(log, "keeper") == ["SELECT 2\n"]


@pytest.mark.parametrize(
    ("pattern", "every", "told"),
    [
        (None, False, ["SELECT a FROM t", "INSERT INTO t SELECT 1"]),
        ("^(BEGIN|COMMIT|INSERT)", False, ["BEGIN", "INSERT INTO t SELECT 1", "COMMIT"]),
        (None, True, ["BEGIN", "SELECT a FROM t", "SELECT 1", "SELECT oid FROM pg_class"]),
    ],
)
def test_what_a_test_reads_of_a_log(pattern: str | None, every: bool, told: list[str]) -> None:
    log = ["BEGIN", "SELECT a\n FROM t;", "SELECT 1", "SELECT oid\nFROM pg_class"]
    more = ["INSERT INTO t SELECT 1", "COMMIT"]
    assert said.told([*log, *more], pattern, every)[: len(told)] == told
