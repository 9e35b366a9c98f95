"""The definitions: ML engines, models (models.py), views (views.py), users, budgets: read from
memory, written through to DuckDB.

It checks names and references; what an option means it does not know.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path

import duckdb

from catalog import evaluations
from catalog.duckdb_errors import translated
from catalog.errors import (
    AlreadyExists,
    BudgetUnknown,
    EngineUnknown,
    InUse,
)
from catalog.evaluations import Evaluation, EvaluationRecord
from catalog.migrations import migrate
from catalog.models import ModelStore
from catalog.records import BudgetRecord, EngineRecord, ModelRecord, SourceRecord, UserRecord
from catalog.secrets import Vault
from catalog.suggest import did_you_mean
from catalog.views import ViewStore
from catalog.whole import whole

# What DuckDB may hold of the file in memory, for definitions, answers and accounts together.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "memory_limit": "128MB",
    "allocator_background_threads": "true",
}


class Store(ModelStore):
    """All definitions. Names are compared without case: `lower_case_table_names` is 2."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._vault = vault
        with translated():
            connection = duckdb.connect(str(path), config=_CONFIG)
            migrate(connection)
        super().__init__(connection)
        self.views = ViewStore(connection, self._writing)
        self._engines = {_key(e.name): e for e in self._read_engines()}
        self._sources = {_key(s.name): s for s in self._read_sources()}
        self._users = {u.name: u for u in self._read_users()}
        self._budgets = {_key(b.name): b for b in self._read_budgets()}

    # engines

    @property
    def engines(self) -> list[EngineRecord]:
        """All engines, by name."""
        return [self._engines[key] for key in sorted(self._engines)]

    def engine(self, name: str) -> EngineRecord:
        """The engine of that name. Raises EngineUnknown."""
        try:
            return self._engines[_key(name)]
        except KeyError:
            hint = did_you_mean(name, [e.name for e in self._engines.values()])
            raise EngineUnknown(f"Unknown ML engine '{name}'{hint}") from None

    def has_engine(self, name: str) -> bool:
        """Whether an engine of that name is there."""
        return _key(name) in self._engines

    @whole
    async def add_engine(self, engine: EngineRecord) -> None:
        """Keep a new engine. Raises AlreadyExists."""
        async with self._writing:
            if self.has_engine(engine.name):
                raise AlreadyExists(f"ML engine '{engine.name}' already exists")
            await self._write(
                (
                    "INSERT INTO engines VALUES (?, ?, ?, ?, ?)",
                    (
                        engine.name,
                        engine.handler,
                        json.dumps(dict(engine.arguments)),
                        self._vault.seal(engine.secrets),
                        engine.created_at,
                    ),
                )
            )
            self._engines[_key(engine.name)] = engine

    @whole
    async def drop_engine(self, name: str) -> None:
        """Forget an engine. Raises EngineUnknown, or InUse while a model needs it."""
        async with self._writing:
            engine = self.engine(name)
            users = [m for m in self.all_versions if _key(m.engine) == _key(name)]
            if users:
                raise InUse(
                    f"Cannot drop ML engine '{engine.name}': "
                    f"model '{users[0].project}.{users[0].name}' uses it"
                )
            await self._write(("DELETE FROM engines WHERE name = ?", (engine.name,)))
            del self._engines[_key(name)]

    # sources

    @property
    def sources(self) -> list[SourceRecord]:
        """All data sources, by name."""
        return [self._sources[key] for key in sorted(self._sources)]

    def find_source(self, name: str) -> SourceRecord | None:
        """The data source of that name, or None."""
        return self._sources.get(_key(name))

    @whole
    async def put_source(self, source: SourceRecord) -> None:
        """Keep a data source, in the place of one of the same name."""
        async with self._writing:
            await self._write(
                (
                    "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)",
                    (
                        _key(source.name),
                        source.engine,
                        json.dumps({"name": source.name, **source.parameters}),
                        self._vault.seal(source.secrets),
                        source.created_at,
                    ),
                )
            )
            self._sources[_key(source.name)] = source

    @whole
    async def drop_source(self, name: str) -> None:
        """Forget a data source; one that is not there is no error."""
        async with self._writing:
            await self._write(("DELETE FROM sources WHERE name = ?", (_key(name),)))
            self._sources.pop(_key(name), None)

    # users

    @property
    def users(self) -> list[UserRecord]:
        """All users, by name."""
        return [self._users[name] for name in sorted(self._users)]

    def user(self, name: str) -> UserRecord | None:
        """The user of that name (with case, as in MySQL), or None."""
        return self._users.get(name)

    @whole
    async def put_user(self, user: UserRecord) -> None:
        """Keep a user, or a user's new password."""
        verifiers = self._vault.seal({"native": user.native.hex(), "salted": user.salted})
        async with self._writing:
            await self._write(
                ("INSERT OR REPLACE INTO users VALUES (?, ?)", (user.name, verifiers))
            )
            self._users[user.name] = user

    # budgets

    @property
    def budgets(self) -> list[BudgetRecord]:
        """All budgets, by name."""
        return [self._budgets[key] for key in sorted(self._budgets)]

    @whole
    async def add_budget(self, budget: BudgetRecord) -> None:
        """Keep a new budget. Raises AlreadyExists."""
        async with self._writing:
            if _key(budget.name) in self._budgets:
                raise AlreadyExists(f"Budget '{budget.name}' already exists")
            await self._write(
                ("INSERT INTO budgets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(budget))
            )
            self._budgets[_key(budget.name)] = budget

    @whole
    async def drop_budget(self, name: str) -> None:
        """Forget a budget. Raises BudgetUnknown."""
        async with self._writing:
            budget = self._budgets.get(_key(name))
            if budget is None:
                hint = did_you_mean(name, [b.name for b in self._budgets.values()])
                raise BudgetUnknown(f"Budget '{name}' does not exist{hint}")
            await self._write(("DELETE FROM budgets WHERE name = ?", (budget.name,)))
            del self._budgets[_key(name)]

    def _renaming(self, model: ModelRecord, new: str) -> list[tuple[str, Sequence[object]]]:
        """Budgets go with the model that they are for."""
        return [
            ("UPDATE budgets SET model = ? WHERE name = ?", (budget.model, budget.name))
            for budget in self._budgets_of(model, new)
        ]

    def _was_renamed(self, model: ModelRecord, new: str) -> None:
        self._budgets |= {_key(budget.name): budget for budget in self._budgets_of(model, new)}

    def _budgets_of(self, model: ModelRecord, new: str) -> list[BudgetRecord]:
        """The budgets of a model, as they are when it has its new name."""
        return [
            replace(budget, model=f"{model.project}.{new}")
            for budget in self.budgets
            if budget.model is not None and _key(budget.model) == _key(model.full_name)
        ]

    # evaluations

    @whole
    async def add_evaluation(self, models: Sequence[ModelRecord], run: Evaluation) -> None:
        """Keep a run for each of these versions of models that is still there."""
        async with self._writing:
            there = [model for model in models if self.has_version(model)]
            await self._write(*(each for model in there for each in evaluations.keep(model, run)))

    async def evaluations(self) -> list[EvaluationRecord]:
        """The newest runs of all models, the newest first. Raises CatalogError."""
        return await asyncio.to_thread(self._read_evaluations)

    # the file

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the file, for the journal; to be closed before the store is."""
        return self._connection.cursor()

    def close(self) -> None:
        """Write everything down and close the file."""
        self._connection.execute("CHECKPOINT")
        self._connection.close()

    def _read_evaluations(self) -> list[EvaluationRecord]:
        with translated(), self._connection.cursor() as connection:
            return evaluations.read(connection)

    def _read_engines(self) -> list[EngineRecord]:
        rows = self._connection.execute("FROM engines").fetchall()
        return [
            EngineRecord(name, handler, json.loads(arguments), self._vault.open(sealed), created)
            for name, handler, arguments, sealed, created in rows
        ]

    def _read_sources(self) -> list[SourceRecord]:
        rows = self._connection.execute("FROM sources").fetchall()
        return [
            SourceRecord(
                (known := json.loads(shown)).pop("name"),
                engine,
                known,
                self._vault.open(sealed),
                at,
            )
            for _, engine, shown, sealed, at in rows
        ]

    def _read_users(self) -> list[UserRecord]:
        rows = self._connection.execute("FROM users").fetchall()
        opened = [(name, self._vault.open(sealed)) for name, sealed in rows]
        return [UserRecord(n, bytes.fromhex(v["native"]), v["salted"]) for n, v in opened]

    def _read_budgets(self) -> list[BudgetRecord]:
        rows = self._connection.execute("FROM budgets").fetchall()
        return [BudgetRecord(*row) for row in rows]


def _key(name: str) -> str:
    return name.casefold()
