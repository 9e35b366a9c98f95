"""The tasks that look after jobs, one for each: soon at first, then at longer and longer pauses.

No trouble ends one of them but the job's own end.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from catalog.errors import CatalogError
from engines.errors import EngineError, JobUnknown
from proxy.tuning.jobs import Jobs

logger = logging.getLogger("modelwire.tuning")

TRIES = 12
"""Looks, some minutes, at a job that its endpoint does not cancel although the version was dropped,
or does not know: a gateway may say so for a moment."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks: `first`, then each time double, never more than `longest`."""

    first: float = 1.0
    longest: float = 60.0

    def pauses(self) -> Iterator[float]:
        """Yield them, for ever."""
        pause = min(self.first, self.longest)
        while True:
            yield pause
            pause = min(2 * pause, self.longest)


class Watch:
    """Looks after jobs until it is closed; they then go on at their endpoints."""

    def __init__(self, jobs: Jobs, pace: Pace) -> None:
        self._jobs = jobs
        self._pace = pace
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._woken: dict[int, asyncio.Event] = {}

    def start(self, number: int) -> None:
        """Look after a job from now on. Needs a running loop."""
        self._woken[number] = asyncio.Event()
        self._tasks[number] = asyncio.create_task(self._look_after(number))

    def wake(self, number: int) -> None:
        """Look at a job now."""
        if number in self._woken:
            self._woken[number].set()

    async def close(self) -> None:
        """End all tasks. Idempotent."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self, number: int) -> bool:
        """Look at a job; what goes wrong is written down with it. Whether its endpoint knows it."""
        try:
            await self._jobs.look(number)
        except (EngineError, CatalogError) as error:
            logger.info("fine-tuning %d: %s", number, error)
            with suppress(CatalogError):
                await self._jobs.note(number, str(error))
            return not isinstance(error, JobUnknown)
        except Exception:
            logger.exception("fine-tuning %d cannot be looked at", number)
        return True

    async def _look_after(self, number: int) -> None:
        tries = 0
        try:
            for pause in self._pace.pauses():
                await self._pause(number, pause)
                known = await self.look(number)
                if self._jobs.tunings.find_open(number) is None:
                    return
                tries = tries + 1 if self._jobs.is_dropped(number) or not known else 0
                if tries >= TRIES:
                    await self._jobs.give_up(number)
                    return
        finally:
            del self._tasks[number], self._woken[number]

    async def _pause(self, number: int, seconds: float) -> None:
        woken = self._woken[number]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await woken.wait()
        woken.clear()
