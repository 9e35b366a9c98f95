"""FINETUNE and CANCEL FINETUNE: training a model further on the rows of a query.

It knows the grammar; what the query is and what the options mean, it does not.
"""

from collections.abc import Callable

from proxy.sql.ml_parser import parse_rows
from proxy.sql.model_parser import parse_model_name
from proxy.sql.options import parse_options
from proxy.sql.statements import CancelFineTune, FineTune, Statement
from proxy.sql.tokens import Cursor

_MODEL = ("MODEL", "PREDICTOR")


def parse_tuning(cursor: Cursor) -> Statement | None:
    """One of these statements, or None, with nothing read. Raises SyntaxFault."""
    parse = _PARSERS.get(cursor.words(1)) or _PARSERS.get(cursor.words(2))
    return parse(cursor) if parse else None


def _fine_tune(cursor: Cursor) -> FineTune:
    """FINETUNE [MODEL] [database.]model[.version] FROM [source] (SELECT …) [USING …]."""
    cursor.expect("FINETUNE")
    _skip_kind(cursor)
    name = parse_model_name(cursor)
    cursor.expect("FROM")
    if cursor.words(1) == ("(",):
        return FineTune(name, None, cursor.parenthesised(), parse_options(cursor))
    source, query = parse_rows(cursor)
    return FineTune(name, source, query, parse_options(cursor))


def _cancel(cursor: Cursor) -> CancelFineTune:
    """CANCEL FINETUNE [MODEL] [database.]model."""
    cursor.expect("CANCEL", "FINETUNE")
    _skip_kind(cursor)
    name = parse_model_name(cursor)
    cursor.end()
    return CancelFineTune(name)


def _skip_kind(cursor: Cursor) -> None:
    """A model may itself be called `model`."""
    if cursor.words(2)[1:] not in ((), ("FROM",), (".",)):
        cursor.take_any(*_MODEL)


_PARSERS: dict[tuple[str, ...], Callable[[Cursor], Statement]] = {
    ("FINETUNE",): _fine_tune,
    ("CANCEL", "FINETUNE"): _cancel,
}
