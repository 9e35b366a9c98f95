"""What a session knows: who is connected, its database, variables, transaction and warnings."""

from dataclasses import dataclass, field

from catalog.answers import AnswerStore
from catalog.database import Cursor
from catalog.jobs import JobStore
from catalog.projects import DEFAULT_PROJECT, Projects
from catalog.store import Store
from catalog.usage import UsageStore
from engines.errors import EngineError
from engines.http.model_card import ModelCards
from proxy.errors import code_of
from proxy.execute.asking import Asking
from proxy.execute.ddl import Definitions
from proxy.execute.engine_pool import EnginePool
from proxy.execute.executor import Executor
from proxy.information_schema import Sight
from proxy.money.account import Account
from proxy.money.budgets import Budgets
from proxy.plan.binder import Binder, Facts
from proxy.sql.prediction_options import prediction_options
from proxy.sql.statements import PredictionOptions
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
        self.database = self.house.projects.resolve(database or DEFAULT_PROJECT)
        self.house.processes.use(self.client.connection_id, self.database)

    @property
    def reader(self) -> Cursor:
        """The cursor for the next statement: not that of a transaction which only waits for its
        ROLLBACK. Who reads tables asks transactions.require_sound first."""
        return self.aside if self.transactions.failed else self.cursor

    def binder(self) -> Binder:
        """A binder for the next statement."""
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
        return Binder(self.house.store, self.house.projects, facts)

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
        return Executor(cursor or self.reader, house.projects.database.cursor, asking)

    def definitions(self) -> Definitions:
        """What CREATE and DROP of engines and databases work on."""
        house = self.house
        return Definitions(house.store, house.projects, house.engines, house.jobs)

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
        )

    def warn_of(self, error: EngineError, text: str) -> None:
        """A row that failed, and the text that tells which."""
        self.warnings.add("Warning", code_of(error).code, text)
