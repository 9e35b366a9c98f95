"""What comes through the proxy from a data source, and what goes back into one.

The servers are those of the tests, started here without their logs.
"""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from os import environ
from statistics import median
from typing import Any

import pymysql

from benchmarks.behaviour import Behaviour
from benchmarks.cancel import COMMIT
from benchmarks.figure import Figure
from benchmarks.memory import forget_peak, peak
from benchmarks.stage import Stage, ask, crashed, measured, stage
from benchmarks.tally import between
from tests.support.servers.mariadb import MariaDB
from tests.support.servers.postgres import Postgres
from tests.support.servers.program import Missing, find
from tests.support.servers.server import Database

ROWS = 100_000
DISTINCT = 1000
ROUNDS = 7
ITEMS = f"""
CREATE TABLE items (
    id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10, 2), sold DATETIME, weight DOUBLE);
INSERT INTO items
SELECT seq, CONCAT('an item of the shop, number ', seq), seq / 100,
    '2026-01-01' + INTERVAL seq MINUTE, SQRT(seq) FROM seq_1_to_{ROWS}
"""
REVIEWS = f"""
CREATE TABLE reviews (id INT PRIMARY KEY, body TEXT);
INSERT INTO reviews SELECT n, 'row ' || n % {DISTINCT} FROM generate_series(0, {ROWS - 1}) AS n;
ANALYZE reviews
"""
RIGHT = f"""
SELECT count(*) FROM generate_series(0, {ROWS - 1}) AS n
JOIN labelled AS l ON l.id = n AND l.answer = CAST(n % {DISTINCT} AS TEXT)
"""
QUICK = Behaviour(latency=0.01, reply="row")
STEADY = Behaviour(latency=0.1, sigma=0.5, reply="row")  # answers come one by one
Client = Callable[[Mapping[str, str], str], float]
"""A client: the seconds that a query takes on the server that it is led to."""


def sources() -> list[Figure]:
    """SELECT * of 100,000 rows of 5 columns: by the same client from MariaDB, and by the proxy."""
    try:
        with MariaDB(logged=False) as server, server.database() as source, stage() as here:
            source.native(ITEMS)
            _attach(here, "maria", source)
            clients = {"PyMySQL": _by_pymysql, "mariadb --quick": _by_program}
            figures = [
                figure
                for name, client in clients.items()
                for figure in _ratio(here, source, name, client)
            ]
            return [
                *figures,
                Figure("rows that are not the same", _unlike(here, source), "", 0, "="),
            ]
    except Missing as missing:
        return _left_out(missing)


def write_back() -> list[Figure]:
    """100,000 rows with 1,000 distinct prompts from PostgreSQL into a new table of it; kill -9."""
    try:
        with Postgres(logged=False) as server, server.database() as source, stage(QUICK) as here:
            source.native(REVIEWS)
            _attach(here, "pg", source)
            return [*_written(here, source), *_killed(here, source)]
    except Missing as missing:
        return _left_out(missing)


def _left_out(missing: Missing) -> list[Figure]:
    print(f"  left out: {missing}", flush=True)
    return []


def _attach(here: Stage, name: str, source: Database) -> None:
    """Make a data source of a server's database."""
    told = source.names
    here.run(
        f"CREATE DATABASE {name} WITH ENGINE = '{source.server.kind}', PARAMETERS = {{"
        f'"host": "{told["host"]}", "port": {told["port"]}, "user": "{told["user"]}", '
        f'"password": "{told["password"]}", "database": "{told["database"]}"}}'
    )


def _ratio(here: Stage, source: Database, name: str, client: Client) -> list[Figure]:
    """The two take turns, so that both see the same machine; the first of each is not counted."""
    direct, through = [], []
    for _ in range(ROUNDS + 1):
        direct.append(client(source.names, "SELECT * FROM items"))
        through.append(client(_proxy(here), "SELECT * FROM maria.items"))
    there, here_too = median(direct[1:]), median(through[1:])
    return [
        Figure(f"{name}: direct, median of {ROUNDS}", 1000 * there, "ms"),
        Figure(f"{name}: through the proxy, median of {ROUNDS}", 1000 * here_too, "ms"),
        Figure(f"{name}: speed through the proxy / direct", there / here_too, "", 0.6, ">="),
    ]


def _proxy(here: Stage) -> Mapping[str, str]:
    """What leads to the proxy, in the words of Database.names."""
    proxy = here.proxy
    login = {"user": proxy.user, "password": proxy.password}
    return {"host": proxy.host, "port": str(proxy.port), **login}


@contextmanager
def _connected(to: Mapping[str, str]) -> Iterator[Any]:
    with closing(
        pymysql.connect(
            host=to["host"],
            port=int(to["port"]),
            user=to["user"],
            password=to["password"],
            database=to.get("database"),
        )
    ) as client:
        yield client


def _by_pymysql(to: Mapping[str, str], sql: str) -> float:
    with _connected(to) as client:
        started = time.perf_counter()
        rows = ask(client, sql)
        seconds = time.perf_counter() - started
    if len(rows) != ROWS:
        raise AssertionError(f"{len(rows)} rows of {sql}")
    return seconds


def _by_program(to: Mapping[str, str], sql: str) -> float:
    """The `mariadb` program, which takes rows as they come and writes them to nowhere."""
    started = time.perf_counter()
    subprocess.run(
        [
            *(find("mariadb", "mariadb-client"), "--no-defaults", "--quick", f"--execute={sql}"),
            *(f"--host={to['host']}", f"--port={to['port']}", f"--user={to['user']}"),
            *([f"--database={to['database']}"] if "database" in to else []),
        ],
        env={**environ, "MYSQL_PWD": to["password"]},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def _unlike(here: Stage, source: Database) -> int:
    """How many rows are there on one side alone."""
    with _connected(source.names) as direct, _connected(_proxy(here)) as through:
        wanted = set(ask(direct, "SELECT * FROM items"))
        return len(wanted ^ set(ask(through, "SELECT * FROM maria.items")))


def _labelled(model: str) -> str:
    """The statement that writes each review's answer into a new table."""
    return (
        "CREATE TABLE pg.labelled AS SELECT r.id, m.answer FROM pg.reviews AS r "
        f"JOIN {model} AS m ON m.text = r.body"
    )


def _written(here: Stage, source: Database) -> list[Figure]:
    """All goes well, in a process that has made a prediction before."""
    warm = here.model()
    here.run(f"SELECT answer FROM {warm} WHERE text = 'row 1'")
    before = forget_peak(here.proxy.pid)
    run = measured(here, QUICK, _labelled(here.model()))
    grown = peak(here.proxy.pid) - before
    wrong = ROWS - _count(source, RIGHT)
    source.native("DROP TABLE labelled")
    return [
        Figure("calls", run.stats.calls, "", DISTINCT, "="),
        Figure("rows that are missing or wrong", wrong, "", 0, "="),
        Figure("rows a second", ROWS / run.seconds),
        Figure("growth of the proxy's memory", grown, "MB", 100),
    ]


def _killed(here: Stage, source: Database) -> list[Figure]:
    """The proxy is killed by kill -9 after half of the answers; the statement again."""
    sql = _labelled(here.model())
    before, killed = crashed(here, STEADY, sql, after=DISTINCT // 2)
    left = _count(source, "SELECT count(*) FROM pg_tables WHERE tablename LIKE '%labelled%'")
    here.proxy.start()
    run = measured(here, QUICK, sql)
    lost = run.stats.calls - (DISTINCT - before.answered)
    late = between(before.answers, killed - COMMIT, time.monotonic())
    return [
        Figure("kill -9: tables left half written", left, "", 0, "="),
        Figure("kill -9: answered before it", before.answered),
        Figure("kill -9: calls of the statement again", run.stats.calls),
        Figure("kill -9: answers asked again; those of the last 50 ms", lost, "", late),
        Figure(
            "kill -9: rows missing or wrong in the end", ROWS - _count(source, RIGHT), "", 0, "="
        ),
    ]


def _count(source: Database, sql: str) -> int:
    ((number,),) = source.native(sql).rows
    return int(number or 0)
