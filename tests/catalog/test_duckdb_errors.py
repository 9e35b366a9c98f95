"""What DuckDB says, in the catalog's words: real statements, real errors."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog import duckdb_errors
from catalog.database import Database
from catalog.errors import (
    CatalogError,
    CatalogLocked,
    FileAttached,
    FileBroken,
    FileGone,
    LockTimeout,
    OutOfMemory,
    SourceFailed,
    SourceReadOnly,
    TooComplex,
    TwoTargets,
)
from tests.fixtures import cases

SETUP = """
CREATE SCHEMA s;
CREATE TABLE s.things (id INT PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, n INT CHECK (n > 0));
INSERT INTO s.things VALUES (1, 'one', 1);
CREATE TABLE s.parts (thing_id INT REFERENCES s.things (id));
INSERT INTO s.parts VALUES (1);
CREATE VIEW s.v AS SELECT 1 AS x;
"""
INTERNAL = re.compile(r"LINE \d|\^|Candidate|Did you mean|Error:")
# These need more than a statement: the tests below make them, and those of sources.
SQLITE = duckdb_errors._SQLITE
ELSEWHERE = {
    CatalogLocked,
    FileAttached,
    FileBroken,
    FileGone,
    OutOfMemory,
    SourceReadOnly,
    SourceFailed,
    LockTimeout,
    TooComplex,
    TwoTargets,
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    directory = tmp_path_factory.mktemp("errors")
    database = Database(directory / "d", spill_dir=directory / "s", memory_limit="200MB")
    assert failure(database, SETUP) is None
    yield database
    database.close()


def failure(database: Database, sql: str) -> CatalogError | None:
    """The error of a statement."""

    async def run() -> CatalogError | None:
        cursor = database.cursor()
        try:
            await cursor.execute(sql)
        except CatalogError as error:
            return error
        finally:
            await cursor.close()
        return None

    return asyncio.run(run())


@cases.every("duckdb")
def test_error_is_translated_as(case: cases.Case, database: Database, accept: bool) -> None:
    error = failure(database, case.sql)
    seen = f"{type(error).__name__}: {error}"
    assert seen.splitlines() == cases.expected(case, seen, accept)


@cases.every("duckdb")
def test_text_shows_nothing_of_duckdbs_own(case: cases.Case) -> None:
    assert not INTERNAL.search(case.expected)


def test_every_rule_fires(database: Database) -> None:
    fired = set()
    for case in (c for path in cases.files("duckdb") for c in cases.read(path)):
        error = failure(database, case.sql)
        assert error is not None
        cause = error.__cause__
        assert isinstance(cause, duckdb.Error)
        fitting = (
            rule
            for rule in duckdb_errors._RULES
            if isinstance(cause, rule.kind) and rule.pattern.search(str(cause))
        )
        fired.add(next(fitting))
    silent = [
        rule.pattern.pattern
        for rule in duckdb_errors._RULES
        if rule not in fired and rule.error not in ELSEWHERE and rule not in SQLITE
    ]
    assert silent == []


def test_an_expression_that_is_too_deep_says_so(database: Database) -> None:
    assert isinstance(failure(database, f"SELECT {' + '.join(['1'] * 2000)}"), TooComplex)


def test_a_statement_that_needs_too_much_memory_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "d", spill_dir=tmp_path / "s", memory_limit="20MB", threads=1)
    try:
        error = failure(database, "SELECT list(repeat('x', 1000) || i) FROM range(100_000) t(i)")
        assert isinstance(error, OutOfMemory)
    finally:
        database.close()


def test_a_directory_that_another_process_has_open_is_said_to_be(tmp_path: Path) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    command = [sys.executable, "-c", code, str(tmp_path / "d")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(CatalogLocked, match="Another server"):
            Database(tmp_path / "d", spill_dir=tmp_path / "s", memory_limit="200MB")
        other.communicate("\n")
