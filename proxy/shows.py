"""SHOW and DESCRIBE: what is there, and what it is made of.

Whatever can be a SELECT over information_schema is one.
"""

from collections.abc import Sequence

from catalog.errors import TableUnknown
from proxy.descriptions import ATTRIBUTES, describe_attribute, describe_version
from proxy.execute.describe import (
    columns_of_model,
    show_create_engine,
    show_create_model,
    show_create_table,
    text_rows,
)
from proxy.execute.show import select_of
from proxy.jobs.books import show_create_job
from proxy.models import find_version
from proxy.queries import answer_query, columns_of
from proxy.result import Rows
from proxy.sql.statements import Describe, DescribeModel, Name, Query, Show, ShowCreateModel
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
    elif statement.kind in ("TABLES", "MODELS", "JOBS"):
        database = state.binder().database(statement.source.name if statement.source else None)
    return await answer_query(Query(select_of(statement, database, table)), state)


async def answer_show_create_model(statement: ShowCreateModel, state: State) -> Rows:
    """SHOW CREATE MODEL, of the active version or of another."""
    model = find_version(statement.name, state)
    handler = state.house.engines.handler_of(state.house.store.engine(model.engine))
    return text_rows(("Model", "Create Model"), [(model.name, show_create_model(model, handler))])


async def answer_describe(statement: Describe, state: State) -> Rows:
    """DESCRIBE table, model, model.attribute; with the database in front and the version behind if
    need be."""
    parts, binder = statement.parts, state.binder()
    version = binder.version(parts) if parts[-1].isdecimal() else None
    if version is not None:
        return columns_of_model(version)
    if binder.version(parts) is None and len(parts) > 1:
        model = binder.version(parts[:-1])
        if model is not None:
            return await describe_attribute(model, parts[-1], state)
    if len(parts) > 2 or _is_attribute_of_nothing(parts, state):
        raise TableUnknown(f"Model '{'.'.join(parts[:-1])}' doesn't exist")
    table = Name(parts[-1], parts[0] if len(parts) > 1 else None)
    return await answer_show(Show("COLUMNS", source=table, like=statement.like), state)


def _is_attribute_of_nothing(parts: Sequence[str], state: State) -> bool:
    """Whether it is `model.args` without that model, and not a table called args."""
    if len(parts) < 2 or parts[-1].lower() not in ATTRIBUTES:
        return False
    return parts[0].lower() not in {project.lower() for project in state.house.projects.names}


async def answer_describe_model(statement: DescribeModel, state: State) -> Rows:
    """DESCRIBE MODEL: the row of information_schema; or of model.attribute, as without MODEL."""
    parts, binder = statement.parts, state.binder()
    if binder.version(parts) is None and len(parts) > 1:
        model = binder.version(parts[:-1])
        if model is not None:
            return await describe_attribute(model, parts[-1], state)
    return await describe_version(find_version(parts, state), state)


async def _show_create(statement: Show, state: State) -> Rows:
    assert statement.source is not None
    name, database = statement.source.name, statement.source.database
    if statement.kind == "CREATE DATABASE":
        made = state.house.projects.resolve(name)
        text = f"CREATE DATABASE `{made}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"
        return text_rows(("Database", "Create Database"), [(made, text)])
    if statement.kind == "CREATE ML_ENGINE":
        engine = state.house.store.engine(name)
        text = show_create_engine(engine)
        return text_rows(("Engine", "Create ML_ENGINE"), [(engine.name, text)])
    database = state.binder().database(database)
    if statement.kind == "CREATE JOB":
        text = show_create_job(state.house.jobs.job(database, name))
        return text_rows(("Job", "Create Job"), [(name, text)])
    await columns_of(Name(name, database), state)  # a missing one is an error
    show = Show("COLUMNS", source=Name(name, database))
    rows = await answer_query(Query(select_of(show, database, name)), state)
    lines = [row async for batch in rows.batches for row in batch]
    return text_rows(("Table", "Create Table"), [(name, show_create_table(name, lines))])
