"""The accounts: what each statement asked of each model, kept as it goes on, and summed by day.

It compares nothing with a budget and knows no price.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

from catalog.journal import Connection, Journal

RUNNING = "running"  # the status of a record that is put again
INTERRUPTED = "interrupted"  # what becomes of it when the server that put it is gone
KEPT_DAYS = 90
KEPT_RECORDS = 1_000_000
_MOST_INTEGER = 2**63 - 1
_WEIGHT = 1000  # bytes of a pending record, about

_Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What one statement asked of one model. `calls` were made, `cached` answers cost none,
    `failed` calls gave no answer; `cost` is None where no price is known. `started_at` is UTC,
    naive; `seconds` how long it has taken so far. `status` is 'running' until the last record."""

    statement_id: int
    user: str
    project: str
    model: str
    engine: str
    calls: int
    cached: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    estimated_prompt_tokens: int
    cost: float | None
    started_at: datetime
    seconds: float
    status: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls, tokens (of prompts and completions together) and cost."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.calls - other.calls, self.tokens - other.tokens, self.cost - other.cost)


_TYPES = (
    ("statement_id", "BIGINT"),
    ("user", "VARCHAR"),
    ("project", "VARCHAR"),
    ("model", "VARCHAR"),
    ("engine", "VARCHAR"),
    ("calls", "BIGINT"),
    ("cached", "BIGINT"),
    ("failed", "BIGINT"),
    ("prompt_tokens", "BIGINT"),
    ("completion_tokens", "BIGINT"),
    ("estimated_prompt_tokens", "BIGINT"),
    ("cost", "DOUBLE"),
    ("started_at", "TIMESTAMP"),
    ("seconds", "DOUBLE"),
    ("status", "VARCHAR"),
)
_COLUMNS = ", ".join(f'"{name}"' for name, _ in _TYPES)
_ROWS = f"(SELECT unnest(from_json($1, '[{json.dumps(dict(_TYPES))}]'), recursive := true))"
_INSERT = f"INSERT INTO model_usage ({_COLUMNS}) SELECT {_COLUMNS} FROM {_ROWS}"
# The first condition lets DuckDB skip the old statements' row groups.
_FORGET = f"""
    DELETE FROM model_usage WHERE statement_id >= $2 AND (statement_id, project, model) IN (
        SELECT (statement_id, project, model) FROM {_ROWS})
"""
_RECORDS = f"""
    SELECT {_COLUMNS} FROM model_usage ORDER BY statement_id DESC, project, model LIMIT $1
"""
_PRUNE = """
    DELETE FROM model_usage WHERE statement_id < (SELECT max(statement_id) FROM model_usage)
        AND (started_at < $1 OR rowid IN (
            SELECT rowid FROM model_usage ORDER BY statement_id DESC OFFSET $2))
"""
# A statement that goes on puts its records under the name that it began with.
_RENAME = f"""
    UPDATE model_usage SET model = $3
    WHERE project = $1 AND lower(model) = lower($2) AND status <> '{RUNNING}'
"""
# A statement that went over midnight counts on the day it ended: rather too much today.
_TODAY = f"""
    SELECT {_COLUMNS} FROM model_usage
    WHERE started_at >= $1::DATE - INTERVAL 2 DAY
      AND (started_at + to_microseconds((seconds * 1000000)::BIGINT))::DATE >= $1::DATE
"""


def _utc_today() -> date:
    return datetime.now(UTC).date()


class UsageStore:
    """The accounts of all statements, with the sums of today (UTC) in memory.

    What is older than KEPT_DAYS, or beyond KEPT_RECORDS, goes when the store is opened. `today`
    tells the day, for tests."""

    def __init__(self, journal: Journal, today: Callable[[], date] = _utc_today) -> None:
        self._journal = journal
        self._today = today
        self._ledger = journal.ledger(self._write, lambda _: _WEIGHT)
        self._running: dict[_Key, Spent] = {}
        self._day = today()
        self._sums: dict[tuple[str | None, ...], Spent] = {}
        self._last_id = self._written_id = journal.start(_open)
        if self._last_id:
            for record in journal.start(lambda c: _records(c, _TODAY, self._day)):
                self._add(record, _spent(record))

    def next_statement_id(self) -> int:
        """A number that no record has; they go up, over restarts too."""
        self._last_id += 1
        return self._last_id

    def put(self, record: UsageRecord) -> None:
        """Keep a record, in the place of an older one of that statement and model. Never blocks.

        What it has more than the older one is spent today. A running statement may be put at every
        call; a record of another status is the last of its statement and model."""
        key = _key(record)
        now = _spent(record)
        before = self._running.pop(key, Spent())
        if record.status == RUNNING:
            self._running[key] = now
        self._turn_the_day()
        self._add(record, now - before)
        self._ledger.put(key, record)

    async def records(self, limit: int = 10_000) -> list[UsageRecord]:
        """The newest records, newest first. May be cancelled. Raises CatalogError."""
        pending = dict(self._ledger.pending)
        written = await self._journal.read(lambda c: _records(c, _RECORDS, limit))
        merged = {_key(record): record for record in written} | pending
        order = sorted(merged, key=lambda key: (-key[0], *key[1:]))
        return [merged[key] for key in order[:limit]]

    def spent(self, user: str | None, model: str | None, engine: str | None, day: date) -> Spent:
        """What was spent that day (UTC) by a user, on a model ('project.name'), on an engine, or
        what fits all that are named; None is any. Known for today alone: else nothing."""
        self._turn_the_day()
        if day != self._day:
            return Spent()
        return self._sums.get((user, _fold(model), _fold(engine)), Spent())

    async def rename(self, project: str, model: str, new: str) -> None:
        """File the accounts of a model under its new name. No cancel point. Raises CatalogError."""

        def work(connection: Connection) -> Callable[[], None]:
            connection.execute(_RENAME, [project, model, new])
            return lambda: self._move(
                f"{project}.{model}".casefold(), f"{project}.{new}".casefold()
            )

        await self._journal.write(work)

    def _move(self, model: str, new: str) -> None:
        """What was spent on a model today was spent on another."""
        for key in [key for key in self._sums if key[1] == _fold(model)]:
            moved = self._sums.pop(key)
            now = (key[0], _fold(new), key[2])
            self._sums[now] = self._sums.get(now, Spent()) + moved

    def _write(
        self, connection: Connection, entries: Mapping[_Key, UsageRecord]
    ) -> Callable[[], None]:
        again = [_row(r) for r in entries.values() if r.statement_id <= self._written_id]
        if again:
            oldest = min(statement_id for statement_id, _, _ in entries)
            connection.execute(_FORGET, [json.dumps(again), oldest])
        connection.execute(_INSERT, [json.dumps([_row(r) for r in entries.values()])])
        newest = max(statement_id for statement_id, _, _ in entries)

        def committed() -> None:
            self._written_id = max(self._written_id, newest)

        return committed

    def _add(self, record: UsageRecord, more: Spent) -> None:
        model = f"{record.project}.{record.model}".casefold()
        for key in product((record.user, None), (model, None), (record.engine.casefold(), None)):
            self._sums[key] = self._sums.get(key, Spent()) + more

    def _turn_the_day(self) -> None:
        today = self._today()
        if today != self._day:
            self._day = today
            self._sums.clear()


def _open(connection: Connection) -> int:
    """The last statement's id. Prunes, and closes the accounts of a server that was killed."""
    rows = connection.execute("SELECT statement_id FROM model_usage ORDER BY 1 DESC LIMIT 1")
    last = rows.fetchone()
    if last is None:
        return 0
    oldest = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=KEPT_DAYS)
    connection.execute(_PRUNE, [oldest, KEPT_RECORDS])
    connection.execute(
        "UPDATE model_usage SET status = $1 WHERE status = $2", [INTERRUPTED, RUNNING]
    )
    return int(last[0])


def _records(connection: Connection, query: str, parameter: object) -> list[UsageRecord]:
    return [UsageRecord(*row) for row in connection.execute(query, [parameter]).fetchall()]


def _row(record: UsageRecord) -> dict[str, object]:
    """The record as JSON takes it and DuckDB's types hold it."""
    row = asdict(record) | {"started_at": record.started_at.isoformat()}
    return {name: _held(value) for name, value in row.items()}


def _held(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return min(value, _MOST_INTEGER) if isinstance(value, int) else value


def _key(record: UsageRecord) -> _Key:
    return record.statement_id, record.project, record.model


def _spent(record: UsageRecord) -> Spent:
    tokens = record.prompt_tokens + record.completion_tokens
    return Spent(record.calls, tokens, record.cost or 0.0)


def _fold(name: str | None) -> str | None:
    return None if name is None else name.casefold()
