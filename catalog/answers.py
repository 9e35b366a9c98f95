"""The answers that were paid for, by the digest of all that decides them; no call is made twice.

What a key is made of, and what an answer means, it does not know.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.journal import GROUP_WEIGHT, Connection, Journal
from catalog.known_keys import KnownKeys, load_known_keys

# Values go to DuckDB as one text: a list parameter costs 60 microseconds an element (1.5.5).
_KEYS = "(SELECT unnest(string_split($1, ','))::UUID AS key)"
_FOUND = "SELECT key::BLOB, part, value, prompt_tokens, completion_tokens, latency FROM answers"
# The rows first, then their values: a join alone would unpack every value of the table.
_FIND = f"""
    {_FOUND} WHERE rowid IN (SELECT answers.rowid FROM answers JOIN {_KEYS} USING (key))
      AND kept_at >= make_timestamp($2)
"""
# One key, as a prediction of one row has it, costs half of that.
_FIND_ONE = f"{_FOUND} WHERE key = $1::UUID AND kept_at >= make_timestamp($2)"
_FORGET = f"DELETE FROM answers WHERE key IN {_KEYS} RETURNING model, part"
_INSERT = """
    INSERT INTO answers
    SELECT key::UUID, part, model, value, prompt_tokens, completion_tokens, latency,
        make_timestamp(micros)
    FROM (SELECT unnest(from_json($1, '[{
        "key": "VARCHAR", "part": "INTEGER", "model": "VARCHAR", "value": "VARCHAR",
        "prompt_tokens": "BIGINT", "completion_tokens": "BIGINT", "latency": "DOUBLE",
        "micros": "BIGINT"
    }]'), recursive := true))
"""
_PRUNE = """
    DELETE FROM answers WHERE key IN (
        SELECT key FROM answers WHERE model = $1 AND part = 0 ORDER BY kept_at, rowid LIMIT $2)
"""
_SUMMARY = """
    SELECT model, count(*) FILTER (part = 0), sum(strlen(value))::BIGINT, min(kept_at), max(kept_at)
    FROM answers GROUP BY model ORDER BY model
"""
# Characters of a value in one row, so that DuckDB keeps its bytes in a segment: strings above 4096
# bytes stay pinned in memory until a checkpoint, and one that then finds no room is fatal (1.5.5;
# the test of long answers).
_PIECE = 1000
_OVERHEAD = 500  # bytes that a pending answer takes beside its value, about
_MOST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, the tokens that the call took, and how long it took in seconds."""

    value: str
    prompt_tokens: int
    completion_tokens: int
    latency: float


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """A model's answers: how many, the bytes of their values, when the first and the last were
    kept (UTC, naive)."""

    model: str
    answers: int
    bytes: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    model: str
    answer: Answer
    most: int
    at: int  # microseconds since 1970, UTC
    replaces: bool  # whether the table may have an older answer of that key


class AnswerStore:
    """The answers of all models. Keys are digests of 16 bytes; a model is its 'project.name' in
    casefold. An answer that was kept is found from then on, committed or not."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ledger = journal.ledger(self._write, _weigh)
        self._known = journal.start(load_known_keys)
        self._counts = Counter(journal.start(_count))

    async def find(
        self, keys: Sequence[bytes], *, max_age: float | None = None
    ) -> dict[bytes, Answer]:
        """The answers of those keys that have one, not older than max_age seconds.

        Keys that nobody kept cost no query and no wait. May be cancelled. Raises CatalogError."""
        since = 0 if max_age is None else _now() - round(max_age * 1_000_000)
        pending = self._ledger.pending
        waiting = {key: pending[key] for key in keys if key in pending}
        asked = [key for key in keys if key not in waiting and key in self._known]
        found = {key: kept.answer for key, kept in waiting.items() if kept.at >= since}
        if asked:
            found |= await self._journal.read(lambda c: _find(c, asked, since))
        return found

    def keep(self, model: str, key: bytes, answer: Answer, *, most: int) -> None:
        """Keep an answer, in the place of an older one of that key. Never blocks.

        Of the model's answers the oldest go, so that there are at most `most`. An answer that the
        file cannot hold is not kept: no Unicode text, above 2^20 characters, beyond 64 bits."""
        if not _fits(answer):
            return
        kept = _Kept(model, answer, most, _now(), replaces=key in self._known)
        self._known.add(key)
        self._ledger.put(key, kept)

    async def drop(self, model: str | None) -> int:
        """Forget the answers of a model, or (None) all: how many went. No cancel point. Raises
        CatalogError."""
        return await self._journal.write(lambda c: self._drop(c, model))

    async def rename(self, model: str, new: str) -> None:
        """File the answers of a model under its new name. No cancel point. Raises CatalogError."""

        def work(connection: Connection) -> Callable[[], None]:
            connection.execute("UPDATE answers SET model = $2 WHERE model = $1", [model, new])
            counts = Counter(_count(connection))
            return lambda: setattr(self, "_counts", counts)

        await self._journal.write(work)

    async def count(self, model: str | None = None) -> int:
        """How many answers a model has, or (None) all have. Raises CatalogError."""
        await self._journal.flush()
        return self._counts.total() if model is None else self._counts[model]

    async def summary(self) -> list[AnswerSummary]:
        """Each model that has answers, by name. Reads every answer. Raises CatalogError."""
        await self._journal.flush()
        rows = await self._journal.read(lambda c: c.execute(_SUMMARY).fetchall())
        return [AnswerSummary(*row) for row in rows]

    # In the writer's thread; what they return runs on the loop.

    def _write(self, connection: Connection, entries: Mapping[bytes, _Kept]) -> Callable[[], None]:
        change = Counter(kept.model for kept in entries.values())
        replaced = [key for key, kept in entries.items() if kept.replaces]
        if replaced:
            gone = connection.execute(_FORGET, [_text(replaced)]).fetchall()
            change.subtract(model for model, part in gone if part == 0)
        rows = [row for key, kept in entries.items() for row in _rows(key, kept)]
        connection.execute(_INSERT, [json.dumps(rows, ensure_ascii=False)])
        bounds = {kept.model: kept.most for kept in entries.values()}
        pruned = self._prune(connection, change, bounds)
        known = load_known_keys(connection) if pruned else None
        return lambda: self._written(change, known)

    def _prune(
        self, connection: Connection, change: Counter[str], bounds: Mapping[str, int]
    ) -> bool:
        """Delete the oldest answers of the models that have too many: a 16th more than that, so
        that a full model is not searched at every commit. Whether there was one."""
        pruned = False
        for model, most in bounds.items():
            have = self._counts[model] + change[model]
            if have > most:
                excess = have - (most - most // 16)
                connection.execute(_PRUNE, [model, excess])
                change[model] -= excess
                pruned = True
        return pruned

    def _drop(self, connection: Connection, model: str | None) -> Callable[[], int]:
        where, parameters = ("", []) if model is None else ("WHERE model = $1", [model])
        before = Counter(_count(connection))
        connection.execute(f"DELETE FROM answers {where}", parameters)
        counts, known = Counter(_count(connection)), load_known_keys(connection)

        def then() -> int:
            self._counts = counts
            self._know(known)
            return (before - counts).total()

        return then

    # On the loop.

    def _written(self, change: Counter[str], known: KnownKeys | None) -> None:
        self._counts.update(change)
        if known is not None:
            self._know(known)

    def _know(self, known: KnownKeys) -> None:
        """Take a filter that was made anew. What is not in the table yet is pending."""
        for key in self._ledger.pending:
            known.add(key)
        self._known = known


def _find(connection: Connection, keys: Sequence[bytes], since: int) -> dict[bytes, Answer]:
    query = _FIND_ONE if len(keys) == 1 else _FIND
    rows = connection.execute(query, [_text(keys), since]).fetchall()
    pieces: dict[bytes, list[str]] = {}
    figures: dict[bytes, tuple[int, int, float]] = {}
    for key, _, piece, *rest in sorted(rows):
        pieces.setdefault(key, []).append(piece)
        figures[key] = (rest[0], rest[1], rest[2])
    return {key: Answer("".join(value), *figures[key]) for key, value in pieces.items()}


def _count(connection: Connection) -> dict[str, int]:
    rows = connection.execute("SELECT model, count(*) FROM answers WHERE part = 0 GROUP BY model")
    return dict(rows.fetchall())


def _text(keys: Iterable[bytes]) -> str:
    return ",".join(key.hex() for key in keys)


def _rows(key: bytes, kept: _Kept) -> Iterator[dict[str, object]]:
    answer = kept.answer
    for part, start in enumerate(range(0, max(len(answer.value), 1), _PIECE)):
        yield {
            "key": key.hex(),
            "part": part,
            "model": kept.model,
            "value": answer.value[start : start + _PIECE],
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "latency": answer.latency,
            "micros": kept.at,
        }


def _fits(answer: Answer) -> bool:
    try:
        answer.value.encode()
    except UnicodeEncodeError:
        return False
    most = max(answer.prompt_tokens, answer.completion_tokens)
    return most <= _MOST_INTEGER and len(answer.value) <= GROUP_WEIGHT


def _weigh(kept: _Kept) -> int:
    return len(kept.answer.value) + _OVERHEAD


def _now() -> int:
    return time.time_ns() // 1000
