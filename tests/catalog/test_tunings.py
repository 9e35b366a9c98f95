"""Fine-tuning jobs in the catalog, over restarts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from catalog import tunings
from catalog.secrets import Vault
from catalog.store import Store
from catalog.tunings import TuningRecord, TuningStore
from tests.catalog.rooms import KEY

BEGUN = datetime(2026, 3, 1, 12, 30, 15, 123456)
ORDERED = TuningRecord(
    project="shop",
    model="Mood",
    base_version=1,
    engine="E1",
    base_model="llama",
    training_file="file-1",
    validation_file="file-2",
    options={"n_epochs": 3},
    active=True,
    source="shop",
    query="SELECT 'ä'",
    created_at=BEGUN,
)
DONE = replace(
    ORDERED,
    version=2,
    job_id="ftjob-1",
    status="succeeded",
    progress=1.0,
    trained_tokens=1234,
    metrics={"train_loss": 0.25},
    fine_tuned_model="ft:llama",
    finished_at=BEGUN,
)


@contextmanager
def opened(directory: Path) -> Iterator[TuningStore]:
    store = Store(directory / "catalog.duckdb", Vault(KEY))
    with closing(store), closing(TuningStore(store.connection())) as jobs:
        yield jobs


def kept(directory: Path, change: Callable[[TuningStore], Awaitable[object]]) -> list[TuningRecord]:
    """What a new start finds after the change."""

    async def changed() -> None:
        with opened(directory) as before:
            await change(before)

    asyncio.run(changed())
    with opened(directory) as after:
        return after.records


@pytest.mark.parametrize("record", [ORDERED, DONE], ids=["ordered", "done"])
def test_a_job_is_found_again_as_it_was(tmp_path: Path, record: TuningRecord) -> None:
    assert kept(tmp_path, lambda store: store.add(record)) == [replace(record, number=1)]


def test_jobs_are_numbered_on_and_put_in_their_place(tmp_path: Path) -> None:
    async def change(store: TuningStore) -> None:
        for _ in range(2):
            await store.add(ORDERED)
        await store.put(replace(DONE, number=1))

    assert kept(tmp_path, change) == [replace(DONE, number=1), replace(ORDERED, number=2)]


def test_jobs_added_at_once_have_numbers_of_their_own(tmp_path: Path) -> None:
    async def change(store: TuningStore) -> None:
        await asyncio.gather(*(store.add(ORDERED) for _ in range(5)))

    assert [record.number for record in kept(tmp_path, change)] == [1, 2, 3, 4, 5]


def test_a_job_that_is_forgotten_is_gone(tmp_path: Path) -> None:
    async def change(store: TuningStore) -> None:
        await store.forget((await store.add(ORDERED)).number)

    assert kept(tmp_path, change) == []


def test_only_what_has_not_ended_is_open(tmp_path: Path) -> None:
    async def change(store: TuningStore) -> None:
        for record in (ORDERED, DONE):
            await store.add(record)
        assert [record.number for record in store.open] == [1]
        assert store.find_open(1) is not None
        assert store.find_open(2) is store.find_open(3) is None

    kept(tmp_path, change)


def test_of_many_that_have_ended_the_newest_are_kept_and_all_that_have_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change(store: TuningStore) -> None:
        for record in (DONE, ORDERED, DONE, DONE):
            await store.add(record)

    monkeypatch.setattr(tunings, "KEPT", 2)
    assert [record.number for record in kept(tmp_path, change)] == [2, 3, 4]
