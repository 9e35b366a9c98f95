"""What tests of the dispatcher share: who pays, what is cached, and a statement in one call."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engines.base import Engine
from engines.dispatch.dispatcher import Dispatcher
from engines.dispatch.share import Share
from engines.limits import Limits
from engines.task import Prediction, Task
from tests.engines.support import opened, spec, tasks
from tests.support.endpoint import Endpoint


class Purse:
    """A payer that counts; `calls` at most in all, `at_once` reserved at the same time."""

    def __init__(self, calls: int | None = None, at_once: int | None = None) -> None:
        self.most, self.at_once = calls, at_once
        self.reserved = 0
        self.joined = 0
        self.settled: list[Prediction | None] = []

    @property
    def in_flight(self) -> int:
        return self.reserved - len(self.settled)

    def reserve(self, task: Task, *, joins: bool = False) -> bool:
        if self.most is not None and self.reserved >= self.most:
            raise PermissionError(f"{self.most} calls are all")
        if self.at_once is not None and self.in_flight >= self.at_once:
            return False
        self.reserved += 1
        self.joined += joins
        return True

    def settle(self, task: Task, prediction: Prediction | None) -> None:
        self.settled.append(prediction)


class Kept:
    """A cache in memory that counts its trips."""

    def __init__(self, **known: str) -> None:
        self.kept = {key.encode(): Prediction(value) for key, value in known.items()}
        self.trips: list[list[bytes]] = []

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Prediction]:
        self.trips.append(list(keys))
        await asyncio.sleep(0.001)
        return {key: self.kept[key] for key in keys if key in self.kept}

    def keep(self, key: bytes, prediction: Prediction) -> None:
        self.kept[key] = prediction


def keyed(asked: Sequence[Task]) -> list[tuple[bytes, Task]]:
    return [(repr((task.spec.parameters, task.inputs)).encode(), task) for task in asked]


def numbered(count: int, **options: Any) -> list[Task]:
    return tasks(spec(**options), *(f"<{n}>" for n in range(count)))


def limits(max_concurrency: int = 32, **given: Any) -> Limits:
    return Limits(max_concurrency, **{"retry_deadline": 5.0, "max_retries": 9, **given})


@asynccontextmanager
async def dispatching(
    endpoint: Endpoint | str, bounds: Limits | None = None
) -> AsyncIterator[Dispatcher]:
    bounds = bounds or limits()
    async with (
        opened(endpoint, max_concurrency=bounds.max_concurrency) as engine,
        dispatcher_of(engine, bounds) as dispatcher,
    ):
        yield dispatcher


@asynccontextmanager
async def dispatcher_of(engine: Engine, bounds: Limits) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(engine, bounds)
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


async def answered(share: Share, asked: Sequence[Task]) -> list[Prediction]:
    """Ask, wait for all in order, close the share whatever happens."""
    try:
        return [await future for future in share.ask(keyed(asked))]
    finally:
        await share.aclose()


def statement(
    endpoint: Endpoint | str, asked: Sequence[Task], bounds: Limits | None = None, **given: Any
) -> list[Prediction]:
    """One statement over an endpoint, in an event loop of its own."""

    async def run() -> list[Prediction]:
        async with dispatching(endpoint, bounds) as dispatcher:
            share = dispatcher.open(
                given.pop("payer", Purse()), given.pop("answers", Kept()), **given
            )
            return await answered(share, asked)

    return asyncio.run(run())


def values(predictions: Sequence[Prediction]) -> list[str | None]:
    return [prediction.value for prediction in predictions]
