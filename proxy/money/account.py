"""The account of one statement: its calls, tokens and money, by model, as they come about.

It pays for calls or refuses to; whether and when one is made is the dispatcher's.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Protocol

from catalog.records import ModelRecord
from catalog.usage import UsageRecord
from engines.errors import EndpointUnreachable, RateLimited
from engines.task import Prediction, Task, Usage
from proxy.money.budgets import Budgets, Reservation, Scope, Spender
from proxy.money.progress import RowRate, Standing
from proxy.money.tally import Amount, Ceiling, Tally, to_money
from proxy.sql.statements import PredictionOptions
from proxy.wire.processes import Progress

_MARGIN = 1.25
"""What is held for a prompt over its estimate, which is to be within a tenth."""

_NOT_TAKEN = (RateLimited, EndpointUnreachable)
"""What the endpoint did nothing for."""

RUNNING = "running"
"""The status of a record that may be put again; any other is the last of its statement."""

_SPACING = 0.05
"""Seconds between two records of what costs nothing."""


class Asked(Protocol):
    """The model that is asked: proxy.execute.engine_pool.LiveModel."""

    @property
    def record(self) -> ModelRecord:
        """Its definition."""


class Prices(Protocol):
    """What a model takes per million tokens: engines.policy.Policy."""

    @property
    def prompt_price(self) -> float | None:
        """Of prompts."""

    @property
    def completion_price(self) -> float | None:
        """Of answers."""


class Gauge(Protocol):
    """The token counts that can be known before a call: engines.chat.tokens.TokenGauge."""

    def prompt(self, task: Task) -> int:
        """About as many as the prompt has."""

    def completion(self, task: Task) -> int:
        """About as many as the answer will have."""

    def most(self, task: Task) -> int:
        """The most that the answer can have."""

    def learn(self, task: Task, usage: Usage) -> None:
        """What they were."""


class Ledger(Protocol):
    """Where accounts are kept: catalog.usage.UsageStore."""

    def put(self, record: UsageRecord) -> None:
        """Keep a record, in the place of an older one of its statement and model. At once."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a model's calls will take, and whose budgets they concern."""

    scopes: tuple[Scope, ...]
    amount: Amount


class Account:
    """One per statement. `options` are those that hold for it: `max_calls` and `max_cost` bound
    the calls of all its models together. All of it in one thread but `progress`.

    `rows_total` is the executor's to set, None while nobody knows.
    """

    def __init__(  # noqa: PLR0913 (what a statement is, what it works on, and a clock for tests)
        self,
        user: str,
        options: PredictionOptions,
        budgets: Budgets,
        usage: Ledger,
        statement_id: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.user = user
        self.statement_id = statement_id
        self.budgets = budgets
        self.usage = usage
        self.clock = clock
        self.started_at = datetime.now(UTC).replace(tzinfo=None)
        self.status = RUNNING
        self.tally = Tally()
        self.ceiling = Ceiling(
            "the statement", "", max_calls=options.max_calls, max_cost=options.max_cost
        )
        self.rows_done = 0
        self.rows_total: int | None = None
        self._started = clock()
        self._ended: float | None = None
        self._rate = RowRate(self._started)
        self._models: list[ModelAccount] = []

    @property
    def seconds(self) -> float:
        """How long the statement runs, or ran."""
        return (self.clock() if self._ended is None else self._ended) - self._started

    @property
    def models(self) -> list["ModelAccount"]:
        """The accounts of its models, in the order in which they were first asked for."""
        return list(self._models)

    def payer(self, model: Asked, prices: Prices, gauge: Gauge) -> "ModelAccount":
        """The account of a model's version; the same one however often the statement names it, but
        one of its own for each alias whose options differ: its prompts are others."""
        for known in self._models:
            if known.record == model.record:
                return known
        self._models.append(ModelAccount(self, model.record, prices, gauge))
        return self._models[-1]

    def foresee(self, needs: Iterable[Need]) -> None:
        """See that all these together fit into the statement's bound and the budgets, before the
        first call; no calls always do. Raises as `ModelAccount.reserve`."""
        sums: dict[Scope | None, Amount] = {}
        for need in (need for need in needs if need.amount.calls):
            for scope in (None, *need.scopes):
                sums[scope] = need.amount.plus(sums.get(scope, Amount()))
        for scope, needed in sums.items():
            if scope is None:
                self.ceiling.admits(self.tally, needed)
            else:
                self.budgets.foresee((scope,), needed)

    def advance(self, rows: int) -> None:
        """So many more rows have their predictions."""
        self.rows_done += rows
        self._rate.note(self.clock(), self.rows_done)

    def progress(self) -> Progress | None:
        """How far it is, for the process list; None where it asks no model (yet). May be asked from
        any thread."""
        models = self.models
        if not models:
            return None
        return Standing(
            self.rows_done,
            self.rows_total,
            sum(model.in_flight for model in models),
            sum(model.cached for model in models),
            sum(model.failed for model in models),
            self._rate.per_second(self.clock(), self.rows_done),
        ).progress()

    def close(self, status: str) -> None:
        """The statement is over: `complete`, `killed` or `failed`. Idempotent, the first holds. A
        call of its own that others still wait for is counted when it ends."""
        if self._ended is None:
            self._ended = self.clock()
            self.status = status
            for model in self.models:
                model.write()


def status_of(error: BaseException) -> str:
    """What an account says of a statement that ended so."""
    return "failed" if isinstance(error, Exception) else "killed"


class ModelAccount:
    """What one statement takes of one model; a dispatcher's Payer.

    A request that the endpoint took counts as a call, whatever came of it, and so does each try;
    one that it refused for its rate, or that found no connection, is none. The tokens of a call
    that was cancelled are not known and not counted; where an answer came and its endpoint counts
    no tokens, our estimate stands in. Tasks that go in one request are one call, of the first.
    """

    def __init__(self, account: Account, record: ModelRecord, prices: Prices, gauge: Gauge) -> None:
        self.calls = 0
        self.cached = 0
        self.failed = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.estimated_prompt_tokens = 0
        """What the gauge thought of the prompts whose tokens were counted."""
        self._picos = 0
        self._account = account
        self.record = record
        self._prices = _per_token(prices)
        self._gauge = gauge
        spender = Spender(account.user, f"{record.project}.{record.name}", record.engine)
        self._scopes = spender.scopes
        self._in_flight = 0
        self._held: dict[tuple[str | None, ...], tuple[int, Reservation]] = {}
        self._written = account.clock() - _SPACING
        self._final = False

    @property
    def in_flight(self) -> int:
        """Calls begun and not settled. May be asked from any thread."""
        return self._in_flight

    @property
    def is_bound(self) -> bool:
        """Whether anything bounds what may be called: the statement's options, or a budget."""
        ceiling = self._account.ceiling
        return ceiling.bounds or self._account.budgets.concern(self._scopes)

    @property
    def cost(self) -> float | None:
        """What the calls cost, None where no price is known."""
        return None if self._prices is None else to_money(self._picos)

    def reserve(self, task: Task, *, joins: bool = False) -> bool:
        """Hold what a call may take, with `joins` what a task takes that goes along in another's.
        False: not before something in flight is settled.

        Raises OverBudget, and OptionError where a bound to the cost meets a model without price.
        """
        prompt = self._gauge.prompt(task)
        asked = self._amount(int(not joins), ceil(prompt * _MARGIN), self._gauge.most(task))
        account = self._account
        if not account.ceiling.admits(account.tally, asked):
            return False
        reservation = account.budgets.reserve(self._scopes, asked)
        if reservation is None:
            return False
        account.tally.hold(asked)
        self._held[task.inputs] = prompt, reservation
        self._in_flight += asked.calls
        return True

    def settle(self, task: Task, prediction: Prediction | None) -> None:
        """The call is over; None: it was cancelled. What it took is in the accounts at once."""
        prompt, reservation = self._held.pop(task.inputs)
        error = None if prediction is None else prediction.error
        taken = not isinstance(error, _NOT_TAKEN)
        usage = self._usage(task, prediction, prompt)
        calls = reservation.amount.calls if taken else 0
        spent = self._amount(calls, usage.prompt_tokens, usage.completion_tokens)
        self._account.tally.settle(reservation.amount, spent)
        self._in_flight -= reservation.amount.calls
        self.calls += calls
        self.failed += calls > 0 and error is not None
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self._picos += spent.picos or 0
        self.write()
        self._account.budgets.settle(reservation, spent)

    def need(self, calls: int, prompt_tokens: int, completion_tokens: int) -> Need:
        """What so many calls will take."""
        return Need(self._scopes, self._amount(calls, prompt_tokens, completion_tokens))

    def found(self, prediction: Prediction) -> None:
        """A distinct prompt was answered without a call of its own."""
        if prediction.error is None:
            self.cached += 1
        else:
            self.failed += 1
        if self._account.clock() - self._written >= _SPACING:
            self.write()

    def __str__(self) -> str:
        """The figures, for EXPLAIN ANALYZE."""
        cost = "unknown: the model has no prices" if self.cost is None else f"{self.cost:.6f}"
        return (
            f"calls {self.calls}, cached {self.cached}, failed {self.failed}, prompt tokens "
            f"{self.prompt_tokens}, completion tokens {self.completion_tokens}, cost {cost}"
        )

    def write(self) -> None:
        """Put the figures into the accounts, if there are any. The last record is the one after
        the statement's end with nothing in flight; nothing is put after it."""
        if self._final or not (self.calls or self.cached or self.failed):
            return
        self._final = self._account.status != RUNNING and not self._held
        # written once for all that is asked of the model: the last of them to end ends the record
        self._written = self._account.clock()
        self._account.usage.put(self._usage_record())

    def _usage(self, task: Task, prediction: Prediction | None, prompt: int) -> Usage:
        if prediction is None:
            return Usage()
        usage = prediction.usage
        if usage.prompt_tokens:
            self.estimated_prompt_tokens += prompt
            self._gauge.learn(task, usage)
        elif prediction.error is None and not usage.completion_tokens:
            return Usage(prompt, self._gauge.completion(task))
        return usage

    def _amount(self, calls: int, prompt_tokens: int, completion_tokens: int) -> Amount:
        picos = None
        if self._prices is not None:
            picos = prompt_tokens * self._prices[0] + completion_tokens * self._prices[1]
        return Amount(calls, prompt_tokens + completion_tokens, picos)

    def _usage_record(self) -> UsageRecord:
        account = self._account
        told = [m for m in account.models if m.record.full_name == self.record.full_name]
        costs = [m.cost for m in told]
        over = self._final and not any(m._held for m in told)
        return UsageRecord(
            statement_id=account.statement_id,
            user=account.user,
            project=self.record.project,
            model=self.record.name,
            engine=self.record.engine,
            calls=sum(m.calls for m in told),
            cached=sum(m.cached for m in told),
            failed=sum(m.failed for m in told),
            prompt_tokens=sum(m.prompt_tokens for m in told),
            completion_tokens=sum(m.completion_tokens for m in told),
            estimated_prompt_tokens=sum(m.estimated_prompt_tokens for m in told),
            cost=None if None in costs else sum(cost or 0.0 for cost in costs),
            started_at=account.started_at,
            seconds=account.seconds,
            status=account.status if over else RUNNING,
        )


def _per_token(prices: Prices) -> tuple[int, int] | None:
    """Picos per token of prompts and of answers; a millionth of a price is a million picos."""
    if prices.prompt_price is None or prices.completion_price is None:
        return None
    return round(prices.prompt_price * 10**6), round(prices.completion_price * 10**6)
