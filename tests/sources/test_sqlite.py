"""Files of SQLite's: values of all classes, what is known of tables, writing, others at it."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import (
    CatalogError,
    ConstraintViolation,
    ConversionFailed,
    DuplicateKey,
    LockTimeout,
    NotPermitted,
    NullViolation,
    SourceFailed,
    SourceReadOnly,
    SourceUnreachable,
    TableUnknown,
    TwoTargets,
)
from tests.sources.attached import Room, room

SCHEMA = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'it''s', mail TEXT UNIQUE, n INT);
INSERT INTO users VALUES (1, 'Ann', 'a@x', 5), (2, 'Bob', NULL, NULL);
CREATE INDEX by_n ON users (n, name);
CREATE VIEW grown AS SELECT id + 1 AS next, upper(name) AS loud FROM users;
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as it:
        made(it, SCHEMA)
        it.attach("lite", "sqlite", path="a.db")
        yield it


def made(here: Room, script: str, *rows: Any, file: str = "a.db") -> None:
    """Run a script in a file, in another process: SQLite twice in one would share its locks; rows
    go into its table t."""
    code = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executescript(sys.argv[2])
for row in eval(sys.argv[3]):
    c.execute(f"INSERT INTO t VALUES ({','.join('?' * len(row))})", row)
c.commit()
"""
    command = [sys.executable, "-c", code, str(here.folder / file), script, repr(list(rows))]
    subprocess.run(command, check=True)


def kept(here: Room, query: str, file: str = "a.db") -> list[Any]:
    """What SQLite itself says is in the file."""
    code = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())"
    )
    command = [sys.executable, "-c", code, str(here.folder / file), query]
    return eval(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # type: ignore[no-any-return]


def test_tables_and_views_are_tables(here: Room) -> None:
    assert here.tables("lite") == ["grown", "users"]
    assert here.rows("lite", "USERS") == [(1, "Ann", "a@x", 5), (2, "Bob", None, None)]
    assert here.rows("lite", "grown", None, "ORDER BY 1") == [(2, "ANN"), (3, "BOB")]
    assert here.columns("lite", "grown") == {"next": "BIGINT", "loud": "VARCHAR"}


def test_a_table_whose_values_fit_is_read_by_duckdb(here: Room) -> None:
    assert here.table("lite", "users").view is None
    assert here.table("lite", "users", "main").schema == "main"


def test_columns_have_keys_defaults_and_null(here: Room) -> None:
    columns = here.table("lite", "users").columns
    assert [(c.name, c.type, c.nullable, c.key, c.default) for c in columns] == [
        ("id", "BIGINT", False, "PRI", None),
        ("name", "VARCHAR", False, "", "it's"),
        ("mail", "VARCHAR", True, "UNI", None),
        ("n", "BIGINT", True, "MUL", None),
    ]


def test_indexes_are_told(here: Room) -> None:
    found = here.run(here.sources.indexes(here.table("lite", "users")))
    assert [(i.index, i.unique, i.position, i.column) for i in found] == [
        ("PRIMARY", True, 1, "id"),
        ("by_n", False, 1, "n"),
        ("by_n", False, 2, "name"),
        ("sqlite_autoindex_users_1", True, 1, "mail"),
    ]


def test_a_missing_table_is_told_with_the_near_name(here: Room) -> None:
    with pytest.raises(TableUnknown, match=r"'lite.user' doesn't exist: did you mean 'users'\?"):
        here.table("lite", "user")


BIG = 2**63 - 1


@pytest.mark.parametrize(
    ("declared", "values", "type_", "read"),
    [
        ("INTEGER", [1, -BIG - 1, BIG, None], "BIGINT", [1, -BIG - 1, BIG, None]),
        ("INTEGER", [1, "two", None], "VARCHAR", ["1", "two", None]),
        ("INTEGER", [1, 1.5], "DOUBLE", [1.0, 1.5]),
        ("INTEGER", [2**53 + 1, 0.1], "VARCHAR", ["9007199254740993", "0.1"]),
        ("BOOLEAN", [0, 1], "BIGINT", [0, 1]),
        ("REAL", [1, 1e308, -0.1, None], "DOUBLE", [1.0, 1e308, -0.1, None]),
        ("REAL", [0.1 + 0.2, "x"], "VARCHAR", ["0.30000000000000004", "x"]),
        ("NUMERIC(10,2)", [12.34, 5], "DOUBLE", [12.34, 5.0]),
        ("NUMERIC", [2**53 + 1, 2], "BIGINT", [2**53 + 1, 2]),
        ("DECIMAL(30,0)", ["12345678901234567890123", 1], "DOUBLE", [1.2345678901234568e22, 1.0]),
        (
            "TEXT",
            ["", "é\U0001f600", "a\0b", 7, None],
            "VARCHAR",
            ["", "é\U0001f600", "a\0b", "7", None],
        ),
        ("TEXT", ["x", b"\xff\x00"], "BLOB", [b"x", b"\xff\x00"]),
        ("BLOB", [b"\xff\x00", b"", "text", None], "BLOB", [b"\xff\x00", b"", b"text", None]),
        ("", [1, 2, None], "BIGINT", [1, 2, None]),
        ("", [1, 2.5], "DOUBLE", [1.0, 2.5]),
        ("", [1, "x"], "VARCHAR", ["1", "x"]),
        ("", [None], "BLOB", [None]),
        ("JSON", ['{"a": 1}'], "VARCHAR", ['{"a": 1}']),
        ("TIME", ["01:02:03"], "VARCHAR", ["01:02:03"]),
        ("DATE", ["2024-02-29", None], "DATE", [date(2024, 2, 29), None]),
        ("DATE", ["2024-02-30"], "VARCHAR", ["2024-02-30"]),
        ("DATE", ["2024-02-29 10:00"], "VARCHAR", ["2024-02-29 10:00"]),
        ("DATE", ["0000-00-00", "soon"], "VARCHAR", ["0000-00-00", "soon"]),
        ("DATE", [1704153600], "BIGINT", [1704153600]),
        (
            "DATETIME",
            ["2024-01-02 03:04:05.678", "2024-01-02"],
            "TIMESTAMP",
            [datetime(2024, 1, 2, 3, 4, 5, 678000), datetime(2024, 1, 2)],
        ),
        ("TIMESTAMP", [2460311.5], "DOUBLE", [2460311.5]),
    ],
)
def test_every_value_is_read_whole(
    declared: str, values: list[Any], type_: str, read: list[Any], here: Room
) -> None:
    made(here, f"CREATE TABLE t (v {declared})", *((value,) for value in values))
    assert here.columns("lite", "t") == {"v": type_}
    assert [row[0] for row in here.rows("lite", "t")] == read


def test_infinity_and_generated_columns_and_odd_names(here: Room) -> None:
    made(
        here,
        """CREATE TABLE "o'd d" ("a ""b" REAL, g AS ("a ""b" * 2), "x;y" TEXT);
        INSERT INTO "o'd d" ("a ""b", "x;y") VALUES (9e999, 'q'), (-9e999, NULL), (0.25, '')""",
    )
    inf = float("inf")
    rows = [(inf, inf, "q"), (-inf, -inf, None), (0.25, 0.5, "")]
    assert here.rows("lite", "o'd d") == rows
    assert list(here.columns("lite", "o'd d")) == ['a "b', "g", "x;y"]


def test_a_value_behind_the_sample_is_an_error_that_says_what_to_do(here: Room) -> None:
    rows = [(n,) for n in range(30)]
    made(here, "CREATE TABLE t (v INTEGER)", *rows, ("late",))
    here.attach("few", "sqlite", path="a.db", sample_size=20)
    with pytest.raises(ConversionFailed, match=r"Column 'v' holds 'late'.*sample_size"):
        here.rows("few", "t")
    here.attach("all", "sqlite", path="a.db", sample_size=-1)
    assert here.rows("all", "t")[-1] == ("late",)


def test_a_changed_table_is_seen_at_once_changed_values_after_refresh(here: Room) -> None:
    made(here, "CREATE TABLE t (v INTEGER)", (1,))
    assert here.columns("lite", "t") == {"v": "BIGINT"}
    made(here, "ALTER TABLE t ADD COLUMN w TEXT")
    assert list(here.columns("lite", "t")) == ["v", "w"]
    made(here, "", ("x", "y"))
    here.sources.refresh("lite")
    assert here.columns("lite", "t") == {"v": "VARCHAR", "w": "VARCHAR"}


def test_writing_is_one_transaction(here: Room) -> None:
    users = '"@lite".main.users'
    here.execute(f"INSERT INTO {users} VALUES (3, 'Cyd', 'c', 1)")
    here.execute(
        "BEGIN", f"UPDATE {users} SET n = 9", f"DELETE FROM {users} WHERE id = 1", "ROLLBACK"
    )
    assert kept(here, "SELECT id, n FROM users ORDER BY 1") == [(1, 5), (2, None), (3, 1)]
    here.execute(
        "BEGIN", f"UPDATE {users} SET n = 9", f"DELETE FROM {users} WHERE id = 1", "COMMIT"
    )
    assert kept(here, "SELECT id, n FROM users ORDER BY 1") == [(2, 9), (3, 9)]
    here.execute("CREATE TABLE \"@lite\".main.made AS SELECT 1 AS a, 'x' AS b")
    assert kept(here, "SELECT * FROM made") == [(1, "x")]


@pytest.mark.parametrize(
    "sql",
    [
        'CREATE TABLE "@lite".main.half AS '
        "SELECT CASE WHEN i = 50000 THEN error('boom') ELSE i END AS i FROM range(100000) r(i)",
        "INSERT INTO \"@lite\".main.users (id, mail) SELECT i, CASE WHEN i = 50000 THEN 'a@x' END "
        "FROM range(10, 100000) r(i)",
    ],
)
def test_a_failure_leaves_nothing_half_written(sql: str, here: Room) -> None:
    with pytest.raises(CatalogError):
        here.execute(sql)
    assert here.tables("lite") == ["grown", "users"]
    assert kept(here, "SELECT count(*) FROM users") == [(2,)]


@pytest.mark.parametrize(
    ("sql", "error", "said"),
    [
        ("INSERT INTO {t} VALUES (1, 1)", DuplicateKey, "Duplicate entry for key 't.a'"),
        ("INSERT INTO {t} VALUES (2, NULL)", NullViolation, "Column 'b' cannot be null"),
        ("INSERT INTO {t} VALUES (2, 0)", ConstraintViolation, "CHECK constraint failed: b > 0"),
    ],
)
def test_sqlites_constraints_say_no(
    sql: str, error: type[CatalogError], said: str, here: Room
) -> None:
    made(
        here,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER NOT NULL CHECK (b > 0))",
        (1, 1),
    )
    with pytest.raises(error, match=said):
        here.execute(sql.format(t='"@lite".main.t'))


@pytest.mark.parametrize("first", ['"@lite".main.users (id)', "ours"])
def test_one_transaction_changes_one_database(first: str, here: Room) -> None:
    here.execute("CREATE TABLE ours (id INT)")
    second = {"ours": '"@lite".main.users (id)'}.get(first, "ours")
    with pytest.raises(TwoTargets, match="tables of one database alone: COMMIT before changing"):
        here.execute("BEGIN", f"INSERT INTO {first} VALUES (7)", f"INSERT INTO {second} VALUES (7)")
    assert kept(here, "SELECT count(*) FROM users") == [(2,)]
    assert here.execute("SELECT count(*) FROM ours") == [(0,)]


def test_a_read_only_database_takes_no_rows(here: Room) -> None:
    here.attach("fixed", "sqlite", path="a.db", read_only=True)
    with pytest.raises(SourceReadOnly):
        here.execute('INSERT INTO "@fixed".main.users (id) VALUES (9)')


def test_another_process_that_writes_is_waited_for_and_told(here: Room) -> None:
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); print('open', flush=True); input(); c.execute('ROLLBACK')"
    )
    command = [sys.executable, "-c", code, str(here.folder / "a.db")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        started = time.monotonic()
        with pytest.raises(LockTimeout):
            here.execute('INSERT INTO "@lite".main.users (id) VALUES (9)')
        assert time.monotonic() - started < 15
        other.communicate("\n")
    here.execute('INSERT INTO "@lite".main.users (id) VALUES (9)')
    assert kept(here, "SELECT count(*) FROM users") == [(3,)]


def test_a_kill_in_the_middle_of_a_write_leaves_the_file_sound(here: Room) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from catalog.database import Database

async def main():
    own = Path(sys.argv[1])
    database = Database(own / "d", spill_dir=own / "s", memory_limit="300MB",
                        source_dirs=(Path(sys.argv[2]),))
    cursor = database.cursor()
    await cursor.execute(f"ATTACH '{sys.argv[2]}/a.db' AS lite (TYPE sqlite)")
    await cursor.execute("BEGIN")
    await cursor.execute("INSERT INTO lite.users (id) SELECT i FROM range(10, 300000) r(i)")
    print("written", flush=True)
    await cursor.execute("INSERT INTO lite.users (id) SELECT i FROM range(300000, 90000000) r(i)")

asyncio.run(main())
"""
    other = here.own.parent / "other"
    other.mkdir()
    command = [sys.executable, "-c", code, str(other), str(here.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert kept(here, "PRAGMA integrity_check") == [("ok",)]
    assert kept(here, "SELECT count(*) FROM users") == [(2,)]
    assert here.rows("lite", "users", None, "WHERE id = 1") == [(1, "Ann", "a@x", 5)]


def test_a_file_that_is_no_database_is_refused(here: Room) -> None:
    (here.folder / "no.db").write_text("hello" * 1000)
    with pytest.raises(SourceFailed, match="not a database of this kind"):
        here.attach("no", "sqlite", path="no.db")
    assert here.execute("SELECT count(*) FROM duckdb_databases() WHERE database_name = '@no'") == [
        (0,)
    ]


def test_a_file_that_is_not_there_is_not_made(here: Room) -> None:
    with pytest.raises(SourceUnreachable, match=r"no file or folder 'new\.db'"):
        here.attach("new", "sqlite", path="new.db")
    assert not (here.folder / "new.db").exists()


def test_the_servers_own_files_go_by_no_name(here: Room) -> None:
    sqlite3.connect(here.own / "own.db").execute("CREATE TABLE t (a)").connection.close()
    (here.folder / "link.db").symlink_to(here.own / "own.db")
    os.link(here.own / "own.db", here.folder / "hard.db")
    for path in ("link.db", "hard.db", "../own/own.db", str(here.own / "own.db")):
        with pytest.raises(NotPermitted):
            here.attach("own", "sqlite", path=path)


def test_forgetting_lets_the_file_go(here: Room) -> None:
    here.rows("lite", "users")
    here.run(here.sources.forget(here.record("lite")))
    assert here.execute(
        "SELECT count(*) FROM duckdb_databases() WHERE database_name = '@lite'"
    ) == [(0,)]
    assert len(here.rows("lite", "users")) == 2
