"""The account of a statement: what its calls took, and that they took no more than they may."""

from dataclasses import dataclass, field

import pytest

from catalog.records import BudgetRecord, ModelRecord
from catalog.usage import UsageRecord
from engines.chat.template import parse_template
from engines.errors import (
    EndpointFailed,
    EndpointUnreachable,
    EngineError,
    OptionError,
    RateLimited,
)
from engines.task import ModelSpec, Prediction, Target, Task, Usage
from proxy.errors import OverBudget
from proxy.money.account import Account, ModelAccount
from proxy.money.budgets import Budgets
from proxy.sql.statements import PredictionOptions
from proxy.wire.processes import Progress
from tests.execute.support import Books, budget
from tests.fixtures.house import model_record

SPEC = ModelSpec("small", parse_template("{{a}}"), (Target("b"),))
ANSWER = Prediction("yes", Usage(9, 3))
FAILED = Prediction(None, error=EndpointFailed("overloaded"))
UNBOUNDED = PredictionOptions("on", "null")


@dataclass(frozen=True)
class Model:
    record: ModelRecord


KIND = Model(model_record("kind", ("name",), "label"))
PAIR = Model(model_record("pair", ("a", "b"), "verdict"))


@dataclass(frozen=True)
class Prices:
    prompt_price: float | None = None
    completion_price: float | None = None


PRICED = Prices(1.0, 2.0)


@dataclass
class Gauge:
    """Takes every prompt for 8 tokens, which holds 10, and every answer for 2, at most 5."""

    learned: list[Usage] = field(default_factory=list)

    def prompt(self, task: Task) -> int:
        return 8

    def completion(self, task: Task) -> int:
        return 2

    def most(self, task: Task) -> int:
        return 5

    def learn(self, task: Task, usage: Usage) -> None:
        self.learned.append(usage)


class Desk:
    """An account with all around it."""

    def __init__(self, options: PredictionOptions = UNBOUNDED, *budgets: BudgetRecord) -> None:
        self.now = 100.0
        self.books = Books(budgets)
        self.budgets = Budgets(self.books, self.books, self.books.today)
        self.account = Account(
            "alice", options, self.budgets, self.books, 7, clock=lambda: self.now
        )
        self.gauge = Gauge()

    def payer(self, prices: Prices = PRICED, model: Model = KIND) -> ModelAccount:
        return self.account.payer(model, prices, self.gauge)

    def foresee(self, *needs: tuple[int, int, int]) -> None:
        self.account.foresee(self.payer().need(*need) for need in needs)

    @property
    def last(self) -> UsageRecord:
        return self.books.written[-1]


def task(text: str = "x") -> Task:
    return Task(SPEC, (text,))


def called(payer: ModelAccount, prediction: Prediction | None, text: str = "x") -> None:
    assert payer.reserve(task(text))
    payer.settle(task(text), prediction)


def test_a_call_is_counted_with_its_tokens_and_cost() -> None:
    desk = Desk()
    called(desk.payer(), ANSWER)
    record = desk.last
    assert (record.statement_id, record.user, record.model) == (7, "alice", "kind")
    assert (record.calls, record.cached, record.failed) == (1, 0, 0)
    assert (record.prompt_tokens, record.completion_tokens) == (9, 3)
    assert record.cost == pytest.approx((9 * 1.0 + 3 * 2.0) / 1_000_000)


def test_a_call_is_in_the_accounts_as_soon_as_it_is_settled() -> None:
    desk = Desk()
    payer = desk.payer()
    for text in "abc":
        called(payer, ANSWER, text)
    assert [record.calls for record in desk.books.written] == [1, 2, 3]


def test_a_failed_call_counts_as_a_call_and_as_failed() -> None:
    desk = Desk()
    called(desk.payer(), FAILED)
    assert (desk.last.calls, desk.last.failed, desk.last.prompt_tokens) == (1, 1, 0)


@pytest.mark.parametrize("error", [RateLimited("slow down"), EndpointUnreachable("no route")])
def test_what_the_endpoint_did_nothing_for_is_no_call(error: EngineError) -> None:
    desk = Desk(PredictionOptions(max_calls=1))
    for _ in range(5):
        called(desk.payer(), Prediction(None, error=error))
    called(desk.payer(), ANSWER)
    assert (desk.last.calls, desk.last.failed) == (1, 0)


def test_tasks_of_one_request_are_one_call() -> None:
    desk = Desk(PredictionOptions(max_calls=1))
    payer = desk.payer()
    assert payer.reserve(task("a"))
    assert payer.reserve(task("b"), joins=True)
    assert payer.in_flight == 1
    payer.settle(task("a"), FAILED)
    payer.settle(task("b"), FAILED)
    assert (payer.calls, payer.failed, payer.in_flight) == (1, 1, 0)
    with pytest.raises(OverBudget, match="max_calls = 1, 1 spent, 1 more needed"):
        payer.reserve(task("c"))


def test_each_try_that_the_endpoint_took_is_a_call() -> None:
    desk = Desk()
    for prediction in (FAILED, FAILED, ANSWER):
        called(desk.payer(), prediction)
    assert (desk.last.calls, desk.last.failed) == (3, 2)


def test_a_cancelled_call_counts_as_a_call_without_tokens() -> None:
    desk = Desk()
    called(desk.payer(), None)
    assert (desk.last.calls, desk.last.failed, desk.last.prompt_tokens) == (1, 0, 0)
    assert desk.last.cost == 0


def test_an_endpoint_that_counts_no_tokens_is_not_free() -> None:
    desk = Desk()
    called(desk.payer(), Prediction("yes"))
    assert (desk.last.prompt_tokens, desk.last.completion_tokens) == (8, 2)
    assert desk.last.estimated_prompt_tokens == 0


def test_the_gauge_learns_from_what_was_counted_alone() -> None:
    desk = Desk()
    for prediction in (ANSWER, None, Prediction("yes"), FAILED):
        called(desk.payer(), prediction)
    assert desk.gauge.learned == [Usage(9, 3)]
    assert desk.last.estimated_prompt_tokens == 8


@pytest.mark.parametrize("prices", [Prices(), Prices(prompt_price=1.0), Prices(None, 1.0)])
def test_without_both_prices_no_cost_is_known(prices: Prices) -> None:
    desk = Desk()
    called(desk.payer(prices), ANSWER)
    assert desk.last.cost is None


def test_prices_of_nothing_cost_nothing() -> None:
    desk = Desk(PredictionOptions(max_cost=0.1))
    called(desk.payer(Prices(0.0, 0.0)), ANSWER)
    assert desk.last.cost == 0


def test_what_came_without_a_call_is_cached() -> None:
    desk = Desk()
    payer = desk.payer()
    payer.found(Prediction("yes", cached=True))
    payer.found(Prediction(None, error=EndpointFailed("no"), cached=True))
    desk.account.close("complete")
    assert (desk.last.calls, desk.last.cached, desk.last.failed) == (0, 1, 1)


def test_a_thousand_stored_answers_are_not_a_thousand_records() -> None:
    desk = Desk()
    payer = desk.payer()
    for _ in range(1000):
        desk.now += 0.001
        payer.found(Prediction("yes", cached=True))
    desk.account.close("complete")
    assert len(desk.books.written) <= 22
    assert desk.last.cached == 1000


def test_the_end_of_the_statement_is_written() -> None:
    desk = Desk()
    called(desk.payer(), ANSWER)
    assert desk.last.status == "running"
    desk.now += 2.5
    desk.account.close("killed")
    desk.now += 2.5
    desk.account.close("complete")
    assert (desk.last.status, desk.last.seconds) == ("killed", 2.5)


def test_a_call_that_ends_after_its_statement_is_counted() -> None:
    desk = Desk()
    payer = desk.payer()
    called(payer, ANSWER, "a")
    assert payer.reserve(task("b"))
    desk.account.close("killed")
    assert (desk.last.calls, desk.last.status) == (1, "running")
    payer.settle(task("b"), ANSWER)
    assert (desk.last.calls, desk.last.status) == (2, "killed")


def test_the_last_record_of_a_statement_is_put_once() -> None:
    desk = Desk()
    payer = desk.payer()
    called(payer, ANSWER)
    desk.account.close("complete")
    desk.now += 1
    payer.found(ANSWER)
    desk.account.close("complete")
    assert [record.status for record in desk.books.written] == ["running", "complete"]


def test_a_model_that_was_asked_nothing_has_no_account() -> None:
    desk = Desk()
    desk.payer()
    desk.account.close("complete")
    assert desk.books.written == []


def test_a_model_named_twice_has_one_account() -> None:
    desk = Desk()
    assert desk.payer() is desk.payer()
    assert desk.payer(model=PAIR) is not desk.payer()


def test_the_bound_of_a_statement_holds_for_all_its_models() -> None:
    desk = Desk(PredictionOptions(max_calls=2))
    called(desk.payer(), ANSWER)
    called(desk.payer(model=PAIR), ANSWER)
    figures = "the statement is exceeded: max_calls = 2, 2 spent, 1 more needed"
    with pytest.raises(OverBudget, match=figures):
        desk.payer().reserve(task())


def test_within_the_bound_of_a_statement_a_call_waits_for_those_in_flight() -> None:
    desk = Desk(PredictionOptions(max_cost=0.00003))
    payer = desk.payer()
    assert payer.reserve(task("a"))  # holds 10 · 1 + 5 · 2 of the 30 millionths
    assert not payer.reserve(task("b"))
    payer.settle(task("a"), Prediction("yes", Usage(4, 1)))
    assert payer.reserve(task("b"))


def test_a_call_that_waits_for_a_budget_holds_nothing_of_the_statement() -> None:
    desk = Desk(PredictionOptions(max_calls=2), budget(max_calls=1))
    payer = desk.payer()
    assert payer.reserve(task("a"))
    assert not payer.reserve(task("b"))
    assert (payer.in_flight, desk.account.tally.held_calls) == (1, 1)


def test_a_bound_to_the_cost_needs_prices() -> None:
    desk = Desk(PredictionOptions(max_cost=1.0))
    with pytest.raises(OptionError, match="the statement has a max_cost and the model has no"):
        desk.payer(Prices()).reserve(task())


def test_no_calls_need_no_price() -> None:
    desk = Desk(PredictionOptions(max_cost=1.0))
    desk.account.foresee([desk.payer(Prices()).need(0, 0, 0)])
    with pytest.raises(OptionError, match="the statement has a max_cost and the model has no"):
        desk.account.foresee([desk.payer(Prices()).need(1, 8, 2)])


def test_a_statement_that_needs_too_much_is_refused_before_its_first_call() -> None:
    desk = Desk(PredictionOptions(max_calls=100), budget("daily", user="alice", max_calls=50))
    desk.foresee((50, 400, 100))
    with pytest.raises(OverBudget, match="budget 'daily' of USER alice"):
        desk.foresee((51, 408, 102))
    with pytest.raises(OverBudget, match="max_calls = 100, 0 spent, 101 more needed"):
        desk.foresee((101, 808, 202))
    with pytest.raises(OverBudget, match="max_calls = 100, 0 spent, 120 more needed"):
        desk.foresee((40, 320, 80), (80, 640, 160))
    assert desk.books.written == []


def test_progress_has_figures_rate_and_rest() -> None:
    desk = Desk()
    payer = desk.payer()
    desk.account.rows_total = 1000
    for text in ("a", "b", "c"):
        assert payer.reserve(task(text))
    called(payer, FAILED, "d")
    payer.found(Prediction("yes", cached=True))
    desk.now += 2
    desk.account.advance(250)
    assert desk.account.progress() == Progress(
        1,
        1,
        0.25,
        "Predicting: 250 of 1000 rows, 3 calls in flight, 1 cached, 1 failed, 125 rows/s, 6 s left",
    )


def asking_desk() -> Desk:
    """A desk whose statement asks a model."""
    desk = Desk()
    desk.payer()
    return desk


def said(desk: Desk) -> str:
    progress = desk.account.progress()
    assert progress is not None
    return progress.text


def test_a_statement_that_asks_no_model_has_no_progress() -> None:
    assert Desk().account.progress() is None


def test_progress_of_nobody_knows_how_many_rows_has_no_rest() -> None:
    desk = asking_desk()
    desk.now += 4
    desk.account.advance(2)
    assert desk.account.progress() == Progress(
        1, 1, None, "Predicting: 2 rows, 0 calls in flight, 0 cached, 0 failed, 0.5 rows/s"
    )


def test_the_rate_is_that_of_the_last_seconds() -> None:
    desk = asking_desk()
    for _ in range(100):
        desk.now += 0.25
        desk.account.advance(1)
    for _ in range(40):
        desk.now += 0.25
        desk.account.advance(100)
    assert said(desk).endswith("400 rows/s")


def test_a_long_rest_is_not_told_in_seconds() -> None:
    desk = asking_desk()
    desk.account.rows_total = 1001
    desk.now += 1
    desk.account.advance(1)
    assert said(desk).endswith("1 rows/s, 17 min left")
