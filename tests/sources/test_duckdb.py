"""Files of DuckDB's own: all its types, what is known of tables, writing, others at the file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.errors import (
    CatalogError,
    FileAttached,
    NotPermitted,
    SourceFailed,
    SourceReadOnly,
    SourceUnreachable,
    TableUnknown,
    TwoTargets,
)
from tests.sources.attached import Room, room

SCHEMA = """
CREATE TABLE users (
    id INT PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'x', mail VARCHAR UNIQUE, n INT
);
INSERT INTO users VALUES (1, 'Ann', 'a@x', 5), (2, 'Bob', NULL, NULL);
CREATE INDEX by_n ON users (n, name);
CREATE VIEW grown AS SELECT id + 1 AS next FROM users;
CREATE SCHEMA Sales;
CREATE TABLE Sales."Big Deals" (a INT);
CREATE VIEW peeking AS SELECT 1 AS x;
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as it:
        made(it, SCHEMA)
        it.attach("duck", "duckdb", path="a.duckdb")
        yield it


def made(here: Room, script: str, file: str = "a.duckdb") -> None:
    """Run a script in a file."""
    with duckdb.connect(str(here.folder / file)) as connection:
        connection.execute(script)


def test_tables_and_views_of_all_schemas_are_tables(here: Room) -> None:
    assert here.tables("duck") == ["Sales.Big Deals", "grown", "peeking", "users"]
    assert here.rows("duck", "USERS") == [(1, "Ann", "a@x", 5), (2, "Bob", None, None)]
    assert here.rows("duck", "big deals", "sales") == []
    assert here.rows("duck", "grown") == [(2,), (3,)]


def test_columns_have_keys_defaults_and_null(here: Room) -> None:
    columns = here.table("duck", "users").columns
    assert [(c.name, c.type, c.nullable, c.key, c.default) for c in columns] == [
        ("id", "INTEGER", False, "PRI", None),
        ("name", "VARCHAR", False, "", "x"),
        ("mail", "VARCHAR", True, "UNI", None),
        ("n", "INTEGER", True, "MUL", None),
    ]


def test_indexes_are_told(here: Room) -> None:
    found = here.run(here.sources.indexes(here.table("duck", "users")))
    assert [(i.index, i.unique, i.position, i.column, i.nullable) for i in found] == [
        ("PRIMARY", True, 1, "id", False),
        ("mail", True, 1, "mail", True),
        ("by_n", False, 1, "n", True),
        ("by_n", False, 2, "name", False),
    ]


@pytest.mark.parametrize(
    ("name", "schema", "said"),
    [
        ("user", None, r"'duck.user' doesn't exist: did you mean 'users'\?"),
        ("users", "nowhere", "'duck.users' doesn't exist$"),
        ("duckdb_settings", None, "doesn't exist"),
    ],
)
def test_a_missing_table_is_told(name: str, schema: str | None, said: str, here: Room) -> None:
    with pytest.raises(TableUnknown, match=said):
        here.table("duck", name, schema)


def test_a_schema_may_be_the_default(here: Room) -> None:
    made(here, "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a", "b.duckdb")
    here.attach("other", "duckdb", path="b.duckdb", schema="s")
    assert here.rows("other", "t") == [(1,)]


def test_all_of_duckdbs_types_are_read_as_they_are(here: Room) -> None:
    here.run(here.sources.forget(here.record("duck")))
    made(here, "CREATE TABLE types AS FROM test_all_types()")
    with duckdb.connect(str(here.folder / "a.duckdb")) as connection:
        relation = connection.sql("FROM types")
        wanted = dict(zip(relation.columns, map(str, relation.types), strict=True))
    assert here.columns("duck", "types") == wanted
    assert len(here.execute('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM "@duck".main.types')) == 3


def test_a_changed_table_is_seen_at_once(here: Room) -> None:
    here.execute('ALTER TABLE "@duck".main.users ADD COLUMN z INT')
    assert list(here.columns("duck", "users")) == ["id", "name", "mail", "n", "z"]


def test_a_view_reads_nothing_of_the_servers(here: Room) -> None:
    here.run(here.sources.forget(here.record("duck")))
    (here.own / "k.csv").write_text("k\nsecret\n")
    made(here, f"CREATE VIEW nosy AS FROM read_csv('{here.own}/k.csv')")
    with pytest.raises(CatalogError) as raised:
        here.rows("duck", "nosy")
    assert isinstance(raised.value, NotPermitted)


def test_a_failure_leaves_nothing_half_written(here: Room) -> None:
    with pytest.raises(CatalogError):
        here.execute(
            'CREATE TABLE "@duck".main.half AS '
            "SELECT CASE WHEN i = 50000 THEN error('boom') ELSE i END AS i FROM range(100000) r(i)"
        )
    assert "half" not in here.tables("duck")


def test_one_transaction_changes_one_database(here: Room) -> None:
    here.execute("CREATE TABLE ours (id INT)")
    with pytest.raises(TwoTargets, match="COMMIT before changing 'duck'"):
        here.execute(
            "BEGIN", "INSERT INTO ours VALUES (7)", 'INSERT INTO "@duck".main.users (id) VALUES (7)'
        )
    assert here.execute("SELECT count(*) FROM ours") == [(0,)]


def test_a_read_only_database_takes_no_rows(here: Room) -> None:
    here.run(here.sources.forget(here.record("duck")))
    here.attach("fixed", "duckdb", path="a.duckdb", read_only=True)
    assert len(here.rows("fixed", "users")) == 2
    with pytest.raises(SourceReadOnly):
        here.execute('INSERT INTO "@fixed".main.users (id) VALUES (9)')


def test_a_file_that_another_process_has_open_is_told_and_comes_back(here: Room) -> None:
    made(here, "CREATE TABLE t AS SELECT 1 AS a", "b.duckdb")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    command = [sys.executable, "-c", code, str(here.folder / "b.duckdb")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(SourceUnreachable, match=r"^The file is open in another process$"):
            here.attach("other", "duckdb", path="b.duckdb")
        other.communicate("\n")
    here.attach("other", "duckdb", path="b.duckdb")
    assert here.rows("other", "t") == [(1,)]


def test_a_file_is_attached_once(here: Room) -> None:
    here.rows("duck", "users")
    with pytest.raises(FileAttached, match="attached already, as 'duck'"):
        here.attach("again", "duckdb", path="a.duckdb")
    here.attach("duck", "duckdb", path="a.duckdb")
    assert len(here.rows("duck", "users")) == 2


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_file_of_another_kind_is_refused(engine: str, here: Room) -> None:
    (here.folder / "no.db").write_text("hello" * 1000)
    with pytest.raises(SourceFailed, match="not a database of this kind"):
        here.attach("no", engine, path="no.db")


def test_the_servers_own_database_goes_by_no_name(here: Room) -> None:
    own = here.own / "data.duckdb"
    (here.folder / "link.duckdb").symlink_to(own)
    os.link(own, here.folder / "hard.duckdb")
    for path in ("link.duckdb", "hard.duckdb", "../own/data.duckdb", str(own)):
        with pytest.raises(NotPermitted):
            here.attach("own", "duckdb", path=path)
