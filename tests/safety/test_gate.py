"""The gate reads DuckDB's text as DuckDB does: it finds every call, and nothing else."""

import time

import pytest

from catalog.calls import Call, calls_in
from catalog.errors import FunctionUnknown
from proxy.errors import Unsupported
from proxy.sql.functions import refuse_unlisted
from proxy.sql.mysql_to_duckdb import to_duckdb
from proxy.sql.parser import parse
from proxy.sql.statements import Query

PASSING = [
    "SELECT ABS(1), COUNT(*) FROM (SELECT 1) AS t(getenv) WHERE x IN (1) AND NOT (1 = 2)",
    'INSERT INTO "getenv" ("a") VALUES (1)',
    'INSERT INTO "m"."getenv" ("a") VALUES (1)',
    'CREATE TABLE IF NOT EXISTS "m"."getenv" ("a" DECIMAL(10, 2) DEFAULT (1), CHECK ("a" > 1))',
    'WITH "getenv"("x") AS (SELECT 1), "glob"("y") AS (SELECT (2)) SELECT * FROM "glob"',
    "SELECT 'getenv(1)', '(', 'it''s getenv(1)', \"getenv(1)\"",
    "SELECT $$getenv(1)$$, e'\\'getenv(1)'",
    "SELECT 1 -- getenv(1)",
    "SELECT 1 /* getenv(1) */",
    f"SELECT ABS{' ' * 200}(1)",
    "SELECT 'é', ABS(1), 'ü (x)'",
]
REFUSED = [
    "SELECT getenv(1)",
    "SELECT GetEnv (1)",
    "SELECT getenv\n\t(1)",
    f"SELECT getenv{' ' * 200}(1)",
    "SELECT getenv/* ABS */(1)",
    "SELECT getenv -- ABS\n(1)",
    "SELECT getenv( /* x */ 1)",
    'SELECT "getenv"(1)',
    'SELECT "ABS"(1)',
    "SELECT main.abs(1)",
    'SELECT "main"."abs"(1)',
    "SELECT (1).abs()",
    "SELECT x.getenv()",
    "SELECT 1 AS a, getenv(1)",
    "SELECT 'AS ' || getenv(1)",
    "SELECT 'INTO' getenv(1)",
    'SELECT "x AS ".getenv(1)',
    'SELECT """" || getenv(1) || """" (',
    "SELECT -getenv(1)",
    "SELECT [getenv(1)]",
    "SELECT {'a': getenv(1)}",
    "SELECT CASE WHEN getenv(1) THEN 1 END",
    'INSERT INTO "t" ("a") SELECT getenv(1)',
    'WITH "x"("y") AS (SELECT getenv(1)) SELECT 1',
    'WITH "x"("y") AS (SELECT 1) SELECT "getenv"(1) AS a',
    "SELECT 'é', getenv(1)",
    "SELECT getenv\N{NO-BREAK SPACE}(1)",
    "SELECT getenv\N{ZERO WIDTH SPACE}(1)",
    "SELECT $$'$$, getenv(1), $$'$$",
    "SELECT e'\\'', getenv(1), ''",
]
TOO_MANY = [
    "SELECT RANGE(1048577)",
    "SELECT RANGE(0, -1048577)",
    "SELECT RANGE(1000 * 1000 * 1000)",
    "SELECT RANGE(stars) FROM reviews",
    "SELECT GENERATE_SERIES(1, 100000000)",
    "SELECT GENERATE_SERIES(DATE '1000-01-01', DATE '9999-01-01', INTERVAL 1 SECOND)",
]


@pytest.mark.parametrize("sql", PASSING)
def test_what_calls_nothing_else_passes(sql: str) -> None:
    refuse_unlisted(sql)


@pytest.mark.parametrize("sql", REFUSED)
def test_a_call_of_what_is_not_listed_is_refused(sql: str) -> None:
    with pytest.raises(FunctionUnknown):
        refuse_unlisted(sql)


def test_calls_are_read_in_their_order() -> None:
    sql = 'SELECT f(1), "G"(2), s.h(3), CAST(4 AS DECIMAL(1, 0)) IN (5)'
    assert list(calls_in(sql)) == [Call("f", True), Call("G", False), Call("h", False)]


@pytest.mark.parametrize("sql", TOO_MANY)
def test_values_that_duckdb_makes_beside_its_limit_are_bounded(sql: str) -> None:
    statement = parse(sql)
    assert isinstance(statement, Query)
    with pytest.raises(Unsupported, match="1,048,576"):
        to_duckdb(statement.tree)


def test_a_million_values_are_served() -> None:
    statement = parse("SELECT RANGE(1048576), RANGE(-5, 5, 2), GENERATE_SERIES(1, 3)")
    assert isinstance(statement, Query)
    assert "RANGE(1048576)" in to_duckdb(statement.tree)


def test_format_has_thirty_decimals_at_most() -> None:
    statement = parse("SELECT FORMAT(1, 2000000000) AS x")
    assert isinstance(statement, Query)
    assert to_duckdb(statement.tree) == "SELECT FORMAT('{:,.30f}', 1) AS x"


@pytest.mark.parametrize("text", ["(" * 500_000, "a" * 1_000_000, '"' * 1_000_000, "a (" * 200_000])
def test_a_long_text_is_read_in_linear_time(text: str) -> None:
    started = time.perf_counter()
    refuse_unlisted("SELECT '" + text + "'")
    assert time.perf_counter() - started < 5
