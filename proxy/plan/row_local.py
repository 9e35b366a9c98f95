"""Whether what is left above the models can be done row by row, as their answers land.

It looks at trees alone; who streams, and how, is the executor's business.
"""

from sqlglot import exp

_CLAUSES = ("with_", "joins", "group", "having", "distinct", "order", "qualify", "windows")
_WHOLE = (exp.Query, exp.AggFunc, exp.Window, exp.UDTF, exp.Unnest, exp.Rand, exp.Uuid)
"""What needs other rows or tables, makes several rows of one, or differs each time it is asked."""

_CLOCKS = (
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.UtcDate,
    exp.UtcTime,
    exp.UtcTimestamp,
)
_CLOCK_NAMES = frozenset({"NOW", "TODAY", "TRANSACTION_TIMESTAMP", "GET_CURRENT_TIMESTAMP"})
_DICE_NAMES = frozenset({"UUIDV4", "UUIDV7"})
"""What is one moment for all rows of a statement, and another for each part that is computed."""


def is_row_local(select: exp.Select) -> bool:
    """Whether each row of the SELECT is made of one row that it reads, or left out; its LIMIT and
    OFFSET, if any, are numbers."""
    if any(select.args.get(clause) for clause in _CLAUSES):
        return False
    if any(bound(select, clause) is None for clause in ("limit", "offset")):
        return False
    where = select.args.get("where")
    parts = [*select.expressions, *([where] if where is not None else [])]
    return not any(
        part.find(*_WHOLE) or _calls(part, _DICE_NAMES) or _tells_time_of_row(part)
        for part in parts
    )


def is_repeatable(part: exp.Expr) -> bool:
    """Whether an expression over one row has the same value wherever it is computed."""
    if part.find(*_WHOLE, *_CLOCKS) is not None:
        return False
    return not _calls(part, _DICE_NAMES | _CLOCK_NAMES)


def _tells_time_of_row(part: exp.Expr) -> bool:
    """Whether it needs a clock and a row: the clock alone is read once, with the rows below."""
    timed = part.find(*_CLOCKS) is not None or _calls(part, _CLOCK_NAMES)
    return timed and part.find(exp.Column) is not None


def _calls(part: exp.Expr, names: frozenset[str]) -> bool:
    """Whether it calls one of these functions, for which sqlglot has no class."""
    return any(call.name.upper() in names for call in part.find_all(exp.Anonymous))


def bound(select: exp.Select, clause: str) -> int | None:
    """The number of LIMIT or OFFSET; -1 where the SELECT has none, None where it is no number."""
    node = select.args.get(clause)
    if node is None:
        return -1
    value = node.expression
    return int(value.name) if isinstance(value, exp.Literal) and value.is_int else None
