"""Which databases and tables a statement over information_schema may want to hear of."""

import pytest
from sqlglot import exp, parse_one

from proxy.plan.asked import NOTHING, asked_of
from proxy.sql.tokens import DIALECT

SOURCES = ("pg", "PGX", "maria")


def sources(sql: str) -> list[str]:
    """Those of SOURCES that have to be asked."""
    asked = asked_of(parse_one(sql, dialect=DIALECT), "t")
    return [name for name in SOURCES if asked.source(name)]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("TABLE_SCHEMA = 'pg'", "pg"),
        ("'PG' = table_schema", "pg"),
        ("t.TABLE_SCHEMA = 'pg' AND TABLE_NAME = 'x'", "pg"),
        ("TABLE_SCHEMA IN ('pg', 'maria', 'modelwire')", "pg maria"),
        ("TABLE_SCHEMA LIKE 'pg%'", "pg PGX"),
        ("TABLE_SCHEMA LIKE 'm_r%a'", "maria"),
        ("TABLE_SCHEMA LIKE 'pg\\\\_'", ""),
        ("TABLE_SCHEMA = 'pg.sales'", "pg"),
        ("TABLE_SCHEMA LIKE 'maria.%'", "maria"),
        ("TABLE_SCHEMA LIKE '%.sales'", "pg PGX maria"),
        ("TABLE_SCHEMA = 'pg' OR TABLE_SCHEMA = 'maria'", "pg maria"),
        ("TABLE_SCHEMA = 'pg' OR TABLE_ROWS = 3", "pg PGX maria"),
        ("TABLE_SCHEMA NOT IN ('pg', 'maria')", "pg PGX maria"),
        ("NOT (TABLE_SCHEMA LIKE 'p%')", "pg PGX maria"),
        ("lower(TABLE_SCHEMA) = 'pgx'", "PGX"),
        ("upper(TABLE_SCHEMA) = 'pgx'", "PGX"),
        ("TABLE_NAME = 'pg'", "pg PGX maria"),
        ("TABLE_SCHEMA = concat('p', 'g')", "pg PGX maria"),
        ("TABLE_SCHEMA = 'modelwire'", ""),
    ],
)
def test_conditions_leave_sources_alone(condition: str, wanted: str) -> None:
    assert " ".join(sources(f"SELECT * FROM t WHERE {condition}")) == wanted


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT * FROM t", "pg PGX maria"),
        ("SELECT * FROM t WHERE TABLE_SCHEMA = 'pg' UNION SELECT * FROM t AS u", "pg PGX maria"),
        (
            "SELECT * FROM t WHERE TABLE_SCHEMA = 'pg' "
            "UNION SELECT * FROM t WHERE TABLE_SCHEMA = 'maria'",
            "pg maria",
        ),
        ("SELECT * FROM (SELECT * FROM t WHERE TABLE_SCHEMA = 'pg') AS s LIMIT 1", "pg"),
        (
            "SELECT * FROM c JOIN t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA WHERE c.TABLE_SCHEMA = 'pg'",
            "pg",
        ),
        ("SELECT * FROM c JOIN t USING (TABLE_SCHEMA) WHERE c.TABLE_SCHEMA = 'pg'", "pg"),
        ("SELECT * FROM c LEFT JOIN t ON t.TABLE_SCHEMA = 'pg'", "pg"),
        ("SELECT * FROM t LEFT JOIN c ON t.TABLE_SCHEMA = 'pg'", "pg PGX maria"),
        ("SELECT * FROM c RIGHT JOIN t ON t.TABLE_SCHEMA = 'pg'", "pg PGX maria"),
        ("SELECT * FROM c JOIN t WHERE c.TABLE_SCHEMA = 'pg'", "pg PGX maria"),
    ],
)
def test_joins_and_branches_leave_sources_alone_where_they_may(sql: str, wanted: str) -> None:
    assert " ".join(sources(sql)) == wanted


def test_tables_are_left_out_by_name() -> None:
    tree = parse_one("SELECT * FROM t WHERE lower(TABLE_NAME) = lower('Ab')", dialect=DIALECT)
    asked = asked_of(tree, "t")
    assert [n for n in ("ab", "AB", "abc") if asked.table("pg", n)] == ["ab", "AB"]


def test_what_wants_columns_alone_asks_nobody() -> None:
    assert not NOTHING.source("pg")


def test_a_statement_that_names_no_such_table_asks_nobody() -> None:
    assert not asked_of(exp.select("*").from_("u"), "t").source("pg")
