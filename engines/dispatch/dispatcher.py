"""Between SQL and an endpoint: whose question is asked next, and what becomes of its answer.

One dispatcher drives one engine for all clients. How fast is the gate's to say, how it is asked
the engine's.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engines.base import Engine, Packing
from engines.dispatch.calling import call_engine, estimate_tokens
from engines.dispatch.gate import Gate
from engines.dispatch.landing import Landing
from engines.dispatch.line import Line
from engines.dispatch.payer import Answers, Payer
from engines.dispatch.prefix import by_prefix, own
from engines.dispatch.register import Register
from engines.dispatch.share import CacheMode, Call, Flight, Future, Share, State
from engines.errors import (
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    NotCached,
)
from engines.limits import Limits
from engines.task import Prediction, Task

__all__ = ["Answers", "CacheMode", "Dispatcher", "Load", "Payer", "Share"]

_CLOSED = "the engine is closed"
_LATE = "no answer within the time that the statement may take"
_NOT_CACHED = "no answer is cached for this row"
_PARKED_PAUSE = 0.05
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """How busy an engine is: calls that may be in flight now and those that are, the smoothed
    latency in seconds (None before the first answer), calls a second allowed (None: no limit)."""

    window: int
    in_flight: int
    latency: float | None
    rate: float | None


class Dispatcher:
    """All calls of one live engine. It belongs to the event loop of the first `open`.

    `tokens` estimates the tokens of a task, prompt and answer, for tokens_per_minute.
    """

    def __init__(
        self, engine: Engine, limits: Limits, tokens: Callable[[Task], float] | None = None
    ) -> None:
        self._engine = engine
        self._packs = isinstance(engine, Packing)
        self._limits = limits
        self._tokens = tokens or estimate_tokens
        self._gate = Gate(limits)
        self._register = Register()
        self._line = Line()
        self._landing = Landing(self._gate, self._register, self._line, limits)
        self._shares: set[Share] = set()
        self._calls: set[Call] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._lookers: set[asyncio.Task[None]] = set()
        self._is_retired = False
        self._is_closed = False

    @property
    def load(self) -> Load:
        """What the engine does now."""
        gate = self._gate
        return Load(gate.window, len(self._calls), gate.latency, gate.rate)

    def open(
        self,
        payer: Payer,
        answers: Answers,
        mode: CacheMode = "on",
        deadline: float | None = None,
        *,
        keep_order: bool = False,
    ) -> Share:
        """Open a claim on the engine for one statement.

        At `deadline`, in the event loop's time, all that it still waits for is answered with
        EndpointTimeout. With `keep_order` tasks are asked strictly in the order given.
        """
        share = Share(self, payer, answers, mode, keep_order)
        share.failure = EndpointUnreachable(_CLOSED) if self._is_closed else None
        share.deadline = deadline
        self._shares.add(share)
        if deadline is not None:
            loop = asyncio.get_running_loop()
            share.alarm = loop.call_at(deadline, self._expire, share)
        return share

    async def retire(self) -> None:
        """Close the engine when the last share is closed, now where there is none."""
        self._is_retired = True
        if not self._shares:
            await self.aclose()

    async def aclose(self) -> None:
        """Cancel all calls and close the engine: who still waits gets EndpointUnreachable.
        Idempotent."""
        self._is_closed = True
        for share in list(self._shares):
            self._register.fail(share, EndpointUnreachable(_CLOSED))
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = [call.task for call in self._calls if call.task is not None]
        tasks += self._lookers
        await _cancelled(tasks)
        await self._engine.aclose()

    # What shares ask for

    def ask(self, share: Share, asked: Sequence[tuple[bytes, Task]]) -> list[Future]:
        """See Share.ask."""
        loop = asyncio.get_running_loop()
        futures, fresh = [], []
        for key, task in asked:
            future: Future = loop.create_future()
            if share.is_over:
                share.give_up(future)
            else:
                flight, future = self._register.join(share, key, task, future)
                if flight.state is State.QUEUED:
                    self._line.add(share, flight)
                elif flight.state is State.NEW:
                    flight.state = State.LOOKING
                    fresh.append(flight)
            futures.append(future)
        if fresh:
            self._welcome(share, fresh)
        return futures

    async def leave(self, share: Share) -> None:
        """See Share.aclose."""
        if share.is_closed:
            return
        share.is_closed = True
        calls = {flight.call for flight in share.open if flight.call is not None}
        self._register.abandon(share)
        if share.alarm is not None:
            share.alarm.cancel()
        self._shares.discard(share)
        gone = [call.task for call in calls if call.is_abandoned and call.task is not None]
        if share.looker is not None and not any(
            flight.askers for batch in share.unlooked for flight in batch
        ):
            gone.append(share.looker)
        try:
            await _cancelled(gone)
        finally:
            if self._is_retired and not self._shares and not self._is_closed:
                await self.aclose()

    # Looking answers up

    def _welcome(self, share: Share, fresh: list[Flight]) -> None:
        if share.mode in ("off", "refresh"):
            self._queue(share, fresh)
            return
        share.unlooked.append(fresh)
        if share.looker is None:
            share.looker = asyncio.get_running_loop().create_task(self._look(share))
            self._lookers.add(share.looker)
            share.looker.add_done_callback(self._lookers.discard)

    async def _look(self, share: Share) -> None:
        """Look up what a share asked, one trip for each `ask`, in their order."""
        try:
            while share.unlooked:
                flights = share.unlooked[0]
                try:
                    found = await share.answers.find([flight.key for flight in flights])
                except Exception as error:
                    self._register.fail_all(flights, error)
                    found = {}
                share.unlooked.popleft()
                missing = []
                for flight in flights:
                    if flight.state is not State.LOOKING:
                        continue
                    if (prediction := found.get(flight.key)) is not None:
                        self._register.resolve(flight, replace(prediction, cached=True), None)
                    elif share.mode == "only":
                        self._register.resolve(
                            flight, Prediction(None, error=NotCached(_NOT_CACHED)), None
                        )
                    else:
                        missing.append(flight)
                self._queue(share, missing)
        finally:
            share.looker = None

    # Queues

    def _queue(self, share: Share, flights: list[Flight]) -> None:
        """Queue what has to be asked, for all who wait for it, and start what may start.

        The first window's worth is on its way before the order of the rest is thought about.
        """
        rows = flights[0].task.spec.rows_per_prompt if flights and self._packs else 1
        head = 0 if share.queue else rows * self._gate.window
        self._line.add_all(flights[:head])
        self._fill()
        rest = flights[head:]
        if not share.keeps_order and len(rest) > 1:
            rest = by_prefix(rest, [own(flight.task) for flight in rest])
        self._line.add_all(rest)
        self._fill()

    # Starting calls

    def _fill(self) -> None:
        """Start all calls that may start now; see that we come back when more may."""
        if self._is_closed:
            return
        now = asyncio.get_running_loop().time()
        self._line.wake(now)
        while self._line:
            delay = self._gate.delay(now, len(self._calls))
            if delay is None:
                break
            if delay > 0:
                if self._refuse_paused(now):
                    continue
                self._wake_at(now + delay)
                break
            share = self._line.turn()
            taken = self._take(share)
            self._line.stay(share)
            if taken:
                self._start(taken, now)
        if self._line.wakes is not None:
            self._wake_at(self._line.wakes)
        if self._line.has_parked:
            self._wake_at(now + _PARKED_PAUSE)

    def _wake_at(self, moment: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= moment:
                return
            self._alarm.cancel()
        self._alarm_at = moment
        self._alarm = asyncio.get_running_loop().call_at(moment, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        self._line.unpark()
        self._fill()

    def _refuse_paused(self, now: float) -> bool:
        """Answer what is queued, where the endpoint has it wait longer than a call may take."""
        refusal = self._gate.refusal
        if refusal is None or self._gate.paused_until - now < self._limits.retry_deadline:
            return False
        share = self._line.turn()
        queued = list(share.queue)
        share.queue.clear()
        for flight in queued:
            if flight.state is State.QUEUED:
                self._register.resolve(flight, Prediction(None, error=refusal), None)
        return True

    def _take(self, share: Share) -> list[tuple[Flight, Share]]:
        """Take the next call's flights out of a share's queue, each with who pays for it."""
        first = self._next(share, [])
        if first is None:
            return []
        taken = [first]
        flight = first[0]
        spec = flight.task.spec
        room = spec.rows_per_prompt if self._packs else 1
        if flight.pack_limit is not None:
            room = min(room, flight.pack_limit)
        while len(taken) < room and (more := self._next(share, taken)) is not None:
            taken.append(more)
        for flight, payer in taken:
            if not flight.askers:  # its share failed while the pack was filled
                payer.payer.settle(flight.task, None)
        return [(flight, payer) for flight, payer in taken if flight.askers]

    def _next(
        self, share: Share, taken: Sequence[tuple[Flight, Share]]
    ) -> tuple[Flight, Share] | None:
        """Take the next flight that somebody pays for; behind others, one that may join them."""
        while share.queue:
            flight = share.queue[0]
            if flight.state is State.QUEUED:
                if taken and not _may_join(flight, taken[0][0]):
                    return None
                payer = self._payer(flight, [paying.payer for _, paying in taken])
                if payer is None and flight.state is State.QUEUED:
                    if share.queue:
                        self._line.park(share)
                    return None
                if payer is not None:
                    if share.queue and share.queue[0] is flight:
                        share.queue.popleft()
                    flight.state = State.RUNNING
                    return flight, payer
            elif share.queue[0] is flight:
                share.queue.popleft()
        return None

    def _payer(self, flight: Flight, paying: Sequence[Payer]) -> Share | None:
        """Return the first who waits for a flight and pays for it now; who cannot ever, fails.
        Those of `paying` pay for the call already."""
        for share in list(flight.askers):
            try:
                if share.payer.reserve(flight.task, joins=share.payer in paying):
                    return share
            except Exception as error:
                self._register.fail(share, error)
        return None

    def _start(self, taken: list[tuple[Flight, Share]], now: float) -> None:
        flights = [flight for flight, _ in taken]
        tasks = [flight.task for flight in flights]
        tokens = sum(map(self._tokens, tasks)) if self._gate.counts_tokens else 0.0
        call = Call(flights, [payer for _, payer in taken], now, tokens)
        for flight in flights:
            flight.call = call
            flight.began = now if flight.began is None else flight.began
        began = min(flight.began or now for flight in flights)
        seconds = self._limits.retry_deadline
        self._calls.add(call)
        call.payers[0].in_flight += 1
        self._gate.started(now, tokens)
        coroutine = call_engine(self._engine, tasks, began + seconds, seconds)
        call.task = asyncio.get_running_loop().create_task(coroutine)
        call.task.add_done_callback(lambda task: self._landed(call, task))

    def _expire(self, share: Share) -> None:
        """The deadline of a share has come."""
        self._register.expire(share, Prediction(None, error=EndpointTimeout(_LATE)))
        self._fill()

    # What becomes of calls

    def _landed(self, call: Call, task: "asyncio.Task[list[Prediction | EngineError]]") -> None:
        """A call is over, in whatever way."""
        in_flight = len(self._calls)
        self._calls.discard(call)
        call.payers[0].in_flight -= 1
        for flight in call.flights:
            flight.call = None
        try:
            if call.is_abandoned and task.cancelled():
                for flight, payer in zip(call.flights, call.payers, strict=True):
                    payer.payer.settle(flight.task, None)
            else:
                now = asyncio.get_running_loop().time()
                self._landing.land(call, _outcome(task), now, in_flight)
        except Exception as error:
            _log.exception("an answer could not be delivered")
            self._register.fail_all(call.flights, error)
        self._line.unpark()
        self._fill()


def _may_join(flight: Flight, first: Flight) -> bool:
    mine, theirs = flight.task.spec, first.task.spec
    return flight.pack_limit == first.pack_limit and (mine is theirs or mine == theirs)


def _outcome(
    task: "asyncio.Task[list[Prediction | EngineError]]",
) -> list[Prediction | EngineError] | EngineError:
    if task.cancelled():
        return EndpointFailed("the engine dropped the call")
    error = task.exception()
    if error is None:
        return task.result()
    return error if isinstance(error, EngineError) else EndpointFailed("the call broke")


async def _cancelled(tasks: "Sequence[asyncio.Task[object] | asyncio.Task[None]]") -> None:
    """Cancel tasks, and return when they are over."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
