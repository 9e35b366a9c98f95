"""The jobs and the history of their runs: read from memory, written through to the catalog's file.

It keeps what a schedule says and computes no time; what a run does, it does not know.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from catalog import job_table
from catalog.errors import AlreadyExists, JobUnknown
from catalog.job_table import COMPLETE, JobRecord, RunRecord
from catalog.journal import Connection, Journal
from catalog.suggest import did_you_mean
from catalog.whole import whole

_MOST_TEXT = 65_535  # characters of a text in the history

_Key = tuple[str, str]
Watcher = Callable[[str, str], None]
"""Told the project and name of a job that was made, changed or dropped, on the loop, at once."""


class JobStore:
    """All jobs, and the newest KEPT_RUNS runs of each. Names are compared without case.

    Runs that a server left behind are closed when the store is opened. Each change is no cancel
    point, and raises CatalogError where the disk refuses it.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._changing = asyncio.Lock()
        self._watchers: list[Watcher] = []
        found, self._last_run = journal.start(job_table.open_jobs)
        self._jobs = {_key(job.project, job.name): job for job in found}
        self._last_id = max((job.id for job in found), default=0)

    @property
    def jobs(self) -> list[JobRecord]:
        """All jobs, by project and name."""
        return [self._jobs[key] for key in sorted(self._jobs)]

    def find(self, project: str, name: str) -> JobRecord | None:
        """The job of that name, or None."""
        return self._jobs.get(_key(project, name))

    def job(self, project: str, name: str) -> JobRecord:
        """The job of that name. Raises JobUnknown."""
        found = self.find(project, name)
        if found is None:
            names = [j.name for j in self.jobs if j.project.casefold() == project.casefold()]
            hint = did_you_mean(name, names)
            raise JobUnknown(f"Unknown job '{project}.{name}'{hint}")
        return found

    def next_id(self) -> int:
        """A number that no job has."""
        self._last_id += 1
        return self._last_id

    def follow(self, watcher: Watcher) -> None:
        """Have `watcher` told of every change from now on; runs are none."""
        self._watchers.append(watcher)

    @whole
    async def put(self, job: JobRecord, *, replacing: bool) -> None:
        """Keep a job. Raises AlreadyExists unless it may replace one: then it goes on with that
        one's history, from its last complete run."""
        async with self._changing:
            old = self.find(job.project, job.name)
            if old is not None and not replacing:
                raise AlreadyExists(f"Job '{old.project}.{old.name}' already exists")
            kept = job if old is None else _in_place_of(old, job)
            await self._write(lambda c: job_table.put(c, kept, old))
            self._jobs[_key(job.project, job.name)] = kept
        self._tell(kept)

    @whole
    async def enable(self, job: JobRecord, *, on: bool, next_run_at: datetime | None) -> None:
        """Switch a job on or off. Raises JobUnknown where it has gone meanwhile."""
        async with self._changing:
            changed = replace(self._current(job), enabled=on, next_run_at=next_run_at)
            await self._write(lambda c: job_table.put(c, changed, changed))
            self._jobs[_key(job.project, job.name)] = changed
        self._tell(changed)

    @whole
    async def drop(self, project: str, name: str) -> None:
        """Forget a job and its history. Raises JobUnknown."""
        async with self._changing:
            job = self.job(project, name)
            await self._write(lambda c: job_table.drop(c, job))
            del self._jobs[_key(project, name)]
        self._tell(job)

    @whole
    async def drop_of(self, project: str) -> None:
        """Forget all jobs of a project."""
        for job in self.jobs:
            if job.project.casefold() == project.casefold():
                await self.drop(job.project, job.name)

    @whole
    async def begin(
        self, job: JobRecord, query: str, now: datetime, next_run_at: datetime | None
    ) -> RunRecord:
        """A run of the job starts, and the next one is due then: once written, it is not due any
        more, whatever becomes of it. Raises JobUnknown where it has gone meanwhile."""
        async with self._changing:
            changed = replace(self._current(job), last_run_at=now, next_run_at=next_run_at)
            self._last_run += 1
            run = RunRecord(self._last_run, job.project, job.name, query[:_MOST_TEXT], now)
            await self._write(lambda c: job_table.begin(c, changed, run))
            self._jobs[_key(job.project, job.name)] = changed
        return run

    @whole
    async def end(self, job: JobRecord, run: RunRecord) -> None:
        """Keep what became of a run. A job that has gone meanwhile took its history along."""
        kept = replace(run, statement=_cut(run.statement), error=_cut(run.error))
        async with self._changing:
            current = self.find(job.project, job.name)
            complete = kept.status == COMPLETE and current is not None and current.id == job.id
            await self._write(lambda c: job_table.end(c, kept, job.id if complete else None))
            if complete and current is not None:
                changed = replace(current, completed_run_at=run.run_start)
                self._jobs[_key(job.project, job.name)] = changed

    async def runs(self, limit: int = 10_000) -> list[RunRecord]:
        """The newest runs, newest first. May be cancelled. Raises CatalogError."""
        return await self._journal.read(lambda c: job_table.runs(c, limit))

    def _current(self, job: JobRecord) -> JobRecord:
        """The job as it is now; one that was replaced has gone."""
        found = self.job(job.project, job.name)
        if found.id != job.id:
            raise JobUnknown(f"Job '{job.project}.{job.name}' was replaced")
        return found

    async def _write(self, change: Callable[[Connection], None]) -> None:
        def work(connection: Connection) -> Callable[[], None]:
            change(connection)
            return _nothing

        await self._journal.write(work)

    def _tell(self, job: JobRecord) -> None:
        for watcher in self._watchers:
            watcher(job.project, job.name)


def _in_place_of(old: JobRecord, job: JobRecord) -> JobRecord:
    return replace(job, project=old.project, name=old.name, completed_run_at=old.completed_run_at)


def _nothing() -> None:
    return


def _cut(text: str | None) -> str | None:
    return text if text is None else text[:_MOST_TEXT]


def _key(project: str, name: str) -> _Key:
    return project.casefold(), name.casefold()
