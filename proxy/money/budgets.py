"""The server's budgets: what a user, a model, an engine or all together may spend in a day (UTC).

Every call is held against them before it starts, so that a window in flight cannot overshoot one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol, TypeAlias

from catalog.records import BudgetRecord
from catalog.usage import Spent
from proxy.money.tally import Amount, Ceiling, Tally, to_picos

Scope: TypeAlias = tuple[str, str]
"""USER, MODEL, ENGINE or SERVER, and the name as it is compared."""


class BudgetSource(Protocol):
    """Where the budgets are defined: catalog.store.Store."""

    @property
    def budgets(self) -> Sequence[BudgetRecord]:
        """All of them."""


class Ledger(Protocol):
    """Where it stands what was spent before this server started: catalog.usage.UsageStore."""

    def spent(self, user: str | None, model: str | None, engine: str | None, day: date) -> Spent:
        """What was spent on a day by all that fit; None fits every one."""


@dataclass(frozen=True, slots=True)
class Spender:
    """Who calls what: `model` is `project.name`."""

    user: str
    model: str
    engine: str

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Those whose budgets are concerned."""
        return (
            ("SERVER", ""),
            ("USER", self.user),
            ("MODEL", self.model.casefold()),
            ("ENGINE", self.engine.casefold()),
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a call in flight may spend, held until it is settled; by then a model may have another
    name, so that the tallies themselves stand here."""

    tallies: tuple[Tally, ...]
    amount: Amount


class Budgets:
    """All budgets, and what was spent today. One per server; all of it in one thread.

    What is spent is counted by scope, whether or not it has a budget: one made at noon knows the
    morning, and what is in flight. A call counts to the day on which it is settled.
    """

    def __init__(
        self, source: BudgetSource, ledger: Ledger, today: Callable[[], date] | None = None
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._today = today or _utc_day
        self._day = self._today()
        self._tallies: dict[Scope, Tally] = {}
        self._records: Sequence[BudgetRecord] = ()
        self._ceilings: dict[Scope, list[Ceiling]] = {}

    def reserve(self, scopes: tuple[Scope, ...], asked: Amount) -> Reservation | None:
        """Hold an amount against all budgets concerned.

        None: it does not fit now, and might when something in flight is settled, of whatever
        engine: ask again from time to time. Raises OverBudget if it cannot fit today, and
        OptionError if a budget bounds the cost and there is no price; then nothing is held.
        """
        self._turn_the_day()
        if not self._admits(scopes, asked):
            return None
        tallies = tuple(self._tally(scope) for scope in scopes)
        for tally in tallies:
            tally.hold(asked)
        return Reservation(tallies, asked)

    def settle(self, reservation: Reservation, spent: Amount) -> None:
        """The call is over: let go what it held, count what it spent. Once for each."""
        self._turn_the_day()
        for tally in reservation.tallies:
            tally.settle(reservation.amount, spent)

    def rename(self, model: str, new: str) -> None:
        """What is spent and held on a model goes along with its new name; both are
        `project.name`. Before the ledger's own."""
        self._turn_the_day()
        old, now = ("MODEL", model.casefold()), ("MODEL", new.casefold())
        if old != now:
            tally = self._tally(old)
            tally.spend_too(self._tally(now))
            self._tallies[now] = self._tallies.pop(old)

    def foresee(self, scopes: tuple[Scope, ...], needed: Amount) -> None:
        """See before the first call that an amount fits, beside what is spent; what is in flight
        may turn out smaller. Raises as `reserve`, and holds nothing."""
        self._turn_the_day()
        self._admits(scopes, needed)

    def concern(self, scopes: tuple[Scope, ...]) -> bool:
        """Whether there is a budget for any of these."""
        self._read()
        return any(scope in self._ceilings for scope in scopes)

    def tally(self, record: BudgetRecord) -> Tally:
        """What is spent and held today of a budget."""
        self._turn_the_day()
        return self._tally(scope_of(record))

    def _admits(self, scopes: tuple[Scope, ...], asked: Amount) -> bool:
        """Every ceiling is asked: one that can never fit is an error beside one that may later."""
        self._read()
        admitted = [
            ceiling.admits(self._tally(scope), asked)
            for scope in scopes
            for ceiling in self._ceilings.get(scope, ())
        ]
        return all(admitted)

    def _turn_the_day(self) -> None:
        if (day := self._today()) != self._day:
            self._day = day
            for tally in self._tallies.values():
                tally.begin_again()

    def _read(self) -> None:
        """See which budgets there are."""
        if (records := self._source.budgets) != self._records:
            self._records = records
            self._ceilings = {}
            for record in records:
                self._ceilings.setdefault(scope_of(record), []).append(_ceiling(record))

    def _tally(self, scope: Scope) -> Tally:
        if scope not in self._tallies:
            kind, name = scope
            spent = self._ledger.spent(
                user=name if kind == "USER" else None,
                model=name if kind == "MODEL" else None,
                engine=name if kind == "ENGINE" else None,
                day=self._day,
            )
            self._tallies[scope] = Tally(spent.calls, spent.tokens, to_picos(spent.cost))
        return self._tallies[scope]


def scope_of(record: BudgetRecord) -> Scope:
    """What a budget is for."""
    if record.user is not None:
        return "USER", record.user
    if record.model is not None:
        return "MODEL", record.model.casefold()
    if record.engine is not None:
        return "ENGINE", record.engine.casefold()
    return "SERVER", ""


def shown_scope(record: BudgetRecord) -> str:
    """What a budget is for, in words: USER alice, MODEL shop.m, ENGINE e, SERVER."""
    name = record.user or record.model or record.engine or ""
    return f"{scope_of(record)[0]} {name}".rstrip()


def _ceiling(record: BudgetRecord) -> Ceiling:
    return Ceiling(
        f"budget '{record.name}' of {shown_scope(record)}",
        " per day (UTC)",
        record.max_calls,
        record.max_tokens,
        record.max_cost,
    )


def _utc_day() -> date:
    return datetime.now(UTC).date()
