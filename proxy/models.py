"""Statements about models as a whole: their names bound, their definitions changed.

What a definition has to be stands in execute/models.py.
"""

from catalog.errors import VersionUnknown
from catalog.records import ModelRecord
from catalog.whole import whole
from proxy.errors import Unsupported
from proxy.execute.examples import Table, refuse_too_many
from proxy.execute.models import Models, missing
from proxy.source_rows import source_rows
from proxy.sql import statements as s
from proxy.state import State


async def create_model(statement: s.CreateModel, state: State) -> str | None:
    """CREATE MODEL: the text of a note, or None."""
    project = state.binder().database(statement.name.database)
    return await models_of(state).create(statement, project)


async def drop_model(statement: s.DropModel, state: State) -> str | None:
    """DROP MODEL, or of a version: the text of a note, or None."""
    try:
        found = state.binder().version(statement.name)
    except VersionUnknown as error:
        if statement.if_exists:
            return str(error)
        raise
    if found is None:
        _require_database(statement.name, state)
        unknown = missing(statement.name)
        if statement.if_exists:
            return str(unknown)
        raise unknown
    version = found.version if _names_version(statement.name, found) else None
    await models_of(state).drop(found, version)
    return None


async def retrain_model(statement: s.RetrainModel, state: State) -> None:
    """RETRAIN: a new version."""
    base = _asked(statement.name, state)
    await models_of(state).retrain(
        base, statement.targets, statement.options, statement.source, statement.source_query
    )


async def change_model(statement: s.ChangeModel, state: State) -> None:
    """ALTER MODEL … USING."""
    await models_of(state).change(_asked(statement.name, state), statement.options)


async def activate_version(statement: s.ActivateVersion, state: State) -> None:
    """SET active = model.version."""
    found = find_version(statement.name, state)
    if not _names_version(statement.name, found):
        raise Unsupported(
            f"Which version of '{found.full_name}' is to be active? Name it: {found.name}.1"
        )
    await state.house.store.activate(found.project, found.name, found.version)


@whole
async def rename_model(statement: s.RenameModel, state: State) -> None:
    """RENAME MODEL. What was spent on the model goes along, so that its budgets still count it."""
    found = find_version(statement.name, state)
    if _names_version(statement.name, found):
        raise Unsupported("A version has no name of its own: rename the model")
    new = statement.new
    if new.database is not None and state.binder().database(new.database) != found.project:
        raise Unsupported("A model stays in its database: RENAME gives it another name there")
    await models_of(state).rename(found, new.name)
    state.house.budgets.rename(found.full_name, f"{found.project}.{new.name}")
    await state.house.usage.rename(found.project, found.name, new.name)


def find_version(name: s.ModelName, state: State) -> ModelRecord:
    """The version that a name means. Raises DatabaseUnknown, TableUnknown, VersionUnknown."""
    return state.binder().version(name) or _unknown(name, state)


def models_of(state: State) -> Models:
    """What statements about models work on."""
    house = state.house

    async def look(database: str, query: str) -> Table:
        columns, rows = await source_rows(query, database, state, refuse_too_many)
        return Table(tuple(columns), tuple(rows))

    return Models(house.store, house.projects, house.engines, house.answers, state.aside, look)


def _asked(name: s.ModelName, state: State) -> ModelRecord:
    return state.binder().model(name) or _unknown(name, state)


def _unknown(name: s.ModelName, state: State) -> ModelRecord:
    """Raises what is wrong with a name that means no model."""
    owner = name[:-1] if len(name) > 1 and name[-1].isdecimal() else name
    if len(owner) > 2:
        raise Unsupported(f"'{'.'.join(name)}' has one name too many")
    database = state.binder().database(owner[0] if len(owner) == 2 else None)
    return state.house.store.model(database, owner[-1])


def _require_database(name: s.ModelName, state: State) -> None:
    if len(name) > 1 and not name[-1].isdecimal():
        state.binder().database(name[0])


def _names_version(name: s.ModelName, found: ModelRecord) -> bool:
    return len(name) > 1 and name[-1] != found.name and name[-1].isdecimal()
