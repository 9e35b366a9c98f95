"""Models made and changed: all that can be checked is checked before anything is kept.

What a query answers it is told by `look`; what is asked of a model stands elsewhere.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from catalog.answers import AnswerStore
from catalog.database import Cursor
from catalog.errors import AlreadyExists, DatabaseProtected, DropUnknown
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import ModelRecord
from catalog.store import Store
from catalog.whole import whole
from engines.errors import OptionError
from engines.model import compile_model
from engines.task import Target
from engines.types import parse_type
from proxy.execute.engine_pool import EnginePool
from proxy.execute.examples import Table, examples_of
from proxy.execute.targets import written_type
from proxy.plan.derived import target_records, without
from proxy.sql.statements import CreateModel, TargetColumn

Look = Callable[[str, str], Awaitable[Table]]
"""What a query, the second text, answers in a database, the first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a version is to be, not checked yet. `options` are with `engine`; `kept` are examples
    that are there already, else `query` gives them in database `source`."""

    project: str
    name: str
    targets: tuple[Target, ...]
    options: Mapping[str, Any]
    source: str | None = None
    query: str | None = None
    kept: Table | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """Changes what models there are. Methods return the text of a note for SHOW WARNINGS, or None.
    Raises CatalogError, EngineError, and what a query raises; then nothing has changed."""

    store: Store
    projects: Projects
    engines: EnginePool
    answers: AnswerStore
    cursor: Cursor
    look: Look

    async def create(self, statement: CreateModel, project: str) -> str | None:
        """Check engine, options, template, examples and, unless skip_validation is true, that the
        endpoint serves the model."""
        name = statement.name.name
        if project == INFORMATION_SCHEMA:
            raise DatabaseProtected(f"Access denied to database '{project}'")
        old = self.store.find_model(project, name)
        if old is not None and statement.if_not_exists:
            return f"Model '{project}.{name}' already exists"
        if old is not None and not statement.or_replace:
            raise AlreadyExists(f"Model '{project}.{name}' already exists")
        await self._refuse_taken(project, name)
        options, skip = without_switch(statement.options, "skip_validation")
        record = await self._checked(
            Draft(
                project,
                name,
                _targets(statement.targets),
                options,
                statement.source and self.projects.resolve_any(statement.source),
                statement.source_query,
            ),
            validate=not skip,
        )
        async with self.projects.changing:
            self.projects.resolve(project)  # it may have been dropped meanwhile
            self.store.views.refuse_taken(project, name)
            await self.store.add_model(record, or_replace=statement.or_replace)
        return None

    async def retrain(
        self,
        base: ModelRecord,
        targets: Sequence[TargetColumn],
        options: Mapping[str, Any],
        source: str | None,
        query: str | None,
    ) -> None:
        """Make a new version that is `base` but for what is given; an option that is NULL goes. It
        is active unless `active = false`."""
        rest, active = without_switch(options, "active", usual=True)
        rest, skip = without_switch(rest, "skip_validation")
        draft = _changed(base, rest)
        if targets:
            draft = replace(draft, targets=_targets(targets))
        if query is not None and source is not None:
            found = self.projects.resolve_any(source)
            draft = replace(draft, source=found, query=query, kept=None)
        record = await self._checked(draft, validate=not skip)
        kept = replace(record, origin=base.origin)
        async with self.projects.changing:
            await self.store.add_version(kept, activate=active)

    async def change(self, base: ModelRecord, options: Mapping[str, Any]) -> None:
        """Give a version other options, in its place; an option that is NULL goes."""
        rest, skip = without_switch(options, "skip_validation")
        record = await self._checked(_changed(base, rest), validate=not skip)
        await self.store.put_version(
            replace(
                record,
                version=base.version,
                created_at=base.created_at,
                training_seconds=base.training_seconds,
                origin=base.origin,
            )
        )
        self.engines.forget(base)

    @whole
    async def rename(self, model: ModelRecord, new: str) -> None:
        """Give a model another name in its project. Budgets and cached answers go along."""
        if new.casefold() != model.name.casefold():
            await self._refuse_taken(model.project, new)
        async with self.projects.changing:
            await self.store.rename_model(model.project, model.name, new)
        self.engines.forget(model)
        renamed = self.store.model(model.project, new)
        await self.answers.rename(model.full_name.casefold(), renamed.full_name.casefold())

    @whole
    async def drop(self, model: ModelRecord, version: int | None) -> None:
        """Forget a version, or (None) the model with all its versions. Statements that read it go
        on with it."""
        if version is None:
            await self.store.drop_model(model.project, model.name)
        else:
            await self.store.drop_version(model.project, model.name, version)
        self.engines.forget(model)

    async def _checked(self, draft: Draft, *, validate: bool) -> ModelRecord:
        started = time.monotonic()
        options = dict(draft.options)
        engine_name = options.pop("engine", None)
        if not isinstance(engine_name, str):
            raise OptionError(
                f"model {draft.name} needs the option 'engine': "
                "the name of an ML engine (SHOW ML_ENGINES lists them)"
            )
        engine = self.store.engine(engine_name)
        handler = self.engines.handler_of(engine)
        spec = compile_model(draft.name, draft.targets, options, handler)
        if validate:
            await self.engines.engine(engine).check(spec)
        table = draft.kept
        if draft.query is not None and table is None:
            table = await self.look(draft.source or draft.project, draft.query)
        examples = () if table is None else examples_of(table, spec)
        if examples:
            # sees that they fit the targets
            compile_model(draft.name, spec.targets, options, handler, examples)
        return ModelRecord(
            project=draft.project,
            name=draft.name,
            version=1,  # the store counts on
            engine=engine.name,
            targets=target_records(spec),
            inputs=spec.inputs,
            optional=spec.optional,
            options={"model_name": spec.model_name, **options},
            created_at=_now(),
            training_seconds=round(time.monotonic() - started, 3),
            source=draft.source,
            select_data_query=draft.query,
            examples=examples,
        )

    async def _refuse_taken(self, project: str, name: str) -> None:
        """Tables, views and models of a project share their names."""
        self.store.views.refuse_taken(project, name)
        taken = await self.cursor.execute(
            "SELECT 1 FROM information_schema.tables "
            "WHERE table_catalog = current_database() "
            "AND table_schema = ? AND lower(table_name) = lower(?)",
            (project, name),
        )
        if taken:
            raise AlreadyExists(f"Table '{project}.{name}' already exists")


def missing(parts: Sequence[str]) -> DropUnknown:
    """The error of DROP MODEL for a model that is not there."""
    return DropUnknown(f"Unknown model '{'.'.join(parts)}'")


def without_switch(
    options: Mapping[str, Any], name: str, *, usual: bool = False
) -> tuple[dict[str, Any], bool]:
    """The options without a switch, and what it says. Raises OptionError."""
    rest = dict(options)
    given = rest.pop(name, usual)
    if given not in (0, 1):
        raise OptionError(f"option '{name}' is true or false")
    return rest, bool(given)


def _changed(base: ModelRecord, options: Mapping[str, Any]) -> Draft:
    """A version with other options. Of an untyped target the labels are found anew."""
    merged = {"engine": base.engine, **without(base.options, options), **options}
    targets = tuple(Target(t.name, type=parse_type(written_type(t, base))) for t in base.targets)
    columns = (*base.inputs, *base.target_names)
    return Draft(
        base.project,
        base.name,
        targets,
        {name: value for name, value in merged.items() if value is not None},
        base.source,
        base.select_data_query,
        Table(columns, base.examples),
    )


def _targets(columns: Sequence[TargetColumn]) -> tuple[Target, ...]:
    return tuple(Target(column.name, type=parse_type(column.type)) for column in columns)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
