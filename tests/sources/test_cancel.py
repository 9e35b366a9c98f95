"""What a source runs for a statement ends with it, however the source is waiting."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.sources.room import ROWS, Room, over, record
from tests.support.servers.server import Database

pytestmark = pytest.mark.parametrize("kind", ["postgres", "mariadb"])
SLEEP = {"postgres": "SELECT pg_sleep(60)", "mariadb": "SELECT sleep(60)"}
SORT = {
    "postgres": "SELECT g FROM generate_series(1, 30000000) AS g ORDER BY md5(g::text)",
    "mariadb": "SELECT a.seq FROM seq_1_to_30000000 AS a ORDER BY md5(a.seq)",
}
ENDLESS = {
    "postgres": "SELECT g, repeat('x', 1000) AS t FROM generate_series(1, 100000000) AS g",
    "mariadb": "SELECT seq, repeat('x', 1000) AS t FROM seq_1_to_100000000",
}
WIDE = {
    kind: sleep.replace(
        "SELECT ", "SELECT " + ", ".join(f"{n} AS {'c' * 50}{n}" for n in range(50)) + ", "
    )
    for kind, sleep in SLEEP.items()
}
RUNNING = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
    "AND usename = 'reader' AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'reader' "
    "AND COMMAND <> 'Sleep' AND ID <> CONNECTION_ID()",
}


@pytest.fixture
def database(kind: str, request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue(kind)
    return made


def running(database: Database) -> int:
    """How many statements of the proxy's the server runs now."""
    return int(str(database.native(RUNNING[database.server.kind], admin=True).rows[0][0]))


async def until(database: Database, count: int) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(running, database) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def ended(database: Database, work: Awaitable[Any]) -> float:
    """Cancel what waits in the source; the seconds until it was back."""
    task = asyncio.ensure_future(work)
    await until(database, 1)
    task.cancel()
    began = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.perf_counter() - began


@pytest.mark.parametrize("query", [SLEEP, SORT, WIDE], ids=["sleep", "sort", "wide"])
def test_a_query_ends_in_the_source(
    kind: str, query: dict[str, str], database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> float:
        await opened.sources.reach(opened.record)
        seconds = await ended(database, opened.ask(query[kind]))
        await until(database, 0)
        return seconds

    assert over(tmp_path, record(database), asked) < 1


def test_rows_that_stream_end(kind: str, database: Database, tmp_path: Path) -> None:
    async def asked(opened: Room) -> float:
        await opened.sources.reach(opened.record)
        line, cursor = opened.sources.line(opened.record), opened.database.cursor()
        try:
            native = opened.kind.ask(opened.record, ENDLESS[kind])
            await cursor.lend(ROWS, await line.stream(native))
            return await ended(database, cursor.execute(f"SELECT count(t) FROM {ROWS}"))
        finally:
            await cursor.close()
            await line.close()
            await until(database, 0)

    assert over(tmp_path, record(database), asked) < 1


def test_rows_that_nobody_reads_are_not_fetched(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> float:
        await opened.sources.reach(opened.record)
        line, cursor = opened.sources.line(opened.record), opened.database.cursor()
        native = opened.kind.ask(opened.record, ENDLESS[kind])
        await cursor.lend(ROWS, await line.stream(native))
        assert len(await cursor.execute(f"FROM {ROWS} LIMIT 3")) == 3
        began = time.perf_counter()
        await cursor.close()
        await line.close()
        await until(database, 0)
        return time.perf_counter() - began

    assert over(tmp_path, record(database), asked) < 2


def test_a_change_that_waits_for_a_lock_ends(kind: str, database: Database, tmp_path: Path) -> None:
    database.native("CREATE TABLE t (a integer PRIMARY KEY)")

    async def asked(opened: Room) -> float:
        insert = opened.kind.call(opened.record, "INSERT INTO t VALUES (1)")
        await opened.sources.reach(opened.record)
        first, second = opened.sources.line(opened.record), opened.sources.line(opened.record)
        try:
            await first.run("BEGIN TRANSACTION", insert)
            await second.run("BEGIN TRANSACTION")
            return await ended(database, second.run(insert))
        finally:
            await second.close()
            await first.close()

    assert over(tmp_path, record(database), asked) < 1
    assert database.native("SELECT count(*) AS n FROM t").rows == [["0"]]


def test_what_others_run_goes_on(kind: str, database: Database, tmp_path: Path) -> None:
    short = SLEEP[kind].replace("60", "2")

    async def asked(opened: Room) -> int:
        await opened.sources.reach(opened.record)
        other = asyncio.ensure_future(opened.ask(short))
        await until(database, 1)
        task = asyncio.ensure_future(opened.ask(SLEEP[kind]))
        await until(database, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(await other)

    assert over(tmp_path, record(database), asked) == 1


def test_a_slow_source_does_not_stop_the_event_loop(
    kind: str, database: Database, tmp_path: Path
) -> None:
    short = SLEEP[kind].replace("60", "1")

    async def asked(opened: Room) -> tuple[int, float]:
        await opened.sources.reach(opened.record)
        began = time.perf_counter()
        tasks = [asyncio.ensure_future(opened.ask(short)) for _ in range(8)]
        ticks = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks, time.perf_counter() - began

    ticks, seconds = over(tmp_path, record(database), asked)
    assert ticks > 30  # one in three: the machine may be busy
    assert seconds < 4  # all at once


def test_a_query_that_fails_is_not_run_again(kind: str, database: Database, tmp_path: Path) -> None:
    """Whatever asks a stream for more after it has failed."""
    if kind == "postgres":
        native = "SELECT 1 / (5000 - g) AS a FROM generate_series(1, 10000) AS g"
    else:
        native = "SELECT 18446744073709551615 + (seq > 5000) AS a FROM seq_1_to_10000"

    async def asked(opened: Room) -> None:
        await opened.sources.reach(opened.record)
        database.statements()
        with pytest.raises(Exception, match=r"division by zero|did not say why|out of range"):
            await opened.ask(native)

    over(tmp_path, record(database), asked)
    runs = [s for s in database.statements() if native in s]
    assert len(runs) == 1
