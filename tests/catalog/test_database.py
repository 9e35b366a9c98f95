import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.database import BATCH_ROWS, Cursor, Database, Field
from catalog.errors import CatalogError, ConversionFailed, NotPermitted, StatementRejected

ENDLESS = (
    "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range + b.range = -1"
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    directory = tmp_path_factory.mktemp("database")
    database = Database(directory / "d", spill_dir=directory / "s", memory_limit="200MB")
    yield database
    database.close()


def with_cursor(database: Database, work: Callable[[Cursor], Awaitable[Any]]) -> Any:
    """What `work` gives, over a cursor of its own."""

    async def run() -> Any:
        cursor = database.cursor()
        try:
            return await work(cursor)
        finally:
            await cursor.close()

    return asyncio.run(run())


def rows(database: Database, sql: str, *parameters: object) -> Any:
    return with_cursor(database, lambda cursor: cursor.execute(sql, parameters))


def test_parameters_are_values(database: Database) -> None:
    assert rows(database, "SELECT ?, ?", "it's", None) == [("it's", None)]


def test_script_gives_the_rows_of_its_last_statement(database: Database) -> None:
    script = [("CREATE TEMP TABLE t AS SELECT 1 AS x", ()), ("SELECT x + ? FROM t", (1,))]
    assert with_cursor(database, lambda cursor: cursor.script(script)) == [(2,)]


def test_describe_runs_nothing(database: Database) -> None:
    started = time.perf_counter()
    fields = with_cursor(database, lambda cursor: cursor.describe(ENDLESS))
    assert fields == [Field("count_star()", "BIGINT")]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("sql", ["CREATE TABLE t AS SELECT 1", "SELECT 1; SELECT 2", ""])
def test_describe_refuses_what_is_no_query(sql: str, database: Database) -> None:
    with pytest.raises(StatementRejected):
        with_cursor(database, lambda cursor: cursor.describe(sql))


def test_a_batch_is_full_but_for_the_last(database: Database) -> None:
    async def work(cursor: Cursor) -> list[int]:
        query = f"SELECT range FROM range({2 * BATCH_ROWS + 1})"
        _, batch = await cursor.open(query, lambda fields: query)
        sizes = [len(batch)]
        while batch:
            batch = await cursor.more()
            sizes.append(len(batch))
        return sizes

    assert with_cursor(database, work) == [BATCH_ROWS, BATCH_ROWS, 1, 0]


def test_temporary_tables_are_a_cursors_own(database: Database) -> None:
    async def work(cursor: Cursor) -> None:
        other = database.cursor()
        await other.execute("CREATE TEMP TABLE own (x INT)")
        try:
            await cursor.execute("SELECT * FROM own")
        finally:
            await other.close()

    with pytest.raises(CatalogError, match="'own' doesn't exist"):
        with_cursor(database, work)


def test_closing_a_cursor_rolls_back(database: Database) -> None:
    rows(database, "CREATE TABLE kept (x INT)")

    async def work(cursor: Cursor) -> None:
        await cursor.execute("BEGIN")
        await cursor.execute("INSERT INTO kept VALUES (1)")

    with_cursor(database, work)
    assert rows(database, "SELECT * FROM kept") == []


async def cancel(cursor: Cursor, sql: str, after: float) -> float:
    """Cancel a statement; the seconds that it took to end."""
    task = asyncio.ensure_future(cursor.execute(sql))
    await asyncio.sleep(after)
    started = time.perf_counter()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.perf_counter() - started


@pytest.mark.parametrize("after", [0, 0.001, 0.1])
def test_cancelling_interrupts_duckdb(after: float, database: Database) -> None:
    assert with_cursor(database, lambda cursor: cancel(cursor, ENDLESS, after)) < 2


@pytest.mark.parametrize("after", [0, 0.001, 0.1])
def test_a_cursor_is_usable_after_a_cancelled_call(after: float, database: Database) -> None:
    async def work(cursor: Cursor) -> Any:
        await cancel(cursor, ENDLESS, after)
        return await cursor.execute("SELECT 42")

    assert with_cursor(database, work) == [(42,)]


def test_cancelling_twice_still_waits_for_the_thread(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(cursor: Cursor) -> Any:
        task = asyncio.ensure_future(cursor.execute(ENDLESS))
        await asyncio.sleep(0.05)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        return await cursor.execute("SELECT 42")

    assert with_cursor(database, work) == [(42,)]
    gc.collect()
    assert caplog.messages == []  # an outcome that nobody waited for would be told here


def test_cancelling_one_cursor_leaves_the_others(database: Database) -> None:
    async def work(cursor: Cursor) -> Any:
        other = database.cursor()
        query = "SELECT count(*) FROM range(3_000_000) a WHERE hash(a.range) % 7 = 3"
        running = asyncio.ensure_future(other.execute(query))
        await cancel(cursor, ENDLESS, 0.01)
        try:
            return await running
        finally:
            await other.close()

    assert with_cursor(database, work)[0][0] > 0


def test_cancelling_what_waits_for_a_thread_waits_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.database._THREADS", 1)
    database = Database(tmp_path / "d", spill_dir=tmp_path / "s", memory_limit="200MB")

    async def work() -> float:
        first, second = database.cursor(), database.cursor()
        running = asyncio.ensure_future(first.execute(ENDLESS))
        await asyncio.sleep(0.05)
        seconds = await cancel(second, "SELECT 1", 0.05)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])
        await first.close()
        await second.close()
        return seconds

    try:
        assert asyncio.run(work()) < 0.5
    finally:
        database.close()


REACHES = [
    "SELECT * FROM read_text('secret.txt')",
    "SELECT * FROM read_csv('secret.txt')",
    "SELECT * FROM read_blob('secret.txt')",
    "SELECT * FROM 'secret.txt'",
    "SELECT * FROM 'secret.csv'",
    "SELECT * FROM glob('*')",
    "SELECT * FROM parquet_metadata('x.parquet')",
    "SELECT * FROM sniff_csv('secret.csv')",
    "COPY (SELECT 1) TO 'out.csv'",
    "CREATE TABLE c (x VARCHAR); COPY c FROM 'secret.txt'",
    "EXPORT DATABASE 'out'",
    "IMPORT DATABASE 'out'",
    "ATTACH 'other.duckdb' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "SET temp_directory = 'elsewhere'",
    "PRAGMA profiling_output = 'out.json'",
]


@pytest.mark.parametrize("sql", REACHES)
def test_nothing_reaches_out_of_the_database(
    sql: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("secret.txt", "secret.csv"):
        (tmp_path / name).write_text("secret")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError):
        rows(database, sql)
    rows(database, "DROP TABLE IF EXISTS c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "secret.txt"]


def test_a_variable_of_python_is_no_table(database: Database) -> None:
    things = [1, 2, 3]
    with pytest.raises(CatalogError):
        rows(database, "SELECT * FROM things")
    assert things


def test_a_refusal_names_no_path(database: Database) -> None:
    with pytest.raises(NotPermitted) as caught:
        rows(database, "SELECT * FROM read_text('secret.txt')")
    assert "secret.txt" not in str(caught.value)


def test_an_error_leaves_the_cursor_usable(database: Database) -> None:
    async def work(cursor: Cursor) -> Any:
        with pytest.raises(ConversionFailed):
            await cursor.execute("SELECT CAST('x' AS INT)")
        return await cursor.execute("SELECT 1")

    assert with_cursor(database, work) == [(1,)]


def test_close_leaves_one_file(tmp_path: Path) -> None:
    database = Database(tmp_path / "d.duckdb", spill_dir=tmp_path / "s", memory_limit="200MB")
    rows(database, "CREATE TABLE t AS SELECT range AS x FROM range(1000)")
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["d.duckdb"]


def test_folders_are_open_that_are_given_and_no_others(tmp_path: Path) -> None:
    folder, own = tmp_path / "shared", tmp_path / "own"
    folder.mkdir()
    own.mkdir()
    for place in (folder, own, tmp_path):
        (place / "k.csv").write_text("k\n1\n")
    (folder / "link.csv").symlink_to(tmp_path / "k.csv")
    database = Database(own / "d", spill_dir=own / "s", memory_limit="200MB", source_dirs=(folder,))
    try:
        assert rows(database, f"FROM read_csv('{folder}/k.csv')") == [(1,)]
        for path in (
            f"{own}/k.csv",
            f"{tmp_path}/k.csv",
            f"{folder}/../k.csv",
            f"{folder}/link.csv",
        ):
            with pytest.raises(NotPermitted):
                rows(database, f"FROM read_csv('{path}')")
        with pytest.raises(CatalogError):
            rows(database, "SET allowed_directories = ['/']")
    finally:
        database.close()


def test_no_extension_is_loaded_without_folders(database: Database) -> None:
    of_sqlite = "SELECT count(*) FROM duckdb_functions() WHERE function_name LIKE 'sqlite%'"
    assert rows(database, of_sqlite) == [(0,)]
