"""One client's session: what the wire calls, statement after statement.

It keeps state and time; how statements are answered stands in answers.py.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from sqlglot import exp

from catalog.errors import CatalogError
from proxy.answers import answer
from proxy.deadline import limited
from proxy.errors import ERRORS, TooDeep, code_of, text_of
from proxy.queries import describe_query
from proxy.result import Batch, Batches, ClientFile, Column, Done, Result, Rows
from proxy.sql import parameters, parser
from proxy.sql import statements as s
from proxy.sql.masking import masked
from proxy.sql.parameters import PreparedStatement
from proxy.state import House, State
from proxy.transactions import Transactions
from proxy.variables import Variables
from proxy.wire.handler import Client, Parameter, Prepared

_STAND_INS = ("", 1, None)
_WITHOUT_SECRETS = (s.Query, s.Modify, s.Explain, s.Evaluate, s.Show, s.SetVariables)
_DIAGNOSTIC = frozenset({"WARNINGS", "ERRORS"})


class Session:
    """The wire's Handler for one client; proxy/wire/handler.py has the contract."""

    def __init__(self, house: House) -> None:
        cursor, aside = house.projects.database.cursor(), house.projects.database.cursor()
        self._state = State(house, cursor, aside, Transactions(cursor), Variables(house.variables))
        self._diagnosing = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._state.transactions.open

    @property
    def autocommit(self) -> bool:
        """Whether every statement is a transaction of its own."""
        return self._state.transactions.autocommit

    @property
    def warning_count(self) -> int:
        """Warnings of the last statement; SHOW WARNINGS itself has none."""
        return 0 if self._diagnosing else self._state.warnings.total

    @property
    def wait_timeout(self) -> float:
        """Seconds that the client may stay silent."""
        return float(self._state.variables.number("wait_timeout"))

    async def open(self, client: Client) -> None:
        """Start in the client's database, or the default project. Raises DatabaseUnknown."""
        self._state.client = client
        self._state.use(client.database)

    def split(self, sql: str) -> list[str]:
        """The single statements of a text. Raises SyntaxFault."""
        return parser.split(sql)

    async def query(self, sql: str) -> Result:
        """Answer a statement."""
        return await self._answer(lambda: parser.parse(sql), sql)

    def prepare(self, sql: str) -> PreparedStatement:
        """Read a statement with `?` in it."""
        try:
            return parameters.prepare(sql)
        except RecursionError as error:
            raise _too_deep() from error

    async def columns(self, prepared: Prepared) -> tuple[Column, ...]:
        """What PREPARE tells of the rows to come; what is wrong with the statement, EXECUTE tells.
        The values are not there yet: text stands for them, as MySQL says of their types, or a
        number where they must be one."""
        assert isinstance(prepared, PreparedStatement)
        for stand_in in _STAND_INS if prepared.parameters else _STAND_INS[:1]:
            with suppress(*ERRORS, RecursionError):
                statement = prepared.bind([stand_in] * prepared.parameters)
                if not isinstance(statement, s.Query):
                    return ()
                columns = await describe_query(statement, self._state)
                self._state.warnings.clear()
                return columns
        self._state.warnings.clear()
        return ()

    async def execute(self, prepared: Prepared, parameters: Sequence[Parameter]) -> Result:
        """Answer a prepared statement with values for its `?`."""
        assert isinstance(prepared, PreparedStatement)
        return await self._answer(lambda: prepared.bind(parameters), prepared.sql)

    async def use(self, database: str) -> None:
        """Make a database the current one. Raises DatabaseUnknown."""
        self._state.use(database)

    async def fields(self, table: str) -> tuple[Column, ...]:
        """The columns of a table of the current database. Raises TableUnknown."""
        name = exp.Table(this=exp.to_identifier(table, quoted=True))
        async with self._told():
            rows = await answer(s.Query(exp.select("*").from_(name).limit(0)), self._state)
            assert isinstance(rows, Rows)
            await rows.batches.aclose()
        self._state.warnings.clear()
        return rows.columns

    async def reset(self) -> None:
        """Back to the state just after login."""
        await self._state.transactions.rollback()
        await self._state.transactions.set_autocommit(True)
        self._state.variables.reset()
        self._state.warnings.clear()
        self._state.use(self._state.client.database)

    async def close(self) -> None:
        """The client is gone, and so is what it had open."""
        with suppress(CatalogError):  # a source that is gone, too, has rolled back by itself
            await self._state.transactions.rollback()
        await self._state.cursor.close()
        await self._state.aside.close()

    async def _answer(self, read: Callable[[], s.Statement], sql: str) -> Result:
        state = self._state
        async with self._told():
            statement = self._begin(read)
            state.house.processes.publish(state.client.connection_id, _shown(statement, sql))
            deadline = self._deadline(statement)
            async with limited(deadline):
                result = await answer(statement, state)
        if isinstance(result, Done):
            state.row_count = result.affected_rows
            return result
        if isinstance(result, ClientFile):
            return replace(result, load=partial(self._loaded, result.load))
        state.row_count = -1
        counted = self._counted(result.batches, deadline)
        return Rows(result.columns, Batches(counted, result.batches.aclose), deadline)

    def _begin(self, read: Callable[[], s.Statement]) -> s.Statement:
        """The statement; the warnings of the one before go, unless it is they that it asks for."""
        self._diagnosing = False
        try:
            statement = read()
            self._diagnosing = isinstance(statement, s.Show) and statement.kind in _DIAGNOSTIC
            return statement
        finally:
            if not self._diagnosing:
                self._state.warnings.clear()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """What goes wrong inside is there for SHOW WARNINGS, and for the transaction to see."""
        try:
            yield
        except BaseException as error:
            told = _too_deep() if isinstance(error, RecursionError) else error
            if isinstance(told, Exception):
                self._diagnosing = False
                self._state.warnings.add("Error", code_of(told).code, text_of(told))
            await self._state.transactions.look()
            if told is error:
                raise
            raise told from error

    def _deadline(self, statement: s.Statement) -> float | None:
        """The loop's time at which a query must be done; others have none, as in MySQL."""
        milliseconds = self._state.variables.number("max_execution_time")
        if not milliseconds or not isinstance(statement, s.Query | s.Evaluate):
            return None
        return asyncio.get_running_loop().time() + milliseconds / 1000

    async def _loaded(
        self, load: Callable[[AsyncIterator[bytes]], Awaitable[Done]], pieces: AsyncIterator[bytes]
    ) -> Done:
        async with self._told():
            done = await load(pieces)
        self._state.row_count = done.affected_rows
        return done

    async def _counted(
        self, batches: Batches, deadline: float | None
    ) -> AsyncGenerator[Batch, None]:
        self._state.found_rows = 0
        waiting = aiter(batches)
        async with aclosing(batches), self._told():
            while (batch := await _next(waiting, deadline)) is not None:
                self._state.found_rows += len(batch)
                yield batch


async def _next(batches: AsyncIterator[Batch], deadline: float | None) -> Batch | None:
    """The next batch, None behind the last. Raises TimedOut."""
    if deadline is None:
        return await anext(batches, None)
    async with limited(deadline):
        return await anext(batches, None)


def _too_deep() -> TooDeep:
    return TooDeep("Thread stack overrun: the statement is nested too deep")


def _shown(statement: s.Statement, sql: str) -> str:
    """The statement as the process list may show it: keys and passwords stand in definitions."""
    return sql if isinstance(statement, _WITHOUT_SECRETS) else masked(sql)
