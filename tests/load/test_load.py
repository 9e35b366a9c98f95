"""LOAD DATA LOCAL INFILE through a real proxy, from real clients."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.support.proxy import ProxyProcess

MARIADB = shutil.which("mariadb")
CSV = "FIELDS TERMINATED BY ',' ENCLOSED BY '\"'"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    with ProxyProcess(
        tmp_path_factory.mktemp("load"), {"MODELWIRE_MEMORY_LIMIT": "200MB"}
    ) as proxy:
        with proxy.connect() as client, client.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop")
        yield proxy


@pytest.fixture
def client(proxy: ProxyProcess) -> Iterator[Any]:
    """A client in a database with the table `t (id, name, price, day, note)`, empty."""
    with connected(proxy) as client:
        with client.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS t")
            cursor.execute(
                "CREATE TABLE t (id INT, name TEXT, price DECIMAL(12,2), day DATE, note TEXT)"
            )
        yield client


def connected(proxy: ProxyProcess) -> Any:
    options = {"local_infile": True, "autocommit": True, "read_timeout": 60}
    return proxy.connect(database="shop", **options)


def rows(client: Any, sql: str) -> Any:
    with client.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def lines(count: int) -> Iterator[str]:
    for n in range(count):
        note = f'"it said ""{n}"",\nthen no more"'
        yield f'{n},"row {n}",{n / 4:.2f},2026-01-{n % 28 + 1:02},{note}\n'


def test_the_mariadb_client_loads_and_says_how_much(
    proxy: ProxyProcess, client: Any, tmp_path: Path
) -> None:
    if MARIADB is None:
        pytest.skip("the mariadb client is not installed")
    file = tmp_path / "a.csv"
    file.write_text("".join(lines(3)))
    command = [MARIADB, "--no-defaults", "--host=127.0.0.1", f"--port={proxy.port}", "-vv"]
    login = [f"--user={proxy.user}", f"--password={proxy.password}", "--local-infile=1", "shop"]
    sql = f"--execute=LOAD DATA LOCAL INFILE '{file}' INTO TABLE t {CSV}"
    run = subprocess.run(
        [*command, *login, sql], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stderr == ""
    assert "Query OK, 3 rows affected" in run.stdout
    assert "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0" in run.stdout
    assert rows(client, "SELECT note FROM t WHERE id = 2") == (('it said "2",\nthen no more',),)


def test_a_file_of_many_portions_is_loaded_in_its_order(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("".join(lines(50_000)))
    with client.cursor() as cursor:
        assert cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t {CSV}") == 50_000
    assert rows(client, "SELECT count(DISTINCT id), min(id), max(id), sum(price) FROM t") == (
        (50_000, 0, 49_999, pytest.approx(49_999 * 50_000 / 8, abs=2000)),
    )
    (found,) = rows(
        client, "SELECT count(*) FROM t WHERE note <> concat('it said \"', id, '\",\nthen no more')"
    )
    assert found == (0,)


def test_a_fault_in_the_last_row_undoes_the_first(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("".join(lines(50_000)) + "x,y,1,2026-01-01,z\n")
    with client.cursor() as cursor, pytest.raises(pymysql.MySQLError) as refused:
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t {CSV}")
    assert refused.value.args == (1366, "Incorrect integer value: 'x' for column 'id' at row 50001")
    assert rows(client, "SELECT count(*) FROM t") == ((0,),)


class Slow:
    """A client that loads a file which is written meanwhile, through a pipe."""

    def __init__(self, proxy: ProxyProcess, folder: Path, *before: str) -> None:
        self.client = connected(proxy)
        for sql in before:
            rows(self.client, sql)
        self.fault: Exception | None = None
        self._path = folder / "pipe"
        os.mkfifo(self._path)
        self._thread = threading.Thread(target=self._load)
        self._thread.start()
        self.pipe = self._path.open("w")

    def _load(self) -> None:
        try:
            with self.client.cursor() as cursor:
                cursor.execute(f"LOAD DATA LOCAL INFILE '{self._path}' INTO TABLE t {CSV}")
        except Exception as fault:
            self.fault = fault

    def write(self, count: int) -> None:
        """So many rows; more than a portion of them are on their way when this returns."""
        self.pipe.writelines(lines(count))
        self.pipe.flush()

    def end(self) -> None:
        self.pipe.close()
        self._thread.join(60)
        assert not self._thread.is_alive()


def test_kill_query_leaves_nothing_and_the_client_goes_on(
    proxy: ProxyProcess, client: Any, tmp_path: Path
) -> None:
    slow = Slow(proxy, tmp_path)
    slow.write(50_000)
    rows(client, f"KILL QUERY {slow.client.thread_id()}")
    slow.write(50_000)
    slow.end()
    assert isinstance(slow.fault, pymysql.MySQLError)
    assert slow.fault.args[0] == 1317
    assert rows(slow.client, "SELECT count(*) FROM t") == ((0,),)
    slow.client.close()


def test_kill_query_in_a_transaction_leaves_only_its_rollback(
    proxy: ProxyProcess, client: Any, tmp_path: Path
) -> None:
    slow = Slow(proxy, tmp_path, "BEGIN", "INSERT INTO t (id) VALUES (-1)")
    slow.write(50_000)
    rows(client, f"KILL QUERY {slow.client.thread_id()}")
    slow.end()
    for sql in ("SELECT count(*) FROM t", "INSERT INTO t (id) VALUES (-2)", "COMMIT"):
        with pytest.raises(pymysql.MySQLError) as refused:
            rows(slow.client, sql)
        assert refused.value.args[0] == 1213
    assert rows(slow.client, "SELECT count(*) FROM t") == ((0,),)
    slow.client.close()


def test_a_client_that_dies_leaves_nothing(
    proxy: ProxyProcess, client: Any, tmp_path: Path
) -> None:
    slow = Slow(proxy, tmp_path)
    slow.write(50_000)
    slow.client._force_close()
    slow.pipe.write("more")
    slow.end()
    while len(rows(client, "SHOW PROCESSLIST")) > 1:
        pass
    assert rows(client, "SELECT count(*) FROM t") == ((0,),)


def test_others_see_all_of_it_or_nothing(proxy: ProxyProcess, client: Any, tmp_path: Path) -> None:
    slow = Slow(proxy, tmp_path)
    slow.write(50_000)
    assert rows(client, "SELECT count(*) FROM t") == ((0,),)
    slow.end()
    assert slow.fault is None
    assert rows(client, "SELECT count(*) FROM t") == ((50_000,),)
    slow.client.close()


def test_it_cannot_be_prepared(client: Any) -> None:
    client._execute_command(0x16, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t")  # COM_STMT_PREPARE
    with pytest.raises(pymysql.MySQLError) as refused:
        client._read_ok_packet()
    assert refused.value.args[0] == 1295


def test_bytes_of_a_blob_are_those_of_the_file(client: Any, tmp_path: Path) -> None:
    every = bytes(range(256))
    escaped = every.replace(b"\\", b"\\\\").replace(b"\t", b"\\\t").replace(b"\n", b"\\\n")
    file = tmp_path / "a.tsv"
    file.write_bytes(b"1\t" + escaped + b"\n2\t\\N\n3\t\\0\n")
    with client.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE raw (id INT, bytes BLOB)")
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE raw")
    assert rows(client, "SELECT bytes FROM raw ORDER BY id") == ((every,), (None,), (b"\0",))


def test_text_is_read_in_the_files_character_set(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_bytes("1\tnaïve €\n".encode("cp1252"))
    load = f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t CHARACTER SET {{}} (id, name)"
    with client.cursor() as cursor:
        with pytest.raises(pymysql.MySQLError) as refused:
            cursor.execute(load.format("utf8mb4"))
        cursor.execute(load.format("latin1"))
    assert refused.value.args == (
        1366,
        "Incorrect string value: '\\xEF' for column 'name' at row 1",
    )
    assert rows(client, "SELECT name FROM t") == (("naïve €",),)


def test_a_character_may_stand_in_two_packets(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text("1\t" + "€☃𝄞" * 20_000 + "\n")  # packets of 8 and 16 KB cut them all
    with client.cursor() as cursor:
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t (id, name)")
    assert rows(client, "SELECT name = repeat('€☃𝄞', 20000) FROM t") == ((1,),)


def test_a_row_longer_than_a_packet_may_be_is_refused(
    proxy: ProxyProcess, client: Any, tmp_path: Path
) -> None:
    file = tmp_path / "a.tsv"
    with file.open("w") as written:
        for _ in range(70):
            written.write("x" * 1024 * 1024)
    with client.cursor() as cursor, pytest.raises(pymysql.MySQLError) as refused:
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t (note)")
    assert refused.value.args[0] == 1153
    assert rows(client, "SELECT count(*) FROM t") == ((0,),)
