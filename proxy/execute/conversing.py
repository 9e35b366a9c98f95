"""The Predict node of a conversation: rows in their order are what was said, each is asked with all
before it.

It asks one row at a time and gathers nothing; which rows are a conversation, the plan says.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from engines.chat.canonical import Unfit, canonical
from engines.chat.prompt import question
from engines.dispatch.share import Share
from engines.task import ModelSpec, Prediction, Task
from proxy.execute.asking import Asked
from proxy.execute.predict import read, texts_at
from proxy.plan.nodes import Output, Part
from proxy.result import Cell, Row


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a row says: `inputs` are what would be asked, None where it says nothing, `given` is
    the answer that it knows already."""

    inputs: tuple[str, ...] | None
    given: str | None

    @property
    def is_open(self) -> bool:
        return self.inputs is not None and self.given is None


@dataclass(slots=True)
class Conversing:
    """One Predict at work on one conversation. `positions` are those of its inputs in a row,
    `numbers` that of the row's own number, where rows are not counted."""

    asked: Asked
    outputs: Sequence[Output]
    positions: Sequence[int]
    numbers: int | None = None
    _history: list[tuple[str, str]] = field(default_factory=list)
    _count: int = 0

    async def run(self, rows: AsyncGenerator[list[Row], None]) -> AsyncGenerator[list[Row], None]:
        """The rows with the outputs behind their columns. In mode 'conversational' the last row is
        asked, in 'conversational-full' every one, unless its answer is given. Raises and closes as
        Predicting.run."""
        every = self.asked.model.spec.mode == "conversational-full"
        async with self.asked.open() as share, aclosing(_with_end(rows)) as batches:
            async for batch, is_end in batches:
                ready: list[Row] = []
                for at, row in enumerate(batch, 1):
                    turn = _turn(self.asked.model.spec, texts_at(row, self.positions))
                    self._count += 1
                    if turn.is_open and (every or (is_end and at == len(batch))):
                        if ready:
                            yield ready
                        ready = [row + await self._answered(row, turn, share)]
                    else:
                        ready.append(row + self._given(turn))
                yield ready

    def _given(self, turn: _Turn) -> Row:
        self._remember(turn, turn.given)
        return _given(self.asked.model.spec, self.outputs, turn)

    async def _answered(self, row: Row, turn: _Turn, share: Share) -> Row:
        assert turn.inputs is not None
        (answer,) = share.ask([self.asked.model.task(turn.inputs, tuple(self._history))])
        prediction: Prediction = await answer
        number = self._count if self.numbers is None else int(row[self.numbers] or 0)
        self.asked.told(prediction, number, turn.inputs)
        self._remember(turn, prediction.value)
        return read(prediction, self.asked.model.spec, self.outputs)

    def _remember(self, turn: _Turn, answer: str | None) -> None:
        if turn.inputs is not None:
            said = question(Task(self.asked.model.spec, turn.inputs))
            self._history.append((said, answer or ""))


async def converse_row(
    asked: Asked, outputs: Sequence[Output], inputs: Sequence[str | None]
) -> dict[str, Cell]:
    """The outputs for a conversation of one row, by their names."""

    async def once() -> AsyncGenerator[list[Row], None]:
        yield [tuple(inputs)]

    async with aclosing(Conversing(asked, outputs, range(len(inputs))).run(once())) as rows:
        ((row,),) = [batch async for batch in rows]
    cells = row[len(inputs) :]
    return dict(zip((output.name for output in outputs), cells, strict=True))


def open_rows(spec: ModelSpec, rows: Sequence[Row], positions: Sequence[int]) -> int:
    """How many of these rows a conversation in which every row is asked would ask."""
    return sum(_turn(spec, texts_at(row, positions)).is_open for row in rows)


def _turn(spec: ModelSpec, texts: tuple[str | None, ...]) -> _Turn:
    given = None if spec.given_answer is None else texts[spec.inputs.index(spec.given_answer)]
    return _Turn(spec.filled(texts), given)


def _given(spec: ModelSpec, outputs: Sequence[Output], turn: _Turn) -> Row:
    """The cells of a row that is not asked: its known answer is the first target's."""
    try:
        value = canonical(spec.target, turn.given)
    except Unfit:
        value = None
    return tuple([value if o.part is Part.VALUE and o.target == 0 else None for o in outputs])


async def _with_end(
    rows: AsyncGenerator[list[Row], None],
) -> AsyncGenerator[tuple[list[Row], bool], None]:
    """The batches, each with whether it is the last one."""
    async with aclosing(rows):
        held = await anext(rows, None)
        async for batch in rows:
            if held:
                yield held, False
            held = batch
        if held:
            yield held, True
