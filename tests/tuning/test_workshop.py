"""Jobs and their versions without a proxy: the catalog and the endpoint are real."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import TableUnknown
from catalog.records import EngineRecord, ModelRecord, TargetRecord
from catalog.secrets import Vault
from catalog.store import Store
from catalog.tunings import TuningRecord, TuningStore
from engines.base import Environment
from engines.tuning.job import JobOrder
from proxy.execute.engine_pool import EnginePool
from proxy.tuning import watch
from proxy.tuning.watch import Pace
from proxy.tuning.workshop import Workshop
from tests.catalog.rooms import KEY
from tests.support.endpoint import Endpoint
from tests.support.tuning import TuningDesk
from tests.tuning.datasets import said

LINE = said(("user", "Hi"), ("assistant", "Hello")).encode() + b"\n"
BEGUN = datetime(2026, 3, 1)
LATER = datetime(2026, 3, 2)


@dataclass(frozen=True, slots=True)
class Bench:
    store: Store
    workshop: Workshop
    desk: TuningDesk

    @property
    def statuses(self) -> list[str]:
        return [tuning.status for tuning in self.workshop.tunings.records]

    async def ordered(self) -> TuningRecord:
        trainer = self.workshop.trainer("e")
        files = [await trainer.upload(name, LINE) for name in ("training", "validation")]
        order = JobOrder("llama", files[0], files[1])
        record = TuningRecord(
            "shop", "mood", 1, "e", "llama", *files, {}, True, None, "SELECT 1", LATER
        )
        return await self.workshop.order(record, order)

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not so():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)


def tried(directory: Path, use: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def session() -> None:
        async with bench(directory) as made:
            await use(made)

    asyncio.run(session())


@asynccontextmanager
async def bench(directory: Path) -> AsyncIterator[Bench]:
    store = Store(directory / "catalog.duckdb", Vault(KEY))
    tunings = TuningStore(store.connection())
    engines = EnginePool(store, Environment(data_dir=directory))
    workshop = Workshop(store, tunings, engines, Pace(0.01, 0.02))
    with Endpoint() as endpoint:
        await store.add_engine(EngineRecord("e", "openai", {"api_base": endpoint.url}, {}, BEGUN))
        options = {"model_name": "llama", "prompt_template": "Mood of {{text}}"}
        model = ModelRecord("shop", "mood", 1, "e", (TargetRecord("m"),), ("text",), options, BEGUN)
        await store.add_model(model, or_replace=False)
        try:
            yield Bench(store, workshop, endpoint.tuning)
        finally:
            await workshop.close()
            await engines.aclose()
            tunings.close()
            store.close()


def test_while_a_job_runs_its_version_is_in_training_and_the_old_one_active(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        begun = bench.store.version("shop", "mood", 2)
        assert (begun.status, begun.select_data_query) == ("training", None)
        assert bench.store.model("shop", "mood").version == 1

    tried(tmp_path, use)


def test_a_job_that_fails_leaves_a_version_that_tells_why(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "failed"
        await bench.ordered()
        await bench.until(lambda: bench.statuses == ["failed"])
        failed = bench.store.version("shop", "mood", 2)
        assert (failed.status, failed.error) == ("error", "The training data has no signal")
        assert failed.training_seconds > 0

    tried(tmp_path, use)


def test_a_cancelled_job_leaves_a_cancelled_version(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        await bench.workshop.cancel(bench.store.model("shop", "mood"))
        assert bench.store.version("shop", "mood", 2).status == "cancelled"

    tried(tmp_path, use)


def test_a_model_that_is_renamed_keeps_its_job(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        await bench.store.rename_model("shop", "mood", "feeling")
        bench.desk.end("ftjob-1", "succeeded")
        await bench.until(lambda: bench.statuses == ["succeeded"])
        assert bench.store.model("shop", "feeling").options["model_name"] == "ft:llama:me:ftjob-1"
        assert [t.model for t in bench.workshop.tunings.records] == ["feeling"]
        assert bench.desk.cancels == []

    tried(tmp_path, use)


def test_a_version_that_is_dropped_takes_its_job_with_it(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        await bench.store.drop_version("shop", "mood", 2)
        await bench.until(lambda: bench.statuses == ["cancelled"])
        assert bench.desk.cancels == ["ftjob-1"]

    tried(tmp_path, use)


def test_a_model_of_the_same_name_is_not_taken_for_the_dropped_one(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        model = bench.store.model("shop", "mood")
        await bench.store.drop_model("shop", "mood")
        for _ in range(2):
            await bench.store.add_model(model, or_replace=True)
        await bench.until(lambda: bench.statuses == ["cancelled"])
        assert bench.store.version("shop", "mood", 2).status == "complete"

    tried(tmp_path, use)


def test_a_model_that_is_dropped_while_it_is_ordered_leaves_no_job(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.stalls = "answer"
        ordering = asyncio.create_task(bench.ordered())
        await bench.until(lambda: bench.desk.stalled == "answer")
        await bench.store.drop_model("shop", "mood")
        bench.desk.stalls = ""
        with pytest.raises(TableUnknown):
            await ordering
        assert bench.desk.cancels == ["ftjob-1"]
        assert bench.statuses == []

    tried(tmp_path, use)


def test_a_job_that_was_made_without_an_answer_is_found(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.answer_troubles = 1
        assert (await bench.ordered()).job_id == "ftjob-1"
        await bench.until(lambda: bench.statuses == ["succeeded"])
        assert len(bench.desk.orders) == 1
        assert bench.desk.deleted == []

    tried(tmp_path, use)


def test_a_job_that_its_endpoint_does_not_know_for_a_moment_goes_on(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        await bench.ordered()
        bench.desk.troubles, bench.desk.trouble = 3, 404
        await bench.until(lambda: bench.desk.troubles == 0)
        bench.desk.end("ftjob-1", "succeeded")
        await bench.until(lambda: bench.statuses == ["succeeded"])

    tried(tmp_path, use)


def test_a_dropped_job_that_the_endpoint_never_cancels_is_let_go_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "TRIES", 3)

    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        bench.desk.cancel_troubles = bench.desk.troubles = 1_000_000
        await bench.ordered()
        await bench.store.drop_model("shop", "mood")
        await bench.until(lambda: bench.statuses == ["cancelled"])
        (tuning,) = bench.workshop.tunings.records
        assert "try again" in (tuning.error or "")
        assert 1_000_000 - bench.desk.cancel_troubles == 3

    tried(tmp_path, use)


def test_a_busy_endpoint_cancels_the_job_of_a_dropped_model_a_little_later(
    tmp_path: Path,
) -> None:
    async def use(bench: Bench) -> None:
        bench.desk.outcome = "never"
        bench.desk.cancel_troubles = bench.desk.troubles = 2
        await bench.ordered()
        await bench.store.drop_model("shop", "mood")
        await bench.workshop.let_go()
        await bench.until(lambda: bench.statuses == ["cancelled"])
        assert bench.desk.cancels == ["ftjob-1"]

    tried(tmp_path, use)


@pytest.mark.parametrize(
    ("pace", "pauses"),
    [
        (Pace(), [1, 2, 4, 8, 16, 32, 60, 60]),
        (Pace(0.5, 0.5), [0.5, 0.5, 0.5]),
        (Pace(90, 60), [60, 60]),
    ],
)
def test_a_job_is_looked_at_less_and_less(pace: Pace, pauses: list[float]) -> None:
    assert list(islice(pace.pauses(), len(pauses))) == pauses
