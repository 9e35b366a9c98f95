import asyncio
import os
import time
from pathlib import Path

import pytest

from catalog.answers import Answer, AnswerSummary
from catalog.journal import Journal
from tests.catalog.rooms import answer, digest, rooms, until

MODEL = "shop.mood"


def test_an_answer_is_found_in_the_tick_in_which_it_is_kept(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            key = digest()
            r.answers.keep(MODEL, key, answer("good"), most=10)
            finding = r.answers.find([key])
            with pytest.raises(StopIteration) as result:
                finding.send(None)
            assert result.value.value == {key: answer("good")}

    asyncio.run(go())


@pytest.mark.parametrize(
    "value", ["", 'it\'s "q"\n\t\\', "ü€😀", "a\0b", "😀" * 2**20, "null"], ids=len
)
def test_an_answer_is_the_same_after_a_restart(tmp_path: Path, value: str) -> None:
    async def go() -> None:
        key, kept = digest(), Answer(value, 2**62, 0, 0.1234567)
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, key, kept, most=10)
        async with rooms(tmp_path) as r:
            assert await r.answers.find([key, digest()]) == {key: kept}

    asyncio.run(go())


def test_an_answer_is_the_same_alone_and_among_others(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            kept = {digest(): answer(value * 1500) for value in "abc"}
            for key, one in kept.items():
                r.answers.keep(MODEL, key, one, most=10)
            await r.journal.flush()
            assert await r.answers.find([*kept]) == kept
            alone = [await r.answers.find([key]) for key in kept]
            assert alone == [{key: one} for key, one in kept.items()]

    asyncio.run(go())


def test_an_unknown_key_costs_no_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, digest(), answer("good"), most=10)
            await r.journal.flush()
            monkeypatch.setattr(Journal, "read", None)
            assert await r.answers.find([bytes(16)]) == {}

    asyncio.run(go())


@pytest.mark.parametrize("committed", [False, True])
def test_the_newest_answer_of_a_key_counts(tmp_path: Path, committed: bool) -> None:
    async def go() -> None:
        key = digest()
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, key, answer("old"), most=10)
            if committed:
                await r.journal.flush()
            r.answers.keep(MODEL, key, answer("new"), most=10)
            assert await r.answers.find([key]) == {key: answer("new")}
        async with rooms(tmp_path) as r:
            assert await r.answers.find([key]) == {key: answer("new")}
            assert await r.answers.count(MODEL) == 1

    asyncio.run(go())


@pytest.mark.parametrize("committed", [False, True])
def test_an_answer_that_is_too_old_is_not_found(
    tmp_path: Path, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            key = digest()
            r.answers.keep(MODEL, key, answer("old"), most=10)
            if committed:
                await r.journal.flush()
            in_a_minute = time.time_ns() // 1000 + 60_000_000
            monkeypatch.setattr("catalog.answers._now", lambda: in_a_minute)
            assert await r.answers.find([key], max_age=59) == {}
            assert await r.answers.find([key], max_age=120) == {key: answer("old")}

    asyncio.run(go())


def test_of_too_many_answers_the_oldest_go(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            keys = [digest() for _ in range(12)]
            for key in keys:
                r.answers.keep(MODEL, key, answer("x"), most=10)
                await r.journal.flush()
            r.answers.keep("shop.other", digest(), answer("x"), most=10)
            assert set(await r.answers.find(keys)) == set(keys[2:])
            assert (await r.answers.count(MODEL), await r.answers.count()) == (10, 11)

    asyncio.run(go())


def test_a_full_model_loses_a_sixteenth_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            for _ in range(33):
                r.answers.keep(MODEL, digest(), answer("x"), most=32)
            assert await r.answers.count(MODEL) == 30

    asyncio.run(go())


@pytest.mark.parametrize("committed", [False, True])
def test_drop_forgets_the_answers_of_one_model(tmp_path: Path, committed: bool) -> None:
    async def go() -> None:
        ours, others = digest(), digest()
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, ours, answer("x"), most=10)
            r.answers.keep("shop.other", others, answer("y"), most=10)
            if committed:
                await r.journal.flush()
            assert await r.answers.drop(MODEL) == 1
            assert await r.answers.find([ours, others]) == {others: answer("y")}
            assert await r.answers.count(MODEL) == 0
        async with rooms(tmp_path) as r:
            assert await r.answers.find([ours, others]) == {others: answer("y")}

    asyncio.run(go())


def test_drop_of_all_forgets_all(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            for model in ("a.b", "a.c"):
                r.answers.keep(model, digest(), answer("x"), most=10)
            assert await r.answers.drop(None) == 2
            assert await r.answers.count() == 0

    asyncio.run(go())


def test_what_is_kept_during_a_drop_is_found_and_counted(tmp_path: Path) -> None:
    async def go() -> None:
        old, new = digest(), digest()
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, old, answer("x"), most=10)
            await r.journal.flush()
            dropping = asyncio.create_task(r.answers.drop(MODEL))
            await until(r.journal._writing.locked)
            await asyncio.sleep(0)
            r.answers.keep(MODEL, new, answer("y"), most=10)
            assert await dropping == 1
            assert await r.answers.find([old, new]) == {new: answer("y")}
            assert await r.answers.count(MODEL) == 1
            assert await r.answers.find([old, new]) == {new: answer("y")}

    asyncio.run(go())


@pytest.mark.parametrize(
    "kept",
    [Answer("\ud800", 1, 1, 0.1), Answer("x", 2**63, 1, 0.1), Answer("x" * 2**23, 1, 1, 0.1)],
    ids=["surrogate", "tokens", "length"],
)
def test_an_answer_that_the_file_cannot_hold_stops_no_other(tmp_path: Path, kept: Answer) -> None:
    async def go() -> None:
        bad, good = digest(), digest()
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, bad, kept, most=10)
            r.answers.keep(MODEL, good, answer("x"), most=10)
            await r.journal.flush()
            assert await r.answers.find([bad, good]) == {good: answer("x")}

    asyncio.run(go())


def test_summary_tells_bytes_and_age_of_each_model(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.answers.keep(MODEL, digest(), answer("ü"), most=10)
            r.answers.keep(MODEL, digest(), answer("abc"), most=10)
            r.answers.keep("a.b", digest(), answer(""), most=10)
            first, second = await r.answers.summary()
            assert first == AnswerSummary("a.b", 1, 0, first.oldest, first.oldest)
            assert (second.model, second.answers, second.bytes) == (MODEL, 2, 5)
            assert second.oldest <= second.newest

    asyncio.run(go())


def test_an_answer_on_its_way_to_the_file_is_never_out_of_sight(tmp_path: Path) -> None:
    """Finders look all the time, while what was kept is being committed, replaced and pruned."""

    async def go() -> int:
        async with rooms(tmp_path) as r:
            kept: list[bytes] = []
            looks = 0

            async def find() -> None:
                nonlocal looks
                while len(kept) < 600:
                    asked = kept[-40:]
                    assert set(await r.answers.find(asked)) == set(asked)
                    looks += 1
                    await asyncio.sleep(0)

            async def commit() -> None:
                while len(kept) < 600:
                    await r.journal.flush()
                    await asyncio.sleep(0)

            async def keep() -> None:
                while len(kept) < 600:
                    key = digest()
                    r.answers.keep(MODEL, key, answer("x"), most=200)
                    r.answers.keep("shop.other", digest(), answer("x"), most=20)
                    kept.append(key)
                    r.answers.keep(MODEL, kept[-20 % len(kept)], answer("y"), most=200)
                    await asyncio.sleep(0.001)

            async with asyncio.TaskGroup() as group:
                for job in (find(), find(), find(), commit(), keep()):
                    group.create_task(job)
            return looks

    assert asyncio.run(go()) > 100


def test_long_answers_are_more_than_the_memory_of_the_catalog(tmp_path: Path) -> None:
    """160 MB of them, where DuckDB may use 128: as whole strings they were fatal to the file."""

    async def go() -> None:
        keys = [digest() for _ in range(200)]
        async with rooms(tmp_path) as r:
            for key in keys:
                value = os.urandom(400_000).hex()
                r.answers.keep(MODEL, key, answer(value), most=1000)
                await r.journal.flush()
            assert await r.answers.find(keys[-1:]) == {keys[-1]: answer(value)}
            assert await r.answers.count(MODEL) == 200
            assert await r.answers.drop(MODEL) == 200

    asyncio.run(go())
