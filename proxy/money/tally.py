"""What calls have taken and may take: of a day's budget, of a statement's bound.

It keeps no time and asks nobody; all is arithmetic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from engines.errors import OptionError
from proxy.errors import OverBudget

_PICOS = 1_000_000_000_000
"""Money is counted in whole millionths of a millionth: in floats, three tenths are too much for a
bound of 0.3."""


class Amount(NamedTuple):
    """Calls, tokens of prompts and answers together, and what they cost: in picos, None where no
    price is known."""

    calls: int = 0
    tokens: int = 0
    picos: int | None = 0

    def plus(self, more: "Amount") -> "Amount":
        """Both together."""
        unknown = self.picos is None or more.picos is None
        picos = None if unknown else (self.picos or 0) + (more.picos or 0)
        return Amount(self.calls + more.calls, self.tokens + more.tokens, picos)


def to_picos(money: float) -> int:
    """Money as it is counted."""
    return round(money * _PICOS)


def to_money(picos: int) -> float:
    """Money as it is shown."""
    return picos / _PICOS


@dataclass(slots=True)
class Tally:
    """What is spent, and what calls in flight hold because they may spend it. Plain numbers: every
    call moves several of these."""

    calls: int = 0
    tokens: int = 0
    picos: int = 0
    held_calls: int = 0
    held_tokens: int = 0
    held_picos: int = 0

    @property
    def cost(self) -> float:
        """What is spent, as money."""
        return self.picos / _PICOS

    @property
    def held_cost(self) -> float:
        """What is held, as money."""
        return self.held_picos / _PICOS

    def hold(self, amount: Amount) -> None:
        """A call that may take so much begins."""
        self.held_calls += amount.calls
        self.held_tokens += amount.tokens
        self.held_picos += amount.picos or 0

    def settle(self, amount: Amount, spent: Amount) -> None:
        """A call that held `amount` is over and has taken `spent`."""
        self.held_calls -= amount.calls
        self.held_tokens -= amount.tokens
        self.held_picos -= amount.picos or 0
        self.calls += spent.calls
        self.tokens += spent.tokens
        self.picos += spent.picos or 0

    def spend_too(self, other: "Tally") -> None:
        """What another has spent is spent here, too; what it holds is not held."""
        self.calls += other.calls
        self.tokens += other.tokens
        self.picos += other.picos

    def begin_again(self) -> None:
        """Nothing is spent yet; what is held stays."""
        self.calls = self.tokens = self.picos = 0


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be taken, None where there is no bound. `owner` and `period` are what
    errors call it: "budget 'b' of USER alice" and "per day"."""

    owner: str
    period: str
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None

    @property
    def bounds(self) -> bool:
        """Whether there is any bound."""
        return (self.max_calls, self.max_tokens, self.max_cost) != (None, None, None)

    def admits(self, tally: Tally, asked: Amount) -> bool:
        """Whether the amount fits beside what is spent and held.

        Raises OverBudget if it could not fit were nothing held, and OptionError if there is a
        bound to the cost and no price.
        """
        fits = True
        for name, most, spent, held, more in self._bounds(tally, asked):
            if spent + more > most:
                raise OverBudget(self._text(name, most, spent, more))
            fits = fits and spent + held + more <= most
        return fits

    def _bounds(self, tally: Tally, asked: Amount) -> Iterator[tuple[str, int, int, int, int]]:
        if self.max_calls is not None:
            yield "max_calls", self.max_calls, tally.calls, tally.held_calls, asked.calls
        if self.max_tokens is not None:
            yield "max_tokens", self.max_tokens, tally.tokens, tally.held_tokens, asked.tokens
        if self.max_cost is not None:
            if asked.picos is None:
                raise OptionError(
                    f"{self.owner} has a max_cost and the model has no price: it or its engine "
                    "needs the options 'prompt_price' and 'completion_price' (per million tokens; "
                    "0 for what is free)"
                )
            most = to_picos(self.max_cost)
            yield "max_cost", most, tally.picos, tally.held_picos, asked.picos

    def _text(self, name: str, most: int, spent: int, more: int) -> str:
        figures = [most, spent, more]
        shown = [_money(f) for f in figures] if name == "max_cost" else [str(f) for f in figures]
        return (
            f"{self.owner} is exceeded: {name} = {shown[0]}{self.period}, "
            f"{shown[1]} spent, {shown[2]} more needed"
        )


def _money(picos: int) -> str:
    return f"{Decimal(picos).scaleb(-12).normalize():f}"
