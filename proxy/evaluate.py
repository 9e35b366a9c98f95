"""EVALUATE: a query's predictions beside what is true, as metrics that are kept with its models.

The query runs once, into a temporary table; what a metric is, metrics.py says.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from catalog.database import Cursor, Field, Row
from catalog.errors import CatalogError, ConversionFailed, NullViolation
from catalog.evaluations import Evaluation, Score
from catalog.whole import whole
from engines.errors import AnswerCutOff, OptionError
from proxy.errors import CODES, AmbiguousColumn, UnknownColumn
from proxy.execute.columns import column_of
from proxy.execute.describe import text_rows
from proxy.execute.metrics import MOST_CELLS, NUMERIC, Pairs
from proxy.execute.relations import everything
from proxy.queries import keep_rows
from proxy.result import Rows
from proxy.sql.statements import Evaluate
from proxy.state import State

_RELATION = "__mw_evaluated"
_PAIR = ("actual", "prediction")
_NO_ROWS = 1329  # MySQL's ER_SP_FETCH_NO_DATA, 'No data - zero rows'
_COLUMNS = tuple(
    column_of(Field(name, type_))
    for name, type_ in (
        *((name, "VARCHAR") for name in ("metric", *_PAIR)),
        ("value", "DOUBLE"),
        ("rows", "BIGINT"),
        ("skipped", "BIGINT"),
    )
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the pairs before any metric; Pairs.facts tells it in this order."""

    pairs: int
    without_actual: int
    without_prediction: int
    cells: int
    no_number: str | None
    no_number_predicted: str | None
    has_positive: bool


async def answer_evaluate(statement: Evaluate, state: State) -> Rows:
    """The metrics of a query's pairs, kept for each version of a model that the query asks.

    Raises UnknownColumn, AmbiguousColumn before a model is asked, ConversionFailed where a metric
    of numbers meets what is none, else as a SELECT does. May be cancelled; a run is kept whole or
    not at all."""
    _find_columns(statement)
    source = statement.source and state.house.projects.resolve_any(statement.source)
    there = replace(state, database=source) if source else state
    async with _dropped_after(state.reader):
        models = await keep_rows(statement.query, _RELATION, _PAIR, there)
        facts, scores = await _measure(statement, state.reader)
    for code, text in _warnings(facts, statement):
        state.warnings.add("Warning", code, text)
    evaluation = Evaluation(
        tuple(map(_score, scores)),
        statement.text,
        datetime.now(UTC).replace(tzinfo=None),
        state.client.user,
    )
    await state.house.store.add_evaluation(models, evaluation)
    return replace(text_rows((), scores), columns=_COLUMNS)


def _find_columns(statement: Evaluate) -> None:
    """A column that is not there is found before its rows are paid for."""
    names = [name.casefold() for name in statement.query.tree.named_selects]
    for name in _PAIR:
        if names.count(name) > 1:
            raise AmbiguousColumn(f"Column '{name}' of EVALUATE is ambiguous")
        if name not in names and "*" not in names:
            shown = ", ".join(f"'{name}'" for name in names)
            raise UnknownColumn(
                f"Unknown column '{name}' of EVALUATE: its SELECT has {shown}, and is to have "
                "'actual' and 'prediction' (… AS actual, … AS prediction)"
            )


async def _measure(statement: Evaluate, cursor: Cursor) -> tuple[Facts, list[Row]]:
    actual, prediction = await cursor.describe(everything(_RELATION))
    pairs = Pairs(_RELATION, actual, prediction, statement.scoring)
    positive = [statement.scoring.positive]
    facts = Facts(*(await cursor.execute(pairs.facts(), positive))[0])
    _require_numbers(facts, statement.metrics)
    return facts, await cursor.execute(pairs.scores(statement.metrics), positive)


def _require_numbers(facts: Facts, metrics: Sequence[str]) -> None:
    numeric = [metric for metric in metrics if metric in NUMERIC]
    for name, text in zip(_PAIR, (facts.no_number, facts.no_number_predicted), strict=True):
        if numeric and text is not None:
            raise ConversionFailed(
                f"EVALUATE {numeric[0]} takes numbers: '{text}' in column '{name}' is none"
            )


def _warnings(facts: Facts, statement: Evaluate) -> Iterator[tuple[int, str]]:
    """What the client should know of the pairs, with its code."""
    used, null = facts.pairs - facts.without_actual, CODES[NullViolation].code
    positive = statement.scoring.positive
    if facts.without_actual:
        shown = f"{facts.without_actual} of {facts.pairs} rows"
        yield null, f"{shown} have no actual value: they are left out"
    if facts.without_prediction:
        shown = f"{facts.without_prediction} of {used} rows"
        kinds = ", ".join(NUMERIC)
        yield null, f"{shown} have no prediction: they count as wrong, and not at all in {kinds}"
    if not used:
        yield _NO_ROWS, "No row to evaluate: the metrics have no value"
    elif positive is not None and not facts.has_positive:
        yield CODES[OptionError].code, f"No row is of the class '{positive}' of option 'positive'"
    if "confusion_matrix" in statement.metrics and facts.cells > MOST_CELLS:
        yield (
            CODES[AnswerCutOff].code,
            f"confusion_matrix has {facts.cells} cells: shown are the {MOST_CELLS} of most rows",
        )


def _score(row: Row) -> Score:
    metric, actual, prediction, value, rows, skipped = row
    number = None if value is None else float(value)
    return Score(metric, actual, prediction, number, int(rows), int(skipped))


@asynccontextmanager
async def _dropped_after(cursor: Cursor) -> AsyncIterator[None]:
    """Let the temporary table go, however the block ends."""
    try:
        yield
    finally:
        await _drop(cursor)


@whole
async def _drop(cursor: Cursor) -> None:
    with suppress(CatalogError):  # a transaction that failed has dropped it
        await cursor.execute(f'DROP TABLE IF EXISTS "{_RELATION}"')
