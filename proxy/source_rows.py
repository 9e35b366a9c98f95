"""The rows of a query that stands in a statement of our own: `FROM database (SELECT …)`, or
`FROM source (…)` in the source's own words.

They are read into memory, within a bound; what they are for is the statement's business.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.queries import answer_query
from proxy.result import Batch, Cell
from proxy.sql.native_query import native_table
from proxy.sql.parser import parse
from proxy.sql.statements import Query
from proxy.state import State

TextRow = tuple[str | None, ...]


Check = Callable[[Sequence[TextRow], int], None]
"""Raises what says that so many rows, of so many characters together, are too many."""


async def source_rows(
    query: str, source: str | None, state: State, check: Check
) -> tuple[list[str], list[TextRow]]:
    """The column names and the rows, as text, of a query in database `source`, the current one if
    None.

    Raises what `check` does, DatabaseUnknown, Unsupported for what is no SELECT, and what the query
    raises. May be cancelled."""
    statement = _statement(query, source, state)
    database = state.house.projects.resolve_any(source) if source else state.database
    found = await answer_query(statement, replace(state, database=database))
    rows: list[TextRow] = []
    size = 0
    async with aclosing(found.batches):
        async for batch in found.batches:
            rows += (tuple([_text(cell) for cell in row]) for row in batch)
            size += _size(batch)
            check(rows, size)
    return [column.name for column in found.columns], rows


def _statement(query: str, source: str | None, state: State) -> Query:
    """The query as ours, or, where it is a server's that has its own words, in these."""
    sources = state.house.sources
    record = sources.find(source) if source else None
    if record is not None and sources.kind(record).executes:
        return Query(exp.select("*").from_(native_table(record.name, query)))
    statement = parse(query)
    if not isinstance(statement, Query):
        raise Unsupported("FROM … (…) takes a SELECT")
    return statement


def _text(cell: Cell) -> str | None:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell


def _size(batch: Batch) -> int:
    return sum(len(cell) for row in batch for cell in row if cell is not None)
