"""What tests of money are played with: a small set of books, and the makers of budgets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from catalog.records import BudgetRecord
from catalog.usage import Spent, UsageRecord

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@dataclass
class Books:
    """What budgets there are, what was spent before, which day it is, and what was written."""

    budgets: Sequence[BudgetRecord] = ()
    before: dict[str, Spent] = field(default_factory=dict)
    day: date = MONDAY
    asked: list[date] = field(default_factory=list)
    written: list[UsageRecord] = field(default_factory=list)

    def spent(self, user: str | None, model: str | None, engine: str | None, day: date) -> Spent:
        self.asked.append(day)
        return self.before.get(user or model or engine or "", Spent(0, 0, 0.0))

    def put(self, record: UsageRecord) -> None:
        self.written.append(record)

    def today(self) -> date:
        return self.day


def budget(name: str = "b", **given: str | float) -> BudgetRecord:
    of: dict[str, str | float | None] = dict.fromkeys(
        ("user", "model", "engine", "max_calls", "max_tokens", "max_cost")
    )
    return BudgetRecord(name, created_at=datetime(2026, 3, 1), **{**of, **given})  # type: ignore[arg-type]
