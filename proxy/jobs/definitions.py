"""CREATE, ALTER and DROP of jobs: what they name and when they run is checked here.

It runs nothing; the schedule follows what is kept.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from catalog.errors import AlreadyExists, DatabaseProtected, JobUnknown
from catalog.job_table import JobRecord
from catalog.jobs import JobStore
from catalog.projects import INFORMATION_SCHEMA, Projects
from proxy.errors import WrongSchedule
from proxy.jobs.timetable import first_run, next_run, shown
from proxy.sql.statements import AlterJob, CreateJob, DropJob


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes a job, and in which database: as whom and where it runs."""

    user: str
    database: str


async def create_job(
    statement: CreateJob, project: str, maker: Maker, jobs: JobStore, projects: Projects
) -> str | None:
    """Keep a new job in a project. The text of a note, or None.

    Raises AlreadyExists, DatabaseUnknown, DatabaseProtected, WrongSchedule.
    """
    if project == INFORMATION_SCHEMA:
        raise DatabaseProtected(f"Access denied to database '{project}'")
    old = jobs.find(project, statement.name.name)
    if old is not None and statement.if_not_exists:
        return f"Job '{old.project}.{old.name}' already exists"
    job = _scheduled(statement, project, maker, jobs.next_id())
    async with projects.changing:
        projects.resolve(project)  # it may have been dropped meanwhile
        try:
            await jobs.put(job, replacing=statement.or_replace)
        except AlreadyExists as error:
            if statement.if_not_exists:
                return str(error)
            raise
    return None


async def alter_job(statement: AlterJob, project: str, jobs: JobStore) -> None:
    """Switch a job on or off: what it missed while it was off is not made up. Raises JobUnknown."""
    job = jobs.job(project, statement.name.name)
    due = None
    if statement.enable:
        never_ran = job.last_run_at is None and job.every is None and job.cron is None
        due = job.start_at if never_ran else next_run(job, _now())
    await jobs.enable(job, on=statement.enable, next_run_at=due)


async def drop_job(statement: DropJob, project: str, jobs: JobStore) -> str | None:
    """Forget a job; a run of it is cancelled. The text of a note, or None. Raises JobUnknown."""
    try:
        await jobs.drop(project, statement.name.name)
    except JobUnknown as error:
        if statement.if_exists:
            return str(error)
        raise
    return None


def _scheduled(statement: CreateJob, project: str, maker: Maker, number: int) -> JobRecord:
    when, now = statement.when, _now()
    start = when.start or now
    if when.end is not None and when.end <= now:
        raise WrongSchedule(f"END '{when.end}' is in the past")
    if when.end is not None and when.end < start:
        raise WrongSchedule(f"END '{when.end}' is before START '{start}'")
    job = JobRecord(
        id=number,
        project=project,
        name=statement.name.name,
        owner=maker.user,
        database=maker.database,
        query=statement.query,
        if_query=statement.if_query,
        every=when.every,
        unit=when.unit,
        cron=when.cron,
        start_at=start,
        end_at=when.end,
        created_at=now,
    )
    first = first_run(job)
    if first is None:
        raise WrongSchedule(f"Job '{job.name}' would never run: nothing of {shown(job)} is left")
    return replace(job, next_run_at=first)


def _now() -> datetime:
    """To the second, as {{START_DATETIME}} says it: a job is due on whole seconds."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
