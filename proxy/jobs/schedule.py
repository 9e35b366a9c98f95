"""The schedule: it waits for the time of each job and has it run, one run of a job at a time.

When a job is due it reads from the catalog alone: a time that has passed, while the server was down
or the run before took too long, is due at once, and once however often it has passed.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.errors import JobUnknown
from catalog.job_table import JobRecord
from catalog.jobs import JobStore
from proxy.jobs.run import Run
from proxy.session import Session
from proxy.wire.processes import Processes

logger = logging.getLogger("modelwire.jobs")

_AT_ONCE = 8  # runs of all jobs together; the others wait for a place
_RETRY = timedelta(seconds=5)  # until the next try of a run that could not be kept


class Schedule:
    """One per server; `make_session` makes the session of a run."""

    def __init__(
        self,
        jobs: JobStore,
        make_session: Callable[[Processes], Session],
        processes: Processes,
    ) -> None:
        self._jobs = jobs
        self._make_session = make_session
        self._processes = processes
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._runs: dict[str, Run] = {}
        self._timer: Any = None  # APScheduler ships no types
        self._stopping = False

    def start(self) -> None:
        """Wait for the jobs that are there, and follow their changes. Needs a running loop."""
        self._jobs.follow(self._changed)
        for job in self._jobs.jobs:
            self._wait_for(job)

    async def close(self) -> None:
        """Start no more runs, and cancel those on their way; they are recorded when it returns."""
        self._stopping = True
        tasks = [run.end("The server was stopped") for run in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks)
        if self._timer is not None:
            self._timer.shutdown(wait=False)
            await asyncio.sleep(0)  # it does so in the loop's next round

    def _changed(self, project: str, name: str) -> None:
        job, key = self._jobs.find(project, name), _key(project, name)
        if job is not None:
            self._wait_for(job)
            return
        self._forget(key)
        if key in self._runs:
            self._runs[key].end("The job was dropped")

    def _wait_for(self, job: JobRecord, not_before: datetime | None = None) -> None:
        key = _key(job.project, job.name)
        due = job.next_run_at if job.enabled else None
        if due is None or self._stopping:
            self._forget(key)
            return
        if not_before is not None:
            due = max(due, not_before)
        self._running_timer().add_job(
            self._due,
            "date",
            id=key,
            args=[job.project, job.name],
            run_date=due.replace(tzinfo=UTC),
            misfire_grace_time=None,
            replace_existing=True,
        )

    def _forget(self, key: str) -> None:
        if self._timer is not None and self._timer.get_job(key) is not None:
            self._timer.remove_job(key)

    def _running_timer(self) -> Any:
        if self._timer is None:
            # Imported with the first job: a server without jobs need not hold the library.
            from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415

            logging.getLogger("apscheduler").setLevel(logging.WARNING)
            self._timer = AsyncIOScheduler(timezone=UTC)
            self._timer.start()
        return self._timer

    async def _due(self, project: str, name: str) -> None:
        """Have the job run, unless it runs: then it is looked at again when that has ended."""
        job, key = self._jobs.find(project, name), _key(project, name)
        if job is None or key in self._runs or self._stopping:
            return
        run = self._runs[key] = Run(job, self._jobs, self._processes, self._make_session)
        run.task = asyncio.create_task(self._carry_out(run, key))

    async def _carry_out(self, run: Run, key: str) -> None:
        not_before = None
        try:
            async with self._places:
                await run.carry_out()
        except JobUnknown:
            logger.debug("job %s has gone before its run", run.job.name)
        except Exception:
            logger.exception("a run of job %s.%s is not kept", run.job.project, run.job.name)
            not_before = datetime.now(UTC).replace(tzinfo=None) + _RETRY
        finally:
            del self._runs[key]
            job = self._jobs.find(run.job.project, run.job.name)
            if job is not None:
                self._wait_for(job, not_before)


def _key(project: str, name: str) -> str:
    return f"{project}\0{name}".casefold()
