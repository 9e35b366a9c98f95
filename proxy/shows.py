"""SHOW and DESCRIBE: what is there, and what it is made of.

Whatever can be a SELECT over information_schema is one.
"""

from catalog.errors import TableUnknown
from proxy.execute.describe import (
    describe_model,
    show_create_model,
    show_create_table,
    text_rows,
)
from proxy.execute.show import select_of
from proxy.queries import answer_query, columns_of
from proxy.result import Rows
from proxy.sql.statements import Describe, Name, Query, Show
from proxy.state import State


async def answer_show(statement: Show, state: State) -> Rows:
    """SHOW in all its kinds. Raises DatabaseUnknown, TableUnknown, Unsupported."""
    if statement.kind.startswith("CREATE "):
        return await _show_create(statement, state)
    database = table = None
    if statement.source is not None and statement.kind == "COLUMNS":
        database = state.binder().database(statement.source.database)
        table = statement.source.name
        await columns_of(Name(table, database), state)  # a missing one is an error, not no rows
    elif statement.kind in ("TABLES", "MODELS"):
        database = state.binder().database(statement.source.name if statement.source else None)
    return await answer_query(Query(select_of(statement, database, table)), state)


async def answer_describe(statement: Describe, state: State) -> Rows:
    """DESCRIBE table, model, model.attribute; with the database in front if need be."""
    *owner, last = statement.parts
    if owner:
        database = state.binder().database(owner[0] if len(owner) == 2 else None)
        model = state.house.store.find_model(database, owner[-1])
        if model is not None:
            engine = state.house.store.engine(model.engine)
            handler = state.house.engines.handler_of(engine)
            return describe_model(model, engine, handler, last)
    if len(owner) > 1:
        raise TableUnknown(f"Model '{'.'.join(owner)}' doesn't exist")
    table = Name(last, owner[0] if owner else None)
    return await answer_show(Show("COLUMNS", source=table, like=statement.like), state)


async def _show_create(statement: Show, state: State) -> Rows:
    assert statement.source is not None
    name, database = statement.source.name, statement.source.database
    if statement.kind == "CREATE DATABASE":
        made = state.house.projects.resolve(name)
        text = f"CREATE DATABASE `{made}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"
        return text_rows(("Database", "Create Database"), [(made, text)])
    database = state.binder().database(database)
    if statement.kind == "CREATE MODEL":
        text = show_create_model(state.house.store.model(database, name))
        return text_rows(("Model", "Create Model"), [(name, text)])
    await columns_of(Name(name, database), state)  # a missing one is an error
    show = Show("COLUMNS", source=Name(name, database))
    rows = await answer_query(Query(select_of(show, database, name)), state)
    lines = [row async for batch in rows.batches for row in batch]
    return text_rows(("Table", "Create Table"), [(name, show_create_table(name, lines))])
