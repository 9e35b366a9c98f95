import time
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlglot import exp

from engines.errors import OptionError
from proxy.errors import SyntaxFault, Unsupported, WrongParameters
from proxy.sql.parameters import Value, prepare
from proxy.sql.statements import (
    CreateBudget,
    CreateEngine,
    PredictionOptions,
    Query,
    SetVariables,
)


def bound(sql: str, *values: Value) -> str:
    """The statement with its values, in MySQL's dialect."""
    statement = prepare(sql).bind(values)
    assert isinstance(statement, Query)
    return statement.tree.sql("mysql")


VALUES: list[tuple[Value, str]] = [
    (None, "NULL"),
    ("text", "'text'"),
    ("", "''"),
    ("it's", "'it''s'"),
    ("a \\ b", "'a \\\\ b'"),
    ("a \\' OR 1=1 -- ", "'a \\\\'' OR 1=1 -- '"),
    ('say "x"', "'say \"x\"'"),
    ("?", "'?'"),
    ("/* ; */", "'/* ; */'"),
    ("한 ✓", "'한 ✓'"),
    ("NULL", "'NULL'"),
    (b"\x00\xff'", "x'00ff27'"),
    (b"", "x''"),
    (0, "0"),
    (42, "42"),
    (-42, "(-42)"),
    (18446744073709551615, "18446744073709551615"),
    (-9223372036854775808, "(-9223372036854775808)"),
    (1.5, "1.5"),
    (-0.25, "(-0.25)"),
    (Decimal("1.50"), "1.50"),
    (Decimal("-12345678901234567890.123"), "(-12345678901234567890.123)"),
    (Decimal("1E+3"), "1000"),
    (date(2026, 2, 28), "'2026-02-28'"),
    (datetime(2026, 2, 28, 1, 2, 3), "'2026-02-28 01:02:03'"),
    (datetime(2026, 2, 28, 1, 2, 3, 4), "'2026-02-28 01:02:03.000004'"),
    (timedelta(hours=1, minutes=2, seconds=3), "'01:02:03'"),
    (timedelta(days=2, microseconds=5), "'48:00:00.000005'"),
    (-timedelta(hours=30, seconds=1), "'-30:00:01'"),
]


@pytest.mark.parametrize(("value", "literal"), VALUES, ids=[repr(v) for v, _ in VALUES])
def test_value_is_bound_as_a_literal(value: Value, literal: str) -> None:
    assert bound("SELECT a FROM t WHERE a = ?", value) == f"SELECT a FROM t WHERE a = {literal}"


@pytest.mark.parametrize(
    "text", ["it's", "\\", "\\'", "'; DROP TABLE t; -- ", "\x00\n", "a" * 9999]
)
def test_text_comes_back_as_it_was_bound(text: str) -> None:
    statement = prepare("SELECT ? AS x").bind([text])
    assert isinstance(statement, Query)
    literal = statement.tree.find(exp.Literal)
    assert literal is not None
    assert literal.this == text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '?', a FROM t WHERE b = ?",
        'SELECT "?" FROM t WHERE b = ?',
        "SELECT `?` FROM t WHERE b = ?",
        "SELECT a /* ? */ FROM t WHERE b = ?",
        "SELECT a FROM t -- ?\nWHERE b = ?",
        "SELECT a FROM t #?\nWHERE b = ?",
        "SELECT 'it''s ?', 'it\\'s ?' FROM t WHERE b = ?",
    ],
)
def test_question_mark_in_text_name_or_comment_is_no_parameter(sql: str) -> None:
    assert prepare(sql).parameters == 1


def test_negative_number_does_not_make_a_comment_of_the_minus_before_it() -> None:
    assert bound("SELECT 5-? AS x", -3) == "SELECT 5 - (-3) AS x"


def test_parameters_are_bound_in_their_order() -> None:
    assert bound("SELECT ?, ? AS b LIMIT ?", "x", 2, 3) == "SELECT 'x' AS `?`, 2 AS b LIMIT 3"


def test_own_statement_takes_parameters() -> None:
    statement = prepare("CREATE ML_ENGINE e FROM openai USING openai_api_key = ?").bind(["it's"])
    assert isinstance(statement, CreateEngine)
    assert statement.options == {"openai_api_key": "it's"}


def test_set_takes_parameters() -> None:
    statement = prepare("SET @a = ?").bind([-1])
    assert isinstance(statement, SetVariables)
    value = statement.assignments[0].value
    assert value is not None
    assert value.sql() == "(-1)"


def test_statement_can_be_bound_again() -> None:
    prepared = prepare("SELECT ? AS x")
    trees = [prepared.bind([value]) for value in (1, "two")]
    assert [t.tree.sql("mysql") for t in trees if isinstance(t, Query)] == [
        "SELECT 1 AS x",
        "SELECT 'two' AS x",
    ]


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
def test_wrong_number_of_values_is_refused(values: list[Value]) -> None:
    with pytest.raises(WrongParameters, match=f"2 expected, {len(values)} given"):
        prepare("SELECT ?, ?").bind(values)


def test_prediction_options_take_parameters() -> None:
    prepared = prepare("SELECT a FROM m USING cache = ?, max_calls = ?, max_cost = ?")
    statement = prepared.bind(["off", 5, Decimal("0.5")])
    assert isinstance(statement, Query)
    assert statement.options == PredictionOptions(cache="off", max_calls=5, max_cost=0.5)


def test_budget_takes_parameters() -> None:
    statement = prepare("CREATE BUDGET b FOR USER alice USING max_calls = ?").bind([7])
    assert statement == CreateBudget("b", if_not_exists=False, user="alice", max_calls=7)


def test_a_bad_value_of_an_option_is_refused_when_it_is_bound() -> None:
    with pytest.raises(OptionError, match="not 'of': did you mean 'off'"):
        prepare("SELECT a FROM m USING cache = ?").bind(["of"])


def test_a_bad_value_of_an_option_without_parameters_is_refused_at_prepare() -> None:
    with pytest.raises(OptionError, match="'cache' of the statement takes"):
        prepare("SELECT a FROM m USING cache = 'of'")


def test_what_cannot_be_read_is_refused_at_prepare() -> None:
    with pytest.raises(SyntaxFault):
        prepare("SELECT FROM ?")


def test_what_is_not_offered_is_refused_at_prepare() -> None:
    with pytest.raises(Unsupported):
        prepare("GRANT ALL ON *.* TO ?")


def test_two_statements_are_refused_at_prepare() -> None:
    with pytest.raises(SyntaxFault):
        prepare("SELECT ?; SELECT ?")


def test_a_name_cannot_be_a_parameter() -> None:
    with pytest.raises(SyntaxFault):
        prepare("DROP ML_ENGINE ?")


def test_twenty_thousand_parameters_are_prepared_in_a_moment() -> None:
    marks = ", ".join("?" * 20_000)
    started = time.perf_counter()
    assert prepare(f"SELECT a FROM t WHERE a IN ({marks})").parameters == 20_000
    assert time.perf_counter() - started < 1
