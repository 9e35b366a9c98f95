"""What the catalog remembers, as data: engines, models, users, budgets.

Records are values: a change makes a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """An ML engine. `arguments` may be shown, `secrets` never; both by the names of USING."""

    name: str
    handler: str
    arguments: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A column that a model predicts; `type` as MySQL writes it."""

    name: str
    type: str = "text"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One version of a model. `options` are the USING options as given, without `engine`; `inputs`
    what it has to be given, but for those that are `optional`; `examples` rows of inputs, then
    targets, that `select_data_query` answered in database `source`; `training_seconds` how long it
    took to make it."""

    project: str
    name: str
    version: int
    engine: str
    targets: tuple[TargetRecord, ...]
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    created_at: datetime
    training_seconds: float = 0.0
    optional: tuple[str, ...] = ()
    source: str | None = None
    select_data_query: str | None = None
    examples: tuple[tuple[str | None, ...], ...] = ()
    status: str = "complete"
    """Else training, error or cancelled: such a version cannot be asked."""
    error: str | None = None
    origin: str | None = None
    """'project.name' when the model was made, where it was renamed since: its cached answers are
    those of that name."""

    @property
    def full_name(self) -> str:
        """'project.name'."""
        return f"{self.project}.{self.name}"

    @property
    def target(self) -> str:
        """The name of the first target."""
        return self.targets[0].name

    @property
    def target_names(self) -> tuple[str, ...]:
        """The predicted columns."""
        return tuple(target.name for target in self.targets)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A data source: `engine` is the name of its kind; `parameters` may be shown, `secrets` never,
    both by the names of PARAMETERS."""

    name: str
    engine: str
    parameters: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserRecord:
    """Who may log in, with the two password verifiers that the wire needs."""

    name: str
    native: bytes = field(repr=False)
    salted: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BudgetRecord:
    """What may be spent in a day (UTC) by one user, or on one model ('project.name') or engine; on
    the whole server where none of them is named. At most one of them is; None is no limit."""

    name: str
    user: str | None
    model: str | None
    engine: str | None
    max_calls: int | None
    max_tokens: int | None
    max_cost: float | None
    created_at: datetime
