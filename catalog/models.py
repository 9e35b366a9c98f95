"""Models and all their versions, one of which is active: the part of the store that is about them.

It keeps what it is given; whether a version can be asked is for who made it.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import duckdb

from catalog import evaluations
from catalog.duckdb_errors import translated
from catalog.errors import AlreadyExists, DropUnknown, InUse, TableUnknown, VersionUnknown
from catalog.records import EngineRecord, ModelRecord, TargetRecord
from catalog.suggest import did_you_mean
from catalog.transaction import Transaction
from catalog.whole import whole

_Statement = tuple[str, Sequence[object]]
_Name = tuple[str, str]
_ONE = "project = ? AND name = ?"


class ModelStore(ABC):
    """Names are compared without case. A model has at least one version, and its active one."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._writing = asyncio.Lock()
        self._versions: dict[_Name, dict[int, ModelRecord]] = {}
        self._active: dict[_Name, int] = {}
        for active, definition in connection.execute(
            "SELECT active, definition FROM model_versions ORDER BY version"
        ).fetchall():
            model = _model(json.loads(definition))
            self._versions.setdefault(_name(model), {})[model.version] = model
            if active:
                self._active[_name(model)] = model.version

    @abstractmethod
    def engine(self, name: str) -> EngineRecord:
        """The engine of that name. Raises EngineUnknown."""

    @property
    def models(self) -> list[ModelRecord]:
        """The active version of every model, by project and name."""
        return [self._versions[name][self._active[name]] for name in sorted(self._versions)]

    @property
    def all_versions(self) -> list[ModelRecord]:
        """All versions of all models, by project, name and number."""
        return [v for _, versions in sorted(self._versions.items()) for v in _sorted(versions)]

    def find_model(self, project: str, name: str) -> ModelRecord | None:
        """The active version of that model, or None."""
        key = (_key(project), _key(name))
        versions = self._versions.get(key)
        return versions[self._active[key]] if versions else None

    def model(self, project: str, name: str) -> ModelRecord:
        """The active version of that model. Raises TableUnknown."""
        found = self.find_model(project, name)
        if found is None:
            names = [m.name for m in self.models if _key(m.project) == _key(project)]
            hint = did_you_mean(name, names)
            raise TableUnknown(f"Model '{project}.{name}' doesn't exist{hint}")
        return found

    def versions(self, project: str, name: str) -> list[ModelRecord]:
        """All versions of a model, by number; none where there is no such model."""
        return _sorted(self._versions.get((_key(project), _key(name)), {}))

    def version(self, project: str, name: str, number: int) -> ModelRecord:
        """One version of a model. Raises TableUnknown, VersionUnknown."""
        model = self.model(project, name)
        versions = self._versions[_name(model)]
        if number not in versions:
            there = ", ".join(map(str, sorted(versions)))
            raise VersionUnknown(
                f"Model '{model.project}.{model.name}' has no version {number} (there is {there})"
            )
        return versions[number]

    def has_version(self, model: ModelRecord) -> bool:
        """Whether this very version is there; its number may have gone to another since."""
        there = self._versions.get(_name(model), {}).get(model.version)
        return there is not None and there.created_at == model.created_at

    def is_active(self, model: ModelRecord) -> bool:
        """Whether a version is its model's active one."""
        return self._active.get(_name(model)) == model.version

    @whole
    async def add_model(self, model: ModelRecord, *, or_replace: bool) -> ModelRecord:
        """Keep a model, or, where it may replace one, its next version, which is active then.

        Returns it as it is kept, with its number. Raises EngineUnknown, AlreadyExists."""
        async with self._writing:
            if _name(model) in self._versions and not or_replace:
                raise AlreadyExists(f"Model '{model.project}.{model.name}' already exists")
            return await self._add(model, activate=True)

    @whole
    async def add_version(self, model: ModelRecord, *, activate: bool) -> ModelRecord:
        """Keep a model's next version; returns it with its number. Raises EngineUnknown,
        TableUnknown."""
        async with self._writing:
            self.model(model.project, model.name)
            return await self._add(model, activate=activate)

    @whole
    async def put_version(self, model: ModelRecord) -> None:
        """Keep a version in the place of that of its number. Raises TableUnknown, VersionUnknown,
        EngineUnknown."""
        async with self._writing:
            old = self.version(model.project, model.name, model.version)
            self.engine(model.engine)
            changed = replace(model, project=old.project, name=old.name)
            await self._write(_update(changed))
            self._versions[_name(old)][old.version] = changed

    @whole
    async def activate(self, project: str, name: str, number: int) -> None:
        """Make a version the active one. Raises TableUnknown, VersionUnknown, InUse for one that
        is not complete."""
        async with self._writing:
            model = self.version(project, name, number)
            if model.status != "complete":
                raise InUse(
                    f"Version {number} of model '{model.project}.{model.name}' cannot be active: "
                    f"its status is '{model.status}'"
                )
            await self._write(_activation(model))
            self._active[_name(model)] = number

    @whole
    async def drop_version(self, project: str, name: str, number: int) -> None:
        """Forget a version. Raises TableUnknown, VersionUnknown, InUse for the active one."""
        async with self._writing:
            model = self.version(project, name, number)
            if self.is_active(model):
                raise InUse(
                    f"Cannot drop version {number} of model '{model.project}.{model.name}': it is "
                    "the active one: make another one active first, or drop the model"
                )
            await self._write(
                (
                    f"DELETE FROM model_versions WHERE {_ONE} AND version = ?",
                    (model.project, model.name, number),
                ),
                evaluations.forget_version(model),
            )
            del self._versions[_name(model)][number]

    @whole
    async def drop_model(self, project: str, name: str) -> None:
        """Forget a model with all its versions. Raises DropUnknown."""
        async with self._writing:
            model = self.find_model(project, name)
            if model is None:
                raise DropUnknown(f"Unknown model '{project}.{name}'")
            await self._write(
                (f"DELETE FROM model_versions WHERE {_ONE}", (model.project, model.name)),
                evaluations.forget(model),
            )
            del self._versions[_name(model)], self._active[_name(model)]

    @whole
    async def rename_model(self, project: str, name: str, new: str) -> None:
        """Give a model, with all its versions, another name. Their `origin` stays.

        Raises TableUnknown, AlreadyExists."""
        async with self._writing:
            model = self.model(project, name)
            other = self.find_model(project, new)
            if other is not None and _name(other) != _name(model):
                raise AlreadyExists(f"Model '{other.project}.{other.name}' already exists")
            active = self._active[_name(model)]
            renamed = [_renamed(version, new) for version in self.versions(project, name)]
            await self._write(
                (f"DELETE FROM model_versions WHERE {_ONE}", (model.project, model.name)),
                *(_insert(version, active=version.version == active) for version in renamed),
                evaluations.rename(model, new),
                *self._renaming(model, new),
            )
            self._was_renamed(model, new)
            del self._versions[_name(model)], self._active[_name(model)]
            self._versions[_name(renamed[0])] = {m.version: m for m in renamed}
            self._active[_name(renamed[0])] = active

    async def drop_models_of(self, project: str) -> None:
        """Forget all models of a project."""
        for model in self.models:
            if _key(model.project) == _key(project):
                await self.drop_model(model.project, model.name)

    @abstractmethod
    def _renaming(self, model: ModelRecord, new: str) -> list[_Statement]:
        """What else is written when a model gets a name, in the same transaction."""

    @abstractmethod
    def _was_renamed(self, model: ModelRecord, new: str) -> None:
        """That is written: remember it."""

    async def _add(self, model: ModelRecord, *, activate: bool) -> ModelRecord:
        self.engine(model.engine)
        versions = self._versions.get(_name(model), {})
        first = next(iter(versions.values()), model)
        kept = replace(
            model, project=first.project, name=first.name, version=max(versions, default=0) + 1
        )
        inserts = [_insert(kept, active=False), *([_activation(kept)] if activate else [])]
        await self._write(*inserts)
        self._versions.setdefault(_name(kept), {})[kept.version] = kept
        if activate:
            self._active[_name(kept)] = kept.version
        return kept

    async def _write(self, *statements: _Statement) -> None:
        await asyncio.to_thread(self._write_now, statements)

    def _write_now(self, statements: Sequence[_Statement]) -> None:
        with translated(), Transaction(self._connection):
            for sql, parameters in statements:
                self._connection.execute(sql, parameters)


def _sorted(versions: Mapping[int, ModelRecord]) -> list[ModelRecord]:
    return [versions[number] for number in sorted(versions)]


def _renamed(version: ModelRecord, name: str) -> ModelRecord:
    return replace(version, name=name, origin=version.origin or version.full_name)


def _insert(model: ModelRecord, *, active: bool) -> _Statement:
    return (
        "INSERT INTO model_versions VALUES (?, ?, ?, ?, ?)",
        (model.project, model.name, model.version, active, _definition(model)),
    )


def _update(model: ModelRecord) -> _Statement:
    return (
        f"UPDATE model_versions SET definition = ? WHERE {_ONE} AND version = ?",
        (_definition(model), model.project, model.name, model.version),
    )


def _activation(model: ModelRecord) -> _Statement:
    return (
        f"UPDATE model_versions SET active = (version = ?) WHERE {_ONE}",
        (model.version, model.project, model.name),
    )


def _definition(model: ModelRecord) -> str:
    fields = asdict(replace(model, options=dict(model.options)))
    return json.dumps({**fields, "created_at": model.created_at.isoformat()}, ensure_ascii=False)


def _model(fields: Mapping[str, Any]) -> ModelRecord:
    """A model of its definition; fields that are newer than it have their defaults."""
    texts = ("inputs", "optional")
    return ModelRecord(
        **{
            **fields,
            "created_at": datetime.fromisoformat(fields["created_at"]),
            "targets": tuple(
                TargetRecord(**{**target, "labels": tuple(target["labels"])})
                for target in fields["targets"]
            ),
            "examples": tuple(map(tuple, fields.get("examples", ()))),
            **{name: tuple(fields.get(name, ())) for name in texts},
        }
    )


def _name(model: ModelRecord) -> _Name:
    return _key(model.project), _key(model.name)


def _key(name: str) -> str:
    return name.casefold()
