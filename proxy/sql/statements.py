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
class Query:
    """Anything that answers rows: SELECT, UNION, WITH, VALUES."""

    tree: exp.Query


@dataclass(frozen=True, slots=True)
class Modify:
    """INSERT, UPDATE, DELETE, and CREATE, ALTER, DROP, TRUNCATE of tables and views."""

    tree: exp.Expr


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
    """SHOW `kind` …: kind in upper case, without FULL, GLOBAL and the like."""

    kind: str
    full: bool = False
    scope: str = "SESSION"
    source: Name | None = None
    like: str | None = None
    where: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE table, DESCRIBE model, DESCRIBE model.attribute; which of them, the binder sees."""

    parts: tuple[str, ...]
    like: str | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of a statement."""

    statement: Query


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
)
