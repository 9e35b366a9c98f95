"""The Predict node: rows flow in, distinct inputs are asked, rows flow out as answers land.

When and how often an endpoint is called is the engines' business; what failed becomes NULL and a
warning.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from engines.chat.values import values
from engines.dispatch.share import Share
from engines.task import ModelSpec, Prediction, sound
from proxy.execute.asking import Asked
from proxy.execute.relations import text_in
from proxy.plan.nodes import Output, Part
from proxy.result import Cell, Row

_MOST_ROWS, _FEWEST_ROWS = 65_536, 512
"""Rows at most that wait for answers: sorted input has many rows for each prompt. Fewer of long
ones, down to the second number."""

_MOST_TEXT = 16 * 1024 * 1024
"""Characters, about, that rows have which wait."""

_SAMPLE = 64
"""One row in so many is measured."""

_MOST_READY = 2048
"""Rows that go out together."""

_MOST_ASKED = 4096
"""Prompts at most that are asked ahead of the row that goes out next."""

_REMEMBERED = 100_000
"""Distinct prompts whose answer is remembered here; beyond, the answer cache is."""

_LONG = 256
"""Characters of inputs from which on they are remembered by their key alone."""

_LINGER = 0.005
"""Seconds between two batches of rows at least: a batch costs more than a row."""

_FIRST_SLICE, _LAST_SLICE = 64, 2048

_Answer = asyncio.Future[Prediction]
_Key = tuple[str, ...] | bytes

Known: TypeAlias = dict[_Key, _Answer]
"""A model's answers in one statement; one that was dropped is cancelled."""

_READ: dict[Part, Callable[[Prediction], Cell]] = {
    Part.ERROR: lambda p: None if p.error is None else sound(str(p.error)),
    Part.LATENCY_MS: lambda p: f"{p.latency * 1000:.3f}" if p.latency else None,
    Part.TOKENS: lambda p: str(p.usage.prompt_tokens + p.usage.completion_tokens),
    Part.CACHED: lambda p: "true" if p.cached else "false",
}


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows with their answers; None where all inputs are NULL."""

    rows: Sequence[Row]
    answers: Sequence[_Answer | None]


@dataclass(slots=True)
class Predicting:
    """One Predict at work. `positions` are those of its inputs in a row, `numbers` that of the
    row's own number, where rows are not counted; `known` is shared by all mentions of a model. In
    lockstep, for a LIMIT above, nothing is asked beyond a window ahead of the rows that went out.
    """

    asked: Asked
    outputs: Sequence[Output]
    positions: Sequence[int]
    numbers: int | None = None
    lockstep: bool = False
    known: Known = field(default_factory=dict)
    _chunks: deque[_Chunk] = field(default_factory=deque)
    _fresh: deque[_Answer] = field(default_factory=deque)  # whose first row did not go out yet
    _open: int = 0  # their number, as long as the reader may not count on them being out
    _waiting: int = 0  # rows that did not go out yet
    _most_waiting: int = _MOST_ROWS
    _cells: dict[_Answer, Row] = field(default_factory=dict)  # of those read last
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, rows: AsyncGenerator[list[Row], None]) -> AsyncGenerator[list[Row], None]:
        """The rows with the outputs behind their columns. Raises EngineError for what would meet
        every row (key, model, endpoint), or, where the model wants that, the first row's own; and
        what `rows` raises. Closes `rows`; calls that nobody else waits for end with it."""
        async with self.asked.open(keep_order=self.lockstep) as share:
            # a task of its own: rows are read and asked ahead while others go out
            reader = asyncio.create_task(self._read(rows, share))
            try:
                async for batch in self._batches(reader):
                    yield batch
                    # only now is it known that more is wanted
                    self._waiting -= len(batch)
                    self._open = len(self._fresh)
                    self._left.set()
            finally:
                reader.cancel()
                await asyncio.wait([reader])

    async def _read(self, rows: AsyncGenerator[list[Row], None], share: Share) -> None:
        size = _FIRST_SLICE  # small at first: the first calls should begin at once
        try:
            async with aclosing(rows):
                async for batch in rows:
                    self._most_waiting = _most_of(batch)
                    at = 0
                    while at < len(batch):
                        most = await self._room()
                        at += self._ask(batch[at : at + size], most, share)
                        size = min(_LAST_SLICE, 2 * size)
        finally:
            self._arrived.set()

    async def _room(self) -> int:
        """How many prompts may be asked now; waits until there is one."""
        while True:
            bound = self.asked.window if self.lockstep else _MOST_ASKED
            if self._open < bound and self._waiting < self._most_waiting:
                return bound - self._open
            self._left.clear()
            await self._left.wait()

    def _ask(self, rows: Sequence[Row], most: int, share: Share) -> int:
        """Ask for the first of `rows`, up to `most` new prompts; how many rows that were."""
        fresh: dict[_Key, tuple[str, ...]] = {}
        wanted: list[_Key | None] = []
        for row in rows:
            key: _Key | None = tuple([row[at] for at in self.positions])  # type: ignore[misc]
            if key is not None and self._is_new(key):  # a short prompt's first row, or a long one
                inputs = self._filled(row)
                key = None if inputs is None else self._key(inputs)
                if inputs is not None and key is not None and self._is_new(key):
                    if len(fresh) == most and key not in fresh:
                        break
                    fresh[key] = inputs
            wanted.append(key)
        answers = share.ask([self.asked.model.task(inputs) for inputs in fresh.values()])
        if len(self.known) > _REMEMBERED:
            self.known = {k: self.known[k] for k in wanted if k is not None and k in self.known}
        self.known.update(zip(fresh, answers, strict=True))
        chosen = [None if key is None else self.known[key] for key in wanted]
        self._chunks.append(_Chunk(rows[: len(wanted)], chosen))
        self._fresh += answers
        self._open += len(answers)
        self._waiting += len(wanted)
        self._arrived.set()
        return len(wanted)

    def _filled(self, row: Row) -> tuple[str, ...] | None:
        return self.asked.model.spec.filled(texts_at(row, self.positions))

    def _is_new(self, key: _Key) -> bool:
        answer = self.known.get(key)
        return answer is None or answer.cancelled()

    def _key(self, inputs: tuple[str, ...]) -> _Key:
        return inputs if sum(map(len, inputs)) < _LONG else self.asked.model.task(inputs)[0]

    async def _batches(self, reader: "asyncio.Task[None]") -> AsyncGenerator[list[Row], None]:
        """The rows as their answers land: all that are there, but not one by one."""
        now = asyncio.get_running_loop().time
        nothing: Row = (None,) * len(self.outputs)
        ready: list[Row] = []
        number, last = 0, 0.0
        while await self._arrival(reader):
            chunk = self._chunks.popleft()
            for row, answer in zip(chunk.rows, chunk.answers, strict=True):
                if answer is not None and not answer.done():
                    if ready and not self.lockstep and (pause := last + _LINGER - now()) > 0:
                        await asyncio.sleep(pause)
                    if ready and not answer.done():
                        yield ready
                        ready, last = [], now()
                    await answer
                number += 1
                ready.append(row + (nothing if answer is None else self._told(row, answer, number)))
            if len(ready) >= _MOST_READY or (ready and not self._chunks):
                yield ready
                ready, last = [], now()
        if ready:
            yield ready

    async def _arrival(self, reader: "asyncio.Task[None]") -> bool:
        """Wait for the next chunk; False after the last. Raises what the reader met."""
        while not self._chunks:
            if reader.done():
                reader.result()
                return False
            self._arrived.clear()
            await self._arrived.wait()
        return True

    def _told(self, row: Row, answer: _Answer, number: int) -> Row:
        prediction = answer.result()
        if self._fresh and answer is self._fresh[0]:
            self._fresh.popleft()
            at = number if self.numbers is None else int(row[self.numbers] or 0)
            self.asked.told(prediction, at, self._filled(row) or ())
        cells = self._cells.get(answer)
        if cells is None:
            if len(self._cells) > _MOST_ASKED:
                self._cells.clear()
            cells = read(prediction, self.asked.model.spec, self.outputs)
            self._cells[answer] = cells
        return cells


def read(prediction: Prediction, spec: ModelSpec, outputs: Sequence[Output]) -> Row:
    """The cells of a prediction's outputs."""
    if prediction.value is None:
        told: tuple[str | None, ...] = (None,) * len(spec.targets)
    else:
        told = values(spec, prediction.value)
    return tuple(
        [
            told[output.target] if output.part is Part.VALUE else _READ[output.part](prediction)
            for output in outputs
        ]
    )


def _most_of(batch: Sequence[Row]) -> int:
    """How many rows like these may wait."""
    sample = batch[::_SAMPLE]
    text = sum(map(text_in, sample))
    return max(_FEWEST_ROWS, min(_MOST_ROWS, _MOST_TEXT * len(sample) // max(1, text)))


def texts_at(row: Row, positions: Sequence[int]) -> tuple[str | None, ...]:
    """What a row gives for a model's inputs."""
    return tuple([row[at] for at in positions])  # type: ignore[misc] # inputs are text


async def predict_row(
    asked: Asked, outputs: Sequence[Output], inputs: Sequence[str | None]
) -> dict[str, Cell]:
    """The outputs for one row, by their names; as Predicting, without a flow."""
    given = asked.model.spec.filled(inputs)
    if given is None:
        return dict.fromkeys(output.name for output in outputs)
    async with asked.open() as share:
        (answer,) = share.ask([asked.model.task(given)])
        prediction = await answer
    asked.told(prediction, 1, given)
    cells = read(prediction, asked.model.spec, outputs)
    return dict(zip((output.name for output in outputs), cells, strict=True))
