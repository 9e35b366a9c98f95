"""The writer of what comes in often and small: entries of many calls in one transaction each 25 ms.

What was put is in memory at once and committed soon; which table it goes to, its store knows.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Generic, TypeVar

import duckdb

from catalog.duckdb_errors import translated
from catalog.transaction import Transaction
from catalog.whole import whole

logger = logging.getLogger("modelwire.catalog")

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

Connection = duckdb.DuckDBPyConnection
# What runs in the writer's thread, inside a transaction, and gives what is left to do on the loop
# once that is committed.
Write = Callable[[Connection], Callable[[], T]]

DELAY = 0.025  # seconds from the first entry to its commit's begin; the rest of 50 ms is the commit
RETRY = 5.0  # seconds, the longest wait after a commit that failed
MOST_WEIGHT = 64 * 1024 * 1024  # bytes, about, that a store may have uncommitted
GROUP_ENTRIES = 4096  # of one store in one transaction, and
GROUP_WEIGHT = 1024 * 1024  # their bytes, about: DuckDB takes some times that in memory
_READERS = 2


class Ledger(Generic[K, V]):
    """What one store has put and the journal has not committed: the newest value of each key.

    An entry leaves `pending` in the tick after its commit, never before: who looks here and then
    into the table misses nothing. Beyond MOST_WEIGHT the oldest entries go, and the log says so.
    """

    def __init__(
        self,
        wake: Callable[[], None],
        write: Callable[[Connection, Mapping[K, V]], Callable[[], None]],
        weigh: Callable[[V], int],
    ) -> None:
        self.pending: dict[K, V] = {}
        self.lost = 0
        self._weight = 0
        self._wake = wake
        self._write = write
        self._weigh = weigh

    def put(self, key: K, value: V) -> None:
        """Have the entry, and have it written soon. Never blocks; needs a running loop."""
        self._forget(key)
        self.pending[key] = value
        self._weight += self._weigh(value)
        while self._weight > MOST_WEIGHT and len(self.pending) > 1:
            self._forget(next(iter(self.pending)))
            self.lost += 1
        self._wake()

    def take(self) -> dict[K, V]:
        """The oldest entries, as many as go into one transaction. They stay pending."""
        entries: dict[K, V] = {}
        room = GROUP_WEIGHT
        for key, value in islice(self.pending.items(), GROUP_ENTRIES):
            room -= self._weigh(value)
            if entries and room < 0:
                break
            entries[key] = value
        return entries

    def write(self, connection: Connection, entries: Mapping[K, V]) -> Callable[[], None]:
        """Write entries that were taken, in the writer's thread; then the rest, on the loop."""
        then = self._write(connection, entries)

        def committed() -> None:
            for key, value in entries.items():
                if self.pending.get(key) is value:  # else a newer one came, which is not written
                    self._forget(key)
            then()

        return committed

    def _forget(self, key: K) -> None:
        if key in self.pending:
            self._weight -= self._weigh(self.pending.pop(key))


class Journal:
    """One writer and two readers on connections of their own to the catalog's file.

    A commit begins DELAY after the first entry that waits, one at a time, with all that waits by
    then. DuckDB appends it to its write-ahead log and calls fsync before COMMIT returns, so
    what is committed outlives the process (kill -9) and, on a disk that keeps its word, the power.
    A commit that fails is logged and tried again until it succeeds.
    """

    def __init__(self, connection: Connection) -> None:
        self._root = connection
        self._ledgers: list[Ledger[Any, Any]] = []
        self._writing = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="catalog")
        self._of_thread = threading.local()
        self._since: float | None = None  # when the first entry came that no commit has taken
        self._rounds: asyncio.Task[None] | None = None

    def ledger(
        self,
        write: Callable[[Connection, Mapping[K, V]], Callable[[], None]],
        weigh: Callable[[V], int],
    ) -> Ledger[K, V]:
        """A new store's entries. `write` puts some of them into their table, in the writer's
        thread and the journal's transaction, and gives what is to do on the loop once they are
        committed; `weigh` tells an entry's bytes, about."""
        ledger = Ledger(self._wake, write, weigh)
        self._ledgers.append(ledger)
        return ledger

    def start(self, work: Callable[[Connection], T]) -> T:
        """Run what a store needs at its start, in a transaction. Blocks: before the first put."""
        with translated(), Transaction(self._root):
            return work(self._root)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run queries in a reader's thread; they see all that is committed as they begin.

        Cancelled, it returns at once and the query ends by itself. Raises CatalogError."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    @whole
    async def write(self, work: Write[T]) -> T:
        """Run a change in a transaction of its own, once all that was put is committed; nothing
        is written in between. No cancel point. Raises CatalogError."""
        async with self._writing:
            await self._commit_all()
            then = await self._in_writer(work)
            return then()

    @whole
    async def flush(self) -> None:
        """Commit all that was put before. No cancel point. Raises CatalogError for what the disk
        refuses; that stays pending, and is tried again."""
        async with self._writing:
            await self._commit_all()

    async def close(self) -> None:
        """Commit what waits, or log what is lost, and let the connections go."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.wait([self._rounds])
        try:
            await self.flush()
        except Exception as error:
            waiting = sum(len(ledger.pending) for ledger in self._ledgers)
            logger.error("%d answers and accounts are lost: %s", waiting, error)  # noqa: TRY400
        for pool in (self._writer, self._readers):
            pool.shutdown()
        self._root.close()

    def _wake(self) -> None:
        loop = asyncio.get_running_loop()
        if self._since is None:
            self._since = loop.time()
        if self._rounds is None or self._rounds.done():
            self._rounds = loop.create_task(self._write_on())

    async def _write_on(self) -> None:
        """Commit in rounds until nothing waits."""
        loop = asyncio.get_running_loop()
        pause = DELAY
        while any(ledger.pending for ledger in self._ledgers):
            since = loop.time() if self._since is None else self._since
            await asyncio.sleep(max(0.0, since + DELAY - loop.time()) + pause - DELAY)
            pause = DELAY if await self._try() else min(pause * 2, RETRY)

    async def _try(self) -> bool:
        try:
            await self.flush()
        except Exception as error:  # whatever it is, the entries are worth another try
            logger.error("Answers and accounts cannot be written yet: %s", error)  # noqa: TRY400
            return False
        return True

    async def _commit_all(self) -> None:
        left = [len(ledger.pending) for ledger in self._ledgers]
        while any(count > 0 for count in left):
            taken = await self._commit()
            left = [count - done for count, done in zip(left, taken, strict=True)]
        for ledger in self._ledgers:
            if ledger.lost:
                logger.error("%d entries were lost while the disk refused", ledger.lost)
                ledger.lost = 0

    async def _commit(self) -> list[int]:
        """Commit one group: how many entries of each store."""
        self._since = None
        taken = [ledger.take() for ledger in self._ledgers]

        def work(connection: Connection) -> list[Callable[[], None]]:
            pairs = zip(self._ledgers, taken, strict=True)
            return [ledger.write(connection, entries) for ledger, entries in pairs if entries]

        for committed in await self._in_writer(work):
            committed()
        return [len(entries) for entries in taken]

    async def _in_writer(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with translated(), Transaction(self._cursor()):
                return work(self._cursor())

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with translated():
            return work(self._cursor())

    def _cursor(self) -> Connection:
        """This thread's own connection, made at its first use: an idle server needs none."""
        if not hasattr(self._of_thread, "cursor"):
            self._of_thread.cursor = self._root.cursor()
        cursor: Connection = self._of_thread.cursor
        return cursor
