"""Databases and tables as SHOW names them: those of sources, of projects, models.

It finds what a name means; what is there, information_schema shows.
"""

from catalog.errors import DatabaseUnknown
from catalog.suggest import did_you_mean
from proxy.metadata.inquiry import database_name, source_of
from proxy.queries import columns_of
from proxy.sql.statements import Name
from proxy.state import State


async def find_database(name: str | None, state: State) -> str:
    """What TABLE_SCHEMA says of the tables in a database, the current one if None: `project`,
    `source`, `source.schema`. Raises NoDatabase, DatabaseUnknown, and what Sources raises."""
    sources = state.house.sources
    source = source_of(name or state.database or "", sources)
    if source is None:
        return state.binder().database(name)
    record, schema = source
    if schema is None:
        return record.name
    names = {str(row[0]): None for row in await sources.tables(record)}
    there = next((s for s in names if s.casefold() == schema.casefold()), None)
    if there is None:
        hint = did_you_mean(f"{record.name}.{schema}", [f"{record.name}.{s}" for s in names])
        raise DatabaseUnknown(f"Unknown database '{record.name}.{schema}'{hint}")
    return database_name(sources, record, there)


async def find_table(name: Name, state: State) -> Name:
    """A table, view or model that is there, with its database as TABLE_SCHEMA says it. Raises
    TableUnknown, and what `find_database` raises."""
    source = source_of(name.database or state.database or "", state.house.sources)
    if source is None:
        database = state.binder().database(name.database)
        await columns_of(Name(name.name, database), state)
        return Name(name.name, database)
    record, schema = source
    table = await state.house.sources.table(record, name.name, schema)
    return Name(table.name, database_name(state.house.sources, record, table.schema))
