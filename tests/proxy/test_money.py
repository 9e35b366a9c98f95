"""What a session is shown of budgets, accounts and stored answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.answers import Answer
from catalog.usage import UsageRecord
from proxy.money.budgets import Spender
from proxy.money.tally import Amount, to_picos
from proxy.result import Done
from tests.fixtures.house import SmallHouse, small_house

SCOPES = Spender("tester", "modelwire.kind", "e").scopes
FIGURES = (
    "SELECT CALLS, TOKENS, COST, RESERVED_CALLS, RESERVED_TOKENS, RESERVED_COST, CALLS_LEFT, "
    "TOKENS_LEFT, COST_LEFT FROM information_schema.BUDGETS"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with small_house(tmp_path) as house:
        yield house


def record(statement: int, day: datetime, cost: float | None = 0.5) -> UsageRecord:
    figures = {"calls": 3, "cached": 2, "failed": 1, "prompt_tokens": 40, "completion_tokens": 5}
    return UsageRecord(
        statement,
        user="tester",
        project="modelwire",
        model="kind",
        engine="e",
        **figures,
        estimated_prompt_tokens=41,
        cost=cost,
        started_at=day,
        seconds=1.23456,
        status="complete",
    )


def put(house: SmallHouse, given: UsageRecord) -> None:
    async def putting() -> None:
        house.state.usage.put(given)

    house.run(putting())


def keep(house: SmallHouse, model: str, keys: range) -> None:
    async def keeping() -> None:
        for key in keys:
            answer = Answer("yes", 1, 1, 0.1)
            house.state.answers.keep(model, key.to_bytes(16, "big"), answer, most=1000)

    house.run(keeping())


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def test_a_budget_shows_what_is_spent_reserved_and_left(house: SmallHouse) -> None:
    house.rows("CREATE BUDGET b FOR MODEL Kind USING max_calls = 9, max_cost = 2.5")
    budgets = house.state.budgets
    done = budgets.reserve(SCOPES, Amount(1, 100, to_picos(0.5)))
    assert done is not None
    budgets.settle(done, Amount(1, 60, to_picos(0.25)))
    budgets.reserve(SCOPES, Amount(1, 100, to_picos(0.5)))
    assert house.rows(FIGURES) == [("1", "60", "0.25", "1", "100", "0.5", "7", None, "1.75")]


def test_a_budget_made_today_knows_what_was_spent_today(house: SmallHouse) -> None:
    put(house, record(1, now()))
    house.rows("CREATE BUDGET b FOR ENGINE E USING max_calls = 9")
    spent = house.rows("SELECT CALLS, TOKENS, COST FROM information_schema.BUDGETS")
    assert spent == [("3", "45", "0.5")]


def test_accounts_show_the_newest_statement_first(house: SmallHouse) -> None:
    day = datetime(2026, 3, 2, 12, 30, 15, 250_000)
    first, second = (house.state.usage.next_statement_id() for _ in range(2))
    put(house, record(first, day))
    put(house, record(second, day, cost=None))
    counted = ("tester", "modelwire", "kind", "e", "complete", "3", "2", "1", "40", "5")
    rows = house.rows("SELECT * FROM information_schema.MODEL_USAGE")
    assert [row[1:11] for row in rows] == [counted, counted]
    assert [row[0] for row in rows] == [str(second), str(first)]
    assert [row[11] for row in rows] == [None, "0.5"]
    assert str(rows[0][12]).startswith("2026-03-02 12:30:15.25")
    assert rows[0][13] == "1.235"


def test_a_model_that_is_gone_leaves_answers_that_can_be_dropped(house: SmallHouse) -> None:
    keep(house, "modelwire.gone", range(7))
    keep(house, "modelwire.kind", range(7, 12))
    assert house.rows("SELECT MODEL, ANSWERS, BYTES FROM information_schema.MODEL_CACHE") == [
        ("modelwire.gone", "7", "21"),
        ("modelwire.kind", "5", "15"),
    ]
    assert house.run(house.session.query("DROP CACHE FOR Gone")) == Done(affected_rows=7)
    assert house.outcome("DROP CACHE FOR Gone") == "1146 Model 'modelwire.Gone' doesn't exist"
    assert house.rows("SELECT MODEL FROM information_schema.MODEL_CACHE") == [("modelwire.kind",)]
