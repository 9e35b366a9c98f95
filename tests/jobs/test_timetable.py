"""When a job is due: its times, one after the other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

import pytest

from catalog.job_table import JobRecord
from proxy.errors import WrongSchedule
from proxy.jobs.timetable import first_run, next_run, shown

MONDAY = datetime(2026, 3, 2)
JOB = JobRecord(1, "p", "j", "o", "p", "q", None, None, None, None, MONDAY, None, MONDAY)
FORMAT = "%m-%d %H:%M"


def times(job: JobRecord, count: int) -> list[str]:
    """The first times, as month, day, hour and minute."""

    def walk() -> Iterator[str]:
        time = first_run(job)
        while time is not None:
            yield f"{time:{FORMAT}}"
            time = next_run(job, time)

    return list(islice(walk(), count))


@pytest.mark.parametrize(
    ("every", "unit", "expected"),
    [
        (30, "minute", ["03-02 00:00", "03-02 00:30", "03-02 01:00"]),
        (36, "hour", ["03-02 00:00", "03-03 12:00", "03-05 00:00"]),
        (1, "day", ["03-02 00:00", "03-03 00:00", "03-04 00:00"]),
        (2, "week", ["03-02 00:00", "03-16 00:00", "03-30 00:00"]),
        (1, "month", ["03-02 00:00", "04-02 00:00", "05-02 00:00"]),
        (18, "month", ["03-02 00:00", "09-02 00:00", "03-02 00:00"]),
    ],
)
def test_a_period_counts_from_the_start(every: int, unit: str, expected: list[str]) -> None:
    assert times(replace(JOB, every=every, unit=unit), 3) == expected


def test_a_month_without_the_day_has_its_last() -> None:
    job = replace(JOB, every=1, unit="month", start_at=datetime(2026, 3, 31))
    assert times(job, 3) == ["03-31 00:00", "04-30 00:00", "05-31 00:00"]


def test_of_a_start_long_ago_the_next_time_counts() -> None:
    job = replace(JOB, every=1, unit="hour", start_at=datetime(2020, 1, 1, 0, 10))
    assert times(job, 2) == ["03-02 00:10", "03-02 01:10"]


def test_the_end_is_a_time_to_run_and_none_is_later() -> None:
    job = replace(JOB, every=12, unit="hour", end_at=datetime(2026, 3, 3))
    assert times(job, 9) == ["03-02 00:00", "03-02 12:00", "03-03 00:00"]


def test_once_is_due_at_its_start_even_when_that_has_passed() -> None:
    assert times(replace(JOB, start_at=datetime(2026, 1, 1, 8)), 9) == ["01-01 08:00"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("*/20 * * * *", ["03-02 00:00", "03-02 00:20", "03-02 00:40"]),
        ("5 4 * * *", ["03-02 04:05", "03-03 04:05", "03-04 04:05"]),
        # 0 and 7 are Sunday
        ("0 0 * * 0", ["03-08 00:00", "03-15 00:00", "03-22 00:00"]),
        ("0 0 * * 7", ["03-08 00:00", "03-15 00:00", "03-22 00:00"]),
        ("0 0 * * 1", ["03-02 00:00", "03-09 00:00", "03-16 00:00"]),
        ("0 0 * * 5-7", ["03-06 00:00", "03-07 00:00", "03-08 00:00"]),
        ("0 0 * * SAT-MON", ["03-02 00:00", "03-07 00:00", "03-08 00:00"]),
        ("0 0 * * */3", ["03-04 00:00", "03-07 00:00", "03-08 00:00"]),
        ("0 0 * * tue,thu", ["03-03 00:00", "03-05 00:00", "03-10 00:00"]),
        # a day of the month and one of the week: either
        ("0 0 4 * 1", ["03-02 00:00", "03-04 00:00", "03-09 00:00"]),
        ("0 0 29 feb *", ["02-29 00:00", "02-29 00:00", "02-29 00:00"]),
    ],
)
def test_a_crontab_is_read_as_cron_does(line: str, expected: list[str]) -> None:
    assert times(replace(JOB, cron=line), 3) == expected


def test_a_crontab_waits_for_the_start() -> None:
    job = replace(JOB, cron="0 * * * *", start_at=datetime(2026, 3, 5, 7, 30))
    assert times(job, 2) == ["03-05 08:00", "03-05 09:00"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("* * *", "Wrong number of fields; got 3, expected 5"),
        ("61 * * * *", "higher than the maximum value \\(59\\)"),
        ("* * * * fun", 'Invalid weekday name "fun"'),
        ("* * * * 8", "higher than the maximum value"),
        ("* * * * */0", "Increment must be higher than 0"),
        ("@daily", "Wrong number of fields"),
    ],
)
def test_a_wrong_crontab_is_refused_in_the_librarys_words(line: str, words: str) -> None:
    with pytest.raises(WrongSchedule, match=f"^CRON '.*': .*{words}"):
        first_run(replace(JOB, cron=line))


def test_a_day_that_never_comes_is_no_time() -> None:
    assert first_run(replace(JOB, cron="0 0 30 2 *")) is None


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (JOB, "ONCE"),
        (replace(JOB, every=1, unit="day"), "EVERY day"),
        (replace(JOB, every=90, unit="second"), "EVERY 90 seconds"),
        (replace(JOB, cron="0 0 * * 1"), "CRON '0 0 * * 1'"),
    ],
)
def test_a_schedule_reads_as_it_was_written(job: JobRecord, text: str) -> None:
    assert shown(job) == text
