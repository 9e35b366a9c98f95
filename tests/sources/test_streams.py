"""Rows that come as a stream are read once; who tries again is told so, and the server lives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.sources.kind import NativeKind
from tests.fixtures.house import SmallHouse
from tests.sources.pushing import house_with
from tests.support.servers.server import Database

TWICE = (
    ("FROM rows", "FROM rows"),
    ("FROM rows LIMIT 1", "FROM rows"),
    ("FROM rows AS a JOIN rows AS b USING (n)",),
)


@pytest.fixture
def pg(postgres: Database, tmp_path: Path) -> Iterator[SmallHouse]:
    with house_with(tmp_path, src=postgres) as house:
        yield house


async def read(house: SmallHouse, statements: tuple[str, ...]) -> None:
    sources = house.state.sources
    record = house.store.find_source("src")
    assert record is not None
    await sources.reach(record)
    kind = sources.kind(record)
    assert isinstance(kind, NativeKind)
    line, cursor = sources.line(record), house.projects.database.cursor()
    try:
        asked = kind.ask(record, "SELECT n FROM generate_series(1, 5000) AS n")
        await cursor.lend("rows", await line.stream(asked))
        for sql in statements:
            await cursor.execute(sql)
    finally:
        await cursor.close()
        await line.close()


@pytest.mark.parametrize("statements", TWICE, ids=" then ".join)
def test_a_stream_is_not_read_twice(pg: SmallHouse, statements: tuple[str, ...]) -> None:
    with pytest.raises(CatalogError, match="read already"):
        pg.run(read(pg, statements))
    assert pg.rows("SELECT COUNT(*) FROM src (SELECT 1 AS n)") == [("1",)]


def test_what_a_statement_reads_twice_is_kept(pg: SmallHouse, postgres: Database) -> None:
    postgres.native("CREATE TABLE t AS SELECT n AS id FROM generate_series(1, 3) AS n")
    twice = "WITH q AS (SELECT id FROM src.t) SELECT COUNT(*) FROM q JOIN q AS r JOIN things"
    assert pg.rows(twice) == [("54",)]
    inside = "SELECT id, (SELECT MAX(id) FROM src.t WHERE t.id <= s.id) FROM things s ORDER BY id"
    assert pg.rows(inside)[:2] == [("1", "1"), ("2", "2")]
