"""CREATE, ALTER and DROP of data sources: names, engines and parameters are checked here, then
whether the source answers.

What is wrong is said before anything is kept: a definition that is replaced stays until then.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.errors import CatalogError, DatabaseExists, DatabaseMissing, DatabaseUnknown
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import SourceRecord
from catalog.sources.kinds import find_kind
from catalog.sources.sources import Sources
from catalog.store import Store
from catalog.suggest import did_you_mean
from catalog.whole import whole
from proxy.errors import Unsupported
from proxy.execute.source_arguments import altered, checked, made
from proxy.sql.statements import AlterSource, CreateSource


@dataclass(frozen=True, slots=True)
class SourceDefinitions:
    """Changes which data sources there are. Methods that return a text return that of a note for
    SHOW WARNINGS, or None. Raises CatalogError; then nothing has changed."""

    sources: Sources
    store: Store
    projects: Projects

    async def create(self, statement: CreateSource) -> str | None:
        """Keep a new source that answers, in the place of one of its name if that is wanted."""
        try:
            async with self.sources.changing(statement.name):
                await self._create(statement)
        except DatabaseExists as error:
            if statement.if_not_exists:
                return str(error)
            raise
        return None

    async def alter(self, statement: AlterSource) -> None:
        """Change the parameters that are given, if the source then answers."""
        async with self.sources.changing(statement.name):
            old = self.source(statement.name)
            kind = find_kind(statement.engine or old.engine)
            values = altered(kind, old, statement.parameters)
            record = made(old.name, kind, values, old.created_at)
            self.sources.require_secrets(record)
            await self.sources.check(record)
            await self._keep(record)
            await self._attach(record)

    async def drop(self, name: str, *, if_exists: bool) -> str | None:
        """Forget a source; what is in it stays."""
        async with self.sources.changing(name):
            record = self.sources.find(name)
            if record is not None:
                await self._forget(record)
                return None
        text = f"Can't drop data source '{name}'; data source doesn't exist{self._near(name)}"
        if if_exists:
            return text
        raise DatabaseMissing(text)

    def source(self, name: str) -> SourceRecord:
        """The source of that name. Raises DatabaseUnknown, and Unsupported for a project."""
        record = self.sources.find(name)
        if record is not None:
            return record
        if name.casefold() in (n.casefold() for n in (INFORMATION_SCHEMA, *self.projects.names)):
            raise Unsupported(f"'{name}' is a project of this server, not a data source")
        raise DatabaseUnknown(f"Unknown data source '{name}'{self._near(name)}")

    def require_no_source(self, name: str) -> None:
        """Raises DatabaseExists where a source has that name, which hides a project."""
        if self.sources.find(name) is not None:
            raise DatabaseExists(f"Can't create database '{name}'; database exists")

    async def _create(self, statement: CreateSource) -> None:
        self._require_free(statement)
        kind = find_kind(statement.engine)
        values = checked(kind, statement.name, statement.parameters)
        record = made(statement.name, kind, values, _now())
        self.sources.require_secrets(record)
        await self.sources.check(record)
        async with self.projects.changing:
            self._require_free(statement)  # a project may have come meanwhile
            await self._keep(record)
        await self._attach(record)

    def _require_free(self, statement: CreateSource) -> None:
        self.projects.require_free(statement.name)
        if not statement.or_replace:
            self.require_no_source(statement.name)

    def _near(self, name: str) -> str:
        return did_you_mean(name, [record.name for record in self.sources.records])

    @whole
    async def _keep(self, record: SourceRecord) -> None:
        await self.store.put_source(record)
        await self._let_go(record)

    @whole
    async def _forget(self, record: SourceRecord) -> None:
        await self.store.drop_source(record.name)
        await self._let_go(record)

    async def _let_go(self, record: SourceRecord) -> None:
        """Detach what is known by that name: it is no longer what the name means."""
        with suppress(CatalogError):
            await self.sources.forget(record)

    async def _attach(self, record: SourceRecord) -> None:
        """So that its state is known. It has answered; that it no longer does is its own state."""
        with suppress(CatalogError):
            await self.sources.reach(record)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
