"""Blocking calls, off the event loop: each can be cancelled, which interrupts DuckDB.

One place where calls leave the event loop. It knows nothing of what they do.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from catalog.whole import whole

T = TypeVar("T")


class Turns(ABC):
    """Something of DuckDB's that one thread at a time may use. Calls take turns; a call that is
    cancelled returns only when its thread is free again."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()

    @abstractmethod
    def interrupt(self) -> None:
        """End what runs now; may be called from any thread, and when nothing runs."""

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._turn:
            job = self._pool.submit(work)
            future = asyncio.wrap_future(job)
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                if not job.cancel():  # it has a thread already
                    await self._end(future)
                raise

    @whole
    async def _end(self, future: "asyncio.Future[T]") -> None:
        """Interrupt until the thread is back: one interrupt can come before the call began."""
        while not future.done():
            self.interrupt()
            await asyncio.wait([future], timeout=0.02)
        if not future.cancelled():
            future.exception()  # seen: an interrupted call ends in an error that nobody needs
