"""Which pieces of a tree go to which source: the largest first.

A query whose tables are all of one source, and that means the same there, goes there whole; of the
tables in all other queries only what is needed is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from sqlglot import exp

from catalog.database import Field
from catalog.errors import CatalogError
from catalog.records import SourceRecord
from proxy.plan.nodes import Remote
from proxy.plan.remote.brought import brought
from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.dialects import dialect_of, takes_queries
from proxy.plan.remote.joins import joined_in
from proxy.plan.remote.reads import Read, drop, read_of
from proxy.plan.remote.relations import outputs_of
from proxy.plan.remote.scope import Scope, Unlike
from proxy.plan.remote.tables import RemoteTable

_LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps."""
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Schema)


class Asking(Protocol):
    """Whom pieces.py asks about columns."""

    async def fields(self, query: exp.Query) -> list[Field]:
        """DuckDB's columns of a query over stand-ins. Raises CatalogError."""

    async def takes(self, node: Remote) -> list[Field] | None:
        """The columns of what a source would be asked for; None where it refuses. Nothing runs."""


def stand_ins(tree: exp.Expr, remotes: Mapping[str, RemoteTable]) -> Iterator[exp.Table]:
    """The tables of a tree that stand for tables of sources."""
    return (t for t in tree.find_all(exp.Table) if not t.db and t.name in remotes)


class Pieces:
    """Those of one statement's trees, which are changed in place. Raises what Sources raises."""

    def __init__(self, remotes: Mapping[str, RemoteTable], asking: Asking, *, pushes: bool) -> None:
        self._remotes = remotes
        self._asking = asking
        self._pushes = pushes
        self._made: list[Remote] = []
        self._count = 0

    async def of(self, tree: exp.Expr) -> tuple[exp.Expr, list[Remote]]:
        """A tree over Remotes, and those."""
        self._made = []
        holder = exp.Tuple(expressions=[tree])
        await self._inside(holder)
        for table in list(stand_ins(holder, self._remotes)):
            if not (isinstance(table.parent, _CHANGES) and table.parent.this is table):
                await self._table(table)
        lowered: exp.Expr = holder.expressions[0].pop()
        return lowered, self._made

    async def _inside(self, node: exp.Expr) -> None:
        for query in list(_queries_in(node)):
            if not any(stand_ins(query, self._remotes)):
                continue
            whole = await self._whole(query) if self._pushes else None
            if whole is not None:
                query.replace(whole)
                continue
            await self._inside(query)
            if isinstance(query, exp.Select):
                await self._tables(query)

    async def _whole(self, query: exp.Expr) -> exp.Select | None:
        """What stands for a query that goes to its source whole; None if it does not."""
        source = self._source(query)
        if source is None:
            return None
        try:
            return await self._answered(query, source, dialect_of(source, self._remotes))
        except Unlike:
            return None

    async def _answered(
        self, query: exp.Expr, source: SourceRecord, dialect: Dialect
    ) -> exp.Select:
        """What stands for a query's rows. Raises Unlike."""
        tree, outputs = dialect.query(query, Scope())
        fields = await self._fields(query, dialect)
        names = [f.name for f in fields] or [output.name for output in outputs]
        types = [f.type for f in fields] or [""] * len(outputs)
        if len(names) != len(outputs):
            raise Unlike
        native = self._verbatim(query)
        native = native or dialect.answer(tree, outputs, _native_names(names), types)
        remote = await self._remote(source, native)
        if len(remote.columns) != len(names):
            raise Unlike
        items = [
            brought(column, type_, name, own_types=dialect.own_types)
            for column, name, type_ in zip(remote.columns, names, types, strict=True)
        ]
        self._made.append(remote)
        plain = all(isinstance(item, exp.Column) for item in items)
        return exp.select(*(["*"] if plain else items)).from_(_relation(remote))

    async def _remote(self, source: SourceRecord, native: str) -> Remote:
        self._count += 1
        remote = Remote(f"__mw_r{self._count}", source, native)
        columns = await self._asking.takes(remote)
        if columns is None:
            raise Unlike
        return Remote(remote.name, source, native, tuple(columns))

    async def _tables(self, select: exp.Select) -> None:
        """Read what a SELECT needs of the tables in its FROM."""
        if self._pushes:
            await self._joins(select)
        for table in list(_tables_of(select)):
            remote = None if table.db else self._remotes.get(table.name)
            if remote is None:
                continue
            dialect = dialect_of(remote.table.source, self._remotes)
            if (
                not self._pushes
                or remote.native is not None
                or not await self._read(read_of(select, table, remote, dialect), select, dialect)
            ):
                await self._table(table)

    async def _joins(self, select: exp.Select) -> None:
        """Have tables that the SELECT joins with each other joined in their source."""
        groups: dict[str, list[exp.Table]] = {}
        for table in _tables_of(select):
            remote = None if table.db else self._remotes.get(table.name)
            if remote is not None and remote.native is None:
                groups.setdefault(remote.table.source.name, []).append(table)
        for tables in groups.values():
            source = self._remotes[tables[0].name].table.source
            dialect = dialect_of(source, self._remotes)
            joined = joined_in(select, tables, self._remotes, dialect)
            if joined is None or not takes_queries(source):
                continue
            try:
                asked = await self._remote(source, joined.text(dialect))
            except Unlike:
                continue
            joined.stand(select, asked.name)
            self._made.append(asked)

    async def _read(self, read: Read, select: exp.Select, dialect: Dialect) -> bool:
        """Read as much of a table as its source takes; False if it takes nothing."""
        for attempt in (read, read.without_conditions(select)):
            try:
                text = attempt.text(dialect)
                remote = await self._remote(read.remote.table.source, text)
            except Unlike:
                continue
            drop(select, attempt.taken)
            self._stand(read.table, remote)
            return True
        return False

    async def _table(self, table: exp.Table) -> None:
        """Read a table as it is."""
        remote = self._remotes[table.name]
        native = (remote.table.native or remote.native) if remote.native else _all_of(remote)
        self._count += 1
        columns = tuple(remote.fields)
        self._stand(table, Remote(f"__mw_r{self._count}", remote.table.source, native, columns))

    def _stand(self, table: exp.Table, remote: Remote) -> None:
        table.set("this", exp.to_identifier(remote.name, quoted=True))
        self._made.append(remote)

    def _source(self, query: exp.Expr) -> SourceRecord | None:
        """The one source that all tables of a query are of."""
        remotes = [self._remotes[table.name] for table in stand_ins(query, self._remotes)]
        sources = {remote.table.source.name: remote.table.source for remote in remotes}
        if len(sources) != 1 or any(table.db for table in query.find_all(exp.Table)):
            return None
        (source,) = sources.values()
        return source if takes_queries(source) else None

    async def _fields(self, query: exp.Expr, dialect: Dialect) -> list[Field]:
        """DuckDB's columns of a query; none where only the source knows what it means."""
        assert isinstance(query, exp.Query)
        try:
            return await self._asking.fields(query)
        except CatalogError as error:
            if dialect.own_types:
                return []
            raise Unlike from error

    def _verbatim(self, query: exp.Expr) -> str | None:
        """The text of a native query of which a SELECT takes all rows and columns."""
        if not isinstance(query, exp.Select) or not query.is_star or len(query.expressions) != 1:
            return None
        if any(value for name, value in query.args.items() if name not in {"expressions", "from_"}):
            return None
        read = query.args["from_"].this
        remote = self._remotes.get(read.name) if isinstance(read, exp.Table) else None
        if remote is None or remote.native is None:
            return None
        return remote.table.native or remote.native


def _relation(remote: Remote) -> exp.Table:
    return exp.Table(this=exp.to_identifier(remote.name, quoted=True))


def _queries_in(node: exp.Expr) -> Iterator[exp.Expr]:
    """The outermost queries below a node."""
    for child in node.iter_expressions():
        if isinstance(child, exp.Select | exp.SetOperation):
            yield child
        else:
            yield from _queries_in(child)


def _tables_of(select: exp.Select) -> Iterator[exp.Table]:
    from_ = select.args.get("from_")
    for place in (from_, *(select.args.get("joins") or ())):
        if place is not None and isinstance(place.this, exp.Table):
            yield place.this


def _native_names(names: Sequence[str]) -> list[str]:
    """Names that a source keeps as they are, for these columns."""
    short = all(0 < len(name.encode()) <= _LONGEST_NAME and name.isprintable() for name in names)
    if short and len({name.casefold() for name in names}) == len(names):
        return list(names)
    return [f"c{n}" for n in range(len(names))]


def _all_of(remote: RemoteTable) -> str:
    """The native query of all rows and columns of a table."""
    dialect = dialect_of(remote.table.source, {})
    return Read(remote, exp.to_table("t"), [o.name for o in outputs_of(remote)]).text(dialect)
