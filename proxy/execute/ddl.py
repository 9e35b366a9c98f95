"""CREATE and DROP of engines and databases: all that can be checked is checked here.

What is wrong is said before anything is kept.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.errors import AlreadyExists, DatabaseExists, DatabaseMissing
from catalog.jobs import JobStore
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import EngineRecord
from catalog.store import Store
from catalog.whole import whole
from engines.registry import find_handler
from proxy.execute.engine_arguments import sorted_out
from proxy.execute.engine_pool import EnginePool
from proxy.execute.models import without_switch
from proxy.sql.statements import (
    CreateDatabase,
    CreateEngine,
    DropDatabase,
    DropEngine,
)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Changes what the catalog defines. Each method returns the text of a note for SHOW WARNINGS,
    or None. Raises CatalogError, EngineError; then nothing has changed."""

    store: Store
    projects: Projects
    engines: EnginePool
    jobs: JobStore

    async def create_engine(self, statement: CreateEngine) -> str | None:
        """Check handler, options and, unless skip_validation is true, the endpoint and its key."""
        if self.store.has_engine(statement.name):
            exists = f"ML engine '{statement.name}' already exists"
            if statement.if_not_exists:
                return exists
            raise AlreadyExists(exists)
        handler = find_handler(statement.handler)
        options, skip = without_switch(statement.options, "skip_validation")
        arguments, secrets = sorted_out(handler, options)
        record = EngineRecord(statement.name, handler.name, arguments, secrets, _now())
        try:
            engine = self.engines.engine(record)
            if not skip:
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
        """Drop a project with its tables, views, models and jobs."""
        if statement.name.casefold() not in (n.casefold() for n in self.projects.names):
            text = f"Can't drop database '{statement.name}'; database doesn't exist"
            if statement.if_exists:
                return text
            if statement.name.casefold() != INFORMATION_SCHEMA:
                raise DatabaseMissing(text)
        async with self.projects.changing:
            await self.projects.drop(statement.name)
            await self.store.drop_models_of(statement.name)
            await self.store.views.drop_of(statement.name)
            await self.jobs.drop_of(statement.name)
        return None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
