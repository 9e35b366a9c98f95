"""Row-local SELECTs over rows in flight: DuckDB computes them, each distinct combination of values
once.

A label of three values is looked at three times, however many rows have it.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from sqlglot import exp

from catalog.database import Cursor
from proxy.execute.flow import CHILD, Computed
from proxy.execute.relations import portions, text_in
from proxy.result import Row
from proxy.sql.mysql_to_duckdb import to_duckdb

_REMEMBERED = 50_000
"""Combinations whose outcome is kept, those computed last."""

_MOST_TEXT = 16 * 1024 * 1024
"""Characters, about, of those that are kept."""

_NUMBER = "__n"


async def computed(
    rows: AsyncGenerator[list[Row], None], step: Computed, positions: Sequence[int], cursor: Cursor
) -> AsyncGenerator[list[Row], None]:
    """The rows with the step's columns behind their own, without those that it leaves out.
    `positions` are those of `step.reads` in a row. Raises CatalogError; closes `rows`."""
    known: dict[Row, Row | None] = {}
    text = 0
    async with aclosing(rows):
        async for batch in rows:
            keys = [tuple(row[at] for at in positions) for row in batch]
            unknown = [key for key in dict.fromkeys(keys) if key not in known]
            if unknown:
                if len(known) > _REMEMBERED or text > _MOST_TEXT:
                    known, text = {key: known[key] for key in keys if key in known}, 0
                text += sum(map(text_in, unknown))
                for portion in portions(unknown):
                    known.update(await _outcomes(step, portion, cursor))
            made = [
                row + outcome
                for row, key in zip(batch, keys, strict=True)
                if (outcome := known[key]) is not None
            ]
            if made:
                yield made


async def _outcomes(step: Computed, keys: Sequence[Row], cursor: Cursor) -> dict[Row, Row | None]:
    """What the SELECT makes of each combination of values; None of those that it leaves out."""
    given = [[number, *key] for number, key in enumerate(keys)]
    found = await cursor.script(
        [(_relation(step), (json.dumps(given),)), (to_duckdb(_numbered(step)), ())]
    )
    outcomes: dict[Row, Row | None] = dict.fromkeys(keys)
    for number, *values in found:
        outcomes[keys[number]] = tuple(values)
    return outcomes


def _relation(step: Computed) -> str:
    """The relation that the SELECT reads, of one JSON text: see predict.py."""
    typed = "".join(
        f', CAST(row[{n}] AS {column.type}) AS "{column.name}"'
        for n, column in enumerate(step.reads, 2)
    )
    return (
        f'CREATE OR REPLACE TEMP TABLE "{step.relation}" AS '
        f"SELECT CAST(row[1] AS INTEGER) AS {_NUMBER}{typed} "
        "FROM (SELECT unnest(from_json($1, '[[\"VARCHAR\"]]')) AS row)"
    )


def _numbered(step: Computed) -> exp.Select:
    sql = step.sql.copy()
    number = exp.column(exp.to_identifier(_NUMBER), table=exp.to_identifier(CHILD))
    sql.set("expressions", [number, *sql.expressions])
    return sql


async def offset_and_limit(
    rows: AsyncGenerator[list[Row], None], offset: int, limit: int | None
) -> AsyncGenerator[list[Row], None]:
    """The rows from `offset` on, at most `limit`; `rows` is closed with the last of them."""
    left = limit
    async with aclosing(rows):
        if left == 0:
            return
        async for batch in rows:
            kept = batch[offset:]
            offset = max(0, offset - len(batch))
            if left is not None:
                kept = kept[:left]
                left -= len(kept)
            if kept:
                yield kept
            if left == 0:
                return
