"""Fine-tuning jobs that were ordered, kept so that a server that starts anew goes on with them.

It asks no endpoint; what a job makes of a model's version is for others.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import duckdb

from catalog.duckdb_errors import translated
from catalog.transaction import Transaction
from catalog.whole import whole

SUBMITTING = "submitting"  # the endpoint may have taken the order, or not: nobody has heard yet
KEPT = 1000
_MOMENTS = ("created_at", "finished_at")
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """One job. `number` tells it apart from all others, it is 0 before it is added.

    `status` is 'submitting', 'queued', 'running', 'succeeded', 'failed' or 'cancelled'; while it
    is the first, there may be no `job_id` yet and no `version`, which is the one that the job
    makes. That version has the job's `created_at` (UTC, naive), to the microsecond. `base_version`
    and `base_model` are what it began with; `options` its hyperparameters, `suffix`, `seed`.
    `active` is whether the version is to be the active one. `progress` is a share, 0 to 1;
    `metrics` the endpoint's figures; `error` what ended the job, or what the last look met.
    """

    project: str
    model: str
    base_version: int
    engine: str
    base_model: str
    training_file: str
    validation_file: str
    options: Mapping[str, Any]
    active: bool
    source: str | None
    query: str
    created_at: datetime
    number: int = 0
    version: int | None = None
    job_id: str | None = None
    status: str = SUBMITTING
    progress: float | None = None
    trained_tokens: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    fine_tuned_model: str | None = None
    error: str | None = None
    finished_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status in ENDED


_READ = "SELECT number, definition FROM tunings ORDER BY number"
_FORGET = "DELETE FROM tunings WHERE number = ?"
_KEEP = "INSERT INTO tunings VALUES (?, ?)"


class TuningStore:
    """All jobs, by their numbers, over a connection of its own: `close` it before the catalog is.
    Of those that have ended, KEPT are left when the store is opened.

    All that writes raises CatalogError, and is no cancel point."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._writing = asyncio.Lock()
        with translated():
            rows = connection.execute(_READ).fetchall()
        self._records = {number: _record(json.loads(text)) for number, text in rows}
        for record in [record for record in self.records if record.ended][:-KEPT]:
            self._erase(record.number)
            del self._records[record.number]

    @property
    def records(self) -> list[TuningRecord]:
        """All jobs, the oldest first."""
        return list(self._records.values())

    @property
    def open(self) -> list[TuningRecord]:
        """Those that have not ended, the oldest first."""
        return [record for record in self.records if not record.ended]

    def find_open(self, number: int) -> TuningRecord | None:
        """The job of that number, None where it has ended or was forgotten."""
        record = self._records.get(number)
        return None if record is None or record.ended else record

    @whole
    async def add(self, record: TuningRecord) -> TuningRecord:
        """Keep a new job; return it with its number."""
        async with self._writing:
            numbered = replace(record, number=max(self._records, default=0) + 1)
            await asyncio.to_thread(self._write, numbered)
            self._records[numbered.number] = numbered
        return numbered

    @whole
    async def put(self, record: TuningRecord) -> None:
        """Keep what has become of a job."""
        async with self._writing:
            await asyncio.to_thread(self._write, record)
            self._records[record.number] = record

    @whole
    async def forget(self, number: int) -> None:
        """Forget a job."""
        async with self._writing:
            await asyncio.to_thread(self._erase, number)
            self._records.pop(number, None)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()

    def _write(self, record: TuningRecord) -> None:
        with translated(), Transaction(self._connection):
            self._connection.execute(_FORGET, [record.number])
            self._connection.execute(_KEEP, [record.number, _definition(record)])

    def _erase(self, number: int) -> None:
        with translated(), Transaction(self._connection):
            self._connection.execute(_FORGET, [number])


def _definition(record: TuningRecord) -> str:
    plain = replace(record, options=dict(record.options), metrics=dict(record.metrics))
    return json.dumps(asdict(plain), default=datetime.isoformat)


def _record(held: Mapping[str, Any]) -> TuningRecord:
    """A job of its definition; fields that are newer than it have their defaults."""
    moments = {name: held[name] and datetime.fromisoformat(held[name]) for name in _MOMENTS}
    return TuningRecord(**{**held, **moments})
