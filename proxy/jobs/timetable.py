"""When a job is due: the times of its schedule, by APScheduler's triggers.

It computes and waits for nothing; schedule.py waits.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from catalog.job_table import JobRecord
from proxy.errors import WrongSchedule
from proxy.jobs.crontab import crontabs

ONCE = "ONCE"
_TICK = timedelta(microseconds=1)


def first_run(job: JobRecord) -> datetime | None:
    """When a job that was just made, or enabled, runs for the first time; None for never.

    Of a period that began long ago it is the next time, not the ones that passed. A job that runs
    once is due at its start, even if that has passed. Raises WrongSchedule for a wrong crontab.
    """
    if job.every is None and job.cron is None:
        return job.start_at
    return next_run(job, max(job.start_at, job.created_at) - _TICK)


def next_run(job: JobRecord, after: datetime) -> datetime | None:
    """The first time of its schedule after that one (UTC, naive); None where its END comes first,
    or there is none. Raises WrongSchedule for a wrong crontab."""
    if job.cron is not None:
        found = _by_crontab(job.cron, max(job.start_at - _TICK, after))
    elif job.every is None or job.unit is None:
        found = None
    elif job.unit == "month":
        found = _by_month(job.start_at, job.every, after)
    else:
        found = _by_interval(job.start_at, job.every, job.unit, after)
    return found if found and (job.end_at is None or found <= job.end_at) else None


def shown(job: JobRecord) -> str:
    """The schedule in words: `EVERY 2 hours`, `CRON '0 * * * *'`, `ONCE`."""
    if job.cron is not None:
        line = job.cron.replace("'", "''")
        return f"CRON '{line}'"
    if job.every is None:
        return ONCE
    return f"EVERY {job.unit}" if job.every == 1 else f"EVERY {job.every} {job.unit}s"


def _by_crontab(line: str, after: datetime) -> datetime | None:
    # Imported with the first crontab: a server without jobs need not hold the library.
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415

    moment = (after + _TICK).replace(tzinfo=UTC)
    try:
        triggers = [CronTrigger.from_crontab(each, UTC) for each in crontabs(line)]
        times = [trigger.get_next_fire_time(None, moment) for trigger in triggers]
    except (ValueError, OverflowError) as error:
        raise WrongSchedule(f"CRON '{line}': {error}") from error
    return min((time.replace(tzinfo=None) for time in times if time), default=None)


def _by_interval(start: datetime, every: int, unit: str, after: datetime) -> datetime | None:
    from apscheduler.triggers.interval import IntervalTrigger  # noqa: PLC0415

    trigger = IntervalTrigger(
        **{f"{unit}s": every}, start_date=start.replace(tzinfo=UTC), timezone=UTC
    )
    found: datetime = trigger.get_next_fire_time(None, (after + _TICK).replace(tzinfo=UTC))
    return found.replace(tzinfo=None)


def _by_month(start: datetime, every: int, after: datetime) -> datetime:
    """The same day of a later month, or its last: APScheduler would leave out a month without."""
    passed = (after.year - start.year) * 12 + after.month - start.month
    times = (_months_later(start, max(passed // every, 0) * every + more) for more in (0, every))
    return next(time for time in times if time > after)


def _months_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)
