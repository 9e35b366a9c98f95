"""The tables of jobs and of their runs: their rows as data, and the SQL that reads and writes them.

Each function runs in a transaction of its caller's; which change is allowed, jobs.py knows.
"""

from dataclasses import astuple, dataclass
from datetime import datetime

from catalog.journal import Connection

RUNNING = "running"
COMPLETE = "complete"
FAILED = "error"
SKIPPED = "skipped"
INTERRUPTED = "interrupted"
KEPT_RUNS = 200  # of each job


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job: `query` and `if_query` run in `database` in the name of the user `owner`.

    `every` units (second, minute, hour, day, week, month) from `start_at` on, or by the crontab
    `cron`; where neither is given, once. Times are UTC, naive. `next_run_at` None is never,
    `completed_run_at` the start of the last run that came to its end.
    """

    id: int
    project: str
    name: str
    owner: str
    database: str
    query: str
    if_query: str | None
    every: int | None
    unit: str | None
    cron: str | None
    start_at: datetime
    end_at: datetime | None
    created_at: datetime
    enabled: bool = True
    next_run_at: datetime | None = None
    last_run_at: datetime | None = None
    completed_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a job: `query` as it ran, the `statement` that failed with its `error`, and how
    many `warnings` there were. `status` is running, complete, error, skipped or interrupted."""

    id: int
    project: str
    name: str
    query: str
    run_start: datetime
    run_end: datetime | None = None
    status: str = RUNNING
    statement: str | None = None
    error: str | None = None
    warnings: int = 0


def open_jobs(connection: Connection) -> tuple[list[JobRecord], int]:
    """The jobs, and the last run's id. Closes the runs of a server that was killed."""
    rows = connection.execute("FROM jobs").fetchall()
    if not rows:
        return [], 0  # a job that goes takes its history along
    connection.execute(
        "UPDATE job_runs SET status = $1, error = $2 WHERE status = $3",
        [INTERRUPTED, "The server ended during the run", RUNNING],
    )
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM job_runs").fetchall()[0]
    return [JobRecord(*row) for row in rows], int(last)


def put(connection: Connection, job: JobRecord, old: JobRecord | None) -> None:
    """Keep a job, in the place of an old one."""
    if old is not None:
        connection.execute("DELETE FROM jobs WHERE id = ?", [old.id])
    places = ", ".join("?" * len(astuple(job)))
    connection.execute(f"INSERT INTO jobs VALUES ({places})", astuple(job))


def drop(connection: Connection, job: JobRecord) -> None:
    """Forget a job and its history."""
    connection.execute("DELETE FROM jobs WHERE id = ?", [job.id])
    connection.execute(
        "DELETE FROM job_runs WHERE project = ? AND name = ?", [job.project, job.name]
    )


def begin(connection: Connection, job: JobRecord, run: RunRecord) -> None:
    """Keep a new run and when the job is due again; the oldest run beyond KEPT_RUNS goes."""
    connection.execute(
        "UPDATE jobs SET last_run_at = ?, next_run_at = ? WHERE id = ?",
        [job.last_run_at, job.next_run_at, job.id],
    )
    connection.execute(
        "DELETE FROM job_runs WHERE project = $1 AND name = $2 AND id < (SELECT min(id) FROM "
        "(SELECT id FROM job_runs WHERE project = $1 AND name = $2 ORDER BY id DESC LIMIT $3))",
        [job.project, job.name, KEPT_RUNS - 1],
    )
    connection.execute("INSERT INTO job_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(run))


def end(connection: Connection, run: RunRecord, completed_job: int | None) -> None:
    """Keep what became of a run, and of its job that it is complete, if that is so."""
    connection.execute(
        "UPDATE job_runs SET run_end = ?, status = ?, statement = ?, error = ?, warnings = ? "
        "WHERE id = ?",
        [run.run_end, run.status, run.statement, run.error, run.warnings, run.id],
    )
    if completed_job is not None:
        connection.execute(
            "UPDATE jobs SET completed_run_at = ? WHERE id = ?", [run.run_start, completed_job]
        )


def runs(connection: Connection, limit: int) -> list[RunRecord]:
    """The newest runs, newest first."""
    rows = connection.execute("FROM job_runs ORDER BY id DESC LIMIT ?", [limit]).fetchall()
    return [RunRecord(*row) for row in rows]
