"""information_schema: MySQL's tables, MindsDB's tables beside them, as snapshots of what is.

A snapshot is made when a statement reads it; DuckDB does all that is asked of it then.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from catalog.answers import AnswerStore
from catalog.database import Cursor, Field
from catalog.errors import TableUnknown
from catalog.jobs import JobStore
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import ModelRecord
from catalog.sources.sources import Sources
from catalog.store import Store
from catalog.suggest import did_you_mean
from catalog.tunings import TuningRecord, TuningStore
from catalog.usage import UsageStore
from engines.registry import handlers
from proxy.evaluations import MODEL_EVALUATIONS, evaluation_rows
from proxy.execute.engine_arguments import shown_arguments
from proxy.execute.schema_columns import (
    COLUMNS,
    column_rows,
    source_column_rows,
    view_column_rows,
)
from proxy.execute.views import VIEWS, view_rows
from proxy.jobs.books import JOBS, JOBS_HISTORY, history_rows, job_rows
from proxy.metadata.inquiry import Inquiry
from proxy.metadata.statistics import STATISTICS, index_rows, own_index_rows
from proxy.money.books import (
    BUDGETS,
    MODEL_CACHE,
    MODEL_USAGE,
    budget_rows,
    cache_rows,
    usage_rows,
)
from proxy.money.budgets import Budgets
from proxy.plan.asked import EVERYTHING, NOTHING, Asked, asked_of
from proxy.plan.nodes import Snapshot
from proxy.source_books import DATA_SOURCES, database_rows, handler_rows, source_rows
from proxy.tuning.books import (
    FINE_TUNINGS,
    accuracy,
    called_now,
    select_data_query,
    tuning_rows,
    update_status,
)
from proxy.variables import Value, Variables
from proxy.warnings import Warnings
from proxy.wire.processes import Processes

_Rows = Sequence[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one session may see of the server."""

    store: Store
    projects: Projects
    processes: Processes
    cursor: Cursor
    variables: Variables
    warnings: Warnings
    user: str
    answers: AnswerStore
    usage: UsageStore
    budgets: Budgets
    jobs: JobStore
    tunings: TuningStore
    sources: Sources
    asked: Asked = EVERYTHING

    def about(self, tree: exp.Expr, relation: str, *, describing: bool) -> "Sight":
        """The sight of the table that a relation of a bound statement stands for, as far as the
        statement wants its rows: where it is described, nobody is asked for them."""
        return replace(self, asked=NOTHING if describing else asked_of(tree, relation))

    @property
    def inquiry(self) -> Inquiry:
        """The question to data sources that the statement is."""
        databases = [INFORMATION_SCHEMA, *self.projects.names]
        return Inquiry(self.sources, self.asked, databases, self.warnings)


def near_table(name: str) -> str:
    """End a message about a missing table that is looked for in the wrong place, where it is."""
    is_here = name.upper() in _TABLES
    return f": did you mean '{INFORMATION_SCHEMA}.{name.lower()}'?" if is_here else ""


async def snapshot(table: str, relation: str, sight: Sight) -> Snapshot:
    """What `information_schema.<table>` holds now, as that relation. Raises TableUnknown."""
    if table not in _TABLES:
        hint = did_you_mean(table, _TABLES)
        raise TableUnknown(f"Unknown table '{table}' in {INFORMATION_SCHEMA}{hint}")
    columns, make = _TABLES[table]
    return Snapshot(
        relation, tuple(_field(column) for column in columns.split(", ")), await make(sight)
    )


def _field(column: str) -> Field:
    name, _, type_ = column.partition(" ")
    return Field(name, type_ or "VARCHAR")


async def _schemata(sight: Sight) -> _Rows:
    sources = (record.name for record in sight.sources.records)
    names = sorted([INFORMATION_SCHEMA, *sight.projects.names, *sources])
    return [("def", name, "utf8mb4", "utf8mb4_0900_ai_ci", None) for name in names]


async def _databases(sight: Sight) -> _Rows:
    system = [(INFORMATION_SCHEMA, "system", None, None)]
    projects = ((name, "project", None, None) for name in sight.projects.names)
    return [*system, *projects, *database_rows(sight.sources.records)]


async def _data_sources(sight: Sight) -> _Rows:
    return source_rows(sight.sources)


async def _tables(sight: Sight) -> _Rows:
    rows = await sight.cursor.execute(
        "SELECT schema_name, table_name, 'BASE TABLE', 'DuckDB', estimated_size "
        "FROM duckdb_tables() WHERE NOT internal AND NOT temporary "
        "AND database_name = current_database() UNION ALL "
        "SELECT schema_name, view_name, 'VIEW', NULL, NULL "
        "FROM duckdb_views() WHERE NOT internal AND NOT temporary "
        "AND database_name = current_database() ORDER BY 1, 2"
    )
    models = [(m.project, m.name, "BASE TABLE", "MODEL", None) for m in sight.store.models]
    views = [(v.project, v.name, "VIEW", None, None) for v in sight.store.views.all]
    system = [(INFORMATION_SCHEMA, name, "SYSTEM VIEW", None, None) for name in sorted(_TABLES)]
    sources = [
        (database, name, kind, sight.sources.kind(record).title, size)
        for record, database, (_, name, kind, size) in await sight.inquiry.listed()
    ]
    return [
        ("def", schema, name, kind, engine, 10, "Dynamic", size, "utf8mb4_0900_ai_ci", "")
        for schema, name, kind, engine, size in [*rows, *models, *views, *system, *sources]
    ]


async def _columns(sight: Sight) -> _Rows:
    own = await column_rows(sight.cursor, sight.store.models)
    views = view_column_rows(sight.store.views.all)
    return [*own, *views, *source_column_rows(await sight.inquiry.tables())]


async def _statistics(sight: Sight) -> _Rows:
    own = await own_index_rows(sight.cursor)
    return [*own, *index_rows(await sight.inquiry.indexes())]


async def _views(sight: Sight) -> _Rows:
    return await view_rows(sight.cursor, sight.store.views.all)


async def _models(sight: Sight) -> _Rows:
    tunings = _tunings(sight)
    return [_model(model, tunings, active=True) for model in sight.store.models]


async def _models_versions(sight: Sight) -> _Rows:
    versions, tunings = sight.store.all_versions, _tunings(sight)
    return [_model(model, tunings, active=sight.store.is_active(model)) for model in versions]


def _tunings(sight: Sight) -> list[TuningRecord]:
    return called_now(sight.tunings.records, sight.store.all_versions)


def _model(
    model: ModelRecord, tunings: Sequence[TuningRecord], *, active: bool
) -> tuple[Value, ...]:
    return (
        model.name,
        model.engine,
        model.project,
        int(active),
        model.version,
        model.status,
        accuracy(model, tunings),
        ", ".join(model.target_names),
        update_status(model, [tuning for tuning in tunings if not tuning.ended]),
        model.error,
        select_data_query(model, tunings),
        json.dumps(dict(model.options), ensure_ascii=False),
        None,
        f"{model.created_at:%Y-%m-%d %H:%M:%S}",
        model.training_seconds,
    )


async def _ml_engines(sight: Sight) -> _Rows:
    return [
        (engine.name, engine.handler, json.dumps(shown_arguments(engine)))
        for engine in sight.store.engines
    ]


async def _handlers(sight: Sight) -> _Rows:
    return [
        (
            handler.name,
            "ml",
            handler.title,
            handler.description,
            handler.version,
            json.dumps(
                {o.name: _option(o.description, o.required) for o in handler.engine_options}
            ),
            0 if handler.import_error else 1,
            handler.import_error,
        )
        for handler in handlers()
    ] + handler_rows()


def _option(description: str, required: bool) -> dict[str, object]:
    return {"description": description, "required": required}


async def _processlist(sight: Sight) -> _Rows:
    return [
        (
            p.connection_id,
            p.user,
            p.host,
            p.database,
            p.command,
            p.seconds,
            p.state,
            p.info,
            p.time_ms,
            p.stage,
            p.max_stage,
            p.progress,
        )
        for p in sight.processes.list()
        if p.user == sight.user
    ]


async def _budgets(sight: Sight) -> _Rows:
    return budget_rows(sight.store.budgets, sight.budgets)


async def _model_usage(sight: Sight) -> _Rows:
    return await usage_rows(sight.usage)


async def _model_cache(sight: Sight) -> _Rows:
    return await cache_rows(sight.answers)


async def _model_evaluations(sight: Sight) -> _Rows:
    return evaluation_rows(await sight.store.evaluations())


async def _jobs(sight: Sight) -> _Rows:
    return job_rows(sight.jobs)


async def _jobs_history(sight: Sight) -> _Rows:
    return await history_rows(sight.jobs)


async def _fine_tunings(sight: Sight) -> _Rows:
    return tuning_rows(_tunings(sight))


async def _session_variables(sight: Sight) -> _Rows:
    return sight.variables.shown("SESSION")


async def _global_variables(sight: Sight) -> _Rows:
    return sight.variables.shown("GLOBAL")


async def _status(sight: Sight) -> _Rows:
    return [
        ("Questions", str(sight.processes.questions)),
        ("Threads_connected", str(len(sight.processes))),
        ("Uptime", str(sight.processes.uptime)),
    ]


async def _warnings(sight: Sight) -> _Rows:
    return [(w.level, w.code, w.message) for w in sight.warnings.shown()]


async def _engines(_: Sight) -> _Rows:
    return [("DuckDB", "DEFAULT", "Tables and views, stored in columns", "YES", "NO", "NO")]


async def _character_sets(_: Sight) -> _Rows:
    return [("utf8mb4", "utf8mb4_0900_ai_ci", "UTF-8 Unicode", 4)]


async def _collations(_: Sight) -> _Rows:
    return [("utf8mb4_0900_ai_ci", "utf8mb4", 255, "Yes", "Yes", 0, "NO PAD")]


_VARIABLES = "VARIABLE_NAME, VARIABLE_VALUE"
_MODELS = (
    "NAME, ENGINE, PROJECT, ACTIVE BOOLEAN, VERSION BIGINT, STATUS, ACCURACY DOUBLE, PREDICT, "
    "UPDATE_STATUS, ERROR, SELECT_DATA_QUERY, TRAINING_OPTIONS, TAG, CREATED_AT TIMESTAMP_S, "
    "TRAINING_TIME DOUBLE"
)
# table → (its columns with their DuckDB types, VARCHAR where none is named; what makes its rows)
_TABLES: dict[str, tuple[str, Callable[[Sight], Awaitable[_Rows]]]] = {
    "SCHEMATA": (
        "CATALOG_NAME, SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, SQL_PATH",
        _schemata,
    ),
    "DATABASES": ("NAME, TYPE, ENGINE, CONNECTION_DATA", _databases),
    "DATA_SOURCES": (DATA_SOURCES, _data_sources),
    "TABLES": (
        "TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, VERSION BIGINT, ROW_FORMAT, "
        "TABLE_ROWS BIGINT, TABLE_COLLATION, TABLE_COMMENT",
        _tables,
    ),
    "COLUMNS": (COLUMNS, _columns),
    "STATISTICS": (STATISTICS, _statistics),
    "VIEWS": (VIEWS, _views),
    "MODELS": (_MODELS, _models),
    "MODELS_VERSIONS": (_MODELS, _models_versions),
    "ML_ENGINES": ("NAME, HANDLER, CONNECTION_DATA", _ml_engines),
    "HANDLERS": (
        "NAME, TYPE, TITLE, DESCRIPTION, VERSION, CONNECTION_ARGS, IMPORT_SUCCESS BOOLEAN, "
        "IMPORT_ERROR",
        _handlers,
    ),
    "PROCESSLIST": (
        # MariaDB's: https://mariadb.com/kb/en/information-schema-processlist-table/
        "ID BIGINT, USER, HOST, DB, COMMAND, TIME BIGINT, STATE, INFO, TIME_MS DECIMAL(22,3), "
        "STAGE TINYINT, MAX_STAGE TINYINT, PROGRESS DECIMAL(7,3)",
        _processlist,
    ),
    "BUDGETS": (BUDGETS, _budgets),
    "MODEL_USAGE": (MODEL_USAGE, _model_usage),
    "MODEL_CACHE": (MODEL_CACHE, _model_cache),
    "MODEL_EVALUATIONS": (MODEL_EVALUATIONS, _model_evaluations),
    "JOBS": (JOBS, _jobs),
    "JOBS_HISTORY": (JOBS_HISTORY, _jobs_history),
    "FINE_TUNINGS": (FINE_TUNINGS, _fine_tunings),
    "ENGINES": ("ENGINE, SUPPORT, COMMENT, TRANSACTIONS, XA, SAVEPOINTS", _engines),
    "CHARACTER_SETS": (
        "CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME, DESCRIPTION, MAXLEN BIGINT",
        _character_sets,
    ),
    "COLLATIONS": (
        "COLLATION_NAME, CHARACTER_SET_NAME, ID BIGINT, IS_DEFAULT, IS_COMPILED, SORTLEN BIGINT, "
        "PAD_ATTRIBUTE",
        _collations,
    ),
    "SESSION_VARIABLES": (_VARIABLES, _session_variables),
    "GLOBAL_VARIABLES": (_VARIABLES, _global_variables),
    "SESSION_STATUS": (_VARIABLES, _status),
    "SESSION_WARNINGS": ("LEVEL, CODE BIGINT, MESSAGE", _warnings),
}
