"""What information_schema shows of money: budgets, the accounts of statements, stored answers.

It reads and sorts nothing out; who may spend what is budgets.py.
"""

from collections.abc import Sequence
from datetime import datetime

from catalog.answers import AnswerStore
from catalog.records import BudgetRecord
from catalog.usage import UsageStore
from proxy.money.budgets import Budgets, shown_scope
from proxy.money.tally import Tally
from proxy.variables import Value

BUDGETS = (
    "NAME, SCOPE, MAX_CALLS BIGINT, MAX_TOKENS BIGINT, MAX_COST DOUBLE, CALLS BIGINT, "
    "TOKENS BIGINT, COST DOUBLE, RESERVED_CALLS BIGINT, RESERVED_TOKENS BIGINT, "
    "RESERVED_COST DOUBLE, CALLS_LEFT BIGINT, TOKENS_LEFT BIGINT, COST_LEFT DOUBLE"
)
MODEL_USAGE = (
    "STATEMENT_ID BIGINT, USER, PROJECT, MODEL, ENGINE, STATUS, CALLS BIGINT, CACHED BIGINT, "
    "FAILED BIGINT, PROMPT_TOKENS BIGINT, COMPLETION_TOKENS BIGINT, COST DOUBLE, "
    "STARTED_AT TIMESTAMP, DURATION DOUBLE"
)
MODEL_CACHE = "MODEL, ANSWERS BIGINT, BYTES BIGINT, OLDEST TIMESTAMP_S, NEWEST TIMESTAMP_S"


def budget_rows(records: Sequence[BudgetRecord], budgets: Budgets) -> list[tuple[Value, ...]]:
    """The rows of BUDGETS: spent, reserved and left are today's (UTC)."""
    return [_budget(record, budgets.tally(record)) for record in records]


def _budget(record: BudgetRecord, tally: Tally) -> tuple[Value, ...]:
    maxima = (record.max_calls, record.max_tokens, record.max_cost)
    spent = (tally.calls, tally.tokens, tally.cost)
    held = (tally.held_calls, tally.held_tokens, tally.held_cost)
    left = (
        None if most is None else max(most - taken - kept, 0)
        for most, taken, kept in zip(maxima, spent, held, strict=True)
    )
    return (record.name, shown_scope(record), *maxima, *spent, *held, *left)


async def usage_rows(usage: UsageStore) -> list[tuple[Value, ...]]:
    """The rows of MODEL_USAGE, the newest statement first; DURATION in seconds."""
    return [
        (
            record.statement_id,
            record.user,
            record.project,
            record.model,
            record.engine,
            record.status,
            record.calls,
            record.cached,
            record.failed,
            record.prompt_tokens,
            record.completion_tokens,
            record.cost,
            f"{record.started_at:%Y-%m-%d %H:%M:%S.%f}",
            round(record.seconds, 3),
        )
        for record in await usage.records()
    ]


async def cache_rows(answers: AnswerStore) -> list[tuple[Value, ...]]:
    """The rows of MODEL_CACHE; of an answer counts when it was stored."""
    return [
        (kept.model, kept.answers, kept.bytes, _second(kept.oldest), _second(kept.newest))
        for kept in await answers.summary()
    ]


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
