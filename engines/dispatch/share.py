"""Shares and flights: one statement's claim on an engine, and one question with all its askers.

They decide nothing: dispatcher.py does.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, Protocol, TypeAlias

from engines.dispatch.payer import Answers, Payer
from engines.task import Prediction, Task

CacheMode = Literal["on", "off", "refresh", "only"]
"""Whether answers are looked up and kept: 'refresh' keeps without a look, 'only' makes no call."""

Future: TypeAlias = asyncio.Future[Prediction]


class State(Enum):
    """Where a question is."""

    NEW = auto()
    LOOKING = auto()
    QUEUED = auto()
    RUNNING = auto()
    WAITING = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Flight:
    """One question, and all who wait for its answer.

    `began` is when its first try started; `tries` counts the failed ones, `refusals` those that
    were refused for the rate; `payer` paid for the last one that failed. It goes into packs of at
    most `pack_limit`, None for any.
    """

    key: bytes
    mode: CacheMode
    task: Task
    askers: "dict[Share, Future]" = field(default_factory=dict)
    state: State = State.NEW
    began: float | None = None
    tries: int = 0
    refusals: int = 0
    pack_limit: int | None = None
    call: "Call | None" = None
    payer: "Share | None" = None


@dataclass(slots=True, eq=False)
class Call:
    """One request: its flights, who pays for each, and what it was estimated to cost in tokens."""

    flights: list[Flight]
    payers: "list[Share]"
    started: float
    tokens: float
    task: asyncio.Task[object] | None = None
    is_abandoned: bool = False


class Desk(Protocol):
    """What a share needs of its dispatcher."""

    def ask(self, share: "Share", asked: Sequence[tuple[bytes, Task]]) -> list[Future]:
        """See Share.ask."""

    async def leave(self, share: "Share") -> None:
        """See Share.aclose."""


class Share:
    """One statement's claim on the engine, one for each of its Predict nodes."""

    def __init__(
        self, desk: Desk, payer: Payer, answers: Answers, mode: CacheMode, keep_order: bool
    ) -> None:
        self.payer = payer
        self.answers = answers
        self.mode = mode
        self.keeps_order = keep_order
        self.in_flight = 0
        """Calls that this share pays for and that have not landed."""
        self.open: dict[Flight, None] = {}
        self.queue: deque[Flight] = deque()
        self.unlooked: deque[list[Flight]] = deque()
        self.looker: asyncio.Task[None] | None = None
        self.deadline: float | None = None
        self.alarm: asyncio.TimerHandle | None = None
        self.is_listed = False
        self.is_parked = False
        self.is_closed = False
        self.failure: BaseException | None = None
        self.late: Prediction | None = None
        self._desk = desk

    def ask(self, asked: Sequence[tuple[bytes, Task]]) -> list[Future]:
        """Ask tasks by key, the keys distinct; return a future for each, in their order.

        A future brings a Prediction, with its error where the row failed. It raises what fails the
        statement: errors of FATAL, of the payer and of the cache. A share that is closed has all
        its futures cancelled. May not be called on a closed share.
        """
        return self._desk.ask(self, asked)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is answered: failed, too late or closed."""
        return self.failure is not None or self.late is not None or self.is_closed

    def give_up(self, future: Future) -> None:
        """Tell who waits why there will be no answer."""
        if future.done():
            return
        if self.failure is not None:
            future.set_exception(self.failure)
            future.exception()  # seen: a row that nobody reads any more needs no log line
        elif self.late is not None:
            future.set_result(self.late)
        else:
            future.cancel()

    async def aclose(self) -> None:
        """Drop what is queued, cancel the calls that nobody else waits for, and return when they
        are gone. Idempotent."""
        await self._desk.leave(self)
