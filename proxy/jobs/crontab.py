"""Crontab lines as cron reads them, for APScheduler, which reads them a little differently.

It finds no wrong field: APScheduler does, and says so in its own words.
"""

import re

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGE = re.compile(r"(\*|[0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?(?:/([1-9]))?", re.IGNORECASE)


def crontabs(line: str) -> list[str]:
    """The line as APScheduler needs it: a job is due when any of them is.

    In cron 0 and 7 are Sunday, in APScheduler 3 they are not: days get their names
    (https://github.com/agronholm/apscheduler/issues/286). A line that bounds both the day of the
    month and that of the week means either of them, as crontab(5) has it.
    """
    fields = line.split()
    if len(fields) != 5:
        return [line]
    *time, day, month, weekday = fields
    named = _named(weekday)
    if day.startswith("*") or weekday.startswith("*"):
        return [" ".join((*time, day, month, named))]
    return [" ".join((*time, day, month, "*")), " ".join((*time, "*", month, named))]


def _named(weekdays: str) -> str:
    """The days by name, one by one; what is no day is left as it is."""
    if weekdays == "*":
        return weekdays
    return ",".join(_one_by_one(part) for part in weekdays.split(","))


def _one_by_one(part: str) -> str:
    found = _RANGE.fullmatch(part)
    first, last = (_number(found[1]), _number(found[2] or "")) if found else (None, None)
    if found is None or (first is None and found[1] != "*") or (last is None and found[2]):
        return part
    begin = 0 if first is None else first
    end = last if last is not None else 6 if first is None or found[3] else begin
    step = int(found[3] or 1)
    days = range(begin, end + 1 if end >= begin else end + 8, step)
    return ",".join(_DAYS[day % 7] for day in days)


def _number(day: str) -> int | None:
    """0 is Sunday; 7 too, where a range ends on it. None for what is no day."""
    if day.isdecimal():
        return int(day)
    return _DAYS.index(day.lower()) if day.lower() in _DAYS else None
