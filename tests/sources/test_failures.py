"""What a source says went wrong, in MySQL's codes and without what DuckDB wraps it in."""

import re
from pathlib import Path

import pytest

from catalog import errors
from catalog.sources import mysql_failures, postgres_failures
from tests.sources.room import Room, over, record
from tests.support.servers.server import Database

WRAPPING = re.compile(
    r"Failed to|LINE \d|_query\(|modelwire|COPY|Binder|IO Error|adbc|At:|\^|reads-what-it-may"
)
POSTGRES = """
CREATE TABLE t (
    a integer PRIMARY KEY, b varchar(5) NOT NULL, c integer CONSTRAINT pos CHECK (c > 0)
);
INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2);
CREATE TABLE u (a integer REFERENCES t);
INSERT INTO u VALUES (1);
"""
MARIADB = """
CREATE TABLE t (a int PRIMARY KEY, b varchar(5) NOT NULL, c int, CONSTRAINT pos CHECK (c > 0));
INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2);
CREATE TABLE u (a int, FOREIGN KEY (a) REFERENCES t (a));
INSERT INTO u VALUES (1);
"""
# Of both servers: what is asked, the error, and the text of PostgreSQL and of MariaDB.
ASKED: tuple[tuple[str, type[errors.CatalogError], str, str], ...] = (
    ("SELECT * FROM nosuch", errors.TableUnknown, "Table 'nosuch' doesn't", r"nosuch' doesn't"),
    ("SELECT nosuch FROM t", errors.ColumnUnknown, "'nosuch' in 'field list'", "'nosuch' in"),
    ("SELECT t.bb FROM t", errors.ColumnUnknown, "'t.bb' in 'field list': did you mean", "'t.bb'"),
    ("SELECT nosuch(1)", errors.FunctionUnknown, r"nosuch\(integer\) does not", "nosuch does not"),
    ("SELEC 1", errors.StatementRejected, 'near "SELEC"', "near 'SELEC 1'"),
    ("SELECT 1 AS a, 2 AS a", errors.ColumnExists, "^Duplicate column name 'a'$", "name 'a'$"),
    ("SELECT (SELECT a FROM t)", errors.SubqueryRows, "more than one row", "more than 1 row|why"),
)
CHANGED: tuple[tuple[str, type[errors.CatalogError], str, str], ...] = (
    ("INSERT INTO t VALUES (1, 'x', 1)", errors.DuplicateKey, "'1' for key 't_pkey'", "'1' for"),
    ("INSERT INTO t VALUES (3, NULL, 1)", errors.NullViolation, "^Column 'b' can", "'b' can"),
    ("INSERT INTO t VALUES (3, 'x', -1)", errors.ConstraintViolation, "pos", "pos"),
    ("INSERT INTO t VALUES (3, 'abcdef', 1)", errors.DataTooLong, "too long", "'b' at row 1"),
    ("INSERT INTO t VALUES (99999999999, 'x', 1)", errors.OutOfRange, "range", "'a' at row 1"),
    ("INSERT INTO t VALUES ('x', 'x', 1)", errors.ConversionFailed, '"x"', "'x'"),
    ("INSERT INTO u VALUES (9)", errors.ForeignKeyViolation, "not present", "foreign key"),
    ("DELETE FROM t WHERE a = 1", errors.InUse, "still referenced", "parent row"),
    ("INSERT INTO nosuch VALUES (1)", errors.TableUnknown, "'nosuch'", r"nosuch'"),
    ("INSERT INTO t (z) VALUES (1)", errors.ColumnUnknown, "'z' in 'field list'", "'z' in 'field"),
    ("CREATE TABLE t (a integer)", errors.AlreadyExists, "'t' already", "'t' already"),
)


def failure(path: Path, database: Database, asked: str, *, changes: bool) -> errors.CatalogError:
    """What comes of a native text; nothing in it is DuckDB's, nor a secret."""

    async def run(opened: Room) -> None:
        await (opened.run(asked) if changes else opened.ask(asked))

    with pytest.raises(errors.CatalogError) as caught:
        over(path, record(database), run)
    assert not WRAPPING.search(str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("asked", "error", "text", "_"), ASKED)
def test_queries_of_postgresql(
    asked: str, error: type[Exception], text: str, _: str, postgres: Database, tmp_path: Path
) -> None:
    postgres.native(POSTGRES)
    told = failure(tmp_path, postgres, asked, changes=False)
    assert type(told) is error
    assert re.search(text, str(told)), str(told)


@pytest.mark.parametrize(("asked", "error", "_", "text"), ASKED)
def test_queries_of_mariadb(
    asked: str, error: type[Exception], _: str, text: str, mariadb: Database, tmp_path: Path
) -> None:
    mariadb.native(MARIADB)
    told = failure(tmp_path, mariadb, asked, changes=False)
    assert type(told) in (error, errors.SourceFailed)
    assert re.search(text, str(told)), str(told)


@pytest.mark.parametrize(("asked", "error", "text", "_"), CHANGED)
def test_changes_of_postgresql(
    asked: str, error: type[Exception], text: str, _: str, postgres: Database, tmp_path: Path
) -> None:
    postgres.native(POSTGRES)
    told = failure(tmp_path, postgres, asked, changes=True)
    assert type(told) is error
    assert re.search(text, str(told)), str(told)


@pytest.mark.parametrize(("asked", "error", "_", "text"), CHANGED)
def test_changes_of_mariadb(
    asked: str, error: type[Exception], _: str, text: str, mariadb: Database, tmp_path: Path
) -> None:
    mariadb.native(MARIADB)
    told = failure(tmp_path, mariadb, asked, changes=True)
    assert type(told) is error
    assert re.search(text, str(told)), str(told)


@pytest.mark.parametrize(
    ("native", "error"),
    [
        ("SET LOCAL statement_timeout = 100; SELECT pg_sleep(5)", errors.SourceTimeout),
        ("SET TRANSACTION READ ONLY; DELETE FROM u", errors.SourceReadOnly),
        ("SELECT * FROM pg_authid", errors.NotPermitted),
        ("SELECT 1 / (a - a) FROM t", errors.DivisionByZero),
    ],
)
def test_more_of_postgresql(
    native: str, error: type[Exception], postgres: Database, tmp_path: Path
) -> None:
    postgres.native(POSTGRES)
    assert type(failure(tmp_path, postgres, native, changes=True)) is error


def test_a_held_lock_is_told(postgres: Database, tmp_path: Path) -> None:
    postgres.native(POSTGRES)

    async def run(opened: Room) -> None:
        await opened.sources.reach(opened.record)
        holder = opened.sources.line(opened.record)
        lock = opened.kind.call(opened.record, "LOCK TABLE t")
        try:
            await holder.run("BEGIN TRANSACTION", lock)
            await opened.run("SET LOCAL lock_timeout = 100; DELETE FROM t")
        finally:
            await holder.close()

    with pytest.raises(errors.LockTimeout, match=r"^canceling statement due to lock timeout"):
        over(tmp_path, record(postgres), run)


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        ("postgres", {"password": "wrong-one"}, "password authentication failed"),
        ("postgres", {"user": "nobody"}, "password authentication failed"),
        ("postgres", {"database": "nosuch"}, 'database "nosuch" does not exist'),
        ("mariadb", {"password": "wrong-one"}, "Access denied"),
        ("mariadb", {"user": "nobody"}, "Access denied"),
        ("mariadb", {"database": "nosuch"}, "Access denied"),
    ],
)
def test_a_door_that_stays_shut(
    kind: str,
    changed: dict[str, str],
    said: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    database: Database = request.getfixturevalue(kind)
    source = record(database, **changed)
    title = {"postgres": "PostgreSQL", "mariadb": "MariaDB"}[kind]
    with pytest.raises(errors.SourceDenied) as caught:
        over(tmp_path, source, lambda opened: opened.sources.check(source))
    where = f"Can't connect to {title} 'shop' at 127.0.0.1:{database.names['port']}: "
    assert str(caught.value).startswith(where + said)
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "said", "error"),
    [
        (postgres_failures, "deadlock detected", errors.TransactionFailed),
        (postgres_failures, "could not serialize access due to", errors.TransactionFailed),
        (postgres_failures, 'could not extend "x": No space left on device', errors.SourceFull),
        (postgres_failures, "Deadlock entdeckt", errors.SourceFailed),
        (postgres_failures, "sorry, too many clients already", errors.SourceUnreachable),
        (mysql_failures, "Deadlock found when trying to get lock", errors.TransactionFailed),
        (mysql_failures, "Lock wait timeout exceeded", errors.LockTimeout),
        (mysql_failures, "The table 't' is full", errors.SourceFull),
        (mysql_failures, "Query execution was interrupted", errors.SourceInterrupted),
        (
            mysql_failures,
            "Query execution was interrupted (max_statement_time exceeded)",
            errors.SourceTimeout,
        ),
        (mysql_failures, "", errors.SourceFailed),
    ],
)
def test_what_is_seldom_said(module: object, said: str, error: type[Exception]) -> None:
    """Texts of the servers' sources, in DuckDB's wrapping."""
    wrapped = {
        postgres_failures: f"Invalid Error: Failed to execute query \"SELECT 'x'\": ERROR:  {said}",
        mysql_failures: f'IO Error: Failed to run query "SELECT \'": \'x": {said}\n',
    }[module]  # type: ignore[index]
    assert type(module.failure(wrapped)) is error  # type: ignore[attr-defined]
