"""CREATE TABLE (…), ALTER TABLE, TRUNCATE and DROP TABLE of a source's, in its own dialect."""

from collections.abc import Iterator

from sqlglot import exp

from catalog.errors import AlreadyExists, DropUnknown, TableUnknown
from catalog.records import SourceRecord
from catalog.sources.kind import NativeKind, SourceTable
from proxy.errors import CODES, Unsupported
from proxy.plan.remote.tables import SourceName, source_name
from proxy.result import Done
from proxy.state import State


async def define(tree: exp.Expr, record: SourceRecord, name: SourceName, state: State) -> Done:
    """Carry out a definition, outside of the session's transaction, which it commits."""
    await state.transactions.before_definition()
    sources = state.house.sources
    kind = sources.kind(record)
    assert isinstance(kind, NativeKind)
    if isinstance(tree, exp.Create):
        if await found(record, name, state) is not None:
            return exists(tree, name, state)
    elif not await _there(tree, record, state):
        return Done()
    native = _native(tree, record, kind)
    try:
        await run_alone(native, record, state)
    finally:
        sources.refresh(record.name)
    return Done()


async def found(record: SourceRecord, name: SourceName, state: State) -> SourceTable | None:
    """A table that a statement names, as it is now, or None."""
    state.house.sources.refresh(record.name)
    try:
        return await state.house.sources.table(record, name.name, name.schema)
    except TableUnknown:
        return None


async def run_alone(native: str, record: SourceRecord, state: State) -> None:
    """Run a native statement that is a transaction of its own."""
    sources = state.house.sources
    kind = sources.kind(record)
    assert isinstance(kind, NativeKind)
    await sources.reach(record)
    line = sources.line(record)
    try:
        await line.run(kind.call(record, native))
    finally:
        await line.close()


def exists(tree: exp.Create, name: SourceName, state: State) -> Done:
    """What CREATE makes of a table that is there already. Raises AlreadyExists."""
    text = f"Table '{name.name}' already exists"
    if not tree.args.get("exists"):
        raise AlreadyExists(text)
    state.warnings.add("Note", CODES[AlreadyExists].code, text)
    return Done()


async def _there(tree: exp.Expr, record: SourceRecord, state: State) -> bool:
    """Whether all tables of a DROP, TRUNCATE or ALTER are there; a note where IF EXISTS says that
    one need not be. Raises DropUnknown, TableUnknown."""
    for table in _tables(tree):
        name = source_name(table, state.is_source, state.database)
        if name is None or name.source.casefold() != record.name.casefold():
            raise Unsupported(f"{tree.key.upper()} takes tables of one data source")
        if await found(record, name, state) is not None:
            continue
        text = f"Unknown table '{record.name}.{name.name}'"
        if not isinstance(tree, exp.Drop):
            raise TableUnknown(f"Table '{record.name}.{name.name}' doesn't exist")
        if not tree.args.get("exists"):
            raise DropUnknown(text)
        state.warnings.add("Note", CODES[DropUnknown].code, text)
        return False
    return True


def _tables(tree: exp.Expr) -> Iterator[exp.Table]:
    match tree:
        case exp.Drop():
            yield from tree.args.get("tables") or [tree.this]
        case exp.TruncateTable():
            yield from tree.expressions
        case _:
            yield tree.this


def _native(tree: exp.Expr, record: SourceRecord, kind: NativeKind) -> str:
    """The statement in the source's dialect, its tables by their own names."""
    tree = tree.copy()
    for table in list(tree.find_all(exp.Table)):
        parts = [part.name for part in table.parts]
        schema = parts[1] if len(parts) == 3 else kind.default_schema(record)
        table.set("this", exp.to_identifier(parts[-1], quoted=True))
        table.set("db", exp.to_identifier(schema, quoted=True))
        table.set("catalog", None)
    if kind.dialect != "mysql":
        _without_storage(tree)
    return tree.sql(dialect=kind.dialect, comments=False)


def _without_storage(tree: exp.Expr) -> None:
    """ENGINE, CHARSET and plain KEYs say nothing to other servers."""
    if isinstance(tree, exp.Create):
        tree.set("properties", None)
    for schema in tree.find_all(exp.Schema):
        kept = [e for e in schema.expressions if not isinstance(e, exp.IndexColumnConstraint)]
        schema.set("expressions", kept)
