"""CREATE, ALTER and DROP of views: bound and looked at before anything is kept, no model asked.

How a view is read stands in plan/views.py. Views that DuckDB keeps itself are of earlier versions;
they go on as they are until they are replaced or dropped.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from catalog.errors import (
    AlreadyExists,
    ColumnExists,
    DatabaseProtected,
    DatabaseUnknown,
    DropUnknown,
    WrongKind,
)
from catalog.projects import INFORMATION_SCHEMA
from catalog.views import ViewRecord
from catalog.whole import whole
from proxy.errors import Unsupported, ViewColumns, ViewRecursion
from proxy.plan.views import column_counts
from proxy.queries import shape_of
from proxy.sql.parser import parse
from proxy.sql.stars import Meant, probe, star_owners, with_columns
from proxy.sql.statements import AlterView, CreateView, DropView, Name, Query
from proxy.sql.view_parser import read_query
from proxy.state import State

_VIEW, _MODEL = "VIEW", "MODEL"


async def create_view(statement: CreateView, state: State) -> str | None:
    """Keep a new view, or another definition of one. The text of a note, or None.

    Raises AlreadyExists, WrongKind, ColumnExists, ViewColumns, ViewRecursion, ViewInvalid, what is
    wrong with its SELECT, and what the catalog raises; then nothing has changed."""
    await state.transactions.before_definition()
    project, name = _place(statement.name, state), statement.name.name
    try:
        await _refuse_taken(project, name, state, replacing=statement.or_replace)
        view = await _defined(statement, project, state)
        await _keep(view, state, replacing=statement.or_replace)
    except AlreadyExists as error:
        if statement.if_not_exists:
            return str(error)
        raise
    return None


async def alter_view(statement: AlterView, state: State) -> None:
    """Give a view another definition. Raises TableUnknown, and what create_view does."""
    await state.transactions.before_definition()
    project, name = _place(statement.name, state), statement.name.name
    if await _kind_of(project, name, state) is None:
        state.house.store.views.view(project, name)
    await _refuse_taken(project, name, state, replacing=True)
    await _keep(await _defined(statement, project, state), state, replacing=True)


async def drop_view(statement: DropView, state: State) -> list[str]:
    """Forget views, all of them or none. The texts of notes. Raises DropUnknown, WrongKind."""
    await state.transactions.before_definition()
    found: list[tuple[str, str]] = []
    unknown: list[str] = []
    for name in statement.names:
        project = _there(name, state)
        kind = None if project is None else await _kind_of(project, name.name, state)
        if project is None or kind is None:
            unknown.append(".".join(filter(None, (project or name.database, name.name))))
        elif kind != _VIEW:
            raise WrongKind(f"'{project}.{name.name}' is not VIEW")
        else:
            found.append((project, name.name))
    if unknown and not statement.if_exists:
        raise DropUnknown(f"Unknown table '{','.join(unknown)}'")
    await _forget(found, state)
    return [f"Unknown table '{name}'" for name in unknown]


def show_create_view(view: ViewRecord) -> str:
    """The CREATE VIEW that makes a view again."""
    own = read_query(view.query, parse).tree.named_selects
    columns = "" if tuple(own) == view.columns else f" ({', '.join(map(_named, view.columns))})"
    head = f"CREATE VIEW {_named(view.project)}.{_named(view.name)}{columns}"
    if view.database.casefold() == view.project.casefold():
        return f"{head} AS {view.query}"
    return f"{head} FROM {_named(view.database)} ({view.query})"


async def old_view(project: str, name: str, state: State) -> str | None:
    """DuckDB's CREATE VIEW of a view that it keeps itself, or None."""
    rows = await state.aside.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = current_database() "
        "AND schema_name = ? AND lower(view_name) = lower(?)",
        (project, name),
    )
    return str(rows[0][0]) if rows else None


def _place(name: Name, state: State) -> str:
    """The project that a new view is to be in."""
    project = state.binder().database(name.database)
    if project == INFORMATION_SCHEMA:
        raise DatabaseProtected(f"Access denied to database '{project}'")
    return project


def _there(name: Name, state: State) -> str | None:
    try:
        return state.binder().database(name.database)
    except DatabaseUnknown:
        return None


async def _kind_of(project: str, name: str, state: State) -> str | None:
    """VIEW, BASE TABLE or MODEL; None where nothing has the name."""
    store = state.house.store
    if store.views.find(project, name) is not None:
        return _VIEW
    if store.find_model(project, name) is not None:
        return _MODEL
    rows = await state.aside.execute(
        "SELECT table_type FROM information_schema.tables "
        "WHERE table_catalog = current_database() "
        "AND table_schema = ? AND lower(table_name) = lower(?)",
        (project, name),
    )
    return str(rows[0][0]) if rows else None


async def _refuse_taken(project: str, name: str, state: State, *, replacing: bool) -> None:
    kind = await _kind_of(project, name, state)
    if kind is not None and not replacing:
        raise AlreadyExists(f"Table '{project}.{name}' already exists")
    if kind not in (None, _VIEW):
        raise WrongKind(f"'{project}.{name}' is not VIEW")


async def _defined(statement: CreateView | AlterView, project: str, state: State) -> ViewRecord:
    """The view as it is to be kept, looked at from where its names are those of its database."""
    query, database = _origin(statement, project, state)
    looking = replace(state, database=database)
    await _look_over(f"{project}.{statement.name.name}", read_query(query, parse), looking)
    query = with_columns(query, await _stars(query, looking))
    shape = await shape_of(read_query(query, parse), looking)
    names = statement.columns or tuple(name for name, _ in shape)
    if len(names) != len(shape):
        raise ViewColumns(column_counts(len(shape), len(names)))
    _refuse_twice(names)
    types = tuple(type_ for _, type_ in shape)
    return ViewRecord(
        project, statement.name.name, query, database, names, types, state.client.user
    )


def _origin(statement: CreateView | AlterView, project: str, state: State) -> tuple[str, str]:
    """The SELECT, and the database whose names are its own. What a project is asked in FROM project
    (…) is a SELECT of ours; what another source is asked is its own business."""
    if statement.source is None:
        return statement.query, state.database or project
    projects = {name.casefold(): name for name in state.house.projects.names}
    known = projects.get(statement.source.casefold())
    if known is not None:
        return statement.query, known
    asked = f"SELECT * FROM {_named(statement.source)} ({statement.query})"  # noqa: S608 (parsed again)
    return asked, state.database or project


async def _stars(query: str, state: State) -> list[Meant]:
    """The columns that the stars of a SELECT mean now."""
    read = read_query(query, parse)
    found: list[Meant] = []
    for owners in star_owners(read.tree):
        columns: list[tuple[str | None, str]] = []
        for owner in owners:
            shape = await shape_of(Query(probe(read.tree, owner), read.options), state)
            columns += [(owner, name) for name, _ in shape]
        found.append(columns)
    return found


async def _look_over(name: str, query: Query, state: State) -> None:
    """Refuse a SELECT that reads the view itself, or has a secret among its options."""
    reach = await state.reach(query.tree)
    bound = state.binder(reach).bind(query.tree, query.options.overrides)
    if name.casefold() in (view.full_name.casefold() for view in bound.views):
        project, _, view = name.partition(".")
        raise ViewRecursion(f"`{project}`.`{view}` contains view recursion")
    given = {option.name for option in query.options.overrides}
    for model in bound.models.values() if given else ():
        handler = state.house.engines.handler_of(state.house.store.engine(model.engine))
        for option in handler.model_options:
            if option.secret and option.name in given:
                raise Unsupported(
                    f"Option '{option.name}' cannot stand in a view: it would be shown with it"
                )


def _refuse_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ColumnExists(f"Duplicate column name '{name}'")
        seen.add(name.casefold())


@whole
async def _keep(view: ViewRecord, state: State, *, replacing: bool) -> None:
    projects = state.house.projects
    async with projects.changing:
        projects.resolve(view.project)  # it may have been dropped meanwhile
        await _refuse_taken(view.project, view.name, state, replacing=replacing)
        await state.house.store.views.put(view, replacing=replacing)
        await _drop_old([(view.project, view.name)], state)


@whole
async def _forget(names: Sequence[tuple[str, str]], state: State) -> None:
    views = state.house.store.views
    async with state.house.projects.changing:
        found = [views.find(project, name) for project, name in names]
        await views.drop([view for view in found if view is not None])
        await _drop_old(names, state)


async def _drop_old(names: Sequence[tuple[str, str]], state: State) -> None:
    """Drop what DuckDB keeps of views of these names."""
    for project, name in names:
        if await old_view(project, name, state) is not None:
            old = exp.table_(name, db=project, quoted=True)
            await state.aside.execute(exp.Drop(tables=[old], kind="VIEW").sql("duckdb"))


def _named(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("mysql")
