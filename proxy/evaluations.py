"""What information_schema shows of evaluations: a row for each score of each run.

It reads and sorts nothing out; how scores come about is evaluate.py.
"""

from collections.abc import Iterator, Sequence

from catalog.evaluations import EvaluationRecord
from proxy.variables import Value

MODEL_EVALUATIONS = (
    "PROJECT, MODEL, VERSION BIGINT, METRIC, ACTUAL, PREDICTION, VALUE DOUBLE, ROWS BIGINT, "
    "SKIPPED BIGINT, QUERY, EVALUATED_AT TIMESTAMP, EVALUATED_BY"
)


def evaluation_rows(records: Sequence[EvaluationRecord]) -> list[tuple[Value, ...]]:
    """The rows of MODEL_EVALUATIONS, the newest run first, its scores in their order."""
    return [row for record in records for row in _rows(record)]


def _rows(record: EvaluationRecord) -> Iterator[tuple[Value, ...]]:
    run = record.evaluation
    for score in run.scores:
        yield (
            record.project,
            record.model,
            record.version,
            score.metric,
            score.actual,
            score.prediction,
            score.value,
            score.rows,
            score.skipped,
            run.query,
            f"{run.evaluated_at:%Y-%m-%d %H:%M:%S.%f}",
            run.evaluated_by,
        )
