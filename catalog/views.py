"""The views: read from memory, written through to the catalog's file.

It keeps the text of a view's SELECT and the names of its columns; what they mean it does not know.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import duckdb

from catalog.duckdb_errors import translated
from catalog.errors import AlreadyExists, TableUnknown
from catalog.suggest import did_you_mean
from catalog.transaction import Transaction
from catalog.whole import whole

_Key = tuple[str, str]
_Statement = tuple[str, Sequence[object]]
_DELETE = "DELETE FROM views WHERE project = ? AND name = ?"


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A view: `query` is the MySQL text of a SELECT whose bare names are those of `database`;
    `types` are the MySQL types that the `columns` had when it was last looked at. `definer` is the
    user who made it."""

    project: str
    name: str
    query: str
    database: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    definer: str = ""

    @property
    def full_name(self) -> str:
        """'project.name'."""
        return f"{self.project}.{self.name}"


class ViewStore:
    """All views. Names are compared without case. Each change is no cancel point, is written whole
    or not at all, and raises CatalogError where the disk refuses it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, writing: asyncio.Lock) -> None:
        self._connection = connection
        self._writing = writing
        rows = connection.execute("SELECT definition FROM views").fetchall()
        found = [_view(definition) for (definition,) in rows]
        self._views = {_key(view.project, view.name): view for view in found}

    @property
    def all(self) -> list[ViewRecord]:
        """All views, by project and name."""
        return [self._views[key] for key in sorted(self._views)]

    def names(self, project: str) -> list[str]:
        """The names of a project's views."""
        return [v.name for v in self.all if v.project.casefold() == project.casefold()]

    def find(self, project: str, name: str) -> ViewRecord | None:
        """The view of that name, or None."""
        return self._views.get(_key(project, name))

    def view(self, project: str, name: str) -> ViewRecord:
        """The view of that name. Raises TableUnknown."""
        found = self.find(project, name)
        if found is None:
            hint = did_you_mean(name, self.names(project))
            raise TableUnknown(f"Table '{project}.{name}' doesn't exist{hint}")
        return found

    def refuse_taken(self, project: str, name: str) -> None:
        """Raises AlreadyExists where a view has the name."""
        found = self.find(project, name)
        if found is not None:
            raise AlreadyExists(f"Table '{found.full_name}' already exists")

    @whole
    async def put(self, view: ViewRecord, *, replacing: bool) -> None:
        """Keep a view. Raises AlreadyExists unless it may replace one."""
        async with self._writing:
            if not replacing:
                self.refuse_taken(view.project, view.name)
            await self._replace(view)

    @whole
    async def retype(self, view: ViewRecord, types: tuple[str, ...]) -> None:
        """Keep other types of a view's columns, unless it is another view by now."""
        async with self._writing:
            if self.find(view.project, view.name) == view and types != view.types:
                await self._replace(replace(view, types=types))

    @whole
    async def drop(self, views: Sequence[ViewRecord]) -> None:
        """Forget these views, those of them that are still there."""
        async with self._writing:
            await self._write(*((_DELETE, (view.project, view.name)) for view in views))
            for view in views:
                self._views.pop(_key(view.project, view.name), None)

    async def drop_of(self, project: str) -> None:
        """Forget all views of a project."""
        await self.drop([self.view(project, name) for name in self.names(project)])

    async def _replace(self, view: ViewRecord) -> None:
        old = self.find(view.project, view.name)
        forget = [] if old is None else [(_DELETE, (old.project, old.name))]
        row = (view.project, view.name, json.dumps(asdict(view), ensure_ascii=False))
        await self._write(*forget, ("INSERT INTO views VALUES (?, ?, ?)", row))
        self._views[_key(view.project, view.name)] = view

    async def _write(self, *statements: _Statement) -> None:
        await asyncio.to_thread(self._write_now, statements)

    def _write_now(self, statements: Sequence[_Statement]) -> None:
        with translated(), Transaction(self._connection):
            for sql, parameters in statements:
                self._connection.execute(sql, parameters)


def _view(definition: str) -> ViewRecord:
    fields = json.loads(definition)
    texts = {name: tuple(fields[name]) for name in ("columns", "types")}
    return ViewRecord(**{**fields, **texts})


def _key(project: str, name: str) -> _Key:
    return project.casefold(), name.casefold()
