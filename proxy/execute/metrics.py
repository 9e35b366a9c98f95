"""The SQL of metrics: how good predictions are, as DuckDB computes it from a relation of pairs.

It runs nothing. Definitions are scikit-learn's, with its 0 where something is divided by none:
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp, parse_one

from catalog.database import Field
from proxy.execute.columns import column_of, text_of
from proxy.result import FieldType
from proxy.sql.statements import Scoring

MOST_CELLS = 10_000
"""Of a confusion matrix: those with the most rows."""

_LONGEST = 255  # characters that are shown of a label
_EXACT = 2**53  # the whole numbers below are DOUBLEs
_WHOLE = frozenset({FieldType.TINY, FieldType.SHORT, FieldType.LONG, FieldType.LONGLONG})
_NUMBERS = _WHOLE | {FieldType.NEWDECIMAL, FieldType.FLOAT, FieldType.DOUBLE}

_SHARES = {
    "accuracy": "SELECT favg(CAST(actual IS NOT DISTINCT FROM prediction AS INTEGER)) FROM pairs",
    "exact_match": "SELECT favg(CAST(exact AS INTEGER)) FROM pairs",
    "balanced_accuracy": "SELECT favg(hits / support) FROM classes WHERE support > 0",
}
NUMERIC = {
    "mae": "SELECT favg(abs(x - y)) FROM numbers",
    "rmse": "SELECT sqrt(favg((x - y) ** 2)) FROM numbers",
    "r2": (
        "SELECT CASE WHEN count(*) < 2 THEN NULL "
        "WHEN min(x) = max(x) THEN CAST(max(abs(x - y)) = 0 AS INTEGER) "
        "ELSE 1 - favg((x - y) ** 2) / var_pop(x) END FROM numbers"
    ),
}
"""The metrics of numbers: x is the actual value, y the prediction."""

_OF_CLASS = {
    "f1": "2 * hits / nullif(predicted + support, 0)",
    "precision": "hits / nullif(predicted, 0)",
    "recall": "hits / nullif(support, 0)",
}
"""What a class has: `support` rows are of it, `predicted` are said to be, `hits` are both."""

_AVERAGES = {
    "macro": "SELECT favg(coalesce({score}, 0)) FROM classes",
    "weighted": "SELECT fsum(coalesce({score}, 0) * support) / sum(support) FROM classes",
    "micro": (
        "SELECT coalesce({score}, 0) FROM (SELECT sum(hits) AS hits, "
        "sum(predicted) AS predicted, sum(support) AS support FROM classes)"
    ),
    "binary": "SELECT coalesce(max({score}), 0) FROM classes WHERE label = (FROM positive)",
}

# a and p are the texts as written, actual and prediction the labels that are compared. A row
# without prediction is one of its class, and predicted for none.
_RELATIONS = """
    WITH positive AS (SELECT {positive} AS label),
    written AS (SELECT rowid AS n, {a} AS a, {p} AS p FROM "{relation}"),
    pairs AS MATERIALIZED (
        SELECT n, a, p, {actual} AS actual, {prediction} AS prediction,
            coalesce({alike_a} = {alike_p}, FALSE) AS exact,
            TRY_CAST(a AS DOUBLE) AS x, TRY_CAST(p AS DOUBLE) AS y
        FROM written WHERE a IS NOT NULL),
    cells AS MATERIALIZED (
        SELECT actual, prediction, count(*) AS amount FROM pairs GROUP BY ALL),
    classes AS MATERIALIZED (
        SELECT label, sum(support) AS support, sum(predicted) AS predicted, sum(hits) AS hits
        FROM (
            SELECT actual AS label, amount AS support, 0 AS predicted,
                CASE WHEN actual = prediction THEN amount ELSE 0 END AS hits FROM cells
            UNION ALL
            SELECT prediction, 0, amount, 0 FROM cells WHERE prediction IS NOT NULL)
        GROUP BY label),
    numbers AS (SELECT x, y FROM pairs WHERE isfinite(x) AND isfinite(y))
"""
_FACTS = f"""
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM written WHERE a IS NULL),
        count(*) FILTER (p IS NULL), (SELECT count(*) FROM cells),
        left(arg_min(a, n) FILTER (NOT coalesce(isfinite(x), FALSE)), {_LONGEST}),
        left(arg_min(p, n) FILTER (p IS NOT NULL AND NOT coalesce(isfinite(y), FALSE)), {_LONGEST}),
        (SELECT count(*) > 0 FROM classes WHERE label = (FROM positive))
    FROM pairs
"""
_SCORE = """
    SELECT {place} AS place, '{metric}' AS metric, NULL AS actual, NULL AS prediction,
        CASE WHEN used > 0 THEN CAST(({select}) AS DOUBLE) END AS value, used
    FROM (SELECT count(*) AS used FROM {source})
"""
_MATRIX = f"""
    SELECT * FROM (
        SELECT {{place}} AS place, '{{metric}}' AS metric, actual, prediction,
            CAST(amount AS DOUBLE) AS value, CAST(sum(amount) OVER () AS BIGINT) AS used
        FROM cells ORDER BY amount DESC, actual, prediction LIMIT {MOST_CELLS})
"""
_SCORES = f"""
    SELECT metric, left(actual, {_LONGEST}), left(prediction, {_LONGEST}), {{value}},
        CAST(used AS TEXT), CAST((SELECT count(*) FROM written) - used AS TEXT)
    FROM ({{parts}}) ORDER BY place, actual NULLS LAST, prediction NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A relation with the columns `actual` and `prediction`, and how they are compared. What the
    methods return is one SELECT, whose $1 is the positive class or NULL."""

    relation: str
    actual: Field
    prediction: Field
    scoring: Scoring

    def facts(self) -> str:
        """One row: how many pairs there are, how many without actual, how many of the others
        without prediction; the cells of their confusion matrix; the first actual and the first
        prediction that is no number; whether the positive class is any row's."""
        return self._relations() + _FACTS

    def scores(self, metrics: Sequence[str]) -> str:
        """A row for each metric in their order, for each cell of the confusion matrix: metric,
        actual, prediction, value, rows, skipped; in MySQL's text form."""
        parts = " UNION ALL ".join(self._part(*each) for each in enumerate(metrics))
        value = text_of(exp.column("value"), "DOUBLE").sql(dialect="duckdb")
        return self._relations() + _SCORES.format(parts=parts, value=value)

    def _part(self, place: int, metric: str) -> str:
        if metric == "confusion_matrix":
            return _MATRIX.format(place=place, metric=metric)
        source = "numbers" if metric in NUMERIC else "pairs"
        return _SCORE.format(place=place, metric=metric, select=self._select(metric), source=source)

    def _select(self, metric: str) -> str:
        if metric in _OF_CLASS:
            return _AVERAGES[self.scoring.average].format(score=_OF_CLASS[metric])
        return {**_SHARES, **NUMERIC}[metric]

    def _relations(self) -> str:
        label = _as_number if self._has_numbers() else str
        return _RELATIONS.format(
            relation=self.relation,
            positive=self._alike(label(_trimmed("CAST($1 AS TEXT)"))),
            a=_trimmed(_text(self.actual)),
            p=_trimmed(_text(self.prediction)),
            actual=self._alike(label("a")),
            prediction=self._alike(label("p")),
            alike_a=self._alike("a"),
            alike_p=self._alike("p"),
        )

    def _has_numbers(self) -> bool:
        """Whether texts may differ that are one number: those of whole numbers do not."""
        kinds = {column_of(field).type for field in (self.actual, self.prediction)}
        return bool(kinds & _NUMBERS) and not kinds <= _WHOLE

    def _alike(self, text: str) -> str:
        """The text without what makes no difference."""
        if self.scoring.ignore_punctuation:
            text = _trimmed(f"regexp_replace({text}, '[\\p{{P}}\\p{{S}}]', '', 'g')")
        return f"lower({text})" if self.scoring.ignore_case else text


def _text(field: Field) -> str:
    """The column as MySQL's text."""
    column = exp.column(exp.to_identifier(field.name, quoted=True))
    return f"CAST({text_of(column, field.type).sql(dialect='duckdb')} AS TEXT)"


def _trimmed(text: str) -> str:
    return f"regexp_replace({text}, '^\\s+|\\s+$', '', 'g')"


def _as_number(text: str) -> str:
    """The text, the same for equal numbers, 2.5 and 2.50; those beyond a DOUBLE's digits stay."""
    number = f"TRY_CAST({text} AS DOUBLE)"
    same = text_of(parse_one(number, dialect="duckdb"), "DOUBLE").sql(dialect="duckdb")
    return f"CASE WHEN abs({number}) < {_EXACT} THEN {same} ELSE {text} END"
