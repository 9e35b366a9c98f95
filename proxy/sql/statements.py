"""Every statement that the proxy knows, as data. What is not here is refused.

Nothing here knows whether the things that it names exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Name:
    """`name` or `database.name`, as written."""

    name: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class PredictionOptions:
    """What a statement says about its predictions behind USING; None where it says nothing.

    `cache` is on, off, refresh or only; `on_error` null or fail. `max_calls` and `max_cost` bound
    the calls that the statement makes, `max_seconds` the time in which rows get their answers; as
    written, 0 takes away a bound that the session has.
    """

    cache: str | None = None
    on_error: str | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Anything that answers rows: SELECT, UNION, WITH, VALUES."""

    tree: exp.Query
    options: PredictionOptions = PredictionOptions()


@dataclass(frozen=True, slots=True)
class Modify:
    """INSERT, UPDATE, DELETE, and CREATE, ALTER, DROP, TRUNCATE of tables and views."""

    tree: exp.Expr
    options: PredictionOptions = PredictionOptions()


@dataclass(frozen=True, slots=True)
class Transaction:
    """`action` is BEGIN, COMMIT or ROLLBACK."""

    action: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """One item of SET. `scope` is USER for @name, else SESSION or GLOBAL; None sets the default."""

    scope: str
    name: str
    value: exp.Expr | None


@dataclass(frozen=True, slots=True)
class SetVariables:
    """SET a = …, @b = …, NAMES …, TRANSACTION …."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """USE database."""

    database: str


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW `kind` …: kind in upper case, without FULL, GLOBAL and the like. `limit` is the most
    rows, and how many go before the first of them."""

    kind: str
    full: bool = False
    scope: str = "SESSION"
    source: Name | None = None
    like: str | None = None
    where: exp.Expr | None = None
    limit: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE table, DESCRIBE model, DESCRIBE model.attribute; which of them, the binder sees."""

    parts: tuple[str, ...]
    like: str | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of a statement; `analyze` carries it out, too."""

    statement: Query
    analyze: bool = False

    @property
    def options(self) -> PredictionOptions:
        """Those of the statement that it explains."""
        return self.statement.options


@dataclass(frozen=True, slots=True)
class Kill:
    """KILL [CONNECTION | QUERY] id."""

    connection_id: int
    query_only: bool


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE without ENGINE: a project of one's own."""

    name: str
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class CreateEngine:
    """CREATE ML_ENGINE name FROM handler USING options."""

    name: str
    handler: str
    options: Mapping[str, Any] = field(repr=False)
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropEngine:
    """DROP ML_ENGINE."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class CreateModel:
    """CREATE MODEL. `source_query` is the text in FROM source (…), `labels` those of an ENUM."""

    name: Name
    target: str
    labels: tuple[str, ...]
    options: Mapping[str, Any]
    source: str | None
    source_query: str | None
    or_replace: bool
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropModel:
    """DROP MODEL."""

    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class DropCache:
    """DROP CACHE: the stored answers of a model, or of all."""

    model: Name | None


@dataclass(frozen=True, slots=True)
class CreateBudget:
    """CREATE BUDGET for a user, a model or an engine, or, where none is named, for the server.

    The maxima are those of a day (UTC), `max_tokens` of prompts and answers; at least one is given.
    """

    name: str
    if_not_exists: bool
    user: str | None = None
    model: Name | None = None
    engine: str | None = None
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None


@dataclass(frozen=True, slots=True)
class DropBudget:
    """DROP BUDGET."""

    name: str
    if_exists: bool


Statement: TypeAlias = (
    Query
    | Modify
    | Transaction
    | SetVariables
    | Use
    | Show
    | Describe
    | Explain
    | Kill
    | CreateDatabase
    | DropDatabase
    | CreateEngine
    | DropEngine
    | CreateModel
    | DropModel
    | DropCache
    | CreateBudget
    | DropBudget
)
