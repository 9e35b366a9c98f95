"""Many tasks in, their predictions out in the same order: what stands between SQL and an endpoint.

It decides when a task is asked and asked again; how it is asked is the engine's. No cache: a task
is asked once within one call of `predict_all`.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from engines.base import Engine
from engines.errors import (
    AuthenticationFailed,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    HandlerUnavailable,
    ModelNotServed,
    RateLimited,
)
from engines.task import Prediction, Task

FATAL = (AuthenticationFailed, ModelNotServed, HandlerUnavailable, EndpointUnreachable)
"""What would meet every other row too: it fails the query, not the row."""

READ_AHEAD = 1024
"""Rows at most that are taken from the source and not yet read by the caller."""

_Answer: TypeAlias = asyncio.Future[Prediction]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long a call is tried: times in seconds.

    `deadline` spans all tries of one call; `unreachable` those against an endpoint that takes no
    connection. The n-th pause is drawn from half to all of first_pause · 2^(n-1).
    """

    tries: int = 3
    deadline: float = 300.0
    unreachable: float = 4.0
    first_pause: float = 0.5
    longest_pause: float = 8.0


async def predict_all(
    engine: Engine,
    tasks: Iterable[Task] | AsyncIterable[Task],
    retries: Retries = Retries(),
) -> AsyncGenerator[Prediction, None]:
    """Yield one prediction per task, in the order of `tasks`, each distinct task asked once.

    At most `engine.max_concurrency` calls are in flight, a freed place is taken at once. A row
    whose call fails for good yields Prediction(None, error=…). Raises the errors of FATAL, as soon
    as the caller reads a row that they left without an answer, and what `tasks` raises.

    Cancelling the caller, or closing the generator, cancels all calls in flight: use
    `contextlib.aclosing` where you may leave early. `tasks` stays the caller's to close.
    """
    rows: asyncio.Queue[_Answer | None] = asyncio.Queue(READ_AHEAD)
    driver = asyncio.create_task(_drive(engine, tasks, retries, rows))
    try:
        while (answer := await rows.get()) is not None:
            yield await answer
    finally:
        driver.cancel()
        await asyncio.wait([driver])


async def _drive(
    engine: Engine,
    tasks: Iterable[Task] | AsyncIterable[Task],
    retries: Retries,
    rows: asyncio.Queue[_Answer | None],
) -> None:
    """Put the answer of each task on `rows`, then None; start calls as places get free.

    The group lives in a task of its own: its failure must not cancel the caller of an async
    generator in the middle of something else.
    """
    answers: dict[Task, _Answer] = {}
    try:
        async with aclosing(_each(tasks)) as each, asyncio.TaskGroup() as group:
            places = asyncio.Semaphore(engine.max_concurrency)
            async for task in each:
                if (answer := answers.get(task)) is None:
                    await places.acquire()
                    answer = answers[task] = asyncio.get_running_loop().create_future()
                    group.create_task(_answer(engine, task, retries, answer, places))
                await rows.put(answer)
    except BaseExceptionGroup as failures:
        await rows.put(_failed(failures.exceptions[0], answers))
    else:
        await rows.put(None)


async def _answer(
    engine: Engine, task: Task, retries: Retries, answer: _Answer, places: asyncio.Semaphore
) -> None:
    try:
        prediction = await _persist(engine, task, retries)
    except asyncio.CancelledError:
        if _is_cancelled():
            raise
        prediction = Prediction(None, error=EndpointFailed("the engine dropped the call"))
    finally:
        places.release()
    if not answer.done():
        answer.set_result(prediction)


def _is_cancelled() -> bool:
    """Whether this task is meant by a CancelledError, or only something that it waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _persist(engine: Engine, task: Task, retries: Retries) -> Prediction:
    """Ask until there is an answer, an error that stays, or no time left. Raises those of FATAL."""
    started = asyncio.get_running_loop().time()
    attempt = 0
    while True:
        attempt += 1
        try:
            async with asyncio.timeout_at(started + retries.deadline):
                return await engine.predict(task)
        except TimeoutError:
            late = f"no answer within the {retries.deadline:g} seconds that a call may take"
            return Prediction(None, error=EndpointTimeout(late))
        except EngineError as error:
            pause = _pause(error, attempt, retries)
            resumed = asyncio.get_running_loop().time() - started + pause
            if _is_final(error, attempt, resumed, retries):
                if isinstance(error, FATAL):
                    raise
                return Prediction(None, error=error)
        await asyncio.sleep(pause)


def _is_final(failure: EngineError, attempt: int, resumed: float, retries: Retries) -> bool:
    """Whether to try no more: `resumed` is when, after the first try, the next would begin."""
    limit = retries.unreachable if isinstance(failure, EndpointUnreachable) else retries.deadline
    return not failure.transient or attempt == retries.tries or resumed >= limit


def _pause(failure: EngineError, attempt: int, retries: Retries) -> float:
    """Return the seconds to wait: what the endpoint asks for, else jittered back-off."""
    longest = min(retries.longest_pause, retries.first_pause * 2.0 ** (attempt - 1))
    jittered = longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret in it
    asked = failure.retry_after if isinstance(failure, RateLimited) else None
    return jittered if asked is None else asked + 0.1 * jittered


async def _each(tasks: Iterable[Task] | AsyncIterable[Task]) -> AsyncGenerator[Task, None]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task
    else:
        for task in tasks:
            yield task


def _failed(failure: BaseException, answers: dict[Task, _Answer]) -> _Answer:
    """Give `failure` to every row still waiting, and return it as the row that ends the others."""
    last: _Answer = asyncio.get_running_loop().create_future()
    for answer in (*answers.values(), last):
        if not answer.done():
            answer.set_exception(failure)
            answer.exception()  # seen: a row that nobody reads any more needs no log line
    return last
