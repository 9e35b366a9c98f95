"""The rule of pushdown, tried on random queries: a pushed answer is the one that DuckDB gives over
the same rows. Of MySQL sources it differs where MySQL does: a quotient has so many digits."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from proxy.result import Cell
from tests.fixtures.house import SmallHouse
from tests.sources.pushing import answers, explained, house_with
from tests.sources.random_queries import MARIADB, POSTGRES, Maker, rows
from tests.support.servers.server import Database

QUERIES = 120
BATCH = 60
MYSQLS_OWN = ("/", "AVG")


@pytest.fixture
def pg(postgres: Database, tmp_path: Path) -> Iterator[SmallHouse]:
    postgres.native(POSTGRES)
    postgres.native(f"INSERT INTO every VALUES {_values(backslash=False)}")
    with house_with(tmp_path, src=postgres) as house:
        yield house


@pytest.fixture
def maria(mariadb: Database, tmp_path: Path) -> Iterator[SmallHouse]:
    mariadb.native(MARIADB)
    mariadb.native(f"INSERT INTO every VALUES {_values(backslash=True)}")
    with house_with(tmp_path, src=mariadb) as house:
        yield house


@pytest.mark.parametrize("start", range(0, QUERIES, BATCH))
def test_postgres_answers_as_duckdb_does(pg: SmallHouse, start: int) -> None:
    whole = 0
    for sql in _queries(start):
        pushed, here = answers(pg, sql)
        if isinstance(here, str):
            continue  # a value out of range: the source may be wider
        assert not isinstance(pushed, str), f"{sql}: {pushed}"
        assert pushed[0] == here[0], sql
        assert _alike(sql, pushed[1], here[1], 1e-12), sql
        whole += "FROM" in (lines := explained(pg, sql))[-1] and len(lines) == 2
    assert whole > BATCH / 2  # the queries are of a kind that goes there


@pytest.mark.parametrize("start", range(0, QUERIES, BATCH))
def test_mariadb_answers_as_duckdb_does_but_for_quotients(maria: SmallHouse, start: int) -> None:
    for sql in _queries(start):
        pushed, here = answers(maria, sql)
        if isinstance(here, str) or any(sign in sql for sign in MYSQLS_OWN):
            continue
        assert not isinstance(pushed, str), f"{sql}: {pushed}"
        assert _alike(sql, pushed[1], here[1], 1e-12), sql


def _queries(start: int) -> list[str]:
    return [Maker(seed).query().format(every="src.every") for seed in range(start, start + BATCH)]


def _alike(
    sql: str, one: list[tuple[Cell, ...]], other: list[tuple[Cell, ...]], tolerance: float
) -> bool:
    if "ORDER BY" not in sql or "OVER" in sql:
        one, other = sorted(one, key=_key), sorted(other, key=_key)
    return len(one) == len(other) and all(
        _same(a, b, tolerance)
        for row, twin in zip(one, other, strict=True)
        for a, b in zip(row, twin, strict=True)
    )


def _key(row: Iterable[Cell]) -> list[tuple[bool, str]]:
    return [(cell is None, str(cell)) for cell in row]


def _same(one: Cell, other: Cell, tolerance: float) -> bool:
    if one == other or one is None or other is None:
        return one == other
    try:
        return math.isclose(float(one), float(other), rel_tol=tolerance)
    except ValueError:
        return False


def _values(*, backslash: bool) -> str:
    return ", ".join(
        "(" + ", ".join(_literal(cell, backslash) for cell in row) + ")" for row in rows(1)
    )


def _literal(value: object, backslash: bool) -> str:
    if value is None or isinstance(value, bool | int | float):
        return "NULL" if value is None else str(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'" if backslash else f"'\\x{value.hex()}'"
    text = str(value).replace("'", "''")
    return "'" + (text.replace("\\", "\\\\") if backslash else text) + "'"
