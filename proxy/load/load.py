"""LOAD DATA LOCAL INFILE from statement to answer: the target found, the client's file asked for,
its rows added portion by portion.

How a file is read, what its values are, and where they go, its neighbours know.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace

from catalog.errors import CatalogError, ColumnUnknown
from catalog.suggest import did_you_mean
from proxy.errors import LocalFilesOff, code_of, text_of
from proxy.load.assigned import bind_assigned, variable
from proxy.load.charsets import codec_of, decoder_of
from proxy.load.faults import Fault, faults_of, is_sound, unsound_fields
from proxy.load.file_reader import PORTION, SLICE, FileReader
from proxy.load.own_table import own_table
from proxy.load.portion import Portion
from proxy.load.rows import Given, RowQuery
from proxy.load.target import Added, Incoming, Target, TargetColumn
from proxy.result import ClientFile, Done
from proxy.sql.statements import FileField, LoadData
from proxy.state import State


async def answer_load(statement: LoadData, state: State) -> ClientFile:
    """The file that is wanted, and what is done with it. What is wrong with the statement itself is
    raised before the client is asked: LocalFilesOff, TableUnknown, ColumnUnknown, UnknownCharset
    and what binding raises."""
    if not state.variables.number("local_infile"):
        raise LocalFilesOff(
            "Loading local data is disabled; this must be enabled on both the client and server "
            "sides: local_infile is OFF here"
        )
    state.transactions.require_sound()
    charset = statement.charset or str(state.variables.get("character_set_database"))
    codec = codec_of(charset)
    target = await own_table(statement.table, state)
    query = _row_query(statement, target, state)
    await state.aside.execute(f"EXPLAIN {query.rows()}", query.parameters(_NOTHING))
    loading = _Loading(statement, codec, target, query, state)
    return ClientFile(statement.file, loading.load)


_FEW = 256

_NOTHING = Portion("", ",", ";", "", 0)


@dataclass(slots=True)
class _Loading:
    """One statement at work."""

    statement: LoadData
    codec: str
    target: Target
    query: RowQuery
    state: State
    records: int = 0
    stored: int = 0
    deleted: int = 0

    async def load(self, pieces: AsyncIterator[bytes]) -> Done:
        """Add all rows of a file. Raises what is wrong with them."""
        await self.state.transactions.before_change()
        async with self.target.changing(), aclosing(self._portions(pieces)) as portions:
            async for portion in portions:
                await self._add(portion)
        return Done(self.stored + self.deleted, info=self._info())

    def _info(self) -> str:
        return (
            f"Records: {self.records}  Deleted: {self.deleted}  "
            f"Skipped: {self.records - self.stored}  Warnings: {self.state.warnings.total}"
        )

    async def _portions(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Portion, None]:
        """The file's rows, in portions worth a trip to DuckDB."""
        held: Portion | None = None
        async for portion in self._read(pieces):
            joined = portion if held is None else held.joined(portion)
            if held is not None and (joined is None or len(joined.text) > PORTION):
                yield held
                joined = portion
            held = joined
        if held is not None:
            yield held

    async def _read(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Portion, None]:
        decoder, longest = decoder_of(self.codec), self.state.variables.number("max_allowed_packet")
        statement, binary = self.statement, self.query.binary
        reader = FileReader(statement.format, statement.skipped, self.codec, binary, longest)
        async for piece in pieces:
            for start in range(0, len(piece), SLICE):
                for portion in reader.feed(decoder.decode(piece[start : start + SLICE])):
                    yield portion
                    await asyncio.sleep(0)  # others get their turn
        for portion in reader.feed(decoder.decode(b"", final=True)):
            yield portion
        for portion in reader.finish():
            yield portion

    async def _add(self, portion: Portion) -> None:
        if not is_sound(portion):
            await self._complain(unsound_fields(portion, self.query, self.records))
            portion = replace(portion, text=portion.text.encode(errors="replace").decode())
        if self.query.lenient:
            await self._complain(await self._faults(portion))
        added = await self._stored(portion)
        await self._complain(added.left_out)
        self.records += portion.count
        self.stored += added.stored
        self.deleted += added.deleted

    async def _stored(self, portion: Portion) -> Added:
        query = self.query
        rows = Incoming(query.rows(), query.parameters(portion), query.columns, portion.count)
        try:
            return await self.target.add(rows, self.statement.duplicates)
        except CatalogError as error:
            if not query.lenient:
                await self._complain(await self._faults(portion, error))
            raise

    async def _faults(self, portion: Portion, error: CatalogError | None = None) -> list[Fault]:
        """What is wrong with the rows of a portion, seen from outside of the transaction where
        `error` has ended it."""
        sql, parameters = self.query.faults(), self.query.parameters(portion)
        cursor = self.state.cursor if error is None else self.state.aside
        found = await cursor.execute(sql, parameters)
        return list(faults_of(found, self.query, self.records))

    async def _complain(self, faults: Iterable[Fault]) -> None:
        """Under IGNORE these are warnings; else the first is the end."""
        for number, fault in enumerate(faults, 1):
            if not self.query.lenient:
                raise fault
            self.state.warnings.add("Warning", code_of(fault).code, text_of(fault))
            if number % _FEW == 0:
                await asyncio.sleep(0)  # others get their turn


def _row_query(statement: LoadData, target: Target, state: State) -> RowQuery:
    known = {column.name.casefold(): column for column in target.columns}

    def column(name: str) -> TargetColumn:
        try:
            return known[name.casefold()]
        except KeyError:
            near = did_you_mean(name, [column.name for column in target.columns])
            raise ColumnUnknown(f"Unknown column '{name}' in 'field list'{near}") from None

    def given(item: FileField) -> Given:
        if item.is_variable:
            return Given(variable(item.name))
        return Given(column(item.name).name, column(item.name))

    fields = statement.fields or [FileField(column.name) for column in target.columns]
    read = [given(item) for item in fields]
    assigned = bind_assigned(
        [(column(name), value) for name, value in statement.assigned],
        [item.name for item in read],
        state.binder(),
    )
    lenient = statement.duplicates == "ignore"
    return RowQuery(statement.table.name, read, assigned, lenient=lenient)
