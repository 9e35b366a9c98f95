"""Jobs and their history as the catalog keeps them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import AlreadyExists, JobUnknown
from catalog.job_table import COMPLETE, FAILED, KEPT_RUNS, JobRecord
from catalog.jobs import JobStore
from tests.catalog.rooms import NOON, rooms

JOB = JobRecord(
    1, "shop", "rate", "ann", "shop", "SELECT 'ü'", "SELECT 1", 2, "hour", None, NOON, None, NOON
)


def with_jobs(directory: Path, use: Callable[[JobStore], Awaitable[None]]) -> None:
    """Open the catalog, use it and close it again."""

    async def go() -> None:
        async with rooms(directory) as r:
            await use(JobStore(r.journal))

    asyncio.run(go())


async def run(jobs: JobStore, status: str = COMPLETE) -> None:
    job = jobs.job("shop", "rate")
    begun = await jobs.begin(job, job.query, NOON, None)
    await jobs.end(job, replace(begun, status=status, run_end=NOON))


def test_a_job_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)

    async def look(jobs: JobStore) -> None:
        assert jobs.jobs == [JOB]
        assert jobs.find("SHOP", "Rate") == JOB

    with_jobs(tmp_path, make)
    with_jobs(tmp_path, look)


def test_a_run_moves_the_job_on_over_a_restart(tmp_path: Path) -> None:
    later = NOON.replace(hour=14)
    moved = replace(JOB, next_run_at=later, last_run_at=NOON, completed_run_at=NOON)

    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        begun = await jobs.begin(JOB, "SELECT 1", NOON, later)
        await jobs.end(JOB, replace(begun, status=COMPLETE))
        assert jobs.jobs == [moved]

    async def look(jobs: JobStore) -> None:
        assert jobs.jobs == [moved]

    with_jobs(tmp_path, make)
    with_jobs(tmp_path, look)


def test_a_run_that_failed_is_not_the_last_complete_one(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        await run(jobs, FAILED)
        assert jobs.job("shop", "rate").completed_run_at is None
        assert jobs.job("shop", "rate").last_run_at == NOON

    with_jobs(tmp_path, make)


def test_the_history_has_an_end(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        await jobs.put(replace(JOB, id=2, name="other"), replacing=False)
        other = jobs.job("shop", "other")
        await jobs.begin(other, "SELECT 1", NOON, None)
        for _ in range(KEPT_RUNS + 5):
            await run(jobs)
        kept = await jobs.runs()
        assert [r.id for r in kept if r.name == "rate"] == list(range(KEPT_RUNS + 6, 6, -1))
        assert [r.id for r in kept if r.name == "other"] == [1]

    with_jobs(tmp_path, make)


def test_a_job_in_anothers_place_goes_on_from_its_last_complete_run(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        await run(jobs)
        await jobs.put(replace(JOB, id=2, name="RATE", query="SELECT 2"), replacing=True)
        expected = replace(JOB, id=2, query="SELECT 2", completed_run_at=NOON)
        assert jobs.jobs == [expected]
        assert [r.name for r in await jobs.runs()] == ["rate"]

    with_jobs(tmp_path, make)


def test_a_job_that_was_replaced_or_dropped_starts_no_run(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        await jobs.put(replace(JOB, id=2), replacing=True)
        with pytest.raises(JobUnknown, match="replaced"):
            await jobs.begin(JOB, "SELECT 1", NOON, None)
        await jobs.drop("shop", "RATE")
        with pytest.raises(JobUnknown, match=r"Unknown job 'shop\.rate'"):
            await jobs.begin(JOB, "SELECT 1", NOON, None)
        assert await jobs.runs() == []

    with_jobs(tmp_path, make)


def test_names_are_taken_once_without_case(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        await jobs.put(JOB, replacing=False)
        with pytest.raises(AlreadyExists, match=r"Job 'shop\.rate' already exists"):
            await jobs.put(replace(JOB, name="RATE"), replacing=False)

    with_jobs(tmp_path, make)


def test_a_watcher_hears_of_definitions_and_of_no_run(tmp_path: Path) -> None:
    async def make(jobs: JobStore) -> None:
        heard: list[tuple[str, str, bool]] = []
        jobs.follow(lambda *name: heard.append((*name, jobs.find(*name) is not None)))
        await jobs.put(JOB, replacing=False)
        await run(jobs)
        await jobs.enable(JOB, on=False, next_run_at=None)
        await jobs.drop_of("Shop")
        there, gone = ("shop", "rate", True), ("shop", "rate", False)
        assert heard == [there, there, gone]

    with_jobs(tmp_path, make)
