"""Statements about data sources, answered: which there are, what runs in them in their own words.

What of a source's tables a query reads is the planner's.
"""

from catalog.errors import DatabaseExists
from proxy.errors import Unsupported
from proxy.sql import statements as s
from proxy.state import State


async def create_source(statement: s.CreateSource, state: State) -> str | None:
    """CREATE DATABASE … ENGINE. The text of a note, or None. Raises DatabaseExists,
    DatabaseProtected, OptionRejected, and what Sources.check raises. May be cancelled."""
    return await state.source_definitions().create(statement)


async def create_project(statement: s.CreateDatabase, state: State) -> str | None:
    """CREATE DATABASE without an engine. The text of a note, or None. Raises DatabaseExists,
    DatabaseProtected."""
    async with state.house.projects.changing:
        try:
            state.source_definitions().require_no_source(statement.name)
        except DatabaseExists as error:
            if statement.if_not_exists:
                return str(error)
            raise
        return await state.definitions().create_database(statement)


async def alter_source(statement: s.AlterSource, state: State) -> None:
    """ALTER DATABASE … PARAMETERS. Raises as `create_source` does, DatabaseUnknown, Unsupported."""
    await state.source_definitions().alter(statement)


async def drop_source(name: str, state: State, *, if_exists: bool) -> str | None:
    """Forget a source. The text of a note, or None. Raises DatabaseMissing."""
    return await state.source_definitions().drop(name, if_exists=if_exists)


def refresh_source(statement: s.RefreshSource, state: State) -> None:
    """Have a source's tables read anew when next asked for. Raises DatabaseUnknown, Unsupported."""
    state.house.sources.refresh(state.source_definitions().source(statement.name).name)


async def execute_native(statement: s.ExecuteNative, state: State) -> None:
    """EXECUTE source (statement). It commits what is open, for it is in no transaction of ours.
    Raises DatabaseUnknown, Unsupported, and what Sources.execute raises. May be cancelled."""
    record = state.source_definitions().source(statement.source)
    kind = state.house.sources.kind(record)
    if not kind.executes:
        raise Unsupported(f"EXECUTE is for servers: '{record.name}' is {kind.title}")
    await state.transactions.before_definition()
    await state.house.sources.execute(record, statement.native)
