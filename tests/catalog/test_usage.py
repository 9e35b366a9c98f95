import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from catalog.usage import Spent, UsageRecord
from tests.catalog.rooms import NOON, rooms, usage, utc_today

MARCH_1 = NOON.date()
NOW = datetime.now(UTC).replace(tzinfo=None)
TODAY = utc_today()


def recent(statement_id: int, **changes: object) -> UsageRecord:
    """A record of a statement that begins and ends today."""
    return usage(statement_id, started_at=NOW, seconds=0.0, **changes)


@pytest.mark.parametrize("committed", [False, True])
def test_a_record_is_there_from_the_tick_in_which_it_is_put(
    tmp_path: Path, committed: bool
) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(usage(1))
            if committed:
                await r.journal.flush()
            assert await r.usage.records() == [usage(1)]

    asyncio.run(go())


def test_a_record_is_the_same_after_a_restart(tmp_path: Path) -> None:
    records = [recent(2, cost=None, user="o'ü"), recent(1, calls=2**62)]

    async def go() -> None:
        async with rooms(tmp_path) as r:
            for record in records:
                r.usage.put(record)
        async with rooms(tmp_path) as r:
            assert await r.usage.records() == records

    asyncio.run(go())


def test_records_are_the_newest_first_and_no_more_than_asked(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            for number in range(1, 6):
                r.usage.put(usage(number))
                if number == 3:
                    await r.journal.flush()
            r.usage.put(usage(5, model="Other"))
            ids = [(u.statement_id, u.model) for u in await r.usage.records(4)]
            assert ids == [(5, "Mood"), (5, "Other"), (4, "Mood"), (3, "Mood")]

    asyncio.run(go())


@pytest.mark.parametrize("committed", [False, True])
def test_a_running_statement_has_one_record(tmp_path: Path, committed: bool) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            for calls in (1, 2, 3):
                r.usage.put(recent(1, calls=calls, status="running"))
                if committed:
                    await r.journal.flush()
            assert [u.calls for u in await r.usage.records()] == [3]
            assert r.usage.spent(None, None, None, TODAY).calls == 3
            r.usage.put(recent(1, calls=4))
        async with rooms(tmp_path) as r:
            assert await r.usage.records() == [recent(1, calls=4)]
            assert r.usage.spent(None, None, None, TODAY) == Spent(4, 12, 0.25)

    asyncio.run(go())


def test_statement_ids_keep_counting(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            assert [r.usage.next_statement_id() for _ in range(3)] == [1, 2, 3]
            r.usage.put(usage(3))
        async with rooms(tmp_path) as r:
            assert r.usage.next_statement_id() == 4

    asyncio.run(go())


def test_old_records_go_and_ids_keep_counting(tmp_path: Path) -> None:
    old = NOW - timedelta(days=91)

    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(usage(1, started_at=old))
            r.usage.put(recent(2))
        async with rooms(tmp_path) as r:
            assert await r.usage.records() == [recent(2)]
            r.usage.put(usage(7, started_at=old))
        async with rooms(tmp_path) as r:
            assert r.usage.next_statement_id() == 8

    asyncio.run(go())


def test_of_too_many_records_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.usage.KEPT_RECORDS", 2)

    async def go() -> None:
        async with rooms(tmp_path) as r:
            for number in (1, 2, 3):
                r.usage.put(recent(number))
        async with rooms(tmp_path) as r:
            assert await r.usage.records() == [recent(3), recent(2)]

    asyncio.run(go())


def test_a_statement_of_a_server_that_is_gone_was_interrupted(tmp_path: Path) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(recent(1, status="running"))
        async with rooms(tmp_path) as r:
            assert [u.status for u in await r.usage.records()] == ["interrupted"]

    asyncio.run(go())


@pytest.mark.parametrize("restarted", [False, True])
def test_spent_is_summed_by_user_model_and_engine(tmp_path: Path, restarted: bool) -> None:
    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(recent(1))
            r.usage.put(recent(2, user="bob", calls=3, cost=None))
            r.usage.put(recent(2, user="bob", model="Topic", engine="E2", calls=5))
            found = sums(r.usage.spent)
        if restarted:
            async with rooms(tmp_path) as r:
                found = sums(r.usage.spent)
        assert found == [
            Spent(9, 36, 0.5),
            Spent(1, 12, 0.25),
            Spent(8, 24, 0.25),
            Spent(4, 24, 0.25),
            Spent(5, 12, 0.25),
            Spent(3, 12, 0.0),
            Spent(),
        ]

    def sums(spent: "type[Spent]") -> list[Spent]:
        asked = [
            (None, None, None),
            ("alice", None, None),
            ("bob", None, None),
            (None, "SHOP.mood", None),
            (None, None, "e2"),
            ("bob", "shop.mood", None),
            ("Alice", None, None),
        ]
        return [spent(*who, TODAY) for who in asked]

    asyncio.run(go())


def test_a_new_day_begins_with_nothing_spent(tmp_path: Path) -> None:
    day = MARCH_1

    async def go() -> None:
        nonlocal day
        async with rooms(tmp_path, lambda: day) as r:
            r.usage.put(usage(1, calls=10, status="running"))
            day += timedelta(days=1)
            assert r.usage.spent(None, None, None, day) == Spent()
            r.usage.put(usage(1, calls=12))
            assert r.usage.spent(None, None, None, day).calls == 2
            assert r.usage.spent(None, None, None, MARCH_1) == Spent()

    asyncio.run(go())


def test_after_a_restart_a_statement_counts_on_the_day_it_ended(tmp_path: Path) -> None:
    late = datetime.combine(TODAY, datetime.min.time()) - timedelta(seconds=10)

    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(usage(1, started_at=late, seconds=20.0, calls=5))
            r.usage.put(usage(2, started_at=late, seconds=5.0, calls=7))
        async with rooms(tmp_path) as r:
            assert r.usage.spent(None, None, None, TODAY).calls == 5

    asyncio.run(go())


def test_figures_and_names_that_the_file_cannot_hold_stop_no_other(tmp_path: Path) -> None:
    bad = recent(1, user="\ud800", prompt_tokens=2**80)

    async def go() -> None:
        async with rooms(tmp_path) as r:
            r.usage.put(bad)
            await r.journal.flush()
            held = replace(bad, user="?", prompt_tokens=2**63 - 1)
            assert await r.usage.records() == [held]

    asyncio.run(go())


def test_the_day_is_a_utc_day(tmp_path: Path) -> None:
    async def go() -> date:
        async with rooms(tmp_path) as r:
            r.usage.put(recent(1))
            assert r.usage.spent(None, None, None, utc_today()).calls == 1
            return utc_today()

    assert asyncio.run(go()) in (TODAY, TODAY + timedelta(days=1))
