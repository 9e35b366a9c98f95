"""CREATE and DROP of engines, models and databases: all that can be checked is checked here.

What is wrong is said before anything is kept.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from catalog.database import Cursor
from catalog.errors import AlreadyExists, DatabaseExists, DatabaseMissing, DatabaseProtected
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import EngineRecord, ModelRecord
from catalog.store import Store
from catalog.whole import whole
from engines.base import Handler
from engines.errors import OptionError
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import Target
from proxy.execute.engine_pool import EnginePool
from proxy.sql.statements import (
    CreateDatabase,
    CreateEngine,
    CreateModel,
    DropDatabase,
    DropEngine,
    DropModel,
)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Changes what the catalog defines. Each method returns the text of a note for SHOW WARNINGS,
    or None. Raises CatalogError, EngineError; then nothing has changed."""

    store: Store
    projects: Projects
    engines: EnginePool
    cursor: Cursor

    async def create_engine(self, statement: CreateEngine) -> str | None:
        """Check handler, options and, unless skip_validation is true, the endpoint and its key."""
        if self.store.has_engine(statement.name):
            exists = f"ML engine '{statement.name}' already exists"
            if statement.if_not_exists:
                return exists
            raise AlreadyExists(exists)
        handler = find_handler(statement.handler)
        options, validate = _without_switch(statement.options)
        arguments, secrets = _sorted_out(handler, options)
        record = EngineRecord(statement.name, handler.name, arguments, secrets, _now())
        try:
            engine = self.engines.engine(record)
            if validate:
                await engine.check(None)
            await self.store.add_engine(record)
        except BaseException:
            await self.engines.discard(record)
            raise
        return None

    @whole
    async def drop_engine(self, statement: DropEngine) -> str | None:
        """Refused while a model uses the engine."""
        if statement.if_exists and not self.store.has_engine(statement.name):
            return f"Unknown ML engine '{statement.name}'"
        record = self.store.engine(statement.name)
        await self.store.drop_engine(statement.name)
        await self.engines.discard(record)
        return None

    async def create_model(self, statement: CreateModel, project: str) -> str | None:
        """Check engine, options, template and, unless skip_validation is true, that the endpoint
        serves the model."""
        name = statement.name.name
        if project == INFORMATION_SCHEMA:
            raise DatabaseProtected(f"Access denied to database '{project}'")
        old = self.store.find_model(project, name)
        if old is not None and statement.if_not_exists:
            return f"Model '{project}.{name}' already exists"
        if old is not None and not statement.or_replace:
            raise AlreadyExists(f"Model '{project}.{name}' already exists")
        await self._refuse_taken(project, name)
        if statement.source is not None:
            self.projects.resolve(statement.source)
        started = time.monotonic()
        record = await self._checked(statement, project, old.version + 1 if old else 1)
        finished = replace(record, training_seconds=round(time.monotonic() - started, 3))
        async with self.projects.changing:
            self.projects.resolve(project)  # it may have been dropped meanwhile
            await self.store.put_model(finished, replace=statement.or_replace)
        return None

    async def drop_model(self, statement: DropModel, project: str) -> str | None:
        """Forget a model."""
        name = statement.name.name
        if statement.if_exists and self.store.find_model(project, name) is None:
            return f"Unknown model '{project}.{name}'"
        await self.store.drop_model(project, name)
        return None

    async def create_database(self, statement: CreateDatabase) -> str | None:
        """Make a project of one's own."""
        try:
            await self.projects.create(statement.name)
        except DatabaseExists as error:
            if statement.if_not_exists:
                return str(error)
            raise
        return None

    @whole
    async def drop_database(self, statement: DropDatabase) -> str | None:
        """Drop a project with its tables, views and models."""
        if statement.name.casefold() not in (n.casefold() for n in self.projects.names):
            text = f"Can't drop database '{statement.name}'; database doesn't exist"
            if statement.if_exists:
                return text
            if statement.name.casefold() != INFORMATION_SCHEMA:
                raise DatabaseMissing(text)
        async with self.projects.changing:
            await self.projects.drop(statement.name)
            await self.store.drop_models_of(statement.name)
        return None

    async def _checked(self, statement: CreateModel, project: str, version: int) -> ModelRecord:
        options, validate = _without_switch(statement.options)
        engine_name = options.pop("engine", None)
        if not isinstance(engine_name, str):
            raise OptionError(
                f"model {statement.name.name} needs the option 'engine': "
                "the name of an ML engine (SHOW ML_ENGINES lists them)"
            )
        engine = self.store.engine(engine_name)
        target = Target(statement.target, statement.labels)
        handler = self.engines.handler_of(engine)
        spec = compile_model(statement.name.name, target, options, handler)
        if validate:
            await self.engines.engine(engine).check(spec)
        return ModelRecord(
            project=project,
            name=statement.name.name,
            version=version,
            engine=engine.name,
            target=spec.target.name,
            labels=spec.target.labels,
            inputs=spec.template.placeholders,
            options={"model_name": spec.model_name, **options},
            select_data_query=statement.source_query,
            created_at=_now(),
            training_seconds=0.0,
        )

    async def _refuse_taken(self, project: str, name: str) -> None:
        """Tables, views and models of a project share their names."""
        taken = await self.cursor.execute(
            "SELECT 1 FROM information_schema.tables "
            "WHERE table_schema = ? AND lower(table_name) = lower(?)",
            (project, name),
        )
        if taken:
            raise AlreadyExists(f"Table '{project}.{name}' already exists")


def _without_switch(options: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The options without skip_validation, and whether the endpoint is to be asked."""
    rest = dict(options)
    skip = rest.pop("skip_validation", False)
    if not isinstance(skip, bool):
        raise OptionError("option 'skip_validation' is true or false")
    return rest, not skip


def _sorted_out(
    handler: Handler, options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What may be shown, and what may not."""
    secret = {option.name for option in handler.engine_options if option.secret}
    shown = {name: value for name, value in options.items() if name not in secret}
    return shown, {name: value for name, value in options.items() if name in secret}


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
