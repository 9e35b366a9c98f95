import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from catalog import journal as journal_module
from catalog.errors import CatalogError
from catalog.journal import Connection, Journal, Ledger
from tests.catalog.rooms import until


class Pages:
    """A store of the simplest kind. `commits` has the keys of each group that was written."""

    def __init__(self, path: Path) -> None:
        self.root = duckdb.connect(str(path))
        self.root.execute("CREATE TABLE pages (key VARCHAR, value INTEGER)")
        self.journal = Journal(self.root.cursor())
        self.ledger: Ledger[str, int] = self.journal.ledger(self.write, lambda _: 1)
        self.commits: list[list[str]] = []
        self.broken = False

    def write(self, connection: Connection, entries: Mapping[str, int]) -> Callable[[], None]:
        connection.executemany("INSERT INTO pages VALUES (?, ?)", list(entries.items()))
        if self.broken:
            connection.execute("SELECT no_such_column")
        return lambda: self.commits.append(list(entries))

    def rows(self) -> list[tuple[str, int]]:
        return self.root.cursor().execute("FROM pages ORDER BY key, value").fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pages.duckdb"


def test_what_is_put_is_committed_without_asking(path: Path) -> None:
    async def go() -> list[tuple[str, int]]:
        pages = Pages(path)
        pages.ledger.put("a", 1)
        await until(lambda: not pages.ledger.pending)
        rows = pages.rows()
        await pages.journal.close()
        return rows

    assert asyncio.run(go()) == [("a", 1)]


def test_what_waits_is_one_commit(path: Path) -> None:
    async def go() -> list[list[str]]:
        pages = Pages(path)
        for key in "abc":
            pages.ledger.put(key, 1)
        await pages.journal.flush()
        await pages.journal.close()
        return pages.commits

    assert asyncio.run(go()) == [["a", "b", "c"]]


def test_close_commits_what_waits(path: Path) -> None:
    async def go() -> list[tuple[str, int]]:
        pages = Pages(path)
        pages.ledger.put("a", 1)
        await pages.journal.close()
        return pages.rows()

    assert asyncio.run(go()) == [("a", 1)]


def test_an_entry_that_changes_while_it_is_written_is_written_again(path: Path) -> None:
    async def go() -> tuple[dict[str, int], list[tuple[str, int]]]:
        pages = Pages(path)
        pages.ledger.put("a", 1000)
        writing = asyncio.create_task(pages.journal.flush())
        await until(pages.journal._writing.locked)
        pages.ledger.put("a", 2000)
        await writing
        left = dict(pages.ledger.pending)
        await pages.journal.close()
        return left, pages.rows()

    assert asyncio.run(go()) == ({"a": 2000}, [("a", 1000), ("a", 2000)])


def test_a_commit_that_fails_is_tried_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> list[tuple[str, int]]:
        pages = Pages(path)
        pages.broken = True
        pages.ledger.put("a", 1)
        await until(lambda: "cannot be written yet" in caplog.text)
        pages.broken = False
        await until(lambda: not pages.ledger.pending)
        await pages.journal.close()
        return pages.rows()

    assert asyncio.run(go()) == [("a", 1)]


def test_flush_tells_that_the_disk_refused(path: Path) -> None:
    async def go() -> dict[str, int]:
        pages = Pages(path)
        pages.broken = True
        pages.ledger.put("a", 1)
        with pytest.raises(CatalogError):
            await pages.journal.flush()
        pages.broken = False
        left = dict(pages.ledger.pending)
        await pages.journal.close()
        return left

    assert asyncio.run(go()) == {"a": 1}


def test_what_is_lost_at_the_end_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> None:
        pages = Pages(path)
        pages.broken = True
        pages.ledger.put("a", 1)
        await pages.journal.close()

    asyncio.run(go())
    assert "1 answers and accounts are lost" in caplog.text


def test_beyond_the_bound_the_oldest_go_and_are_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "MOST_WEIGHT", 2)

    async def go() -> list[tuple[str, int]]:
        pages = Pages(path)
        for key in "abcd":
            pages.ledger.put(key, 1)
        await pages.journal.close()
        return pages.rows()

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(go()) == [("c", 1), ("d", 1)]
    assert "2 entries were lost" in caplog.text


def test_a_cancelled_flush_is_carried_out(path: Path) -> None:
    async def go() -> list[list[str]]:
        pages = Pages(path)
        pages.ledger.put("a", 1)
        flushing = asyncio.create_task(pages.journal.flush())
        await asyncio.sleep(0)
        flushing.cancel()
        await asyncio.wait([flushing])
        return pages.commits

    assert asyncio.run(go()) == [["a"]]


@pytest.mark.parametrize("bound", ["GROUP_ENTRIES", "GROUP_WEIGHT"])
def test_more_than_one_group_is_flushed_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(journal_module, bound, 2)

    async def go() -> list[list[str]]:
        pages = Pages(path)
        for key in "abcde":
            pages.ledger.put(key, 1)
        await pages.journal.flush()
        await pages.journal.close()
        return pages.commits

    assert asyncio.run(go()) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_write_comes_after_what_was_put(path: Path) -> None:
    async def go() -> int:
        pages = Pages(path)
        pages.ledger.put("a", 1)
        gone = await pages.journal.write(delete)
        await pages.journal.close()
        return gone

    def delete(connection: Connection) -> Callable[[], int]:
        ((gone,),) = connection.execute("DELETE FROM pages").fetchall()
        return lambda: int(gone)

    assert asyncio.run(go()) == 1
