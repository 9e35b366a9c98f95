"""Files and objects of tests, made and looked at by databases of the tests' own process.

The proxy has no part in it.
"""

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from tests.support.servers.server import Cell, NativeError, Rows

NO_FILE = Path(":memory:")


def run(sql: str, file: Path = NO_FILE, s3: Mapping[str, str] | None = None) -> Rows:
    """Run statements in DuckDB, over a database file or none; the rows of the last, as text.

    It can attach SQLite's files, and read and write a bucket where `s3` says how to reach it
    (the names of s3.S3). Raises NativeError.
    """
    try:
        with duckdb.connect(str(file)) as connection:
            _load(connection, "sqlite_scanner")
            if s3 is not None:
                _let_reach(connection, s3)
            return _rows(connection, sql)
    except duckdb.Error as error:
        raise NativeError(str(error)) from error


def run_sqlite(sql: str, file: Path) -> Rows:
    """Run statements in SQLite, over a database file that is made if it is not there; the rows of
    the last, as text. Raises NativeError.
    """
    result = Rows([], [])
    try:
        with closing(sqlite3.connect(file)) as connection:
            for statement in _statements(sql):
                cursor = connection.execute(statement)
                header = [column[0] for column in cursor.description or ()]
                result = Rows(header, [list(map(_text, row)) for row in cursor])
            connection.commit()
    except sqlite3.Error as error:
        raise NativeError(str(error)) from error
    return result


def _statements(script: str) -> Iterator[str]:
    """SQLite's statements one by one: a semicolon may stand in a text or a trigger."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if statement.strip("; \n") and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load the build that the package of an extension holds."""
    for place in sys.path:
        for build in Path(place).glob(
            f"duckdb_extension_{extension}/extensions/*/*.duckdb_extension"
        ):
            connection.execute(f"LOAD '{build}'")
            return
    raise NativeError(f"the package of {extension} is not installed")


def _let_reach(connection: duckdb.DuckDBPyConnection, s3: Mapping[str, str]) -> None:
    _load(connection, "httpfs")
    connection.execute(
        "CREATE SECRET (TYPE s3, KEY_ID $key, SECRET $secret, REGION $region, "
        "ENDPOINT $endpoint, URL_STYLE 'path', USE_SSL false)",
        {
            "key": s3["key"],
            "secret": s3["secret"],
            "region": s3["region"],
            "endpoint": f"{s3['host']}:{s3['port']}",
        },
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    result = Rows([], [])
    for statement in connection.extract_statements(sql):
        connection.execute(statement)
        header = [column[0] for column in connection.description or ()]
        result = Rows(header, [list(map(_text, row)) for row in connection.fetchall()])
    return result


def _text(value: Any) -> Cell:
    return value if value is None or isinstance(value, bytes) else str(value)
