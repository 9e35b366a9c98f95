"""EVALUATE metric, … FROM [database] (SELECT …) USING …: which metrics, of which query, how taken.

It knows the metrics' names and the words of their options; what they mean is metrics.py's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace

from sqlglot import Token

from catalog.suggest import did_you_mean
from engines.base import Option
from engines.errors import OptionError
from engines.model import MODEL_OPTIONS
from engines.options import check_options, only
from engines.options import did_you_mean as near_or_all
from engines.task import Value
from proxy.errors import Unsupported
from proxy.sql.options import parse_options
from proxy.sql.prediction_options import STATEMENT_OPTIONS, checked_options
from proxy.sql.statements import (
    AVERAGES,
    METRICS,
    Evaluate,
    PredictionOptions,
    Query,
    Scoring,
    Statement,
)
from proxy.sql.tokens import Cursor

# The names of scikit-learn, which MindsDB takes.
_ALSO_CALLED = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_score": "f1",
    "precision_score": "precision",
    "recall_score": "recall",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}
_OPTIONS = (
    Option("average", (str,), "how the classes of f1, precision and recall become one number"),
    Option("positive", (str, int, float, bool), "the class that 'binary' is about"),
    Option("ignore_case", (bool,), "whether case makes no difference"),
    Option("ignore_punctuation", (bool,), "whether punctuation makes no difference"),
)
_NAMES = tuple(option.name for option in _OPTIONS)
_OTHERS = frozenset(option.name for option in (*STATEMENT_OPTIONS, *MODEL_OPTIONS))

ParseQuery = Callable[[str, Sequence[Token]], Statement]
"""Reads the statement that these tokens of a text are."""


def parse_evaluate(cursor: Cursor, parse_query: ParseQuery) -> Evaluate:
    """The statement, its query read by `parse_query`; an option behind the parenthesis stands
    before the same one inside. Raises SyntaxFault, OptionError, Unsupported."""
    text = _text(cursor)
    cursor.expect("EVALUATE")
    metrics = _metrics(cursor)
    cursor.expect("FROM")
    source = None if cursor.words(1) == ("(",) else cursor.name()
    query = parse_query(cursor.sql, _inside(cursor))
    if not isinstance(query, Query):
        raise Unsupported("EVALUATE takes a SELECT")
    if not cursor.done and cursor.words(1) != ("USING",):
        raise cursor.fault()
    scoring, options = _options(parse_options(cursor))
    query = replace(query, options=_over(query.options, options))
    return Evaluate(metrics, source, query, text, scoring)


def _text(cursor: Cursor) -> str:
    """All that is left, as the client wrote it."""
    return cursor.sql[cursor.rest[0].start : cursor.rest[-1].end + 1]


def _metrics(cursor: Cursor) -> tuple[str, ...]:
    if cursor.words(1) == ("FROM",):
        raise cursor.fault()
    metrics = [_metric(cursor.name())]
    while cursor.take(","):
        metrics.append(_metric(cursor.name()))
        if metrics[-1] in metrics[:-1]:
            raise OptionError(f"metric '{metrics[-1]}' is given twice")
    return tuple(metrics)


def _metric(name: str) -> str:
    metric = _ALSO_CALLED.get(name.lower(), name.lower())
    if metric not in METRICS:
        raise OptionError(f"unknown metric '{name}'{near_or_all(name, METRICS)}")
    return metric


def _inside(cursor: Cursor) -> Sequence[Token]:
    """The tokens between this parenthesis and the one that closes it."""
    tokens = cursor.rest
    cursor.parenthesised()
    return tokens[1 : len(tokens) - len(cursor.rest) - 1]


def _options(given: Mapping[str, Value]) -> tuple[Scoring, PredictionOptions]:
    own = only(_OPTIONS, given)
    rest = {name: value for name, value in given.items() if name not in own}
    scoring = _scoring(check_options(_OPTIONS, own, "EVALUATE"))
    for name in rest.keys() - _OTHERS:
        if hint := did_you_mean(name, _NAMES):
            raise OptionError(f"unknown option '{name}' of EVALUATE{hint}")
    return scoring, checked_options(rest)


def _scoring(checked: Mapping[str, Value]) -> Scoring:
    given = checked.get("positive")
    positive = None if given is None else str(int(given) if isinstance(given, bool) else given)
    default = "macro" if positive is None else "binary"
    average = str(checked.get("average", default)).lower()
    if average not in AVERAGES:
        hint = did_you_mean(average, AVERAGES)
        words = ", ".join(f"'{word}'" for word in AVERAGES)
        raise OptionError(f"option 'average' of EVALUATE takes {words}, not '{average}'{hint}")
    if average == "binary" and positive is None:
        raise OptionError("average = 'binary' needs the option 'positive': the class it is about")
    if average != "binary" and positive is not None:
        raise OptionError(f"option 'positive' is for average = 'binary', not '{average}'")
    return Scoring(
        average,
        positive,
        ignore_case=bool(checked.get("ignore_case")),
        ignore_punctuation=bool(checked.get("ignore_punctuation")),
    )


def _over(inner: PredictionOptions, outer: PredictionOptions) -> PredictionOptions:
    """`inner` with all that `outer` says itself."""
    unsaid = PredictionOptions()
    said = {field.name: getattr(outer, field.name) for field in fields(outer)}
    return replace(inner, **{n: v for n, v in said.items() if v != getattr(unsaid, n)})
