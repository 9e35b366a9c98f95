"""Folders whose files are tables: names, types, changes, and no way out."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.errors import (
    CatalogError,
    ConversionFailed,
    FileBroken,
    FileGone,
    NotPermitted,
    SourceFailed,
    SourceUnreachable,
    TableUnknown,
)
from tests.sources.attached import Room, room, stand

REVIEWS = "id,body,stars\n1,good,5\n2,bad,1\n"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as it:
        it.attach("docs", "files", path=str(it.folder))
        yield it


def put(here: Room, name: str, text: str | bytes) -> Path:
    """A file in the folder."""
    path = here.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def parquet(here: Room, name: str, select: str) -> None:
    """A Parquet file of a SELECT's rows."""
    (here.folder / name).parent.mkdir(parents=True, exist_ok=True)
    duckdb.connect().execute(f"COPY ({select}) TO '{here.folder / name}' (FORMAT parquet)")


def test_each_format_is_a_table(here: Room) -> None:
    put(here, "a.csv", REVIEWS)
    put(here, "b.tsv", "x\ty\n1\tone, two\n")
    put(here, "c.json", '[{"x": 1}, {"x": 2}]')
    put(here, "d.ndjson", '{"x": 1}\n{"x": 2}\n')
    put(here, "e.csv.gz", gzip.compress(b"x\n1\n"))
    put(here, "f.jsonl.gz", gzip.compress(b'{"x": 7}\n'))
    parquet(here, "g.parquet", "SELECT 1::UTINYINT AS x")
    put(here, "notes.txt", "none of ours")
    put(here, ".hidden.csv", REVIEWS)
    assert here.tables("docs") == list("abcdefg")
    assert [here.rows("docs", name) for name in "abcdefg"] == [
        [(1, "good", 5), (2, "bad", 1)],
        [(1, "one, two")],
        [(1,), (2,)],
        [(1,), (2,)],
        [(1,)],
        [(7,)],
        [(1,)],
    ]


def test_types_are_what_duckdb_finds(here: Room) -> None:
    put(here, "t.csv", "i,d,t,b,x,n\n1,2024-02-29,2024-01-01 10:00:00,true,1.5,\n")
    assert here.columns("docs", "t") == {
        "i": "BIGINT",
        "d": "DATE",
        "t": "TIMESTAMP",
        "b": "BOOLEAN",
        "x": "DOUBLE",
        "n": "VARCHAR",
    }


@pytest.mark.parametrize("name", ["reviews", "REVIEWS", "reviews.csv", "Reviews.CSV"])
def test_a_table_goes_by_the_files_name_with_or_without_suffix(name: str, here: Room) -> None:
    put(here, "reviews.csv", REVIEWS)
    table = here.table("docs", name)
    assert (table.schema, table.name) == ("main", "reviews")
    assert len(here.rows("docs", name)) == 2


def test_files_that_differ_in_their_suffix_are_told_apart(here: Room) -> None:
    put(here, "r.csv", "x\n1\n")
    parquet(here, "r.parquet", "SELECT 2 AS x")
    assert here.tables("docs") == ["r.csv", "r.parquet"]
    assert here.rows("docs", "r.parquet") == [(2,)]
    with pytest.raises(TableUnknown, match=r"'docs.r' is files of more than one .*r.csv, r.parq"):
        here.table("docs", "r")


def test_a_sub_folder_is_a_schema(here: Room) -> None:
    put(here, "sub/deep/r.csv", REVIEWS)
    put(here, "Sub2/r.csv", "x\n7\n")
    assert here.tables("docs") == ["Sub2.r", "sub/deep.r"]
    assert here.rows("docs", "r", "sub/deep") == here.rows("docs", "sub/deep/r.csv")
    assert here.rows("docs", "r", "sub2") == [(7,)]
    assert here.table("docs", "sub/deep/r").schema == "sub/deep"


def test_a_pattern_is_a_table_of_all_files_that_fit(here: Room) -> None:
    for month in (1, 2):
        parquet(here, f"y/2024-{month}.parquet", f"SELECT {month} AS m")
    parquet(here, "y/2025-1.parquet", "SELECT 3 AS m")
    assert here.rows("docs", "2024-*.parquet", "y", "ORDER BY 1") == [(1,), (2,)]
    assert here.rows("docs", "**/2024-[!1]", None) == [(2,)]
    assert here.rows("docs", "y/202?-1", None, "ORDER BY 1") == [(1,), (3,)]
    parquet(here, "y/2024-3.parquet", "SELECT 9 AS m")
    assert here.rows("docs", "2024-*.parquet", "y", "ORDER BY 1") == [(1,), (2,), (9,)]


def test_files_of_one_pattern_have_the_same_columns_unless_told_otherwise(here: Room) -> None:
    put(here, "p1.csv", "x,y\n1,2\n")
    put(here, "p2.csv", "y,z\n3,4\n")
    with pytest.raises(ConversionFailed, match="Schema mismatch"):
        here.rows("docs", "p*")
    here.attach("wide", "files", path=str(here.folder), union_by_name=True)
    assert here.rows("wide", "p*", None, "ORDER BY y") == [(1, 2, None), (None, 3, 4)]


def test_a_name_with_signs_of_a_pattern_is_a_file_first(here: Room) -> None:
    put(here, "a[1].csv", "x\n1\n")
    put(here, "a1.csv", "x\n2\n")
    assert here.rows("docs", "a[1].csv") == [(1,)]
    assert here.rows("docs", "a[1]") == [(1,)]


def test_a_name_with_quotes_is_a_name(here: Room) -> None:
    put(here, 'it\'s "here".csv', 'it\'s,"a""b"\n1,2\n')
    assert here.columns("docs", 'it\'s "here"') == {"it's": "BIGINT", 'a"b': "BIGINT"}
    assert here.rows("docs", 'it\'s "here"') == [(1, 2)]


def test_a_file_that_changed_is_read_anew_at_once(here: Room) -> None:
    path = put(here, "r.csv", REVIEWS)
    assert len(here.columns("docs", "r")) == 3
    path.write_text("other\n1.5\n")
    assert here.columns("docs", "r") == {"other": "DOUBLE"}
    assert here.rows("docs", "r") == [(1.5,)]
    path.unlink()
    with pytest.raises(TableUnknown, match=r"Table 'docs.r' doesn't exist"):
        here.rows("docs", "r")
    assert here.tables("docs") == []


def test_an_unchanged_file_is_looked_into_once(here: Room) -> None:
    put(here, "r.csv", REVIEWS)
    first = here.table("docs", "r")
    assert here.table("docs", "r") is first
    here.sources.refresh("docs")
    assert here.table("docs", "r") is not first


def test_a_file_that_changed_between_describe_and_read_is_an_error(here: Room) -> None:
    path = put(here, "sub/r.csv", REVIEWS)
    table = here.table("docs", "r", "sub")
    assert table.view is not None
    path.write_text("id,body,stars\n1,good,none\n")
    with pytest.raises(FileBroken, match=r"^sub/r.csv, line 2: .*\"stars\".*\"none\""):
        here.execute(table.view)
    path.unlink()
    with pytest.raises(FileGone, match=r"^The file 'sub/r.csv' is gone$"):
        here.execute(table.view)


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        (
            "late.csv",
            "id,t\n" + "1,x\n" * 30_000 + "abc,y\n",
            FileBroken,
            r"^late.csv, line 30002: .*\"id\".*\"abc\" to 'BIGINT'$",
        ),
        (
            "wide.csv",
            "id,t\n" + "1,x\n" * 30_000 + "1,2,3,4\n",
            FileBroken,
            r"^wide.csv, line 30002: Expected Number of Columns: 2 Found",
        ),
        ("latin.csv", b"id,t\n1,\xe9\n", FileBroken, r"^latin.csv, line 2: .*not utf-8"),
        ("cut.json", '{"a": 1}\n{"a":', ConversionFailed, r"in file \"cut.json\".* line 3"),
        ("no.parquet", "text", ConversionFailed, r"^File 'no.parquet' too small"),
        ("no.csv.gz", "text", CatalogError, r"(?i)gzip"),
    ],
)
def test_what_is_broken_is_told_by_file_and_line(
    name: str, text: str | bytes, error: type[CatalogError], said: str, here: Room
) -> None:
    put(here, name, text)
    with pytest.raises(error, match=said) as raised:
        here.rows("docs", name)
    assert str(here.folder) not in str(raised.value)


def test_quotes_behind_the_sample_are_quotes(here: Room) -> None:
    put(here, "q.csv", "id,t\n" + "1,x\n" * 30_000 + '2,"a, ""b"""\n')
    assert here.rows("docs", "q", None, "WHERE id = 2") == [(2, 'a, "b"')]


def test_quotes_that_are_none_stay(here: Room) -> None:
    put(here, "q.csv", 'id,t\n1,say "hi" to\n2,"a"b"\n')
    assert here.rows("docs", "q") == [(1, 'say "hi" to'), (2, '"a"b"')]


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("empty.csv", "", {"column0": "VARCHAR"}),
        ("header.csv", "a,b\n", {"a": "VARCHAR", "b": "VARCHAR"}),
        ("empty.json", "", {"json": "JSON"}),
    ],
)
def test_an_empty_file_is_an_empty_table(
    name: str, text: str, columns: dict[str, str], here: Room
) -> None:
    put(here, name, text)
    assert here.columns("docs", name) == columns
    assert here.rows("docs", name) == []


def test_options_are_those_of_the_database(here: Room) -> None:
    put(here, "o/de.csv", "Preis;Tag;Wer\n1,5;31.12.2024;J\xfcrgen\n-;-;-\n".encode("latin-1"))
    here.attach(
        "de",
        "files",
        path=str(here.folder / "o"),
        delimiter=";",
        decimal_separator=",",
        dateformat="%d.%m.%Y",
        encoding="latin-1",
        nullstr="-",
        header=True,
    )
    assert list(here.columns("de", "de").values()) == ["DOUBLE", "DATE", "VARCHAR"]
    assert str(here.rows("de", "de")[0]) == "(1.5, datetime.date(2024, 12, 31), 'Jürgen')"
    assert here.rows("de", "de")[1] == (None, None, None)


def test_a_transaction_sees_files_that_were_not_read_before(here: Room) -> None:
    put(here, "a.csv", "x\n1\n")
    put(here, "b.csv", "x\n2\n")

    async def work() -> list[object]:
        cursor, seen = here.database.cursor(), []
        await cursor.execute("BEGIN")
        for name in ("a", "b"):
            table = await here.sources.table(here.record("docs"), name)
            seen.append((await cursor.execute(f"FROM {await stand(cursor, table)}"))[0][0])
        await cursor.execute("ROLLBACK")
        await cursor.close()
        return seen

    assert here.run(work()) == [1, 2]


@pytest.mark.parametrize(
    "name", ["../own/k", "../own/k.csv", "/etc/passwd", "sub/../../own/k", "*/../../own/*"]
)
def test_no_name_leads_out(name: str, here: Room) -> None:
    put(here, "sub/a.csv", "x\n1\n")
    (here.own / "k.csv").write_text("k\nsecret\n")
    with pytest.raises(TableUnknown):
        here.table("docs", name)


def test_no_link_leads_out(here: Room) -> None:
    (here.own / "k.csv").write_text("k\nsecret\n")
    (here.folder / "link.csv").symlink_to(here.own / "k.csv")
    (here.folder / "linked").symlink_to(here.own)
    os.link(here.own / "k.csv", here.folder / "hard.csv")
    os.mkfifo(here.folder / "pipe.csv")
    (here.folder.parent / "elsewhere.csv").write_text("x\n1\n")
    (here.folder / "out.csv").symlink_to(here.folder.parent / "elsewhere.csv")
    put(here, "in.csv", "x\n1\n")
    (here.folder / "also.csv").symlink_to(here.folder / "in.csv")
    assert here.tables("docs") == ["also", "in"]
    assert here.rows("docs", "also") == [(1,)]
    assert here.rows("docs", "*", None) == [(1,), (1,)]


def test_duckdb_itself_follows_no_link_out(here: Room) -> None:
    path = put(here, "in.csv", "k\nmine\n")
    table = here.table("docs", "in")
    assert table.view is not None
    (here.own / "k.csv").write_text("k\nsecret\n")
    path.unlink()
    path.symlink_to(here.own / "k.csv")
    with pytest.raises(NotPermitted):
        here.execute(table.view)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/etc", NotPermitted),
        ("..", NotPermitted),
        ("../own", NotPermitted),
        ("nowhere", SourceUnreachable),
        ("a.csv", SourceFailed),
        ("out", NotPermitted),
        ("a\0b", NotPermitted),
    ],
)
def test_a_database_is_a_folder_that_is_allowed(
    path: str, error: type[CatalogError], here: Room
) -> None:
    put(here, "a.csv", REVIEWS)
    (here.folder / "out").symlink_to("/etc")
    with pytest.raises(error):
        here.attach("other", "files", path=path)
    assert here.sources.find("other") is None


def test_a_folder_may_be_named_from_the_allowed_one_on(here: Room) -> None:
    put(here, "sub/a.csv", REVIEWS)
    here.attach("other", "files", path="sub")
    assert here.tables("other") == ["a"]


def test_a_folder_that_is_gone_is_told_and_comes_back(here: Room) -> None:
    put(here, "sub/a.csv", REVIEWS)
    here.attach("other", "files", path="sub")
    (here.folder / "sub").rename(here.folder / "away")
    with pytest.raises(CatalogError):
        here.rows("other", "a")
    (here.folder / "away").rename(here.folder / "sub")
    assert len(here.rows("other", "a")) == 2
