"""Each metric against values worked out by hand, and against published ones of scikit-learn's."""

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from catalog.database import Field
from proxy.execute.metrics import MOST_CELLS, NUMERIC, Pairs
from proxy.sql.statements import AVERAGES, METRICS, Scoring

Values = Sequence[object]

PLAIN = Scoring()

NUMBERS = ([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
"""The example of scikit-learn's own documentation of mae, mse and r2."""

CLASSES = ([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1])
"""That of f1_score, precision_score and recall_score. By class 0, 1, 2: two rows are of each, 3, 2
and 1 are predicted for it, 2, 0 and 0 are hits."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def measured(
    connection: duckdb.DuckDBPyConnection,
    metrics: Sequence[str],
    pairs: tuple[Values, Values],
    scoring: Scoring = PLAIN,
    types: tuple[str, str] = ("VARCHAR", "VARCHAR"),
) -> list[tuple[str | None, ...]]:
    """The rows of these metrics over pairs of actual and predicted values, of these types."""
    relation = prepared(connection, pairs, scoring, types)
    return connection.execute(relation.scores(metrics), [scoring.positive]).fetchall()


def prepared(
    connection: duckdb.DuckDBPyConnection,
    pairs: tuple[Values, Values],
    scoring: Scoring = PLAIN,
    types: tuple[str, str] = ("VARCHAR", "VARCHAR"),
) -> Pairs:
    actual, prediction = types
    connection.execute(f"CREATE TEMP TABLE e (actual {actual}, prediction {prediction})")
    for row in zip(*pairs, strict=True):
        connection.execute("INSERT INTO e VALUES (?, ?)", row)
    return Pairs("e", Field("actual", actual), Field("prediction", prediction), scoring)


def value(rows: Sequence[tuple[str | None, ...]]) -> float | None:
    ((*_, text, _, _),) = rows
    return None if text is None else float(text)


def test_every_metric_of_the_grammar_can_be_computed(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = measured(connection, METRICS, ([1], [1]))
    assert [row[0] for row in rows] == list(METRICS)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mae", 0.5),  # (0.5 + 0.5 + 0 + 1) / 4
        ("rmse", 0.375**0.5),  # (0.25 + 0.25 + 0 + 1) / 4
        ("r2", 0.9486081370449679),  # 1 - 1.5 / 29.1875
    ],
)
def test_metrics_of_numbers_are_as_published(
    metric: str, expected: float, connection: duckdb.DuckDBPyConnection
) -> None:
    rows = measured(connection, [metric], NUMBERS, types=("DOUBLE", "DOUBLE"))
    assert value(rows) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "average", "expected"),
    [
        ("f1", "macro", 0.26666666666666666),  # (2*2 / (2+3) + 0 + 0) / 3
        ("f1", "micro", 1 / 3),
        ("f1", "weighted", 0.26666666666666666),
        ("precision", "macro", 2 / 9),  # (2/3 + 0 + 0) / 3
        ("precision", "micro", 1 / 3),
        ("precision", "weighted", 2 / 9),
        ("recall", "macro", 1 / 3),  # (2/2 + 0 + 0) / 3
        ("recall", "micro", 1 / 3),
        ("recall", "weighted", 1 / 3),
        ("balanced_accuracy", "macro", 1 / 3),
        ("accuracy", "macro", 1 / 3),
    ],
)
def test_averages_of_classes_are_as_published(
    metric: str, average: str, expected: float, connection: duckdb.DuckDBPyConnection
) -> None:
    scoring = Scoring(average)
    rows = measured(connection, [metric], CLASSES, scoring, ("INTEGER", "INTEGER"))
    assert value(rows) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "expected"), [("precision", 1 / 2), ("recall", 1 / 3), ("f1", 2 / 5)]
)
def test_the_binary_average_is_of_the_positive_class(
    metric: str, expected: float, connection: duckdb.DuckDBPyConnection
) -> None:
    """Of three that are 'yes' one is hit; two are said to be."""
    pairs = (["yes", "yes", "yes", "no", "no"], ["yes", "no", "perhaps", "yes", "no"])
    rows = measured(connection, [metric], pairs, Scoring("binary", "yes"))
    assert value(rows) == pytest.approx(expected)


def test_balanced_accuracy_is_over_the_classes_of_actual(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """scikit-learn's example: (3/4 + 1/2) / 2; a class that is only predicted counts nowhere."""
    pairs = ([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1])
    assert value(measured(connection, ["balanced_accuracy"], pairs)) == pytest.approx(0.625)


def test_a_class_that_is_only_predicted_lowers_the_macro_average(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Its f1 is 0, that of the other 2*1 / (2+1)."""
    rows = measured(connection, ["f1"], (["a", "a"], ["a", "b"]))
    assert value(rows) == pytest.approx((2 / 3 + 0) / 2)


def test_a_row_without_prediction_is_wrong_and_of_no_predicted_class(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    pairs = (["a", "a", "b"], ["a", None, "b"])
    rows = measured(
        connection, ["accuracy", "exact_match", "recall", "precision", "f1", "r2"], pairs
    )
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("accuracy", "0.6666666666666666", "3"),
        ("exact_match", "0.6666666666666666", "3"),
        ("recall", "0.75", "3"),  # (1/2 + 1) / 2
        ("precision", "1", "3"),
        ("f1", "0.8333333333333333", "3"),  # (2/3 + 1) / 2
        ("r2", None, "0"),
    ]


def test_a_row_without_actual_is_left_out_and_counted(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    pairs = (["1", None, "2", "3"], ["1", "1", None, "5"])
    rows = measured(connection, ["accuracy", "mae"], pairs)
    assert [row[3:] for row in rows] == [("0.3333333333333333", "3", "1"), ("1", "2", "2")]


def test_the_confusion_matrix_has_the_cells_that_occur(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    pairs = (["b", "a", "a", "a", None], ["a", "a", None, "a", "a"])
    assert measured(connection, ["confusion_matrix"], pairs) == [
        ("confusion_matrix", "a", "a", "2", "4", "1"),
        ("confusion_matrix", "a", None, "1", "4", "1"),
        ("confusion_matrix", "b", "a", "1", "4", "1"),
    ]


def test_a_huge_confusion_matrix_is_cut_to_the_cells_of_most_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    relation = prepared(connection, (["z", "z"], ["z", "z"]))
    connection.execute(f"INSERT INTO e SELECT n, n FROM range({MOST_CELLS}) AS numbers(n)")
    rows = connection.execute(relation.scores(["confusion_matrix"]), [None]).fetchall()
    assert len(rows) == MOST_CELLS
    assert rows[-1] == ("confusion_matrix", "z", "z", "2", str(MOST_CELLS + 2), "0")


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "confusion_matrix"])
@pytest.mark.parametrize("pairs", [([], []), ([None], ["1"])], ids=["no row", "no actual"])
def test_without_rows_a_metric_has_no_value(
    metric: str, pairs: tuple[Values, Values], connection: duckdb.DuckDBPyConnection
) -> None:
    for average in AVERAGES:
        scoring = Scoring(average, "x" if average == "binary" else None)
        ((*_, number, used, _),) = measured(connection, [metric], pairs, scoring)
        assert (number, used) == (None, "0")
        connection.execute("DROP TABLE e")


@pytest.mark.parametrize("metric", [name for name in METRICS if name not in NUMERIC])
def test_one_class_that_is_always_hit_is_perfect(
    metric: str, connection: duckdb.DuckDBPyConnection
) -> None:
    expected = 2 if metric == "confusion_matrix" else 1
    assert value(measured(connection, [metric], (["a", "a"], ["a", "a"]))) == expected


def test_without_any_prediction_all_is_wrong(connection: duckdb.DuckDBPyConnection) -> None:
    rows = measured(connection, METRICS, (["1", "2"], [None, None]))
    assert [row[3] for row in rows if row[0] in ("mae", "rmse", "r2")] == [None] * 3
    assert {row[3] for row in rows if row[0] not in (*NUMERIC, "confusion_matrix")} == {"0"}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (([5, 5], [5, 5]), 1.0),  # as in scikit-learn, where actual values do not differ
        (([5, 5], [5, 6]), 0.0),
        (([5], [5]), None),  # not defined below two rows
        (([1, 2, 3], [3, 2, 1]), -3.0),  # 1 - 8 / 2
    ],
)
def test_r2_where_it_is_special(
    pairs: tuple[Values, Values], expected: float | None, connection: duckdb.DuckDBPyConnection
) -> None:
    assert value(measured(connection, ["r2"], pairs)) == expected


@pytest.mark.parametrize(
    ("pairs", "types", "equal"),
    [
        (([" a\n"], ["a\t "]), ("VARCHAR", "VARCHAR"), True),
        ((["a"], ["A"]), ("VARCHAR", "VARCHAR"), False),
        (([1], [1.0]), ("INTEGER", "DECIMAL(5,2)"), True),
        ((["2.5"], [2.5]), ("VARCHAR", "DECIMAL(6,3)"), True),
        ((["1"], ["1.0"]), ("VARCHAR", "VARCHAR"), False),
        (([True], [1]), ("BOOLEAN", "TINYINT"), True),
        (([True], ["1"]), ("BOOLEAN", "VARCHAR"), True),
        (([2**60], [2**60 + 1]), ("BIGINT", "BIGINT"), False),
        (([2**60], [str(2**60 + 1)]), ("BIGINT", "VARCHAR"), False),
        (([1], ["one"]), ("INTEGER", "VARCHAR"), False),
    ],
)
def test_values_are_compared_as_trimmed_text_and_numbers_as_numbers(
    pairs: tuple[Values, Values],
    types: tuple[str, str],
    equal: bool,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert value(measured(connection, ["accuracy"], pairs, types=types)) == int(equal)


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        (Scoring(), 1 / 4),
        (Scoring(ignore_case=True), 2 / 4),
        (Scoring(ignore_punctuation=True), 2 / 4),
        (Scoring(ignore_case=True, ignore_punctuation=True), 1.0),
    ],
)
def test_case_and_punctuation_can_be_ignored(
    scoring: Scoring, expected: float, connection: duckdb.DuckDBPyConnection
) -> None:
    pairs = (["good", "good", "good", "good"], ["good", "Good", "“good”.", " *GOOD*!"])
    rows = measured(connection, ["accuracy", "exact_match"], pairs, scoring)
    assert [float(row[3] or "nan") for row in rows] == [pytest.approx(expected)] * 2


def test_the_positive_class_is_compared_as_the_values_are(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    scoring = Scoring("binary", "Yes.", ignore_case=True, ignore_punctuation=True)
    rows = measured(connection, ["recall"], (["yes", "no"], ["YES!", "yes"]), scoring)
    assert value(rows) == 1


def test_facts_name_the_first_values_that_are_no_numbers(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    pairs = (["1", "x", "y", None, "nan"], ["inf", "2", "z", "w", None])
    relation = prepared(connection, pairs, Scoring("binary", "2"))
    assert connection.execute(relation.facts(), ["2"]).fetchall() == [
        (5, 1, 1, 4, "x", "inf", True)
    ]
