"""Every statement that the proxy knows, as data. What is not here is refused.

Nothing here knows whether the things that it names exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Name:
    """`name` or `database.name`, as written."""

    name: str
    database: str | None = None


ModelName: TypeAlias = tuple[str, ...]
"""[database.]model[.version], as written; which part is which, the binder says."""


@dataclass(frozen=True, slots=True)
class Override:
    """`[model.]name = value`: an option of the statement's models, or of the one of that name or
    alias, for this statement. The name is in lower case."""

    name: str
    value: Any
    model: str | None = None


@dataclass(frozen=True, slots=True)
class PredictionOptions:
    """What a statement says about its predictions behind USING; None where it says nothing.

    `commit_every` are the rows after which a statement that writes into a data source commits.
    `cache` is on, off, refresh or only; `on_error` null or fail. `max_calls` and `max_cost` bound
    the calls that the statement makes, `max_seconds` the time in which rows get their answers; as
    written, 0 takes away a bound that the session has. All other options are `overrides`.
    """

    cache: str | None = None
    on_error: str | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    max_seconds: float | None = None
    commit_every: int | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """Anything that answers rows: SELECT, UNION, WITH, VALUES."""

    tree: exp.Query
    options: PredictionOptions = PredictionOptions()


@dataclass(frozen=True, slots=True)
class Modify:
    """INSERT, UPDATE, DELETE, and CREATE, ALTER, DROP, TRUNCATE of tables."""

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
class ShowCreateModel:
    """SHOW CREATE MODEL."""

    name: ModelName


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE table, DESCRIBE model, DESCRIBE model.attribute; which of them, the binder sees."""

    parts: tuple[str, ...]
    like: str | None = None


@dataclass(frozen=True, slots=True)
class DescribeModel:
    """DESCRIBE MODEL model: what SHOW MODELS says of it; or DESCRIBE MODEL model.attribute."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of a statement; `analyze` carries it out, too."""

    statement: Query
    analyze: bool = False

    @property
    def options(self) -> PredictionOptions:
        """Those of the statement that it explains."""
        return self.statement.options


METRICS = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "mae",
    "rmse",
    "r2",
    "exact_match",
    "confusion_matrix",
)
AVERAGES = ("macro", "micro", "weighted", "binary")


@dataclass(frozen=True, slots=True)
class Scoring:
    """How metrics are taken: `average`, one of AVERAGES, over the classes of f1, precision and
    recall; `positive` is the one class that 'binary' is about; what makes texts no different."""

    average: str = "macro"
    positive: str | None = None
    ignore_case: bool = False
    ignore_punctuation: bool = False


@dataclass(frozen=True, slots=True)
class Evaluate:
    """EVALUATE: `metrics`, of METRICS, over the columns `actual` and `prediction` of a query, whose
    names without a database are those of `source`. `text` is the statement as written."""

    metrics: tuple[str, ...]
    source: str | None
    query: Query
    text: str
    scoring: Scoring = Scoring()


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
class CreateSource:
    """CREATE DATABASE … ENGINE: a data source. The names of `parameters` are in lower case."""

    name: str
    engine: str
    parameters: Mapping[str, Any] = field(repr=False)
    or_replace: bool
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class AlterSource:
    """ALTER DATABASE … PARAMETERS: what is given changes, a parameter that is None goes back to
    its default, all else stays."""

    name: str
    engine: str | None
    parameters: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DropSource:
    """DROP SOURCE: never a project."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class RefreshSource:
    """REFRESH DATABASE: what is known of a source's tables is asked anew."""

    name: str


@dataclass(frozen=True, slots=True)
class ExecuteNative:
    """EXECUTE source (statement): `native` is the text between the parentheses."""

    source: str
    native: str = field(repr=False)


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
class TargetColumn:
    """A column of PREDICT. `type` is as written, not checked yet; text where none is."""

    name: str
    type: str = "text"


@dataclass(frozen=True, slots=True)
class CreateModel:
    """CREATE MODEL. `source_query` is the text in FROM source (…)."""

    name: Name
    targets: tuple[TargetColumn, ...]
    options: Mapping[str, Any]
    source: str | None
    source_query: str | None
    or_replace: bool
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropModel:
    """DROP MODEL, or of one of its versions."""

    name: ModelName
    if_exists: bool


@dataclass(frozen=True, slots=True)
class RetrainModel:
    """RETRAIN: a new version that differs in what is given; `targets` is empty where none are."""

    name: ModelName
    targets: tuple[TargetColumn, ...]
    options: Mapping[str, Any]
    source: str | None
    source_query: str | None


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """ALTER MODEL … USING: a version changed in its place."""

    name: ModelName
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActivateVersion:
    """SET active = model.version, ALTER MODEL … SET ACTIVE version."""

    name: ModelName


@dataclass(frozen=True, slots=True)
class RenameModel:
    """RENAME MODEL, ALTER MODEL … RENAME."""

    name: ModelName
    new: Name


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


@dataclass(frozen=True, slots=True)
class When:
    """When a job runs: `every` units (second, minute, hour, day, week, month), or by the crontab
    `cron`; where neither is given, once. UTC, naive; `start` None is now, `end` None is never."""

    every: int | None = None
    unit: str | None = None
    cron: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreateJob:
    """CREATE JOB. `query` and `if_query` are the texts between their parentheses."""

    name: Name
    query: str
    if_query: str | None
    when: When
    or_replace: bool
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class AlterJob:
    """ALTER JOB … ENABLE or DISABLE."""

    name: Name
    enable: bool


@dataclass(frozen=True, slots=True)
class DropJob:
    """DROP JOB."""

    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class FineTune:
    """FINETUNE: `query` is the text in FROM source (…), read in the database `source`."""

    name: ModelName
    source: str | None
    query: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How the rows of a file are written: what ends a field and a line, what fields may be enclosed
    in, what takes its meaning from the character behind it, and what a row starts behind. '' is
    none."""

    field: str = "\t"
    enclosed: str = ""
    escaped: str = "\\"
    line: str = "\n"
    start: str = ""


@dataclass(frozen=True, slots=True)
class FileField:
    """What a field of a row goes to: a column, or a variable, whose name is in lower case."""

    name: str
    is_variable: bool = False


Duplicates: TypeAlias = Literal["fail", "ignore", "replace"]
"""What becomes of a row whose key is there already."""


@dataclass(frozen=True, slots=True)
class LoadData:
    """LOAD DATA LOCAL INFILE. No `fields` are all columns; `assigned` are columns and what SET says
    of them."""

    file: str
    table: exp.Table
    duplicates: Duplicates = "fail"
    charset: str | None = None
    format: FileFormat = FileFormat()
    skipped: int = 0
    fields: tuple[FileField, ...] = ()
    assigned: tuple[tuple[str, exp.Expr], ...] = ()


@dataclass(frozen=True, slots=True)
class CancelFineTune:
    """CANCEL FINETUNE."""

    name: ModelName


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE VIEW. `query` is the text of its SELECT, or that in FROM source (…)."""

    name: Name
    columns: tuple[str, ...]
    query: str
    source: str | None
    or_replace: bool
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class AlterView:
    """ALTER VIEW: another definition of a view that is there."""

    name: Name
    columns: tuple[str, ...]
    query: str
    source: str | None


@dataclass(frozen=True, slots=True)
class DropView:
    """DROP VIEW of one or more."""

    names: tuple[Name, ...]
    if_exists: bool


Statement: TypeAlias = (
    Query
    | Modify
    | Transaction
    | SetVariables
    | Use
    | Show
    | ShowCreateModel
    | Describe
    | DescribeModel
    | Explain
    | Evaluate
    | Kill
    | CreateDatabase
    | DropDatabase
    | CreateSource
    | AlterSource
    | DropSource
    | RefreshSource
    | ExecuteNative
    | CreateEngine
    | DropEngine
    | CreateModel
    | DropModel
    | RetrainModel
    | ChangeModel
    | ActivateVersion
    | RenameModel
    | DropCache
    | CreateBudget
    | DropBudget
    | CreateJob
    | AlterJob
    | DropJob
    | FineTune
    | CancelFineTune
    | LoadData
    | CreateView
    | AlterView
    | DropView
)
