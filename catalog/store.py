"""The definitions: ML engines, models, users, budgets: read from memory, written through to DuckDB.

It checks names and references; what an option means it does not know.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import duckdb

from catalog.duckdb_errors import translated
from catalog.errors import (
    AlreadyExists,
    BudgetUnknown,
    DropUnknown,
    EngineUnknown,
    InUse,
    TableUnknown,
)
from catalog.migrations import migrate
from catalog.records import BudgetRecord, EngineRecord, ModelRecord, UserRecord
from catalog.secrets import Vault
from catalog.suggest import did_you_mean
from catalog.transaction import Transaction
from catalog.whole import whole

_Statement = tuple[str, Sequence[object]]
# What DuckDB may hold of the file in memory, for definitions, answers and accounts together.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {"threads": "1", "memory_limit": "128MB"}


class Store:
    """All definitions. Names are compared without case: `lower_case_table_names` is 2."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._vault = vault
        self._writing = asyncio.Lock()
        with translated():
            self._connection = duckdb.connect(str(path), config=_CONFIG)
            migrate(self._connection)
        self._engines = {_key(e.name): e for e in self._read_engines()}
        self._models = {(_key(m.project), _key(m.name)): m for m in self._read_models()}
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
            users = [m for m in self.models if _key(m.engine) == _key(name)]
            if users:
                raise InUse(
                    f"Cannot drop ML engine '{engine.name}': "
                    f"model '{users[0].project}.{users[0].name}' uses it"
                )
            await self._write(("DELETE FROM engines WHERE name = ?", (engine.name,)))
            del self._engines[_key(name)]

    # models

    @property
    def models(self) -> list[ModelRecord]:
        """All models, by project and name."""
        return [self._models[key] for key in sorted(self._models)]

    def find_model(self, project: str, name: str) -> ModelRecord | None:
        """The model of that name, or None."""
        return self._models.get((_key(project), _key(name)))

    def model(self, project: str, name: str) -> ModelRecord:
        """The model of that name. Raises TableUnknown."""
        found = self.find_model(project, name)
        if found is None:
            names = [m.name for m in self.models if _key(m.project) == _key(project)]
            hint = did_you_mean(name, names)
            raise TableUnknown(f"Model '{project}.{name}' doesn't exist{hint}")
        return found

    @whole
    async def put_model(self, model: ModelRecord, *, replace: bool) -> None:
        """Keep a model. Raises EngineUnknown, and AlreadyExists unless it may replace one."""
        key = (_key(model.project), _key(model.name))
        async with self._writing:
            self.engine(model.engine)
            if key in self._models and not replace:
                raise AlreadyExists(f"Model '{model.project}.{model.name}' already exists")
            old = self._models.get(key, model)
            await self._write(
                ("DELETE FROM models WHERE project = ? AND name = ?", (old.project, old.name)),
                (
                    "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        model.project,
                        model.name,
                        model.version,
                        model.engine,
                        model.target,
                        json.dumps(model.labels),
                        json.dumps(model.inputs),
                        json.dumps(dict(model.options)),
                        model.select_data_query,
                        model.created_at,
                        model.training_seconds,
                    ),
                ),
            )
            self._models[key] = model

    @whole
    async def drop_model(self, project: str, name: str) -> None:
        """Forget a model. Raises DropUnknown."""
        async with self._writing:
            model = self.find_model(project, name)
            if model is None:
                raise DropUnknown(f"Unknown model '{project}.{name}'")
            await self._write(
                ("DELETE FROM models WHERE project = ? AND name = ?", (model.project, model.name))
            )
            del self._models[_key(project), _key(name)]

    async def drop_models_of(self, project: str) -> None:
        """Forget all models of a project."""
        for model in self.models:
            if _key(model.project) == _key(project):
                await self.drop_model(model.project, model.name)

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

    # the file

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the file, for the journal; to be closed before the store is."""
        return self._connection.cursor()

    def close(self) -> None:
        """Write everything down and close the file."""
        self._connection.execute("CHECKPOINT")
        self._connection.close()

    async def _write(self, *statements: _Statement) -> None:
        await asyncio.to_thread(self._write_now, statements)

    def _write_now(self, statements: Sequence[_Statement]) -> None:
        with translated(), Transaction(self._connection):
            for sql, parameters in statements:
                self._connection.execute(sql, parameters)

    def _read_engines(self) -> list[EngineRecord]:
        rows = self._connection.execute("FROM engines").fetchall()
        return [
            EngineRecord(name, handler, json.loads(arguments), self._vault.open(sealed), created)
            for name, handler, arguments, sealed, created in rows
        ]

    def _read_models(self) -> list[ModelRecord]:
        rows = self._connection.execute("FROM models").fetchall()
        return [
            ModelRecord(
                project=row[0],
                name=row[1],
                version=row[2],
                engine=row[3],
                target=row[4],
                labels=tuple(json.loads(row[5])),
                inputs=tuple(json.loads(row[6])),
                options=json.loads(row[7]),
                select_data_query=row[8],
                created_at=row[9],
                training_seconds=row[10],
            )
            for row in rows
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
