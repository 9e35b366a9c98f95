"""One run of a job: a session of its owner's, statement after statement, and what became of it.

When it runs is schedule.py's business.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from catalog.job_table import COMPLETE, FAILED, INTERRUPTED, SKIPPED, JobRecord, RunRecord
from catalog.jobs import JobStore
from proxy.errors import UNKNOWN, code_of, text_of
from proxy.jobs.timetable import next_run
from proxy.result import Batches, Rows
from proxy.session import Session
from proxy.sql.job_template import RunTimes, fill
from proxy.sql.jobs_parser import statements_of
from proxy.wire.handler import Client
from proxy.wire.processes import Processes

logger = logging.getLogger("modelwire.jobs")

_HOST = "localhost"


@dataclass(slots=True)
class Run:
    """A run that is on its way, in `task`; who starts it sets that."""

    job: JobRecord
    jobs: JobStore
    processes: Processes
    make_session: Callable[[Processes], Session]
    task: asyncio.Task[None] | None = None
    _reason: str = field(default="The run was cancelled", init=False)
    _statement: str | None = field(default=None, init=False)
    _warnings: int = field(default=0, init=False)

    async def carry_out(self) -> None:
        """Run the job and keep what became of it. Cancelled, it is kept as interrupted.

        Raises JobUnknown where the job has gone meanwhile, CatalogError where nothing can be kept;
        what goes wrong with a statement is kept, not raised.
        """
        job, now = self.job, _now()
        times = RunTimes(job.completed_run_at or min(job.created_at, job.start_at), now)
        query = fill(job.query, times)
        condition = None if job.if_query is None else fill(job.if_query, times)
        record = await self.jobs.begin(job, query, now, next_run(job, now))
        try:
            done = await self._outcome(record, query, condition)
        except BaseException:
            await self._end(replace(record, status=INTERRUPTED, error=self._reason))
            raise
        await self._end(done)

    def end(self, reason: str) -> asyncio.Task[None]:
        """Cancel it, and have the history say why. The task, which then ends soon."""
        assert self.task is not None
        self._reason = reason
        self.task.cancel()
        return self.task

    async def _outcome(self, record: RunRecord, query: str, condition: str | None) -> RunRecord:
        try:
            ran = await self._in_session(query, condition)
        except Exception as error:
            if code_of(error) is UNKNOWN:
                name = f"{self.job.project}.{self.job.name}"
                logger.error("job %s failed", name, exc_info=error)  # noqa: TRY400
            return replace(record, status=FAILED, error=_written(error))
        self._statement = None
        return replace(record, status=COMPLETE if ran else SKIPPED)

    async def _in_session(self, query: str, condition: str | None) -> bool:
        """Whether the statements ran: not without a row of the condition."""
        session = self.make_session(self.processes)
        entry = self.processes.add(f"{self.job.project}.{self.job.name}", self._kill)
        entry.user, entry.database = self.job.owner, self.job.database
        entry.enter("Job")
        try:
            await session.open(
                Client(entry.connection_id, self.job.owner, _HOST, self.job.database)
            )
            if condition is not None and not await self._perform(session, condition, _a_row):
                return False
            for statement in statements_of(query):
                await self._perform(session, statement, _all_rows)
            return True
        finally:
            self.processes.remove(entry)
            await session.close()

    async def _perform(
        self, session: Session, statement: str, read: Callable[[Batches], Awaitable[bool]]
    ) -> bool:
        """Run a statement as far as `read` reads its rows; what that says of them."""
        self._statement = statement
        self.processes.questions += 1
        try:
            result = await session.query(statement)
            return isinstance(result, Rows) and await read(result.batches)
        finally:
            self._warnings += session.warning_count

    def _kill(self, query_only: bool) -> None:
        self.end("The run was killed")

    async def _end(self, record: RunRecord) -> None:
        done = replace(record, run_end=_now(), statement=self._statement, warnings=self._warnings)
        await self.jobs.end(self.job, done)


async def _a_row(batches: Batches) -> bool:
    """Whether there is one; the others are not asked for."""
    async with aclosing(batches):
        async for batch in batches:
            if batch:
                return True
    return False


async def _all_rows(batches: Batches) -> bool:
    """Read them to the end, for what they do: nobody sees them."""
    async with aclosing(batches):
        async for _ in batches:
            pass
    return True


def _written(error: Exception) -> str:
    code = code_of(error)
    return f"{code.code} ({code.sqlstate}): {text_of(error)}"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
