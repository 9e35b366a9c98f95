"""Rows on their way into a table of a source, a page at a time, in a transaction of the source's.

A page is at most PAGE_ROWS rows or, about, PAGE_TEXT characters: memory is bounded by that.
"""

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from catalog.records import SourceRecord
from catalog.sources.kind import NativeKind, SourceColumn
from catalog.sources.outside import Line
from catalog.sources.sources import Sources
from catalog.sources.writing import Target
from catalog.whole import whole
from proxy.result import Batch, Row
from proxy.transactions import Transactions

PAGE_ROWS = 20_000
PAGE_TEXT = 1024 * 1024

Statements = Callable[[str], Sequence[str]]
"""The native statements that take a page's JSON text."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A transaction of a source's. Coroutines raise what the source says, and may be cancelled."""

    sources: Sources
    record: SourceRecord
    kind: NativeKind
    line: Line

    async def run(self, *natives: str) -> None:
        """Run statements of the source's own."""
        await self.line.run(*(self.kind.call(self.record, native) for native in natives))

    async def change(self, natives: Sequence[str]) -> int:
        """Run statements that a Writer made; how many rows they changed."""
        await self.run(*natives)
        ((rows,),) = await self.sources.ask_over(self.line, self.record, self.kind.writer.counted)
        return int(rows)

    async def send(self, rows: Iterable[Row], made: Statements) -> int:
        """Write rows; how many the source changed."""
        return sum([await self.change(made(text)) for text in pages(rows)])

    async def send_all(self, batches: AsyncIterable[Batch], made: Statements) -> int:
        """Write all rows of a query; how many the source changed."""
        changed, waiting = 0, Waiting()
        async for batch in batches:
            for full in waiting.take(batch):
                changed += await self.send(full, made)
        return changed + await self.send(waiting.rows, made)

    @whole
    async def commit(self) -> None:
        """Keep what was changed, and go on in a new transaction."""
        await self.line.run("COMMIT", "BEGIN TRANSACTION")


class Waiting:
    """Rows that are not a page yet."""

    def __init__(self, size: int = PAGE_ROWS) -> None:
        self.rows: list[Row] = []
        self._size = size

    def take(self, batch: Batch) -> Iterator[list[Row]]:
        """Add rows; the pages that are full now."""
        self.rows += batch
        while len(self.rows) >= self._size:
            page, self.rows = self.rows[: self._size], self.rows[self._size :]
            yield page


@asynccontextmanager
async def outgoing(
    sources: Sources, record: SourceRecord, transactions: Transactions
) -> AsyncIterator[Outgoing]:
    """A transaction of the source's: the session's, or one of its own that is committed at the end,
    and rolled back where anything goes wrong."""
    await sources.reach(record)
    kind = sources.kind(record)
    assert isinstance(kind, NativeKind)
    shared = transactions.line(record.name)
    if shared is None and transactions.open:
        shared = sources.line(record)
        await transactions.begin_line(record.name, shared)
    if shared is not None:
        try:
            yield Outgoing(sources, record, kind, shared)
        except BaseException:
            transactions.fail()
            raise
        return
    line = sources.line(record)
    try:
        await line.run("BEGIN TRANSACTION")
        try:
            yield Outgoing(sources, record, kind, line)
        except BaseException:
            await _end(line, "ROLLBACK")
            raise
        await _end(line, "COMMIT")
    finally:
        await line.close()


def pages(rows: Iterable[Row]) -> Iterator[str]:
    """The JSON texts of rows, binary values in hexadecimal."""
    page: list[Row] = []
    text = 0
    for row in rows:
        size = sum(len(cell) for cell in row if cell is not None)
        if page and text + size > PAGE_TEXT:
            yield _json(page)
            page, text = [], 0
        page.append(row)
        text += size
    if page:
        yield _json(page)


def targets(kind: NativeKind, columns: Sequence[SourceColumn]) -> tuple[Target, ...]:
    """Columns as a Writer takes them."""
    return tuple(
        Target(c.name, c.native_type, kind.writer.is_binary(c.native_type)) for c in columns
    )


def _json(rows: list[Row]) -> str:
    if any(isinstance(cell, bytes) for row in rows for cell in row):
        rows = [tuple(_texts(row)) for row in rows]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _texts(row: Row) -> Iterator[str | None]:
    return (cell.hex() if isinstance(cell, bytes) else cell for cell in row)


@whole
async def _end(line: Line, how: str) -> None:
    await line.run(how)
