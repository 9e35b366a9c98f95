"""Budgets: what may be spent in a day, whoever spends it, however much is in flight."""

import random
import re

import pytest

from catalog.records import BudgetRecord
from catalog.usage import Spent
from engines.errors import OptionError
from proxy.errors import OverBudget
from proxy.money.budgets import Budgets, Reservation, Spender
from proxy.money.tally import Amount, to_picos
from tests.execute.support import MONDAY, TUESDAY, Books, budget

ALICE = Spender("alice", "shop.m", "e").scopes
BOB = Spender("bob", "shop.n", "e").scopes
CALL = Amount(1, 10, to_picos(0.1))


def opened(*records: BudgetRecord, **before: Spent) -> Budgets:
    books = Books(records, before)
    return Budgets(books, books, books.today)


def reserve(budgets: Budgets, scopes: tuple[tuple[str, str], ...] = ALICE) -> Reservation:
    reservation = budgets.reserve(scopes, CALL)
    assert reservation is not None
    return reservation


def test_without_budgets_everything_may_be_spent() -> None:
    assert opened().reserve(ALICE, Amount(10**9, 10**12, None)) is not None


@pytest.mark.parametrize("most", [{"max_calls": 3}, {"max_tokens": 30}, {"max_cost": 0.3}])
def test_a_budget_takes_what_fits_to_the_last(most: dict[str, float]) -> None:
    budgets = opened(budget(**most))
    for _ in range(3):
        budgets.settle(reserve(budgets), CALL)
    with pytest.raises(OverBudget):
        budgets.reserve(ALICE, CALL)


def test_what_is_in_flight_makes_the_next_one_wait() -> None:
    budgets = opened(budget(max_calls=1))
    first = reserve(budgets)
    assert budgets.reserve(ALICE, CALL) is None
    budgets.settle(first, Amount())
    assert budgets.reserve(ALICE, CALL) is not None


def test_a_call_that_spent_less_leaves_the_rest() -> None:
    budgets = opened(budget(max_tokens=15))
    budgets.settle(reserve(budgets), Amount(1, 5, 0))
    assert budgets.reserve(ALICE, CALL) is not None


def test_what_cannot_fit_is_an_error_even_beside_what_might_later() -> None:
    budgets = opened(budget("one", max_calls=1), budget("two", max_tokens=9))
    with pytest.raises(OverBudget, match="budget 'two'"):
        budgets.reserve(ALICE, CALL)


def test_what_is_refused_holds_nothing() -> None:
    budgets = opened(budget("small", user="alice", max_tokens=9), budget("calls", max_calls=1))
    with pytest.raises(OverBudget):
        budgets.reserve(ALICE, CALL)
    assert budgets.reserve(BOB, CALL) is not None


@pytest.mark.parametrize(
    ("of", "text"),
    [
        ({}, "budget 'b' of SERVER"),
        ({"user": "alice"}, "budget 'b' of USER alice"),
        ({"model": "Shop.M"}, "budget 'b' of MODEL Shop.M"),
        ({"engine": "E"}, "budget 'b' of ENGINE E"),
    ],
    ids=str,
)
def test_error_has_the_figures(of: dict[str, str], text: str) -> None:
    budgets = opened(budget(**of, max_cost=0.15))
    budgets.settle(reserve(budgets), CALL)
    figures = " is exceeded: max_cost = 0.15 per day (UTC), 0.1 spent, 0.1 more needed"
    with pytest.raises(OverBudget, match=re.escape(text + figures)):
        budgets.reserve(ALICE, CALL)


@pytest.mark.parametrize("of", [{"user": "alice"}, {"model": "shop.m"}, {"user": "Bob"}])
def test_others_are_not_concerned(of: dict[str, str]) -> None:
    budgets = opened(budget(**of, max_tokens=1))
    assert budgets.reserve(BOB, CALL) is not None


def test_a_cost_that_nobody_knows_is_not_taken_for_nothing() -> None:
    budgets = opened(budget(max_cost=1))
    with pytest.raises(OptionError, match=r"'b' of SERVER has a max_cost .* 'prompt_price' and"):
        budgets.reserve(ALICE, Amount(1, 10, None))


def test_a_cost_that_nobody_bounds_need_not_be_known() -> None:
    assert opened(budget(max_calls=1)).reserve(ALICE, Amount(1, 10, None)) is not None


def test_what_was_spent_before_the_start_counts() -> None:
    budgets = opened(budget(user="alice", max_calls=5), alice=Spent(5, 0, 0.0))
    with pytest.raises(OverBudget, match="max_calls = 5 per day"):
        budgets.reserve(ALICE, CALL)


def test_a_budget_made_later_knows_what_was_spent_and_is_in_flight() -> None:
    books = Books()
    budgets = Budgets(books, books, books.today)
    budgets.settle(reserve(budgets), CALL)
    flying = reserve(budgets)
    books.budgets = [budget(max_calls=2)]
    assert budgets.reserve(ALICE, CALL) is None
    budgets.settle(flying, CALL)
    with pytest.raises(OverBudget, match="2 spent"):
        budgets.reserve(ALICE, CALL)


def test_a_dropped_budget_holds_nobody() -> None:
    books = Books([budget(max_tokens=1)])
    budgets = Budgets(books, books, books.today)
    books.budgets = []
    assert budgets.reserve(ALICE, CALL) is not None


def test_a_new_day_begins_with_nothing_spent() -> None:
    books = Books([budget(max_calls=1)])
    budgets = Budgets(books, books, books.today)
    budgets.settle(reserve(budgets), CALL)
    books.day = TUESDAY
    assert budgets.reserve(ALICE, CALL) is not None


def test_a_call_over_midnight_stays_held_and_counts_to_the_new_day() -> None:
    books = Books([budget(max_calls=1)])
    budgets = Budgets(books, books, books.today)
    flying = reserve(budgets)
    books.day = TUESDAY
    assert budgets.reserve(ALICE, CALL) is None
    budgets.settle(flying, CALL)
    with pytest.raises(OverBudget):
        budgets.reserve(ALICE, CALL)


def test_what_is_foreseen_is_refused_before_the_first_call_and_holds_nothing() -> None:
    budgets = opened(budget(max_calls=100))
    budgets.foresee(ALICE, Amount(100, 0, 0))
    budgets.foresee(ALICE, Amount(100, 0, 0))
    with pytest.raises(OverBudget, match=r"max_calls = 100 per day \(UTC\), 0 spent, 101 more"):
        budgets.foresee(ALICE, Amount(101, 0, 0))


def test_the_books_are_asked_once_for_a_scope() -> None:
    books = Books([budget(max_calls=100)])
    budgets = Budgets(books, books, books.today)
    for _ in range(10):
        budgets.settle(reserve(budgets), CALL)
    assert books.asked == [MONDAY] * len(ALICE)


@pytest.mark.parametrize("seed", range(40))
def test_no_budget_is_ever_overshot_and_none_waits_for_nothing(seed: int) -> None:
    """Random calls by random spenders, settled at random for at most what they held."""
    chance = random.Random(seed)
    spenders = [
        Spender(user, model, engine)
        for user in ("alice", "bob")
        for model in ("shop.m", "shop.n")
        for engine in ("e", "f")
    ]
    records = [
        budget("s", max_calls=chance.randint(1, 200), max_cost=chance.uniform(0.01, 3)),
        budget("u", user="alice", max_tokens=chance.randint(1, 3000)),
        budget("m", model="shop.n", max_calls=chance.randint(1, 60)),
        budget("e", engine="f", max_cost=chance.uniform(0.01, 1)),
    ]
    budgets = opened(*records)
    flying: list[tuple[Spender, Reservation]] = []
    spent = {record.name: [0, 0, 0] for record in records}

    def settle() -> None:
        spender, reservation = flying.pop(chance.randrange(len(flying)))
        held = reservation.amount
        took = Amount(1, chance.randint(0, held.tokens), chance.randint(0, held.picos or 0))
        budgets.settle(reservation, took)
        for record in records:
            names = {spender.user, spender.model, spender.engine}
            if record.name == "s" or names & {record.user, record.model, record.engine}:
                before = spent[record.name]
                spent[record.name] = [a + (b or 0) for a, b in zip(before, took, strict=True)]

    for _ in range(600):
        spender = chance.choice(spenders)
        asked = Amount(1, chance.randint(1, 100), chance.randint(1, to_picos(0.05)))
        try:
            reservation = budgets.reserve(spender.scopes, asked)
        except OverBudget:
            continue
        if reservation is not None:
            flying.append((spender, reservation))
        else:
            assert flying, "told to wait, and nothing is in flight"
        if flying and (reservation is None or chance.random() < 0.4):
            settle()
    while flying:
        settle()
    for record in records:
        calls, tokens, picos = spent[record.name]
        assert calls <= (record.max_calls or calls)
        assert tokens <= (record.max_tokens or tokens)
        assert picos <= (to_picos(record.max_cost) if record.max_cost else picos)
