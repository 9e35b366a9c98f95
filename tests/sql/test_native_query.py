"""The text of another server's SQL is cut out of a statement whole, and nothing else is."""

import pytest
from sqlglot import exp

from proxy.errors import SyntaxFault, Unsupported
from proxy.sql.jobs_parser import statements_of
from proxy.sql.native_query import natives
from proxy.sql.parameters import prepare
from proxy.sql.parser import parse, split
from proxy.sql.statements import CreateJob, Evaluate, ExecuteNative, Explain, Modify, Query

KEPT = {
    "dollar quotes": "SELECT $$it's ) $$ AS a, $x$ ) $$ ( $x$",
    "escape strings": r"SELECT E'\') ' AS a",
    "standard strings": r"SELECT 'C:\' AS a, 'x)' AS b",
    "backslashes of MySQL": r"SELECT 'it\'s )' AS a",
    "operators that are comments elsewhere": "SELECT j #> '{a}', j #>> '{b}' FROM t",
    "comments of PostgreSQL": "SELECT 1 --no space )\n",
    "comments in comments": "SELECT 1 /* ) /* ) */ ) */",
    "comments of MySQL": "SELECT 1 # it's )\n",
    "hints": "/*+ SeqScan(t) */ SELECT * FROM t",
    "parameters of nobody": "SELECT j ? 'a', '%s' FROM t",
    "semicolons": "SELECT ';' ;",
    "names in quotes": 'SELECT ")", "a""b" FROM "T"',
    "parentheses around": "(SELECT 1) UNION (SELECT 2)",
    "versioned comments": "SELECT /*!50000 1, */ 2",
    "WITH": "WITH a AS (SELECT 1) SELECT * FROM a",
    "other verbs": "SHOW TABLES",
}
PLACES = {
    "alone": "SELECT * FROM pg ({})",
    "an alias": "SELECT t.a FROM pg ({}) AS t WHERE t.a IN (1, 2)",
    "a join": "SELECT * FROM a JOIN pg ({}) t ON t.a = a.a LEFT JOIN b USING (a)",
    "a list": "SELECT * FROM a, `pg` ({}) t, b",
    "parentheses": "SELECT * FROM (pg ({}) a JOIN b ON 1 = 1)",
    "a derived table": "SELECT * FROM (SELECT * FROM pg({}) x) y ORDER BY 1",
    "a subquery": "SELECT 1 WHERE EXISTS (SELECT * FROM pg ({}))",
    "a select list": "SELECT a, (SELECT max(b) FROM pg ({}) t), 'it''s' FROM c",
    "a CTE": "WITH a (x) AS (SELECT 1), b AS (SELECT * FROM pg ({})) SELECT * FROM b",
    "a UNION": "SELECT * FROM a UNION SELECT * FROM pg ({})",
    "CREATE TABLE": "CREATE TABLE t AS SELECT * FROM pg ({})",
    "INSERT": "INSERT INTO t (a, b) SELECT * FROM pg ({})",
    "UPDATE": "UPDATE t SET a = d.b FROM pg ({}) AS d WHERE d.c = t.c",
}
NONE = [
    "SELECT * FROM t WHERE a IN (SELECT 1) AND b IN (1)",
    "SELECT * FROM a JOIN b USING (a)",
    "SELECT * FROM t PARTITION (p0)",
    "SELECT * FROM a, LATERAL (SELECT 1) b",
    "INSERT INTO t (a, b) VALUES (1, 2)",
    "WITH t (a, b) AS (SELECT 1, 2) SELECT * FROM t",
    "SELECT EXTRACT(YEAR FROM date(a)), f(b), TRIM('a' FROM lower(c)) FROM t ORDER BY a, f(b)",
    "SELECT a IS DISTINCT FROM f(b) FROM t",
    "SELECT 'FROM pg (SELECT 1)', `FROM pg (SELECT 1)` FROM t -- FROM pg (SELECT 1)",
    "SELECT a FROM t GROUP BY a, f (b)",
    "SELECT * FROM generate_series(1, 10)",
    "CREATE TABLE t (a INT, b INT)",
]


def tables(sql: str) -> list[tuple[str, str | None]]:
    statement = parse(sql)
    assert isinstance(statement, Query | Modify)
    found = statement.tree.find_all(exp.Table)
    return sorted((t.name, t.meta["native"]) for t in found if "native" in t.meta)


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_text_is_untouched(text: str) -> None:
    sql = f"SELECT * FROM (SELECT * FROM pg ({text}) AS x) AS y JOIN my ({text}) z ON x.a = '('"
    assert split(sql) == [sql]
    assert tables(sql) == [("my", text), ("pg", text)]


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_statement_to_execute_is_untouched(text: str) -> None:
    assert split(f"EXECUTE pg ({text}); SELECT 2") == [f"EXECUTE pg ({text})", "SELECT 2"]
    assert parse(f"EXECUTE `pg` ({text})") == ExecuteNative("pg", text)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_query_stands_where_a_table_may(place: str) -> None:
    text = "SELECT $$'$$ AS a, 'b;' AS b"
    sql = place.format(text)
    assert split(sql) == [sql]
    assert tables(sql) == [("pg", text)]


@pytest.mark.parametrize("sql", NONE)
def test_other_parentheses_are_ours(sql: str) -> None:
    assert natives(sql) == []


def test_only_the_first_word_executes() -> None:
    assert natives("SELECT execute pg (a)") == []


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM pg (SELECT 1)",
        "UPDATE pg (SELECT 1) SET a = 1",
        "INSERT INTO pg (SELECT 1)",
        "REPLACE INTO pg (a) VALUES (1)",
    ],
)
def test_nobody_writes_into_a_query(sql: str) -> None:
    assert natives(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM pg (SELECT 1",
        "SELECT * FROM pg (SELECT 'a)",
        "SELECT * FROM pg (SELECT 1 /* )",
    ],
)
def test_text_that_does_not_end_is_a_fault(sql: str) -> None:
    with pytest.raises(SyntaxFault, match="'pg' is not closed"):
        parse(sql)


def test_text_with_two_readings_is_refused() -> None:
    with pytest.raises(SyntaxFault, match="PostgreSQL and MySQL read"):
        parse(r"SELECT * FROM pg (SELECT 'a\' , ') , (SELECT 'b\' )') x")


def test_values_are_bound_outside_of_it_alone() -> None:
    prepared = prepare("SELECT * FROM pg (SELECT j ? 'a' FROM t) t WHERE t.b = ?")
    assert prepared.parameters == 1
    bound = prepared.bind(["x"])
    assert isinstance(bound, Query)
    (table,) = bound.tree.find_all(exp.Table)
    assert table.meta["native"] == "SELECT j ? 'a' FROM t"


def test_job_has_it_whole() -> None:
    job = parse("CREATE JOB j (EXECUTE pg (DO $$;$$); SELECT * FROM pg (SELECT ';')) EVERY 1 hour")
    assert isinstance(job, CreateJob)
    assert statements_of(job.query) == ["EXECUTE pg (DO $$;$$)", "SELECT * FROM pg (SELECT ';')"]


def test_explain_and_evaluate_read_it() -> None:
    explained = parse("EXPLAIN SELECT * FROM pg (SELECT 1)")
    assert isinstance(explained, Explain)
    evaluated = parse(
        "EVALUATE accuracy FROM (SELECT a, b FROM pg (SELECT 1)) USING actual = a, prediction = b"
    )
    assert isinstance(evaluated, Evaluate)
    for query in (explained.statement, evaluated.query):
        assert [t.meta["native"] for t in query.tree.find_all(exp.Table)] == ["SELECT 1"]


def test_column_is_named_by_its_text() -> None:
    statement = parse("SELECT (SELECT a FROM pg (SELECT 1 AS a)) FROM t")
    assert isinstance(statement, Query)
    assert statement.tree.named_selects == ["(SELECT a FROM pg (SELECT 1 AS a))"]


def test_options_are_not_read_from_its_hints() -> None:
    statement = parse("SELECT * FROM my (SELECT /*+ USING(max_tokens = 5) */ 1)")
    assert isinstance(statement, Query)
    assert not statement.options.overrides


@pytest.mark.parametrize("sql", ["EXECUTE stmt", "EXECUTE stmt USING @a", "EXECUTE pg.public (a)"])
def test_nothing_else_is_executed(sql: str) -> None:
    with pytest.raises(Unsupported):
        parse(sql)


def test_long_text_is_read_in_one_pass() -> None:
    """Each quote that is not closed is met once: 200,000 of them took minutes otherwise."""
    with pytest.raises(SyntaxFault):
        split("SELECT * FROM pg (SELECT 1) t WHERE a = 'x" + r"\'" * 200_000)
