"""The runs of EVALUATE that are kept: of which versions, how many, and what forgets them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog import evaluations
from catalog.evaluations import Evaluation, Score
from catalog.records import EngineRecord, ModelRecord, TargetRecord
from catalog.store import Store
from tests.catalog.rooms import NOON, rooms

ENGINE = EngineRecord("e", "openai", {}, {}, NOON)
MODEL = ModelRecord("shop", "Mood", 1, "e", (TargetRecord("mood"),), ("text",), {}, NOON)
SCORES = (
    Score("accuracy", None, None, 2 / 3, 3, 1),
    Score("r2", None, None, None, 0, 4),
    Score("confusion_matrix", "go'od", None, 2.0, 3, 1),
)


def run(number: int = 0, scores: Sequence[Score] = SCORES) -> Evaluation:
    """The run that began so many minutes after noon."""
    at = NOON + timedelta(minutes=number, microseconds=5)
    return Evaluation(tuple(scores), f"EVALUATE {number}", at, "alice")


@asynccontextmanager
async def store_with_model(directory: Path) -> AsyncIterator[tuple[Store, ModelRecord]]:
    async with rooms(directory) as there:
        await there.store.add_engine(ENGINE)
        yield there.store, await there.store.add_model(MODEL, or_replace=False)


def with_model(directory: Path, test: Callable[[Store, ModelRecord], Awaitable[None]]) -> None:
    async def work() -> None:
        async with store_with_model(directory) as (store, model):
            await test(store, model)

    asyncio.run(work())


async def kept(store: Store) -> list[tuple[str, int, str]]:
    """Model, version and query of the runs that are kept."""
    return [(r.model, r.version, r.evaluation.query) for r in await store.evaluations()]


def test_runs_are_read_as_they_were_kept_the_newest_first_over_a_restart(tmp_path: Path) -> None:
    async def work() -> None:
        async with store_with_model(tmp_path) as (store, model):
            await store.add_evaluation([model], run(1))
            await store.add_evaluation([model], run(2, []))
        async with rooms(tmp_path) as there:
            records = await there.store.evaluations()
            assert [record.evaluation for record in records] == [run(2, []), run(1)]
            assert (records[0].project, records[0].model, records[0].version) == ("shop", "Mood", 1)

    asyncio.run(work())


def test_a_run_is_kept_for_each_of_its_models(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        second = await store.add_version(model, activate=True)
        await store.add_evaluation([model, second], run())
        assert sorted(await kept(store)) == [("Mood", 1, "EVALUATE 0"), ("Mood", 2, "EVALUATE 0")]

    with_model(tmp_path, test)


def test_dropping_a_version_forgets_its_runs_alone(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        second = await store.add_version(model, activate=False)
        await store.add_evaluation([model, second], run())
        await store.drop_version("shop", "mood", 2)
        assert await kept(store) == [("Mood", 1, "EVALUATE 0")]

    with_model(tmp_path, test)


def test_dropping_a_model_forgets_the_runs_of_all_its_versions(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        other = await store.add_model(replace(MODEL, name="other"), or_replace=False)
        second = await store.add_version(model, activate=True)
        await store.add_evaluation([model, second, other], run())
        await store.drop_model("shop", "MOOD")
        assert await kept(store) == [("other", 1, "EVALUATE 0")]

    with_model(tmp_path, test)


def test_runs_go_along_with_a_new_name(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        await store.add_evaluation([model], run())
        await store.rename_model("shop", "mood", "Temper")
        assert await kept(store) == [("Temper", 1, "EVALUATE 0")]

    with_model(tmp_path, test)


def test_a_run_of_a_version_that_is_gone_is_not_kept_for_its_successor(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        await store.drop_model("shop", "mood")
        await store.add_evaluation([model], run())
        again = replace(MODEL, created_at=NOON + timedelta(seconds=1))
        assert (await store.add_model(again, or_replace=False)).version == model.version
        await store.add_evaluation([model], run())
        assert await kept(store) == []

    with_model(tmp_path, test)


def test_the_oldest_runs_of_a_version_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "KEPT_RUNS", 2)

    async def test(store: Store, model: ModelRecord) -> None:
        second = await store.add_version(model, activate=True)
        await store.add_evaluation([second], run(0))
        for number in (3, 1, 2):
            await store.add_evaluation([model], run(number))
        assert await kept(store) == [
            ("Mood", 1, "EVALUATE 3"),
            ("Mood", 1, "EVALUATE 2"),
            ("Mood", 2, "EVALUATE 0"),
        ]

    with_model(tmp_path, test)


def test_of_many_scores_the_newest_run_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluations, "KEPT_SCORES", 5)

    async def test(store: Store, model: ModelRecord) -> None:
        left = []
        for number, scores in enumerate([SCORES[:2], SCORES, SCORES * 3]):
            await store.add_evaluation([model], run(number, scores))
            left.append([len(r.evaluation.scores) for r in await store.evaluations()])
        assert left == [[2], [3, 2], [9]]

    with_model(tmp_path, test)


def test_a_long_query_is_kept_cut(tmp_path: Path) -> None:
    async def test(store: Store, model: ModelRecord) -> None:
        await store.add_evaluation([model], replace(run(), query="ä" * 5000))
        assert await kept(store) == [("Mood", 1, "ä" * 4000)]

    with_model(tmp_path, test)


def test_any_text_of_a_label_is_kept(tmp_path: Path) -> None:
    texts = ("a\x00b", 'q"\\\n', "ü🎉", "", "NULL")
    scores = [Score("confusion_matrix", text, text, 1.0, 5, 0) for text in texts]

    async def test(store: Store, model: ModelRecord) -> None:
        await store.add_evaluation([model], run(0, scores))
        (record,) = await store.evaluations()
        assert [score.actual for score in record.evaluation.scores] == list(texts)

    with_model(tmp_path, test)
