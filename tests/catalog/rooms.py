"""A catalog on disk as the server opens it: store, journal, answers, accounts."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from catalog.answers import Answer, AnswerStore
from catalog.journal import Journal
from catalog.secrets import Vault
from catalog.store import Store
from catalog.usage import UsageRecord, UsageStore

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOON = datetime(2026, 3, 1, 12)


@dataclass(frozen=True, slots=True)
class Rooms:
    store: Store
    journal: Journal
    answers: AnswerStore
    usage: UsageStore


def utc_today() -> date:
    return datetime.now(UTC).date()


@asynccontextmanager
async def rooms(directory: Path, today: Callable[[], date] = utc_today) -> AsyncIterator[Rooms]:
    store = Store(directory / "catalog.duckdb", Vault(KEY))
    journal = Journal(store.connection())
    try:
        yield Rooms(store, journal, AnswerStore(journal), UsageStore(journal, today))
    finally:
        await journal.close()
        store.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until that is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0)


def digest() -> bytes:
    return os.urandom(16)


def answer(value: str) -> Answer:
    return Answer(value, 10, 2, 0.5)


def usage(statement_id: int, **changes: object) -> UsageRecord:
    record = {
        "statement_id": statement_id,
        "user": "alice",
        "project": "shop",
        "model": "Mood",
        "engine": "E1",
        "calls": 1,
        "cached": 2,
        "failed": 0,
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "estimated_prompt_tokens": 9,
        "cost": 0.25,
        "started_at": NOON,
        "seconds": 1.5,
        "status": "done",
    }
    return UsageRecord(**(record | changes))  # type: ignore[arg-type]
