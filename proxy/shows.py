"""SHOW and DESCRIBE: what is there, and what it is made of.

Whatever can be a SELECT over information_schema is one.
"""

from collections.abc import Sequence

from sqlglot import exp

from catalog.errors import TableUnknown, WrongKind
from proxy.descriptions import ATTRIBUTES, describe_attribute, describe_version
from proxy.execute.create_table import show_create_table
from proxy.execute.describe import (
    columns_of_model,
    show_create_engine,
    show_create_model,
    text_rows,
)
from proxy.execute.show import select_of
from proxy.jobs.books import show_create_job
from proxy.metadata.inquiry import source_of
from proxy.metadata.names import find_database, find_table
from proxy.models import find_version
from proxy.queries import answer_query
from proxy.result import Cell, Rows
from proxy.source_books import show_create_source
from proxy.sql.statements import Describe, DescribeModel, Name, Query, Show, ShowCreateModel
from proxy.state import State
from proxy.views import old_view, show_create_view


async def answer_show(statement: Show, state: State) -> Rows:
    """SHOW in all its kinds. Raises DatabaseUnknown, TableUnknown, Unsupported."""
    if statement.kind.startswith("CREATE "):
        return await _show_create(statement, state)
    about = await _subject(statement, state)
    return await answer_query(Query(select_of(statement, about.database, about.name)), state)


async def _subject(statement: Show, state: State) -> Name:
    """The table and the database that it is about; a missing one is an error, not no rows."""
    source = statement.source
    if source is not None and statement.kind in ("COLUMNS", "INDEX"):
        return await find_table(source, state)
    if statement.kind in ("TABLES", "TABLE STATUS"):
        return Name("", await find_database(source.name if source else None, state))
    if source is not None and statement.kind in ("MODELS", "JOBS", "VIEWS"):
        return Name("", state.binder().database(source.name))
    return Name("")


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
    if len(parts) > 1 and state.is_source(parts[0]):
        table = Name(parts[-1], ".".join(parts[:-1]))
        return await answer_show(Show("COLUMNS", source=table, like=statement.like), state)
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
    source = state.house.sources.find(name)
    if statement.kind == "CREATE DATABASE" and source is not None:
        text = show_create_source(source)
        return text_rows(("Database", "Create Database"), [(source.name, text)])
    if statement.kind == "CREATE DATABASE":
        made = state.house.projects.resolve(name)
        text = f"CREATE DATABASE `{made}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"
        return text_rows(("Database", "Create Database"), [(made, text)])
    if statement.kind == "CREATE ML_ENGINE":
        engine = state.house.store.engine(name)
        text = show_create_engine(engine)
        return text_rows(("Engine", "Create ML_ENGINE"), [(engine.name, text)])
    if statement.kind == "CREATE JOB":
        database = state.binder().database(database)
        text = show_create_job(state.house.jobs.job(database, name))
        return text_rows(("Job", "Create Job"), [(name, text)])
    return await _show_create_table(statement, state)


async def _show_create_table(statement: Show, state: State) -> Rows:
    assert statement.source is not None
    table, name = await find_table(statement.source, state), statement.source.name
    assert table.database is not None
    view = await _create_view(table.name, table.database, state)
    if view is not None:
        return view
    if statement.kind == "CREATE VIEW":
        raise WrongKind(f"'{table.database}.{name}' is not VIEW")
    columns, indexes = [
        await _lines(select_of(Show(kind), table.database, table.name), state)
        for kind in ("COLUMNS", "INDEX")
    ]
    source = source_of(table.database, state.house.sources)
    kind = state.house.sources.kind(source[0]).title if source is not None else None
    text = show_create_table(name, columns, indexes, kind)
    return text_rows(("Table", "Create Table"), [(name, text)])


async def _lines(query: exp.Query, state: State) -> list[tuple[Cell, ...]]:
    rows = await answer_query(Query(query), state)
    return [row async for batch in rows.batches for row in batch]


async def _create_view(name: str, database: str, state: State) -> Rows | None:
    view = state.house.store.views.find(database, name)
    text = show_create_view(view) if view else await old_view(database, name, state)
    if text is None:
        return None
    names = ("View", "Create View", "character_set_client", "collation_connection")
    return text_rows(names, [(view.name if view else name, text, "utf8mb4", "utf8mb4_0900_ai_ci")])
