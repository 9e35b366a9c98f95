"""How good models were found to be: the scores of EVALUATE, run by run, of each model version.

It has the SQL; the store runs it together with what it does to models. What a metric is it does
not know.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb

from catalog.records import ModelRecord

KEPT_RUNS = 1000
KEPT_SCORES = 20_000
"""Of one version of a model; the newest run is kept whole."""

_LONGEST_QUERY = 4000  # characters; longer strings DuckDB keeps in memory until a checkpoint
_SHOWN_RUNS = 10_000

Statement = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's value over `rows` rows, with `skipped` left out; None where it has none.
    `actual` and `prediction` name a cell of a confusion matrix."""

    metric: str
    actual: str | None
    prediction: str | None
    value: float | None
    rows: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of EVALUATE: `query` is the statement, `evaluated_at` UTC, naive."""

    scores: tuple[Score, ...]
    query: str
    evaluated_at: datetime
    evaluated_by: str


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """A run that asked this version of a model."""

    project: str
    model: str
    version: int
    evaluation: Evaluation


_SCORE = {
    "metric": "VARCHAR",
    "actual": "VARCHAR",
    "prediction": "VARCHAR",
    "value": "DOUBLE",
    "rows": "BIGINT",
    "skipped": "BIGINT",
}
_INSERT = f"""
    INSERT INTO evaluations VALUES ($1, $2, $3, from_json($4, '[{json.dumps(_SCORE)}]'), $5, $6, $7)
"""
_PRUNE = """
    DELETE FROM evaluations WHERE rowid IN (
        SELECT rowid FROM (
            SELECT rowid, row_number() OVER newest AS runs, sum(len(scores)) OVER newest AS scores
            FROM evaluations WHERE project = $1 AND model = $2 AND version = $3
            WINDOW newest AS (ORDER BY evaluated_at DESC, rowid DESC))
        WHERE runs > $4 OR (runs > 1 AND scores > $5))
"""
_READ = f"""
    SELECT project, model, version, scores, query, evaluated_at, evaluated_by FROM evaluations
    ORDER BY evaluated_at DESC, rowid DESC LIMIT {_SHOWN_RUNS}
"""


def keep(model: ModelRecord, evaluation: Evaluation) -> tuple[Statement, Statement]:
    """Keep a run of a model's version; the oldest go beyond KEPT_RUNS or KEPT_SCORES."""
    version = (model.project, model.name, model.version)
    scores = json.dumps([asdict(score) for score in evaluation.scores], ensure_ascii=False)
    run = (evaluation.query[:_LONGEST_QUERY], evaluation.evaluated_at, evaluation.evaluated_by)
    return (_INSERT, (*version, scores, *run)), (_PRUNE, (*version, KEPT_RUNS, KEPT_SCORES))


def forget(model: ModelRecord) -> Statement:
    """Forget all runs of a model."""
    return (
        "DELETE FROM evaluations WHERE project = ? AND model = ?",
        (model.project, model.name),
    )


def forget_version(model: ModelRecord) -> Statement:
    """Forget all runs of this one version of a model."""
    query, names = forget(model)
    return f"{query} AND version = ?", (*names, model.version)


def rename(model: ModelRecord, new: str) -> Statement:
    """Let all runs of a model be those of its new name."""
    return (
        "UPDATE evaluations SET model = ? WHERE project = ? AND model = ?",
        (new, model.project, model.name),
    )


def read(connection: duckdb.DuckDBPyConnection) -> list[EvaluationRecord]:
    """The newest runs of all models, the newest first."""
    return [
        EvaluationRecord(
            project, model, version, Evaluation(tuple(Score(**each) for each in scores), *run)
        )
        for project, model, version, scores, *run in connection.execute(_READ).fetchall()
    ]
