"""Statements that change a source's tables, carried out: rows first, then one transaction.

What they select, models included, is answered before the source is written to, so that the
transaction is short; with `commit_every` rows go out as they are answered.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass

from sqlglot import exp

from catalog.database import Field
from catalog.errors import ColumnCountMismatch, ColumnExists
from catalog.records import SourceRecord
from catalog.sources.kind import NativeKind, SourceColumn, SourceTable
from catalog.whole import whole
from proxy.errors import Unsupported
from proxy.plan.remote.tables import SourceName
from proxy.queries import answer_query, describe_fields, keep_rows, rows_of
from proxy.result import Done, Rows
from proxy.sql.statements import Modify, PredictionOptions, Query
from proxy.state import State
from proxy.warnings import INFORMATION
from proxy.writing.change import ROWS, Change, deletion, insertion, update
from proxy.writing.definitions import define, exists, found, run_alone
from proxy.writing.native import native_change
from proxy.writing.outgoing import Outgoing, Statements, Waiting, outgoing, targets


async def answer_write(
    statement: Modify, record: SourceRecord, name: SourceName, state: State
) -> Done:
    """Change a table of a source, or make and drop one."""
    state.transactions.require_sound()
    tree = statement.tree
    if isinstance(tree, exp.Create) and isinstance(tree.args.get("expression"), exp.Query):
        return await _create_as(statement, tree, record, name, state)
    if not isinstance(tree, exp.Insert | exp.Update | exp.Delete):
        return await define(tree, record, name, state)
    await state.transactions.before_change(record.name)
    if statement.options.commit_every:
        await state.transactions.commit()  # it makes transactions of its own, as a definition does
    table = await state.house.sources.table(record, name.name, name.schema)
    kind = state.house.sources.kind(record)
    assert isinstance(kind, NativeKind)
    native = native_change(tree, table, kind)
    if native is not None:
        async with outgoing(state.house.sources, record, state.transactions) as out:
            return Done(await out.change(out.kind.writer.count(native)))
    change = _change(tree, table)
    return await _write(change, table, statement.options, state)


def _change(tree: exp.Expr, table: SourceTable) -> Change:
    match tree:
        case exp.Insert():
            return insertion(tree, table)
        case exp.Update():
            return update(tree, table)
        case exp.Delete():
            return deletion(tree, table)
    raise Unsupported(f"{tree.key.upper()} of a data source's table is not supported")


async def _write(
    change: Change, table: SourceTable, options: PredictionOptions, state: State
) -> Done:
    sources, record = state.house.sources, table.source
    query = Query(change.query, options)
    columns = await describe_fields(Query(change.query.copy(), options), state)
    if len(columns) != len(change.columns) + len(change.keys):
        raise ColumnCountMismatch("Column count doesn't match value count at row 1")
    if options.commit_every:
        return await _stream(change, table, query, options.commit_every, state)
    async with _kept(query, state) as rows, outgoing(sources, record, state.transactions) as out:
        return Done(await out.send_all(rows.batches, _statements(change, table, out)))


def _statements(change: Change, table: SourceTable, out: Outgoing) -> Statements:
    """What takes a page of a change's rows."""
    kind = out.kind
    name = f"{kind.quoted(table.schema)}.{kind.quoted(table.name)}"
    columns, keys = targets(kind, change.columns), targets(kind, change.keys)
    if not keys:
        return lambda rows: kind.writer.insert(name, columns, rows, change.on_duplicate)
    if not columns:
        return lambda rows: kind.writer.delete(name, keys, rows)
    return lambda rows: kind.writer.update(name, columns, keys, rows)


async def _stream(
    change: Change, table: SourceTable, query: Query, every: int, state: State
) -> Done:
    """Write rows as they are answered, committed `every` so many."""
    rows, written = await answer_query(query, state), 0
    try:
        async with outgoing(state.house.sources, table.source, state.transactions) as out:
            made, waiting = _statements(change, table, out), Waiting(every)
            async with aclosing(rows.batches) as batches:
                async for batch in batches:
                    for page in waiting.take(batch):
                        changed = await out.send(page, made)
                        await out.commit()
                        written += changed
            written += await out.send(waiting.rows, made)
    except BaseException:
        text = f"{written} rows are written and committed: run it again for the others"
        state.warnings.add("Note", INFORMATION, text)
        raise
    return Done(written)


@asynccontextmanager
async def _kept(query: Query, state: State) -> AsyncIterator[Rows]:
    """The rows of a query, all answered, in a temporary table."""
    await keep_rows(query, ROWS, ("*",), state)
    try:
        yield await rows_of(ROWS, state)
    finally:
        await state.cursor.execute(f'DROP TABLE IF EXISTS "{ROWS}"')


async def _create_as(
    statement: Modify, tree: exp.Create, record: SourceRecord, name: SourceName, state: State
) -> Done:
    """CREATE TABLE … AS SELECT. Where a definition commits, the rows go into a table of a private
    name, which gets its own when all of them are there."""
    await state.transactions.before_definition()
    query = Query(tree.args["expression"], statement.options)
    fields = await describe_fields(Query(query.tree.copy(), query.options), state)
    _check_names(fields)
    there = await found(record, name, state)
    if there is not None and not tree.args.get("replace"):
        return exists(tree, name, state)
    made = _Made(record, name, fields, there, state)
    try:
        if statement.options.commit_every:
            await made.create(name.name)
            return await _stream(
                made.change(query.tree),
                made.table(name.name),
                query,
                statement.options.commit_every,
                state,
            )
        return await made.fill(query)
    finally:
        state.house.sources.refresh(record.name)


@dataclass(frozen=True, slots=True)
class _Made:
    """A table in the making."""

    record: SourceRecord
    name: SourceName
    fields: Sequence[Field]
    old: SourceTable | None
    state: State

    @property
    def kind(self) -> NativeKind:
        kind = self.state.house.sources.kind(self.record)
        assert isinstance(kind, NativeKind)
        return kind

    @property
    def schema(self) -> str:
        if self.old is not None:
            return self.old.schema
        return self.name.schema or self.kind.default_schema(self.record)

    def table(self, name: str) -> SourceTable:
        """The table under a name, as it will be."""
        columns = tuple(
            SourceColumn(f.name, f.type, "", native_type=self.kind.writer.type_of(f))
            for f in self.fields
        )
        return SourceTable(self.record, self.schema, name, columns)

    def change(self, query: exp.Query) -> Change:
        return Change(query, self.table(self.name.name).columns)

    def definition(self, name: str) -> str:
        table = self.table(name)
        columns = ", ".join(f"{self.kind.quoted(c.name)} {c.native_type}" for c in table.columns)
        return f"CREATE TABLE {self._named(name)} ({columns}){self.kind.writer.table_options}"

    async def create(self, name: str) -> None:
        """Make it now, in the place of the old one."""
        if self.old is not None:
            await run_alone(f"DROP TABLE {self._named(self.old.name)}", self.record, self.state)
        await run_alone(self.definition(name), self.record, self.state)

    async def fill(self, query: Query) -> Done:
        """Make it with all its rows, at one moment."""
        writer = self.kind.writer
        private = self.state.house.sources.private_name()
        if not writer.commits_definitions:
            await self._probe(private)
            async with _kept(query, self.state) as rows, self._outgoing() as out:
                if self.old is not None:
                    await out.run(f"DROP TABLE {self._named(self.old.name)}")
                await out.run(self.definition(self._own))
                return Done(await out.send_all(rows.batches, self._insert(self._own, out)))
        for left in await self.state.house.sources.leftovers(self.record):
            await run_alone(
                f"DROP TABLE IF EXISTS {'.'.join(map(self.kind.quoted, left))}",
                self.record,
                self.state,
            )
        await run_alone(self.definition(private), self.record, self.state)
        try:
            async with _kept(query, self.state) as rows, self._outgoing() as out:
                written = await out.send_all(rows.batches, self._insert(private, out))
            away = f"{private}_old" if self.old is not None else None
            for native in writer.rename(self.schema, private, self._own, away):
                await run_alone(native, self.record, self.state)
        except BaseException:
            await self._drop(private)
            raise
        if away is not None:
            await self._drop(away)
        return Done(written)

    def _outgoing(self) -> AbstractAsyncContextManager[Outgoing]:
        return outgoing(self.state.house.sources, self.record, self.state.transactions)

    @property
    def _own(self) -> str:
        return self.old.name if self.old is not None else self.name.name

    def _insert(self, name: str, out: Outgoing) -> Statements:
        return _statements(Change(exp.select("1"), self.table(name).columns), self.table(name), out)

    async def _probe(self, name: str) -> None:
        """See, before a model is asked, that such a table can be made."""
        line = self.state.house.sources.line(self.record)
        try:
            await line.run("BEGIN TRANSACTION", self.kind.call(self.record, self.definition(name)))
            await line.run("ROLLBACK")
        finally:
            await line.close()

    @whole
    async def _drop(self, name: str) -> None:
        await run_alone(f"DROP TABLE IF EXISTS {self._named(name)}", self.record, self.state)

    def _named(self, name: str) -> str:
        return f"{self.kind.quoted(self.schema)}.{self.kind.quoted(name)}"


def _check_names(fields: Sequence[Field]) -> None:
    seen: set[str] = set()
    for field in fields:
        if field.name.casefold() in seen:
            raise ColumnExists(f"Duplicate column name '{field.name}'")
        seen.add(field.name.casefold())
