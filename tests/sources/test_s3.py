"""Files of a bucket as tables, over a server that checks signatures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.database import Row
from catalog.errors import (
    CatalogError,
    FileBroken,
    FileGone,
    SourceDenied,
    SourceFailed,
    SourceUnreachable,
    TableUnknown,
)
from catalog.sources.kind import SourceTable
from proxy.plan.remote.dialect import rows_of
from tests.sources.attached import Room, room
from tests.support.servers.server import Database


def whole(table: SourceTable) -> str:
    """All columns of a table, in FROM."""
    return rows_of(table, {column.name.casefold() for column in table.columns})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as it:
        yield it


@pytest.fixture
def lake(here: Room, s3: Database) -> Room:
    """The bucket, attached."""
    attach(here, s3)
    return here


def attach(here: Room, s3: Database, name: str = "lake", **more: Any) -> None:
    """Attach the bucket."""
    names = s3.names
    given = {"bucket": names["bucket"], "key": names["key"], "endpoint": names["endpoint"], **more}
    here.attach(name, "s3", {"secret": given.pop("secret", names["secret"])}, **given)


def put(s3: Database, key: str, select: str, options: str = "") -> None:
    """An object of a SELECT's rows."""
    s3.native(f"COPY ({select}) TO 's3://{s3.names['bucket']}/{key}' {options}")


def rows(
    here: Room, name: str, schema: str | None = None, rest: str = "", source: str = "lake"
) -> list[Row]:
    """SELECT * FROM source.name, as the source is asked."""
    table = here.table(source, name, schema)
    return here.run(here.sources.ask(here.record(source), f"SELECT * FROM {whole(table)} {rest}"))


def test_objects_are_tables(lake: Room, s3: Database) -> None:
    put(s3, "reviews.csv", "SELECT 1 AS id, 'good' AS body", "(HEADER)")
    put(s3, "more/deep/p.parquet", "SELECT 7::UTINYINT AS x")
    put(s3, "j.json", "SELECT 2 AS y")
    put(s3, "notes.bin", "SELECT 2 AS y", "(FORMAT csv)")
    assert lake.tables("lake") == ["j", "more/deep.p", "reviews"]
    assert rows(lake, "REVIEWS") == [(1, "good")]
    assert rows(lake, "p", "more/deep") == rows(lake, "more/deep/p.parquet") == [(7,)]
    assert rows(lake, "j") == [(2,)]
    assert (
        lake.columns("lake", "p")
        if False
        else lake.columns("lake", "reviews")
        == {
            "id": "BIGINT",
            "body": "VARCHAR",
        }
    )


def test_a_pattern_is_a_table_of_all_objects_that_fit(lake: Room, s3: Database) -> None:
    for month in (1, 2):
        put(s3, f"2024-{month}.parquet", f"SELECT {month} AS m")
    put(s3, "2025-1.parquet", "SELECT 3 AS m")
    assert rows(lake, "2024-*.parquet", None, "ORDER BY 1") == [(1,), (2,)]


def test_a_filter_and_a_limit_are_duckdbs(lake: Room, s3: Database) -> None:
    put(s3, "p.parquet", "SELECT i, i * 2 AS j FROM range(100) r(i)")
    assert rows(lake, "p", None, "WHERE i > 90 ORDER BY i LIMIT 2") == [(91, 182), (92, 184)]


def test_a_prefix_is_a_folder(lake: Room, s3: Database) -> None:
    put(s3, "a/b/r.csv", "SELECT 1 AS id", "(HEADER)")
    put(s3, "ab/r.csv", "SELECT 2 AS id", "(HEADER)")
    attach(lake, s3, "part", prefix="a")
    assert lake.tables("part") == ["b.r"]
    assert rows(lake, "r", "b", source="part") == [(1,)]


def test_a_new_object_is_seen_at_once_a_changed_one_after_refresh(lake: Room, s3: Database) -> None:
    put(s3, "r.csv", "SELECT 1 AS id", "(HEADER)")
    assert rows(lake, "r") == [(1,)]
    put(s3, "s.csv", "SELECT 2 AS id", "(HEADER)")
    assert rows(lake, "s") == [(2,)]
    put(s3, "r.csv", "SELECT 'x' AS other, 2 AS n", "(HEADER)")
    lake.sources.refresh("lake")
    assert rows(lake, "r") == [("x", 2)]


def test_an_object_that_is_gone_is_told(lake: Room, s3: Database) -> None:
    put(s3, "d/r.parquet", "SELECT 1 AS id")
    put(s3, "d/t.csv", "SELECT 1 AS id", "(HEADER)")
    tables = [lake.table("lake", name, "d") for name in ("r", "t")]
    client = s3.server._client("s3")  # type: ignore[attr-defined]
    for key in ("d/r.parquet", "d/t.csv"):
        client.delete_object(Bucket=s3.names["bucket"], Key=key)
    for table in tables:
        with pytest.raises(FileGone, match=r"^The object 'd/[rt]\.\w+' is gone$"):
            lake.run(lake.sources.ask(lake.record("lake"), f"SELECT * FROM {whole(table)}"))


def test_a_broken_line_is_told(lake: Room, s3: Database) -> None:
    put(s3, "r.csv", "SELECT CASE i WHEN 30000 THEN 'x' ELSE '1' END AS id FROM range(30001) t(i)")
    with pytest.raises(FileBroken, match=r"r\.csv, line \d+: .*\"x\" to 'BIGINT'"):
        rows(lake, "r")


def test_a_missing_table_is_told_with_the_near_name(lake: Room, s3: Database) -> None:
    put(s3, "reviews.csv", "SELECT 1 AS id", "(HEADER)")
    with pytest.raises(TableUnknown, match=r"'lake.review' doesn't exist: did you mean 'reviews'"):
        lake.table("lake", "review")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"key": "AKIAWRONG"}, "InvalidAccessKeyId"),
        ({"bucket": "nowhere-at-all"}, "NoSuchBucket"),
    ],
)
def test_what_the_server_refuses_is_in_its_words(
    wrong: dict[str, str], said: str, here: Room, s3: Database
) -> None:
    with pytest.raises(SourceDenied, match=said) as raised:
        attach(here, s3, **wrong)
    assert "wrong" not in str(raised.value)
    assert here.sources.find("lake") is None


def test_a_definition_is_tried_with_its_own_key(lake: Room, s3: Database) -> None:
    with pytest.raises(SourceDenied):
        attach(lake, s3, secret="wrong")
    put(s3, "r.csv", "SELECT 1 AS id", "(HEADER)")
    assert rows(lake, "r") == [(1,)]


def test_two_sources_do_not_read_with_each_others_keys(lake: Room, s3: Database) -> None:
    with pytest.raises(SourceFailed, match="with another key"):
        attach(lake, s3, "other", prefix="a", key="AKIAOTHER")
    attach(lake, s3, "same", prefix="a")


def test_a_server_that_is_down_is_told_soon_and_comes_back(lake: Room, s3: Database) -> None:
    put(s3, "r.csv", "SELECT 1 AS id", "(HEADER)")
    assert rows(lake, "r") == [(1,)]
    s3.server.stop()
    try:
        lake.sources.refresh("lake")
        with pytest.raises(SourceUnreachable) as raised:
            rows(lake, "r")
    finally:
        s3.server.start()
    assert s3.names["secret"] not in str(raised.value)
    assert rows(lake, "r") == [(1,)]


def test_nothing_of_this_machine_is_read(lake: Room, s3: Database) -> None:
    (lake.folder / "k.csv").write_text("k\nsecret\n")
    for query in (
        f"SELECT * FROM read_csv('{lake.folder}/k.csv')",
        f"SELECT * FROM glob('{lake.folder}/*')",
        "SELECT * FROM read_text('/etc/passwd')",
    ):
        with pytest.raises(CatalogError):
            lake.run(lake.sources.ask(lake.record("lake"), query))
