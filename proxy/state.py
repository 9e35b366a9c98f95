"""What a session knows: who is connected, its database, variables, transaction and warnings."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.answers import AnswerStore
from catalog.database import Cursor
from catalog.errors import CatalogError, TableUnknown
from catalog.jobs import JobStore
from catalog.projects import DEFAULT_PROJECT, Projects
from catalog.sources.kind import SourceTable
from catalog.sources.sources import Sources
from catalog.store import Store
from catalog.usage import UsageStore
from engines.errors import EngineError
from engines.http.model_card import ModelCards
from proxy.errors import ERRORS, code_of
from proxy.execute.asking import Asking
from proxy.execute.ddl import Definitions
from proxy.execute.engine_pool import EnginePool
from proxy.execute.executor import Executor
from proxy.execute.lines import Lines
from proxy.execute.source_definitions import SourceDefinitions
from proxy.information_schema import Sight
from proxy.money.account import Account
from proxy.money.budgets import Budgets
from proxy.plan.binder import Binder, Facts
from proxy.plan.remote.tables import NOTHING, Key, Reach, SourceName, source_names
from proxy.sql.parser import parse
from proxy.sql.prediction_options import prediction_options
from proxy.sql.statements import PredictionOptions
from proxy.sql.view_parser import read_query
from proxy.transactions import Transactions
from proxy.tuning.workshop import Workshop
from proxy.variables import VERSION, Value, Variables
from proxy.warnings import Warnings
from proxy.wire.handler import Client
from proxy.wire.processes import Processes


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions share."""

    store: Store
    projects: Projects
    engines: EnginePool
    processes: Processes
    variables: dict[str, Value]
    answers: AnswerStore
    usage: UsageStore
    budgets: Budgets
    jobs: JobStore
    workshop: Workshop
    sources: Sources
    cards: ModelCards = field(default_factory=lambda: ModelCards(None))


@dataclass(slots=True)
class State:
    """One session's state. `row_count` and `found_rows` are those of the statement before; `aside`
    is a cursor outside of the session's transaction."""

    house: House
    cursor: Cursor
    aside: Cursor
    transactions: Transactions
    variables: Variables
    warnings: Warnings = field(default_factory=Warnings)
    client: Client = field(default_factory=lambda: Client(0, "", ""))
    database: str | None = None
    row_count: int = -1
    found_rows: int = 0

    def use(self, database: str | None) -> None:
        """Make a database the current one; None is the default project. Raises DatabaseUnknown."""
        source = self.house.sources.find(database) if database else None
        self.database = (
            source.name if source else self.house.projects.resolve(database or DEFAULT_PROJECT)
        )
        self.house.processes.use(self.client.connection_id, self.database)

    @property
    def reader(self) -> Cursor:
        """The cursor for the next statement: not that of a transaction which only waits for its
        ROLLBACK. Who reads tables asks transactions.require_sound first."""
        return self.aside if self.transactions.failed else self.cursor

    def binder(self, reach: Reach = NOTHING) -> Binder:
        """A binder for the next statement, which may name what is in reach of sources."""
        functions: dict[str, Value] = {
            "database": self.database,
            "user": f"{self.client.user}@{self.client.host}",
            "current_user": f"{self.client.user}@%",
            "version": VERSION,
            "connection_id": self.client.connection_id,
            "last_insert_id": 0,
            "row_count": self.row_count,
            "found_rows": self.found_rows,
        }
        facts = Facts(self.database, functions, self.variables)
        return Binder(self.house.store, self.house.projects, facts, reach)

    async def reach(self, tree: exp.Expr) -> Reach:
        """Find the tables of sources that a statement names."""
        if not self.house.sources.records:
            return NOTHING
        names: dict[Key, SourceName] = {}
        for query, database in self._with_views(tree, self.database, set()):
            names |= source_names(query, self.is_source, database)
        defines = isinstance(tree, exp.Create | exp.Drop)
        found = {key: await self._found(name, defines) for key, name in names.items()}
        return Reach(self.is_source, found)

    def _with_views(
        self, tree: exp.Expr, database: str | None, seen: set[str]
    ) -> Iterator[tuple[exp.Expr, str | None]]:
        """A tree and the SELECTs of all views that it reads, with their databases."""
        yield tree, database
        for table in tree.find_all(exp.Table):
            view = self.house.store.views.find(table.db or database or "", table.name)
            if view is not None and view.full_name not in seen:
                seen.add(view.full_name)
                with suppress(*ERRORS):  # what is wrong with it, the binder says
                    inner = read_query(view.query, parse).tree
                    yield from self._with_views(inner, view.database, seen)

    async def _found(self, name: SourceName, defines: bool) -> SourceTable | CatalogError:
        try:
            return await self._table(name, defines)
        except CatalogError as error:
            return error

    @property
    def pushes(self) -> bool:
        """Whether sources do what they can do of a statement; else their tables are read."""
        return bool(self.variables.number("source_pushdown"))

    def is_source(self, name: str) -> bool:
        """Whether a data source has that name."""
        return self.house.sources.find(name) is not None

    async def _table(self, name: SourceName, defines: bool) -> SourceTable:
        """The table of that name; what `defines` one of a file's may name one that is not there."""
        sources = self.house.sources
        record = self.source_definitions().source(name.source)
        if name.native is not None:
            return await sources.query(record, name.native)
        try:
            return await sources.table(record, name.name, name.schema)
        except TableUnknown:
            kind = sources.kind(record)
            if not defines or kind.dialect is not None:
                raise
            return SourceTable(record, name.schema or kind.default_schema(record), name.name, ())

    def executor(self, options: PredictionOptions, cursor: Cursor | None = None) -> Executor:
        """An executor for the next statement, on a cursor or the reader, with the account of its
        predictions; rows that fail become warnings."""
        house = self.house
        held = prediction_options(options, self.variables)
        account = Account(
            self.client.user, held, house.budgets, house.usage, house.usage.next_statement_id()
        )
        house.processes.watch(self.client.connection_id, account.progress)
        asking = Asking(house.engines, house.answers, account, held, self.warn_of)
        lines = Lines(house.sources, self.transactions.line)
        return Executor(cursor or self.reader, house.projects.database.cursor, asking, lines)

    def definitions(self) -> Definitions:
        """What CREATE and DROP of engines and databases work on."""
        house = self.house
        return Definitions(house.store, house.projects, house.engines, house.jobs)

    def source_definitions(self) -> SourceDefinitions:
        """What CREATE, ALTER and DROP of data sources work on."""
        return SourceDefinitions(self.house.sources, self.house.store, self.house.projects)

    def sight(self) -> Sight:
        """What information_schema shows this session."""
        return Sight(
            self.house.store,
            self.house.projects,
            self.house.processes,
            self.reader,
            self.variables,
            self.warnings,
            self.client.user,
            self.house.answers,
            self.house.usage,
            self.house.budgets,
            self.house.jobs,
            self.house.workshop.tunings,
            self.house.sources,
        )

    def warn_of(self, error: EngineError, text: str) -> None:
        """A row that failed, and the text that tells which."""
        self.warnings.add("Warning", code_of(error).code, text)
