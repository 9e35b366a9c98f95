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
class ModelRecord:
    """One version of a model. `options` are the USING options as given, without `engine`;
    `inputs` the template's placeholders; `training_seconds` how long CREATE took to check it."""

    project: str
    name: str
    version: int
    engine: str
    target: str
    labels: tuple[str, ...]
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    select_data_query: str | None
    created_at: datetime
    training_seconds: float


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
