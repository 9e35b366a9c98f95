"""What information_schema shows of jobs and their runs.

Times are UTC, to the second; it reads and decides nothing.
"""

from datetime import datetime

from catalog.job_table import JobRecord
from catalog.jobs import JobStore
from proxy.jobs.timetable import ONCE, shown
from proxy.variables import Value

JOBS = (
    "NAME, PROJECT, OWNER, DB, QUERY, IF_QUERY, SCHEDULE, START_AT TIMESTAMP_S, "
    "END_AT TIMESTAMP_S, NEXT_RUN_AT TIMESTAMP_S, LAST_RUN_AT TIMESTAMP_S, ENABLED BOOLEAN, "
    "CREATED_AT TIMESTAMP_S"
)
JOBS_HISTORY = (
    "NAME, PROJECT, RUN_START TIMESTAMP_S, RUN_END TIMESTAMP_S, STATUS, STATEMENT, ERROR, "
    "WARNINGS BIGINT, QUERY"
)


def show_create_job(job: JobRecord) -> str:
    """A statement that makes the job again."""
    end = f" END '{job.end_at}'" if job.end_at else ""
    condition = f"\nIF (\n{job.if_query}\n)" if job.if_query else ""
    schedule = "" if shown(job) == ONCE else f"{shown(job)} "
    return (
        f"CREATE JOB {_quoted(job.project)}.{_quoted(job.name)} AS (\n{job.query}\n)\n"
        f"{schedule}START '{job.start_at}'{end}{condition}"
    )


def job_rows(jobs: JobStore) -> list[tuple[Value, ...]]:
    """The rows of JOBS, by project and name."""
    return [
        (
            job.name,
            job.project,
            job.owner,
            job.database,
            job.query,
            job.if_query,
            shown(job),
            _second(job.start_at),
            _second(job.end_at),
            _second(job.next_run_at),
            _second(job.last_run_at),
            job.enabled,
            _second(job.created_at),
        )
        for job in jobs.jobs
    ]


async def history_rows(jobs: JobStore) -> list[tuple[Value, ...]]:
    """The rows of JOBS_HISTORY, the newest run first."""
    return [
        (
            run.name,
            run.project,
            _second(run.run_start),
            _second(run.run_end),
            run.status,
            run.statement,
            run.error,
            run.warnings,
            run.query,
        )
        for run in await jobs.runs()
    ]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
