"""Accounts that pay a dispatcher's calls to a real endpoint: bounds hold whatever is in flight."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from catalog.records import BudgetRecord, ModelRecord
from engines.chat.tokens import TokenGauge
from engines.dispatch.dispatcher import Dispatcher
from engines.limits import Limits
from engines.policy import Policy
from engines.task import ModelSpec, Prediction, Task
from proxy.errors import OverBudget
from proxy.money.account import Account, ModelAccount
from proxy.money.budgets import Budgets
from proxy.money.tally import to_money
from proxy.sql.statements import PredictionOptions
from tests.engines.support import opened, spec
from tests.execute.support import Books, budget
from tests.fixtures.house import model_record
from tests.support.endpoint import Endpoint, Reply

PRICES = Policy(prompt_price=1.0, completion_price=2.0)
UNBOUNDED = PredictionOptions("on", "null")


class Forgetful:
    """Answers that are never stored."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Prediction]:
        return {}

    def keep(self, key: bytes, prediction: Prediction) -> None:
        pass


@dataclass(frozen=True)
class Model:
    record: ModelRecord


async def asked(
    dispatcher: Dispatcher, payer: ModelAccount, model: ModelSpec, texts: Sequence[str]
) -> list[Prediction | BaseException]:
    share = dispatcher.open(payer, Forgetful())
    try:
        futures = share.ask([(text.encode(), Task(model, (text,))) for text in texts])
        return await asyncio.gather(*futures, return_exceptions=True)
    finally:
        await share.aclose()


def run(
    endpoint: Endpoint,
    *budgets: BudgetRecord,
    options: PredictionOptions = UNBOUNDED,
    rows: int = 100,
    statements: int = 1,
) -> tuple[Books, Budgets, list[Prediction | BaseException]]:
    """So many statements at once, each over two models of two engines, with rows of their own."""
    books = Books(budgets)
    held = Budgets(books, books, books.today)
    model = spec(max_tokens=5)

    async def main() -> list[Prediction | BaseException]:
        async with opened(endpoint) as one, opened(endpoint) as other:
            dispatchers = [
                Dispatcher(engine, Limits(max_concurrency=32)) for engine in (one, other)
            ]
            accounts = [Account("alice", options, held, books, n) for n in range(statements)]
            waits = [
                asked(
                    dispatcher,
                    account.payer(
                        Model(model_record(f"m{n}", ("text",), "answer")), PRICES, TokenGauge(model)
                    ),
                    model,
                    [f"{account.statement_id} {n} {row}" for row in range(rows)],
                )
                for account in accounts
                for n, dispatcher in enumerate(dispatchers)
            ]
            found = [p for part in await asyncio.gather(*waits) for p in part]
            for account in accounts:
                account.close("complete")
            for dispatcher in dispatchers:
                await dispatcher.aclose()
            return found

    return books, held, asyncio.run(asyncio.wait_for(main(), 60))


def paid(books: Books) -> tuple[int, int, float]:
    """Calls, tokens and cost by the last record of each statement and model."""
    last = {(r.statement_id, r.model): r for r in books.written}.values()
    assert {r.status for r in last} <= {"complete"}
    return (
        sum(r.calls for r in last),
        sum(r.prompt_tokens + r.completion_tokens for r in last),
        sum(r.cost or 0 for r in last),
    )


def test_every_call_is_in_the_accounts() -> None:
    with Endpoint(lambda prompt: Reply("yes", delay=0.005)) as endpoint:
        books, budgets, found = run(endpoint)
        assert endpoint.calls == paid(books)[0] == len(found) == 200
    assert to_money(budgets.tally(budget()).picos) == pytest.approx(paid(books)[2])


def test_a_budget_of_calls_is_used_to_the_last_and_not_overshot() -> None:
    with Endpoint(lambda prompt: Reply("yes", delay=0.01)) as endpoint:
        books, _, found = run(endpoint, budget(max_calls=77), statements=3)
        assert endpoint.calls == paid(books)[0] == 77
    assert sum(isinstance(p, OverBudget) for p in found) == 600 - 77


def test_a_bound_of_a_statement_holds_for_both_its_models() -> None:
    with Endpoint(lambda prompt: Reply("yes", delay=0.01)) as endpoint:
        books, _, _ = run(endpoint, options=PredictionOptions("on", "null", max_calls=50))
        assert endpoint.calls == paid(books)[0] == 50


@pytest.mark.parametrize(
    "most", [budget(max_tokens=1000), budget(max_cost=0.001), budget(user="alice", max_cost=0.0005)]
)
def test_tokens_and_money_are_not_overshot(most: BudgetRecord) -> None:
    with Endpoint(lambda prompt: Reply("yes", delay=0.01)) as endpoint:
        books, _, found = run(endpoint, most)
        assert any(isinstance(p, OverBudget) for p in found)
        calls, tokens, cost = paid(books)
        assert 0 < calls == endpoint.calls
    assert tokens <= (most.max_tokens or tokens)
    assert cost <= (most.max_cost or cost)


def test_failing_calls_are_paid_and_refused_ones_not() -> None:
    tries: dict[str, int] = {}

    def reply(prompt: str) -> Reply:
        tries[prompt] = tries.get(prompt, 0) + 1
        return {1: Reply(status=429), 2: Reply(status=500)}.get(tries[prompt], Reply("yes"))

    with Endpoint(reply) as endpoint:
        books, budgets, found = run(endpoint, rows=5)
    assert all(isinstance(p, Prediction) and p.value == "yes" for p in found)
    assert paid(books)[0] == 20
    assert sum(r.failed for r in {r.model: r for r in books.written}.values()) == 10
    assert budgets.tally(budget()).held_calls == 0
