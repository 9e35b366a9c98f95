"""Each type of a source, its extremes and NULL, as MySQL's clients are sent them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import CatalogError, OutOfRange
from catalog.sources import mysql_types, postgres_types
from tests.sources.native_types import MARIADB, POSTGRES, POSTGRES_SETUP, NativeType
from tests.sources.room import Room, over, record, room
from tests.support.servers.fleet import Fleet
from tests.support.servers.program import Missing
from tests.support.servers.server import Database

Seen = dict[str, tuple[str, str, list[Any]]]
"""Of each type: DuckDB's, MySQL's, and the values."""


def create(types: Sequence[NativeType]) -> list[str]:
    """A table with a column for each type, c0 first; row n has the n-th value of each, or NULL."""
    columns = ", ".join(f"c{n} {type_.native}" for n, type_ in enumerate(types))
    names = ", ".join(f"c{n}" for n in range(len(types)))
    made = [f"CREATE TABLE every (n integer, {columns})"]
    for row in range(longest(types)):
        values = (type_.values[row][0] if row < len(type_.values) else "NULL" for type_ in types)
        made.append(f"INSERT INTO every (n, {names}) VALUES ({row}, {', '.join(values)})")
    return made


def longest(types: Sequence[NativeType]) -> int:
    return max(len(type_.values) for type_ in types)


def read(servers: Fleet, kind: str, setup: str, types: Sequence[NativeType], path: Path) -> Seen:
    """A table of all types, through DuckDB to MySQL's text."""
    try:
        with servers.database(kind) as database:
            database.native(";\n".join([setup, *create(types)]))
            return asyncio.run(_read(database, types, path))
    except Missing as missing:
        pytest.skip(str(missing))


async def _read(database: Database, types: Sequence[NativeType], path: Path) -> Seen:
    async with room(path, record(database)) as opened:
        table = await opened.sources.table(opened.record, "every")
        seen: Seen = {}
        for type_, column in zip(types, table.columns[1:], strict=True):
            duckdb, values = await opened.texts(table, column)
            assert duckdb == column.type, type_.native
            seen[type_.native] = (duckdb, column.mysql_type, values)
        return seen


@pytest.fixture(scope="module")
def postgres_seen(servers: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    path = tmp_path_factory.mktemp("postgres")
    return read(servers, "postgres", POSTGRES_SETUP, POSTGRES, path)


@pytest.fixture(scope="module")
def mariadb_seen(servers: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    path = tmp_path_factory.mktemp("mariadb")
    return read(servers, "mariadb", "SET sql_mode = '', time_zone = '+00:00'", MARIADB, path)


def told(type_: NativeType, types: Sequence[NativeType]) -> tuple[str, str, list[Any]]:
    values = [value for _, value in type_.values]
    return type_.duckdb, type_.mysql, values + [None] * (longest(types) - len(values))


@pytest.mark.parametrize("type_", POSTGRES, ids=lambda type_: type_.native)
def test_postgresql_loses_nothing(type_: NativeType, postgres_seen: Seen) -> None:
    assert postgres_seen[type_.native] == told(type_, POSTGRES)


@pytest.mark.parametrize("type_", MARIADB, ids=lambda type_: type_.native)
def test_mariadb_loses_nothing(type_: NativeType, mariadb_seen: Seen) -> None:
    assert mariadb_seen[type_.native] == told(type_, MARIADB)


def test_a_number_that_no_decimal_holds_is_told_not_rounded(
    postgres: Database, tmp_path: Path
) -> None:
    postgres.native("CREATE TABLE t AS SELECT 0.0000000000000000001 AS n, 1 AS i")

    async def whole(opened: Room) -> None:
        table = await opened.sources.table(opened.record, "t")
        await opened.texts(table, table.columns[0])

    with pytest.raises(OutOfRange, match=r"^Out of range value for column 'n': 0\.0+1$"):
        over(tmp_path, record(postgres), whole)


def test_a_sum_in_postgresqls_own_words_is_exact(postgres: Database, tmp_path: Path) -> None:
    postgres.native(
        "CREATE TABLE t (a numeric(10,2), f double precision);"
        "INSERT INTO t VALUES (0.10, 1.5), (0.20, 2.5)"
    )

    async def asked(opened: Room) -> tuple[list[str], str]:
        native = "SELECT sum(a) AS s, sum(f) AS f FROM t -- both;"
        table = await opened.sources.query(opened.record, native)
        assert table.native is not None
        rows = await opened.ask(table.native)
        return [column.type for column in table.columns], str(rows[0])

    types, row = over(tmp_path, record(postgres), asked)
    assert types == ["DECIMAL(38,18)", "DOUBLE"]
    assert row == "(Decimal('0.300000000000000000'), 4.0)"
    assert not postgres.native("SELECT 1 FROM pg_class WHERE relname = 'modelwire_shape'").rows


def test_a_query_without_such_numbers_is_passed_on_as_it_is(
    postgres: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> str | None:
        return (await opened.sources.query(opened.record, "SELECT 1 AS a")).native

    assert over(tmp_path, record(postgres), asked) == "SELECT 1 AS a"
    assert not [s for s in postgres.statements() if "VIEW" in s]


def test_every_type_of_postgresql_is_known(postgres: Database) -> None:
    """Whatever pg_type has is read by a cast that PostgreSQL takes, or as it is."""
    types = postgres.native(
        "SELECT format_type(oid, NULL) FROM pg_type WHERE typtype IN ('b', 'r', 'm') "
        "AND typname !~ '^_' AND typelem = 0 ORDER BY 1",
        admin=True,
    )
    names = [str(row[0]) for row in types.rows]
    assert len(names) > 60
    items = ", ".join(
        f"{postgres_types.read(f'c{n}', name)} AS c{n}" for n, name in enumerate(names)
    )
    columns = ", ".join(f"NULL::{name} AS c{n}" for n, name in enumerate(names))
    postgres.native(f"SELECT {items} FROM (SELECT {columns}) AS t", admin=True)


@pytest.mark.parametrize(
    ("text", "default"),
    [
        (None, None),
        ("nextval('t_id_seq'::regclass)", None),
        ("NULL::character varying", None),
        ("'it''s'::text", "it's"),
        ("'-5'::integer", "-5"),
        ("0.5", "0.5"),
        ("true", "1"),
        ("now()", "CURRENT_TIMESTAMP"),
        ("gen_random_uuid()", "gen_random_uuid()"),
    ],
)
def test_defaults_of_postgresql(text: str | None, default: str | None) -> None:
    assert postgres_types.default(text) == default


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("NULL", None),
        ("'it''s'", "it's"),
        ("current_timestamp(3)", "CURRENT_TIMESTAMP(3)"),
        ("current_timestamp()", "CURRENT_TIMESTAMP"),
        ("5", "5"),
    ],
)
def test_defaults_of_mariadb(text: str, default: str | None) -> None:
    assert mysql_types.mariadb_default(text) == default


def test_errors_are_the_catalogs(mariadb: Database, tmp_path: Path) -> None:
    """A DATE that is none, which sql_mode may allow, is told."""
    mariadb.native(
        "SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE t (d date);"
        "INSERT INTO t VALUES ('2024-02-31')"
    )
    with pytest.raises(CatalogError, match=r"^Date out of range: 2024-2-31$"):
        over(tmp_path, record(mariadb), lambda opened: opened.ask("SELECT d FROM t"))
