"""The data sources of a server: which are attached, whether they answer, and what is in them.

What a source holds is asked when a statement needs it, and believed for TTL seconds. A source that
does not answer is tried again by the next statement that names it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from uuid import uuid4
from weakref import WeakValueDictionary

from catalog.database import Database, Field, Row
from catalog.errors import (
    CatalogError,
    CatalogLocked,
    FileAttached,
    NotPermitted,
    SourceDenied,
    SourceFailed,
    SourceReadOnly,
    SourceUnreachable,
    StatementRejected,
    TableUnknown,
)
from catalog.records import SourceRecord
from catalog.sources.described import column_of, index_of, indexes_of, tables_of
from catalog.sources.desk import Beyond, Inside
from catalog.sources.kind import (
    PROBE,
    IndexColumn,
    Kind,
    LocalKind,
    NativeKind,
    RemoteKind,
    Shelf,
    SourceColumn,
    SourceTable,
    attached_as,
    given,
)
from catalog.sources.kinds import find_kind
from catalog.sources.knock import knock
from catalog.sources.outside import Line, Outside
from catalog.store import Store
from catalog.suggest import did_you_mean

TTL = 60.0
"""Seconds for which a source's tables and columns are believed."""
_METADATA = "__mw_metadata"
PRIVATE = "__mw_"
"""What the names of tables start with that are not ready yet, and then the server's own mark."""
_TWO_RESULTS = "Commands out of sync"
"""mysql_scanner 1.5.5 of a second result (tests/sources/test_execute.py)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a source without asking it: `state` and `error` as `Sources.state` has
    them, and since when (UTC); how many tables it has, where they were counted, and when."""

    state: str
    error: str | None = None
    since: datetime | None = None
    tables: int | None = None
    read_at: datetime | None = None


@dataclass(slots=True)
class _Live:
    """What is known of one source now."""

    record: SourceRecord
    attached: bool = False
    error: str | None = None
    """What it said when it was asked last, if it did not answer."""
    shelf: Shelf | None = None
    """Where its tables are found, if not by its kind's native queries."""
    refused: bool = False
    """Whether that was a no: MySQL counts those who knock and go, and locks them out at last."""
    since: datetime | None = None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    tables: tuple[float, Sequence[Row]] | None = None
    """When they were read (seconds, monotonic), and their rows as the kind's query has them."""
    all: tuple[float, Sequence[SourceTable]] | None = None
    columns: dict[tuple[str, str], tuple[float, SourceTable]] = field(default_factory=dict)
    indexes: dict[tuple[str, str], tuple[float, Sequence[IndexColumn]]] = field(
        default_factory=dict
    )

    def becomes(self, *, attached: bool, error: str | None = None) -> None:
        """Keep its state, and when it changed."""
        reached = self.attached and self.error is None
        if self.since is None or reached != (attached and error is None):
            self.since = _now()
        self.attached, self.error = attached, error


class Sources:
    """All data sources. The definitions are the store's; whoever changes one is `changing` it
    meanwhile and tells it here. `opened` puts the secrets that a definition names in the place of
    their names; it raises CatalogError."""

    def __init__(
        self,
        store: Store,
        database: Database,
        outside: Outside,
        opened: Callable[[SourceRecord], SourceRecord] = lambda record: record,
        mark: str = "server",
    ) -> None:
        self._private = f"{PRIVATE}{mark}_"
        self._run_prefix = f"{self._private}{uuid4().hex[:8]}_"
        self._store = store
        self._database = database
        self._outside = outside
        self._opened = opened
        self._live: dict[str, _Live] = {}
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def records(self) -> list[SourceRecord]:
        """All definitions, by name."""
        return self._store.sources

    def find(self, name: str) -> SourceRecord | None:
        """The source of that name, or None."""
        return self._store.find_source(name)

    def changing(self, name: str) -> asyncio.Lock:
        """The lock of whoever changes what that name means."""
        return self._changing.setdefault(name.casefold(), asyncio.Lock())

    def kind(self, record: SourceRecord) -> Kind:
        """What kind of source it is."""
        return find_kind(record.engine)

    def state(self, record: SourceRecord) -> tuple[str, str | None]:
        """Its state, and what went wrong last: 'attached', 'detached' (nobody asked it since the
        start) or 'unreachable'."""
        live = self._live.get(_key(record))
        if live is None:
            return "detached", None
        reached = live.attached and live.error is None
        return ("attached" if reached else "unreachable"), live.error

    def known(self, record: SourceRecord) -> Known:
        """What is known of a source, for people to read."""
        state, error = self.state(record)
        live = self._live.get(_key(record))
        if live is None or live.tables is None:
            return Known(state, error, live.since if live else None)
        read_at = _now() - timedelta(seconds=monotonic() - live.tables[0])
        return Known(state, error, live.since, len(live.tables[1]), read_at)

    def require_secrets(self, record: SourceRecord) -> None:
        """Raises OptionRejected for a definition that names a secret which is not there for it."""
        self._opened(record)

    async def check(self, record: SourceRecord) -> None:
        """See that a source, kept or not, can be attached and answers; one of its name that is
        attached is left alone. Raises SourceUnreachable, SourceDenied, SourceFailed, SourceUnknown,
        OptionRejected."""
        probe = replace(record, name=record.name + PROBE)
        try:
            opened = self._opened(probe)
            await self._knock(probe)
            await self._try(probe, opened)
        except FileAttached as error:
            if error.name != attached_as(record):  # else it is a database, and answers
                raise
        except CatalogError as error:
            raise type(error)(str(error).replace(PROBE, "")) from error

    async def _try(self, probe: SourceRecord, opened: SourceRecord) -> None:
        try:
            await self._plug(probe, opened)
        finally:
            with suppress(CatalogError):
                await self._run(probe, self.kind(probe).detach(probe))

    async def forget(self, record: SourceRecord) -> None:
        """Let a source go."""
        live = self._live.pop(_key(record), None)
        if live is not None and live.attached:
            await self._run(record, self.kind(record).detach(record))

    def refresh(self, name: str) -> None:
        """Believe nothing of what is known of a source's tables."""
        live = self._live.get(name.casefold())
        if live is not None:
            live.tables = live.all = None
            live.columns.clear()
            live.indexes.clear()
            if live.shelf is not None:
                live.shelf = self._shelf(live.record)

    async def execute(self, record: SourceRecord, native: str) -> None:
        """Run statements in the source's own words, whose rows nobody needs; nothing is believed
        of its tables afterwards. Raises what `check` raises."""
        await self.reach(record)
        line = self.line(record, introduced=False)
        try:
            await line.run(*self._native(record).execute(record, native))
        except SourceFailed as error:
            if _TWO_RESULTS not in str(error):
                raise
            await self.forget(record)  # its connection holds locks until then
            raise SourceFailed(
                f"'{record.name}' answered with rows more than once: what is executed has none"
            ) from error
        finally:
            self.refresh(record.name)
            await line.close()

    async def reach(self, record: SourceRecord) -> None:
        """See that a source is attached. Raises what `check` raises."""
        live = self._live.setdefault(_key(record), _Live(record))
        async with live.changing:
            if not live.attached:
                await self._attach(live)
            elif live.error is not None:  # it was gone when it was asked last
                await self._knock(live.record)
                live.becomes(attached=True)

    def private_name(self) -> str:
        """A name for a table that is not ready yet: no client's has it, nor another server's."""
        return f"{self._run_prefix}{uuid4().hex[:12]}"

    async def leftovers(self, record: SourceRecord) -> list[tuple[str, str]]:
        """Schemas and names of the tables that this server left unready when it was killed."""
        return [
            (str(schema), str(name))
            for schema, name, *_ in await self.tables(record)
            if str(name).startswith(self._private) and not str(name).startswith(self._run_prefix)
        ]

    def line(self, record: SourceRecord, *, introduced: bool = True) -> Line:
        """A connection to what is outside, whose errors are those of this source. Unless its
        transactions are `introduced`, a kill does not reach what they run by itself."""
        kind = self.kind(record)
        if not isinstance(kind, RemoteKind):
            return self._outside.line()
        failure, cancel = partial(self._failure, record), partial(kind.cancel, record)
        introduction = kind.introduction(record) if introduced else ()
        return self._outside.line(failure, cancel, introduction, kind.opening(record))

    async def ask(self, record: SourceRecord, native: str) -> list[Row]:
        """The rows of a native query; few are expected. Raises what `check` raises."""
        await self.reach(record)
        line = self.line(record)
        try:
            return await self.ask_over(line, record, native)
        finally:
            await line.close()

    async def ask_over(self, line: Line, record: SourceRecord, native: str) -> list[Row]:
        """As `ask`, over a line that has a transaction open."""
        cursor = self._database.cursor()
        try:
            asked = self._remote(record).ask(record, native, changing=True)
            await cursor.lend(_METADATA, await line.stream(asked))
            return await cursor.execute(f"FROM {_METADATA}")
        finally:
            await cursor.close()

    async def tables(self, record: SourceRecord) -> Sequence[Row]:
        """All tables: schema, name, 'BASE TABLE' or 'VIEW', estimated rows."""
        await self.reach(record)
        live = self._live[_key(record)]
        if live.shelf is not None:
            live.tables = monotonic(), await live.shelf.tables()
            return live.tables[1]
        if live.tables is None or monotonic() - live.tables[0] > TTL:
            rows = await self.ask(record, self._native(record).tables(record))
            live.tables = monotonic(), rows
        return live.tables[1]

    async def table(
        self, record: SourceRecord, name: str, schema: str | None = None
    ) -> SourceTable:
        """A table with its columns, whatever the case of its names. Raises TableUnknown."""
        await self.reach(record)
        live = self._live[_key(record)]
        if live.shelf is not None:
            return await live.shelf.table(name, schema)
        kind = self._native(record)
        wanted = schema or kind.default_schema(record)
        known = live.columns.get((wanted.casefold(), name.casefold()))
        if known is None or monotonic() - known[0] > TTL:
            found = await self._read_table(kind, record, wanted, name)
            known = live.columns[wanted.casefold(), name.casefold()] = monotonic(), found
        return known[1]

    async def all_tables(self, record: SourceRecord) -> Sequence[SourceTable]:
        """Every table with its columns, in one query. Raises what `check` raises."""
        await self.reach(record)
        live = self._live[_key(record)]
        if live.shelf is not None:
            return await _every(live.shelf)
        if live.all is None or monotonic() - live.all[0] > TTL:
            kind = self._native(record)
            rows = await self.ask(record, kind.columns(record))
            now = monotonic()
            live.all = now, tables_of(kind, record, rows)
            for table in live.all[1]:
                live.columns[table.schema.casefold(), table.name.casefold()] = now, table
        return live.all[1]

    async def indexes(self, table: SourceTable) -> Sequence[IndexColumn]:
        """The indexes of a table, a row for each of their columns. Raises what `check` raises."""
        record = table.source
        await self.reach(record)
        live = self._live[_key(record)]
        if live.shelf is not None:
            return await live.shelf.indexes(table)
        known = live.indexes.get((table.schema, table.name))
        if known is None or monotonic() - known[0] > TTL:
            query = self._native(record).indexes(record, table.schema, table.name)
            rows = [index_of(row) for row in await self.ask(record, query)]
            known = live.indexes[table.schema, table.name] = monotonic(), rows
        return known[1]

    async def all_indexes(
        self, record: SourceRecord
    ) -> Sequence[tuple[str, str, Sequence[IndexColumn]]]:
        """The indexes of every table that has any, behind its schema and name, in one query; they
        are not kept. Raises what `check` raises."""
        await self.reach(record)
        shelf = self._live[_key(record)].shelf
        if shelf is not None:
            tables = await _every(shelf)
            return [(t.schema, t.name, await shelf.indexes(t)) for t in tables]
        return indexes_of(await self.ask(record, self._native(record).indexes(record)))

    async def query(self, record: SourceRecord, native: str) -> SourceTable:
        """The columns of a query in the source's own words, as a table without a name. Raises
        StatementRejected for files elsewhere, whose words are DuckDB's: no client's run outside."""
        self._native(record)
        await self.reach(record)
        fields = await self._fields(record, native)
        if any(field.type == "DOUBLE" for field in fields):
            exact = await self._exact(record, native)
            if exact is not None:
                return exact
        columns = (SourceColumn(field.name, field.type, "") for field in fields)
        return SourceTable(record, "", "", tuple(columns), native=native)

    async def _exact(self, record: SourceRecord, native: str) -> SourceTable | None:
        """The same, by the source's types; None where it does not tell them."""
        kind = self._native(record)
        shape = kind.shape(native)
        if shape is None:
            return None
        line = self.line(record)
        try:
            await line.run("BEGIN TRANSACTION", kind.call(record, shape.statement))
            rows = await self.ask_over(line, record, shape.columns)
        except (NotPermitted, SourceReadOnly, StatementRejected):
            return None  # whoever may not make a view may ask all the same
        finally:
            await line.close()
        columns = tuple(column_of(kind, row) for row in rows)
        exact = kind.select(columns, f"({shape.query}) AS q")
        return SourceTable(record, "", "", columns, native=exact)

    async def _read_table(
        self, kind: NativeKind, record: SourceRecord, schema: str, name: str
    ) -> SourceTable:
        there = await self._named(record, schema, name)
        if there is None:
            self._live[_key(record)].tables = None  # it may have been made since
            there = await self._named(record, schema, name)
        if there is None:
            raise TableUnknown(await self._missing(kind, record, schema, name))
        schema, name = there
        rows = await self.ask(record, kind.columns(record, schema, name))
        return SourceTable(record, schema, name, tuple(column_of(kind, row) for row in rows))

    async def _missing(self, kind: NativeKind, record: SourceRecord, schema: str, name: str) -> str:
        near = [str(row[1]) for row in await self.tables(record) if row[0] == schema]
        hint = did_you_mean(name, [other for other in near if not other.startswith(PRIVATE)])
        default = kind.default_schema(record).casefold() == schema.casefold()
        where = record.name if default else f"{record.name}.{schema}"
        return f"Table '{where}.{name}' doesn't exist{hint}"

    async def _named(self, record: SourceRecord, schema: str, name: str) -> tuple[str, str] | None:
        """The table's names with their own case; one whose case is as given comes first."""
        fits = [
            (str(row[0]), str(row[1]))
            for row in await self.tables(record)
            if (str(row[0]).casefold(), str(row[1]).casefold())
            == (schema.casefold(), name.casefold())
        ]
        if not fits:
            return None
        return (schema, name) if (schema, name) in fits else fits[0]

    async def _fields(self, record: SourceRecord, native: str) -> list[Field]:
        line, cursor = self.line(record), self._database.cursor()
        try:
            asked = self._remote(record).ask(record, native)
            await cursor.lend(_METADATA, await line.stream(asked))
            return await cursor.describe(f"FROM {_METADATA}")
        finally:
            await cursor.close()
            await line.close()

    def _failure(self, record: SourceRecord, message: str) -> CatalogError:
        """What a message of a source's says; a source that is gone is tried by the next statement
        anew."""
        error = self._remote(record).failure(message)
        if isinstance(error, SourceUnreachable | SourceDenied):
            return self._gone(record, error)
        return error

    def _gone(self, record: SourceRecord, error: CatalogError) -> CatalogError:
        """The error, with the source's name; the state of the source is that from now on."""
        kind = self.kind(record)
        where = f"{kind.title} '{record.name}' at {kind.door(record) or 'its socket'}"
        told = type(error)(f"Can't connect to {where}: {error}")
        live = self._live.get(_key(record))
        if live is not None and live.record == record:
            live.becomes(attached=live.attached, error=str(told))
        return told

    async def _attach(self, live: _Live) -> None:
        try:
            opened = self._opened(live.record)
            if not live.refused:
                await self._knock(live.record)
            await self._plug(live.record, opened)
            live.shelf = self._shelf(live.record)
        except CatalogError as error:
            with suppress(CatalogError):
                await self._run(live.record, self.kind(live.record).detach(live.record))
            live.becomes(attached=False, error=str(error))
            live.refused = isinstance(error, SourceDenied)
            raise
        live.becomes(attached=True)
        live.refused = False

    async def _plug(self, record: SourceRecord, opened: SourceRecord) -> None:
        await self._run(record, self.kind(record).detach(record))
        await self._run(record, self.kind(record).attach(self._placed(opened)))

    async def _knock(self, record: SourceRecord) -> None:
        door = self.kind(record).door(record)
        if door is not None:
            try:
                await knock(door)
            except SourceUnreachable as error:
                raise self._gone(record, error) from error

    def _placed(self, record: SourceRecord) -> SourceRecord:
        """A file or folder by its real path. Raises what Folders.locate raises."""
        kind = self.kind(record)
        if not isinstance(kind, LocalKind):
            return record
        path = self._database.folders.locate(str(given(record, kind.parameters)["path"]))
        return replace(record, parameters={**record.parameters, "path": str(path)})

    def _shelf(self, record: SourceRecord) -> Shelf | None:
        kind = self.kind(record)
        inside = isinstance(kind, LocalKind)
        beyond = Beyond(self._database, lambda: self.line(record))
        return kind.shelf(self._placed(record), Inside(self._database) if inside else beyond)

    async def _run(self, record: SourceRecord, statements: Sequence[str]) -> None:
        kind = self.kind(record)
        if isinstance(kind, RemoteKind):
            line = self._outside.line(partial(self._failure, record))
            try:
                await line.run(*statements)
            finally:
                await line.close()
        elif statements:
            try:
                await Inside(self._database).run(*statements)
            except CatalogLocked as error:
                raise SourceUnreachable("The file is open in another process") from error

    def _remote(self, record: SourceRecord) -> RemoteKind:
        kind = self.kind(record)
        if not isinstance(kind, RemoteKind):
            raise StatementRejected(f"'{record.name}' takes no query in words of its own")
        return kind

    def _native(self, record: SourceRecord) -> NativeKind:
        kind = self.kind(record)
        if not isinstance(kind, NativeKind):
            raise StatementRejected(f"'{record.name}' takes no query in words of its own")
        return kind


async def _every(shelf: Shelf) -> list[SourceTable]:
    """Its tables but for those that cannot be read, which say so when they are."""
    tables = []
    for schema, name, *_ in await shelf.tables():
        with suppress(CatalogError):
            tables.append(await shelf.table(name, schema))
    return tables


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _key(record: SourceRecord) -> str:
    return record.name.casefold()
